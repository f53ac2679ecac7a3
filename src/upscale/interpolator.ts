import { imresize, interpolatePlanes } from "../picture/imresize.ts";
import type { ResizeOptions } from "../picture/resize-weights.ts";
import { upscalerOf } from "./picture.ts";
import type { Upscaler } from "./upscaler.ts";

export const interpolations = ["nearest", "bilinear", "bicubic"] as const;
export type Interpolation = (typeof interpolations)[number];

const kernels: Record<Interpolation, ResizeOptions> = {
  nearest: { kernel: "box" },
  bilinear: { kernel: "linear" },
  bicubic: { kernel: "cubic" },
};

/** Larger windows save nothing, and tiles of this size keep signals and progress prompt. */
const largestWindow = 512 ** 2;

/**
 * Enlarging by a fixed formula, as Matlab's imresize does it, by 2, 3, 4 or 8: pictures bit for bit (rounded to bytes
 * after each of the two passes; not those of 16 bits or with transparency), planes without rounding. Runs on the CPU.
 */
export function interpolator(name: Interpolation, scale: number): Upscaler {
  if (!interpolations.includes(name)) {
    throw new RangeError(
      `interpolator: there is no ${JSON.stringify(name)}; use ${interpolations.join(", ")}.`,
    );
  }
  if (![2, 3, 4, 8].includes(scale)) {
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

/**
 * What JavaScript needs while it makes the pixels of the result out of one pixel: of up to four planes each, its numbers before and
 * after the colours are put together and as samples, and two passes of one plane in double precision.
 */
export function bytesPerPixel(scale: number): number {
  return scale ** 2 * (4 * (4 + 4 + 2) + 16) + 4 * (4 + 2);
}
