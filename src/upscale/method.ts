/** Which method enlarges: from what callers say to an upscaler. */
import { loadModel } from "../models/registry.ts";
import { SuperResolver } from "../models/super-resolver.ts";
import { ensureDevice } from "../tensor/device.ts";
import { type Interpolation, interpolations, interpolator } from "./interpolator.ts";
import { networkUpscaler } from "./network.ts";
import { selfEnsemble } from "./self-ensemble.ts";
import type { Upscaler } from "./upscaler.ts";

/** The name of an interpolation, a network, the bytes of a weight file of `saveWeights`, or an upscaler. */
export type MethodChoice = Interpolation | SuperResolver | Uint8Array | Upscaler;

export interface OpenMethodOptions {
  /** Default: see `openDefault`. */
  readonly method?: MethodChoice;
  /** Enlargement of each side: 2, 3, 4 or 8. Default: the network's, and of interpolations 2. */
  readonly scale?: number;
  /** The mean of the answers to the picture's eight flips and turns: a little better, eight times the work. Default false. */
  readonly ensemble?: boolean;
}

export interface OpenedMethod {
  readonly upscaler: Upscaler;
  /** Frees what was opened: a network that came as bytes. */
  close(): void;
}

/** What enlarges when nobody says what should: the one place to change when networks come with the library. */
async function openDefault(scale = 2): Promise<OpenedMethod> {
  return { upscaler: interpolator("bicubic", scale), close() {} };
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

async function open({ method, scale }: OpenMethodOptions): Promise<OpenedMethod> {
  if (method === undefined) return openDefault(scale);
  if (typeof method === "string") return { upscaler: interpolator(method, scale ?? 2), close() {} };
  if (method instanceof SuperResolver) return { upscaler: networkUpscaler(method), close() {} };
  if (method instanceof Uint8Array) {
    await ensureDevice();
    const model = loadModel(method);
    return { upscaler: networkUpscaler(model), close: () => model.dispose() };
  }
  if ("upscalePlanes" in method) return { upscaler: method, close() {} };
  throw new RangeError(
    `upscale: method must be ${interpolations.join(", ")}, a network, the bytes of a weight file or an upscaler.`,
  );
}
