/** Which method enlarges: from what callers name to an upscaler. */

import { ensureDevice } from "../device/open.ts";
import { loadPretrained, readWeights } from "../models/pretrained.ts";
import { type PretrainedName, type PretrainedScale, pretrainedNames } from "../models/pretrained-files.ts";
import { loadModel } from "../models/registry.ts";
import { SuperResolver } from "../models/super-resolver.ts";
import { DataError } from "../picture/errors.ts";
import { interpolator } from "./interpolator.ts";
import type { Method } from "./method.ts";
import { defaultMethod, isInterpolation, type MethodName, methodNames } from "./method-names.ts";
import { networkUpscaler } from "./network.ts";
import { selfEnsemble } from "./self-ensemble.ts";
import { type Upscaler, upscalerOf } from "./upscaler.ts";

/**
 * - the name of an interpolation or of a network that comes with the library: `methodNames` lists them;
 * - any other text, in Node: the path of a weight file, as `saveWeights` makes them;
 * - the bytes of such a file;
 * - a network;
 * - an upscaler, or any other `Method`.
 */
export type MethodChoice = MethodName | (string & {}) | Uint8Array | SuperResolver | Method;

export interface OpenMethodOptions {
  /** Default: "edsr-small", for which there must be WebGPU; at scale 8, which it does not have, "bicubic". */
  readonly method?: MethodChoice;
  /** Enlargement of each side: 2, 3, 4 or 8. Default: that of the weights, and of names 2. */
  readonly scale?: number;
  /** The mean of the answers to eight flips and turns: a little better, eight times the work. Default off. */
  readonly ensemble?: boolean;
}

/** A method ready for use. */
export interface OpenedMethod {
  /** Its `name` is that of `methodNames`, else the network's architecture; with a plus for the ensemble. */
  readonly upscaler: Upscaler;
  readonly ensemble: boolean;
  /** Numbers that were trained; 0 for interpolations, and for upscalers, which do not tell. */
  readonly parameters: number;
  /** Where weights come from: the path of a file, or "pretrained" for those that come with the library. */
  readonly weights?: string;
  /** Frees what was opened: a network that came by name, by path or as bytes. */
  close(): void;
}

/**
 * Opens a method. Weights are put on the default device, which is opened if there is none; their kernels are
 * compiled.
 *
 * @throws RangeError if the method enlarges by another scale than was asked for, or is no method; DataError
 *   if it is neither a name nor the path of a file that can be read.
 */
export async function openMethod(options: OpenMethodOptions = {}): Promise<OpenedMethod> {
  const { scale, ensemble = false } = options;
  const opened = await open(options);
  try {
    const { name, scale: own, pixelsWithin } = opened.upscaler;
    if (scale !== undefined && own !== scale) {
      throw new RangeError(
        `${opened.weights ?? name} enlarges by ${own}, but scale ${scale} was asked for. ` +
          "Each scale has weights of its own.",
      );
    }
    pixelsWithin(0); // tries a network out, which compiles its kernels
  } catch (error) {
    opened.close();
    throw error;
  }
  return ensemble ? { ...opened, ensemble, upscaler: selfEnsemble(opened.upscaler) } : opened;
}

async function open({ scale, method = defaultMethod(scale ?? 2) }: OpenMethodOptions): Promise<OpenedMethod> {
  const plain = { ensemble: false, parameters: 0, close() {} };
  if (isInterpolation(method)) return { ...plain, upscaler: interpolator(method, scale ?? 2) };
  if (isPretrained(method)) {
    await deviceFor(method);
    const model = await loadPretrained(method, { scale: scale as PretrainedScale | undefined });
    return ownNetwork(model, "pretrained", method);
  }
  if (typeof method === "string") {
    const bytes = await readWeights(method).catch((cause: Error) => {
      throw new DataError(
        `${method}: there is no such method (${methodNames.join(", ")}), and as a weight file it cannot ` +
          `be read: ${cause.message}. Check the name or the path.`,
        { cause },
      );
    });
    await deviceFor(method);
    return ownNetwork(loadModel(bytes, method), method);
  }
  if (method instanceof Uint8Array) {
    await deviceFor("the weight file");
    return ownNetwork(loadModel(method));
  }
  if (method instanceof SuperResolver) {
    return { ...plain, upscaler: networkUpscaler(method), parameters: method.parameterCount() };
  }
  if (typeof method?.enlarge === "function") return { ...plain, upscaler: upscalerOf(method) };
  throw new RangeError(
    `upscale: method must be ${methodNames.join(", ")}, the path or the bytes of a weight file, a network ` +
      `or an upscaler, got ${method === null ? "null" : typeof method}.`,
  );
}

function isPretrained(method: MethodChoice): method is PretrainedName {
  return (pretrainedNames as readonly MethodChoice[]).includes(method);
}

async function deviceFor(network: string): Promise<void> {
  await ensureDevice().catch((cause: Error) => {
    throw new Error(
      `${network} is a network and runs on WebGPU: ${cause.message} ` +
        "Or take an interpolation, such as bicubic, which needs none.",
      { cause },
    );
  });
}

/** A network that was loaded for the caller, and goes when the caller closes it. */
function ownNetwork(model: SuperResolver, weights?: string, name?: string): OpenedMethod {
  const upscaler = networkUpscaler(model, name);
  const parameters = model.parameterCount();
  return { upscaler, ensemble: false, parameters, weights, close: () => model.dispose() };
}
