/** Makes an upscaler from a method's name, weight file or network. */

import { DeviceLostError } from "../device/device.ts";
import { ensureDevice } from "../device/open.ts";
import { loadModel } from "../models/registry.ts";
import { SuperResolver } from "../models/super-resolver.ts";
import { anything, checkArguments, checkOptions, optional, trueOrFalse } from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { outsideScopes } from "../tensor/scope.ts";
import { aMethod, type Method } from "./method.ts";
import {
  defaultMethod,
  isInterpolation,
  isPretrained,
  type MethodName,
  methodNames,
  type PretrainedName,
  type PretrainedScale,
  pretrainedFiles,
  pretrainedNames,
  pretrainedScales,
} from "./method-names.ts";
import { checkUpscaleOptions } from "./tiles.ts";
import { interpolator, networkUpscaler, selfEnsemble, type Upscaler, upscalerOf } from "./upscaler.ts";

/**
 * - the name of an interpolation or of a network that comes with the library: `methodNames` lists them;
 * - any other text, in Node: the path of a weight file, as `saveWeights` makes them;
 * - the bytes of such a file;
 * - a network;
 * - an upscaler, or any other `Method`.
 */
export type MethodChoice = MethodName | (string & {}) | Uint8Array | SuperResolver | Method;

export interface OpenMethodOptions {
  /** Default: "edsr-small", which needs WebGPU; at scale 8, for which it has no weights, "bicubic". */
  readonly method?: MethodChoice;
  /** Enlargement of each side: 1, 2, 3, 4 or 8. Default: that of the weights; for a name, 2. */
  readonly scale?: number;
  /** The mean of the results for eight flips and turns: a little better, eight times the work. Default off. */
  readonly ensemble?: boolean;
}

/** A method ready for use. */
export interface OpenedMethod {
  /** Its `name` is one of `methodNames`, else the network's architecture; with a plus for the ensemble. */
  readonly upscaler: Upscaler;
  readonly ensemble: boolean;
  /** How many numbers were trained; 0 for interpolations, and for a `Method`, which does not say. */
  readonly parameters: number;
  /** Where the weights come from: the path of a file, or "pretrained" for those that the library has. */
  readonly weights?: string;
  /** Frees a network that was opened by name, by path or from bytes. */
  close(): void;
}

/**
 * Opens a method. Weights go to the default device, which is opened if there is none, and their kernels are
 * compiled.
 *
 * @throws RangeError if the method cannot enlarge by the scale, or is no method; DataError if it is neither a
 *   name nor the path of a file that can be read.
 */
export async function openMethod(options: OpenMethodOptions = {}): Promise<OpenedMethod> {
  return openMethodFor("openMethod", options);
}

/** The same for a function that errors call `caller`. */
export async function openMethodFor(caller: string, options: OpenMethodOptions): Promise<OpenedMethod> {
  checkUpscaleOptions(caller, options);
  const { scale, ensemble = false } = options;
  checkArguments(caller, {
    scale: [scale, optional(whole(1))],
    ensemble: [ensemble, trueOrFalse],
  });
  const opened = await openMeasured(caller, options);
  try {
    const { name, scale: own } = opened.upscaler;
    if (scale !== undefined && own !== scale) {
      throw new RangeError(
        `${opened.weights ?? name} enlarges by ${own}, but scale ${scale} was asked for. ` +
          "Each scale has weights of its own.",
      );
    }
  } catch (error) {
    opened.close();
    throw error;
  }
  return ensemble ? { ...opened, ensemble, upscaler: selfEnsemble(opened.upscaler) } : opened;
}

/** More losses of a device within one window mean that the next device would not live longer. */
const MAX_RELOADS = 3;

/** Runs a network once, which compiles its kernels. If its device is lost meanwhile, it begins again. */
async function openMeasured(caller: string, options: OpenMethodOptions): Promise<OpenedMethod> {
  for (let reloads = 0; ; reloads++) {
    const opened = await open(caller, options);
    try {
      opened.upscaler.pixelsWithin(0);
      return opened;
    } catch (error) {
      opened.close();
      if (!isLost(opened.upscaler) || options.method instanceof SuperResolver || reloads === MAX_RELOADS)
        throw error;
    }
  }
}

function isLost({ device }: Method): boolean {
  return device?.failure instanceof DeviceLostError;
}

async function open(
  caller: string,
  { scale, method = defaultMethod(scale ?? 2) }: OpenMethodOptions,
): Promise<OpenedMethod> {
  if (method === undefined) {
    throw new RangeError(
      `${caller}: scale ${scale} keeps the size, and what a picture may gain by that depends on the network. Name one ` +
        "that was made for it as method, a weight file.",
    );
  }
  const plain = { ensemble: false, parameters: 0, close() {} };
  if (isInterpolation(method)) return { ...plain, upscaler: interpolator(method, scale ?? 2) };
  if (isPretrained(method)) {
    await deviceFor(method);
    const { bytes, label } = await readPretrained(method, scale as PretrainedScale | undefined);
    return ownNetwork(() => loadModel(bytes, label), "pretrained", method);
  }
  if (typeof method === "string") {
    const bytes = await readFile(method).catch((cause: Error) => {
      // Without a dot or a slash it was meant for a name.
      const ErrorClass = /[./\\]/.test(method) ? DataError : RangeError;
      throw new ErrorClass(
        `${method}: there is no such method (${methodNames.join(", ")}), and as a weight file it cannot ` +
          `be read: ${cause.message}. Check the name or the path.`,
        { cause },
      );
    });
    await deviceFor(method);
    return ownNetwork(() => loadModel(bytes, method), method);
  }
  if (method instanceof Uint8Array) {
    await deviceFor("the weight file");
    return ownNetwork(() => loadModel(method));
  }
  if (method instanceof SuperResolver) {
    return { ...plain, upscaler: networkUpscaler(method), parameters: method.parameterCount() };
  }
  if (aMethod.fits(method)) return { ...plain, upscaler: upscalerOf(method) };
  throw new RangeError(
    `${caller}: method must be ${methodNames.join(", ")}, the path or the bytes of a weight file, a network ` +
      `or an upscaler, got ${quote(method)}.`,
  );
}

