import { imresize, interpolatePlanes } from "../picture/imresize.ts";
import type { ResizeOptions } from "../picture/resize-weights.ts";
import { type Interpolation, interpolations, isInterpolation, scalesOf } from "./method-names.ts";
import { bytesPerPixel, type Upscaler, upscalerOf } from "./upscaler.ts";

const kernels: Record<Interpolation, ResizeOptions> = {
  nearest: { kernel: "box" },
  bilinear: { kernel: "linear" },
  bicubic: { kernel: "cubic" },
};

/** Larger windows save nothing, and tiles of this size keep signals and progress prompt. */
const largestWindow = 512 ** 2;

/**
 * Enlarging by a fixed formula, as Matlab's imresize does it, by 2, 3, 4 or 8: pictures bit for bit (rounded
 * to bytes after each of the two passes; not those of 16 bits or with transparency), planes without rounding.
 * Runs on the CPU.
 */
export function interpolator(name: Interpolation, scale: number): Upscaler {
  if (!isInterpolation(name)) {
    throw new RangeError(
      `interpolator: there is no ${JSON.stringify(name)}; use ${interpolations.join(", ")}.`,
    );
  }
  if (!scalesOf(name).includes(scale)) {
    throw new RangeError(`interpolator: scale must be 2, 3, 4 or 8, got ${scale}.`);
  }
  return upscalerOf({
    name,
    scale,
    colors: "any",
    device: undefined,
    margin: 2, // the cubic kernel's
    pixelsWithin: (bytes) => Math.min(largestWindow, Math.floor(bytes / bytesPerPixel(scale))),
    enlarge: async (planes) => interpolatePlanes(planes, scale, kernels[name]),
    enlargeBytes: (image) => imresize(image, scale, kernels[name]),
  });
}
