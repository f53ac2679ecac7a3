/** Which method enlarges: from what callers say to an upscaler. */

import { ensureDevice } from "../device/open.ts";
import { loadPretrained } from "../models/pretrained.ts";
import {
  type PretrainedName,
  type PretrainedScale,
  pretrainedNames,
  pretrainedScales,
} from "../models/pretrained-files.ts";
import { loadModel } from "../models/registry.ts";
import { SuperResolver } from "../models/super-resolver.ts";
import { type Interpolation, interpolations, interpolator } from "./interpolator.ts";
import { networkUpscaler } from "./network.ts";
import { selfEnsemble } from "./self-ensemble.ts";
import type { Upscaler } from "./upscaler.ts";

/**
 * The name of an interpolation or of a network that comes with the library, a network, the bytes of a weight file of
 * `saveWeights`, or an upscaler.
 */
export type MethodChoice = Interpolation | PretrainedName | SuperResolver | Uint8Array | Upscaler;

export interface OpenMethodOptions {
  /** Default: "edsr-small", for which there must be WebGPU; at scale 8, which it does not have, "bicubic". */
  readonly method?: MethodChoice;
  /** Enlargement of each side: 2, 3, 4 or 8. Default: the network's, and of interpolations 2. */
  readonly scale?: number;
  /** The mean of the answers to the picture's eight flips and turns: a little better, eight times the work. Default false. */
  readonly ensemble?: boolean;
}

export interface OpenedMethod {
  readonly upscaler: Upscaler;
  /** Frees what was opened: a network that came by its name or as bytes. */
  close(): void;
}

/** What enlarges when nobody says what should. */
export function defaultMethod(scale: number): Interpolation | PretrainedName {
  return (pretrainedScales as readonly number[]).includes(scale) ? "edsr-small" : "bicubic";
}

/**
 * A method ready for use. Weights as bytes are loaded onto the default device, which is opened if there is none.
 *
 * @throws RangeError if the method does not exist or enlarges by another scale than was asked for.
 */
export async function openMethod(options: OpenMethodOptions = {}): Promise<OpenedMethod> {
  const { scale, ensemble = false } = options;
  const opened = await open(options);
  const { name, scale: own } = opened.upscaler;
  if (scale !== undefined && own !== scale) {
    opened.close();
    throw new RangeError(
      `upscale: ${name} enlarges by ${own}, but scale ${scale} was asked for. Each scale has weights of its own.`,
    );
  }
  return ensemble ? { ...opened, upscaler: selfEnsemble(opened.upscaler) } : opened;
}

async function open({ scale, method = defaultMethod(scale ?? 2) }: OpenMethodOptions): Promise<OpenedMethod> {
  if (isOneOf(interpolations, method)) return { upscaler: interpolator(method, scale ?? 2), close() {} };
  if (isOneOf(pretrainedNames, method)) {
    await ensureDevice().catch((cause: Error) => {
      throw new Error(
        `upscale: ${method} is a network and runs on WebGPU: ${cause.message} Or choose an interpolation, method: "bicubic", ` +
          `which needs none.`,
        { cause },
      );
    });
    return owned(await loadPretrained(method, { scale: scale as PretrainedScale | undefined }));
  }
  if (method instanceof SuperResolver) return { upscaler: networkUpscaler(method), close() {} };
  if (method instanceof Uint8Array) {
    await ensureDevice();
    return owned(loadModel(method));
  }
  if (typeof method === "object" && "upscalePlanes" in method) return { upscaler: method, close() {} };
  throw new RangeError(
    `upscale: method must be ${[...interpolations, ...pretrainedNames].join(", ")}, a network, the bytes of a weight file or ` +
      `an upscaler, got ${typeof method === "string" ? JSON.stringify(method) : typeof method}.`,
  );
}

function isOneOf<T extends MethodChoice>(names: readonly T[], method: MethodChoice): method is T {
  return (names as readonly MethodChoice[]).includes(method);
}

function owned(model: SuperResolver): OpenedMethod {
  return { upscaler: networkUpscaler(model), close: () => model.dispose() };
}