async function deviceFor(network: string): Promise<void> {
  await ensureDevice().catch((cause: Error) => {
    throw new Error(
      `${network} is a network and runs on WebGPU: ${cause.message} ` +
        "Or take an interpolation, such as bicubic, which needs no WebGPU.",
      { cause },
    );
  });
}

/**
 * A network that was loaded here, and that `close` frees. If its device is lost, it is loaded again, on a new
 * one, and computes the window once more: whoever enlarges a picture notices nothing but the time.
 */
function ownNetwork(make: () => SuperResolver, weights?: string, name?: string): OpenedMethod {
  const load = () => outsideScopes(make);
  let model = load();
  let current = networkUpscaler(model, name);
  let reloading: Promise<void> | undefined;
  const reload = async (): Promise<void> => {
    await ensureDevice();
    model.dispose();
    model = load();
    current = networkUpscaler(model, name);
  };
  const survivor: Method = {
    ...current,
    async enlarge(planes, signal) {
      for (let reloads = 0; ; reloads++) {
        const before = current;
        try {
          return await before.enlarge(planes, signal);
        } catch (error) {
          if (signal?.aborted || !isLost(before) || reloads === MAX_RELOADS) throw error;
          // Windows of other pictures may have noticed, too.
          if (before !== current) continue;
          reloading ??= reload().finally(() => {
            reloading = undefined;
          });
          await reloading;
        }
      }
    },
  };
  const upscaler = upscalerOf(survivor);
  const parameters = model.parameterCount();
  return { upscaler, ensemble: false, parameters, weights, close: () => model.dispose() };
}

/**
 * A network with the weights that come with the library; nothing is downloaded from elsewhere. Its weights go
 * to the default device, which is opened if there is none.
 *
 * - `edsr-small`: the best, and the default of `upscale()`; RGB.
 * - `espcn`: the fastest; luma.
 * - `srcnn`: the first of its kind, for comparisons; luma that bicubic interpolation has enlarged.
 *
 *     const model = await loadPretrained("edsr-small", { scale: 2 });
 *
 * @throws RangeError if there is no such network, and an Error that says what to do where a bundler has lost
 *   the file.
 */
export async function loadPretrained(
  name: PretrainedName,
  options: { readonly scale?: PretrainedScale } = {},
): Promise<SuperResolver> {
  checkOptions("loadPretrained", options, { scale: anything });
  const { bytes, label } = await readPretrained(name, options.scale);
  await ensureDevice();
  // The caller disposes it: a scope that is open here may belong to work beside this call.
  return outsideScopes(() => loadModel(bytes, label));
}

async function readPretrained(
  name: PretrainedName,
  scale: PretrainedScale = 2,
): Promise<{ bytes: Uint8Array; label: string }> {
  if (!isPretrained(name)) {
    throw new RangeError(
      `loadPretrained: there is no network ${quote(name)}; there are ${pretrainedNames.join(", ")}.`,
    );
  }
  const url = pretrainedScales.includes(scale) ? pretrainedFiles[name][scale] : undefined;
  if (url === undefined) {
    throw new RangeError(
      `loadPretrained: ${name} enlarges by ${pretrainedScales.join(", ")}, not by ${quote(scale)}. Train one ` +
        "with that scale, or take an interpolation.",
    );
  }
  const bytes = await readFile(url).catch((cause: Error) => {
    throw new Error(
      `loadPretrained: the weights of ${name} x${scale} cannot be read at ${url}: ${cause.message}. A ` +
        `bundler has to copy the package's folder "weights"; the development server of Vite before 8 finds ` +
        `it with optimizeDeps: { exclude: ["pixelgrad"] }. Or serve the file yourself, and give its bytes ` +
        "to loadModel().",
      { cause },
    );
  });
  return { bytes, label: `${name} x${scale}` };
}

/** Reads a file of this package by its URL, and in Node any file by its path. */
let readFile = fetchFile;

/** Called by Node's entry (node.ts), since Node's fetch does not read files. */
export function registerFileReader(reader: typeof readFile): void {
  readFile = reader;
}

async function fetchFile(file: URL | string): Promise<Uint8Array> {
  if (typeof file === "string") {
    throw new Error("browsers read no files by their path, so fetch it and give its bytes, a Uint8Array");
  }
  const response = await fetch(file);
  // For a missing file, development servers answer with their start page.
  const page = response.headers.get("content-type")?.startsWith("text/html");
  if (!response.ok || page) {
    throw new Error(page ? "the server answers with a page" : `${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
