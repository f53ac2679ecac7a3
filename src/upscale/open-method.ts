/** Makes an upscaler from a method's name, weight file or network. */

import type { Device } from "../device/device.ts";
import { ensureDevice, openedDevice } from "../device/open.ts";
import { buildNetwork, loadModel, type NetworkFile, readNetwork } from "../models/registry.ts";
import { placeOf, SuperResolver } from "../models/super-resolver.ts";
import {
  ArgumentError,
  checkArguments,
  checkIsObject,
  checkNames,
  isObject,
  keysOf,
  optional,
  trueOrFalse,
} from "../options/arguments.ts";
import { isBytes, isOfClass, ownBytes } from "../options/classes.ts";
import { quote, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { DEFAULT_SCALE } from "../picture/scales.ts";
import { checkMethod } from "./check-method.ts";
import { readFile } from "./file-reader.ts";
import { KeptMethods } from "./kept.ts";
import type { Method } from "./method.ts";
import {
  defaultMethod,
  type Interpolation,
  isInterpolation,
  isPretrained,
  type MethodName,
  methodNames,
  type PretrainedName,
  type PretrainedScale,
} from "./method-names.ts";
import { isLost, MAX_RELOADS, ownNetwork } from "./own-network.ts";
import { readPretrained } from "./pretrained.ts";
import {
  interpolatorWithDevice,
  networkUpscaler,
  selfEnsemble,
  type Upscaler,
  upscalerOf,
} from "./upscaler.ts";

/**
 * - the name of an interpolation or of a network that comes with the library: `methodNames` lists them;
 * - any other text, in Node: the path of a weight file, as `saveWeights` makes them, or of another program's
 *   (safetensors, PyTorch's `.pth`, ncnn's `.param` with its `.bin` beside it, Keras' `.h5` with the package h5wasm),
 *   if it holds one of this library's networks;
 * - the URL of such a file: in Node a file URL, also as text; in browsers an address that is fetched;
 * - the bytes of a file of safetensors or PyTorch, in a Uint8Array or an ArrayBuffer;
 * - a network;
 * - an upscaler, or any other `Method`.
 */
export type MethodChoice =
  | MethodName
  | (string & {})
  | URL
  | Uint8Array
  | ArrayBuffer
  | SuperResolver
  | Method;

export interface OpenMethodOptions {
  /**
   * Default: the best network for clean pictures that comes with the library and has the scale, which needs
   * WebGPU; at scale 8, "bicubic". `upscale()` also looks at the picture, and takes one for damaged pictures
   * where that is better.
   */
  readonly method?: MethodChoice;
  /** Enlargement of each side: 1, 2, 3, 4 or 8. Default: that of the weights; for a name, 2. */
  readonly scale?: number;
  /**
   * The mean of the results for eight flips and turns: a little better, eight times the work. Default off.
   */
  readonly ensemble?: boolean;
  /**
   * Stores the weights and feature maps of a network as float16: half the memory on the device, so tiles may
   * be larger, and results that hardly differ. Sums are computed in f32 as before. For networks that are
   * opened by name, by path or from bytes; on others, call `half()` yourself. Default off.
   */
  readonly half?: boolean;
}

/** The names of OpenMethodOptions. */
export const openMethodOptionNames = keysOf<OpenMethodOptions>({
  method: true,
  scale: true,
  ensemble: true,
  half: true,
});

/** A method ready for use. */
export interface OpenedMethod {
  /** Its `name` is one of `methodNames`, else the network's architecture; with a plus for the ensemble. */
  readonly upscaler: Upscaler;
  readonly ensemble: boolean;
  /** Whether it is a network that is stored as float16. */
  readonly half: boolean;
  /** How many numbers were trained; 0 for interpolations, and for a `Method`, which does not say. */
  readonly parameters: number;
  /** Where the weights come from: the path of a file, or "pretrained" for those that the library has. */
  readonly weights?: string;
  /** What that file does not say, and which weights were taken of several, as `NetworkFile` has it. */
  readonly assumptions?: NetworkFile["assumptions"];
  readonly taken?: string;
  /** Frees a network that was opened by name, by path or from bytes. */
  close(): void;
}

/**
 * Opens a method. Weights go to the default device, which is opened if there is none, and their kernels are
 * compiled.
 *
 * @throws RangeError if the method cannot enlarge by the scale, or is no method, or none that `half` is for;
 *   DataError if it is neither a name nor the path of a file that can be read; GpuError if the device cannot
 *   store float16.
 */
export async function openMethod(options: OpenMethodOptions = {}): Promise<OpenedMethod> {
  checkIsObject("openMethod", options, "such as { scale: 2 }");
  checkNames("openMethod", options, openMethodOptionNames);
  return openMethodFor("openMethod", options);
}

/** The same for a function that errors call `caller`. */
export async function openMethodFor(caller: string, options: OpenMethodOptions): Promise<OpenedMethod> {
  const { scale, ensemble } = options;
  checkArguments(caller, { scale: [scale, optional(whole(1))] });
  checkFlags(caller, options);
  const opened = await openAndWarmUp(caller, options);
  const { name, scale: own } = opened.upscaler;
  if (scale !== undefined && own !== scale) {
    opened.close();
    throw new ArgumentError(
      caller,
      `${opened.weights ?? name} enlarges by ${own}, but scale ${scale} was asked for. ` +
        "Each scale has weights of its own.",
    );
  }
  return withEnsemble(opened, ensemble);
}

const kept = new KeptMethods<OpenedMethod>();

/**
 * The same for one picture. Networks that come with the library stay loaded on their device for the next one
 * (kept.ts).
 */
export async function borrowMethod(caller: string, options: OpenMethodOptions): Promise<OpenedMethod> {
  const { scale = DEFAULT_SCALE, method = defaultMethod(scale), ensemble, half } = options;
  if (!isPretrained(method)) return openMethodFor(caller, options);
  checkFlags(caller, options);
  const device = await deviceFor(method);
  const open = () => openMethodFor(caller, { method, scale, half });
  const opened = await kept.borrow(device, `${method} x${scale}${half ? " half" : ""}`, open);
  return withEnsemble(opened, ensemble);
}

function checkFlags(caller: string, { ensemble, half }: OpenMethodOptions): void {
  checkArguments(caller, {
    ensemble: [ensemble, optional(trueOrFalse)],
    half: [half, optional(trueOrFalse)],
  });
}

function withEnsemble(opened: OpenedMethod, ensemble = false): OpenedMethod {
  return ensemble ? { ...opened, ensemble, upscaler: selfEnsemble(opened.upscaler) } : opened;
}

/** Compiles a network's kernels and runs it once. If its device is lost meanwhile, it begins again. */
async function openAndWarmUp(caller: string, options: OpenMethodOptions): Promise<OpenedMethod> {
  for (let reloads = 0; ; reloads++) {
    const opened = await open(caller, options);
    try {
      await opened.upscaler.prepare?.();
      opened.upscaler.pixelsWithin(0);
      return opened;
    } catch (error) {
      opened.close();
      if (!isLost(opened.upscaler) || options.method instanceof SuperResolver || reloads === MAX_RELOADS)
        throw error;
    }
  }
}

async function open(
  caller: string,
  { scale, method = defaultMethod(scale ?? DEFAULT_SCALE), half = false }: OpenMethodOptions,
): Promise<OpenedMethod> {
  if (method === undefined) {
    throw new ArgumentError(
      caller,
      `scale ${scale} keeps the size, and what a picture may gain by that depends on the network. Name one ` +
        "that was made for it as method, a weight file.",
    );
  }
  const opener = openers.find(({ fits }) => fits(method));
  if (opener) return opener.open(method, { caller, scale, half });
  throw new ArgumentError(
    caller,
    `method must be ${methodNames.join(", ")}, the path, the URL or the bytes of a weight file, a network ` +
      `that extends SuperResolver, or an upscaler, got ${quote(method)}.`,
  );
}

/** What is asked of a method, whatever it is. */
interface OpenRequest {
  readonly caller: string;
  readonly scale: number | undefined;
  readonly half: boolean;
}

/** A way of opening what may be given as a method. */
interface Opener<T> {
  fits(method: unknown): method is T;
  open(method: T, request: OpenRequest): OpenedMethod | Promise<OpenedMethod>;
}

/** The ways of opening a method. The first that fits is taken, and texts that are no names are paths. */
const openers = [
  { fits: isInterpolation, open: openInterpolation },
  { fits: isPretrained, open: openPretrained },
  { fits: isFileName, open: openFile },
  { fits: isFileContent, open: openBytes },
  { fits: (method) => method instanceof SuperResolver, open: openNetwork },
  { fits: isLikeMethod, open: openUpscaler },
] as readonly Opener<unknown>[];

function openInterpolation(
  name: Interpolation,
  { caller, scale = DEFAULT_SCALE, half }: OpenRequest,
): OpenedMethod {
  if (half) refuseHalf(caller, `${name} is an interpolation. Leave half out`);
  return { ...plain, upscaler: interpolatorWithDevice(openedGpu(), name, scale, caller) };
}

async function openPretrained(
  name: PretrainedName,
  { caller, scale, half }: OpenRequest,
): Promise<OpenedMethod> {
  await deviceFor(name);
  const { bytes, label } = await readPretrained(caller, name, scale as PretrainedScale | undefined);
  return { ...plain, ...ownNetwork(() => loadModel(bytes, label), half, name), half, weights: "pretrained" };
}

function isFileName(method: unknown): method is string | URL {
  return typeof method === "string" || isOfClass<URL>(method, "URL");
}

async function openFile(file: string | URL, { caller, scale, half }: OpenRequest): Promise<OpenedMethod> {
  const name = String(file);
  const bytes = await readFile(file).catch((cause: Error) => {
    throw cause instanceof DataError ? cause : unreadableMethod(caller, name, cause);
  });
  await deviceFor(name);
  let about!: Pick<NetworkFile, "assumptions" | "taken">;
  // Read again after the loss of a device: bytes take less memory than the network's state, which nothing here keeps.
  const load = () => {
    const network = readNetwork(bytes, name, { scale });
    about = { assumptions: network.assumptions, taken: network.taken };
    return buildNetwork(network, name);
  };
  return { ...plain, ...ownNetwork(load, half), ...about, half, weights: name };
}

function unreadableMethod(caller: string, name: string, cause: Error): Error {
  const message =
    `${name}: there is no such method (${methodNames.join(", ")}), and as a weight file it cannot ` +
    `be read: ${cause.message.replace(/\.$/, "")}. Check the name or the path.`;
  // Without a dot or a slash it was meant for a name.
  return /[./\\]/.test(name)
    ? new DataError(message, { cause })
    : new ArgumentError(caller, message, { cause });
}

function isFileContent(method: unknown): method is Uint8Array | ArrayBuffer {
  return isBytes(method) || isOfClass<ArrayBuffer>(method, "ArrayBuffer");
}

async function openBytes(
  content: Uint8Array | ArrayBuffer,
  { scale, half }: OpenRequest,
): Promise<OpenedMethod> {
  const bytes = ownBytes(content);
  await deviceFor("the weight file");
  return { ...plain, ...ownNetwork(() => loadModel(bytes, undefined, { scale }), half), half };
}

function openNetwork(model: SuperResolver, { caller, half }: OpenRequest): OpenedMethod {
  const isHalf = placeOf(model).dtype === "float16";
  if (half && !isHalf)
    refuseHalf(caller, "this one is yours. Call half() on it first, which changes it for good");
  return {
    ...plain,
    half: isHalf,
    upscaler: networkUpscaler(model),
    parameters: model.parameterCount(),
  };
}

/** A method, something that lacks little to be one, or what `openMethod` returns: `checkMethod` tells which. */
function isLikeMethod(method: unknown): method is Method {
  return isObject(method) && ("enlarge" in method || "upscaler" in method);
}

function openUpscaler(method: Method, { caller, half }: OpenRequest): OpenedMethod {
  checkMethod(caller, "method", method);
  if (half) refuseHalf(caller, "this is an upscaler already. Open its network with half");
  return { ...plain, upscaler: upscalerOf(method) };
}

/** What most methods have in common, unless they say otherwise. */
const plain = { ensemble: false, half: false, parameters: 0, close() {} };

function refuseHalf(caller: string, what: string): never {
  throw new ArgumentError(caller, `half is for networks that are opened here, and ${what}.`);
}

/** The default device, if it is open and a real GPU. To open one takes longer than most interpolations. */
function openedGpu(): Device | undefined {
  const device = openedDevice();
  return device?.profile.separateProcessor ? device : undefined;
}

async function deviceFor(network: string): Promise<Device> {
  return ensureDevice().catch((cause: Error) => {
    const error = new Error(
      `${network} is a network and runs on WebGPU: ${cause.message} ` +
        "Or take an interpolation, such as bicubic, which needs no WebGPU.",
      { cause },
    );
    throw "code" in cause ? Object.assign(error, { code: cause.code }) : error;
  });
}
