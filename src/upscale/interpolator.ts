import { imresize, imresizePlane } from "../data/imresize.ts";
import type { ResizeOptions } from "../data/resize-weights.ts";
import { upscalerOf } from "./picture.ts";
import type { Planes, Upscaler } from "./upscaler.ts";

export type Interpolation = "nearest" | "bilinear" | "bicubic";

const kernels: Record<Interpolation, ResizeOptions> = {
  nearest: { kernel: "box" },
  bilinear: { kernel: "linear" },
  bicubic: { kernel: "cubic" },
};

/**
 * Enlarging by a fixed formula, as Matlab's imresize does it, by 2, 3, 4 or 8: pictures bit for bit (rounded to bytes
 * after each of the two passes), planes without rounding. Runs on the CPU.
 */
export function interpolator(name: Interpolation, scale: number): Upscaler {
  if (!Object.hasOwn(kernels, name)) {
    throw new RangeError(
      `interpolator: there is no ${JSON.stringify(name)}; use ${Object.keys(kernels).join(", ")}.`,
    );
  }
  if (![2, 3, 4, 8].includes(scale)) {
    throw new RangeError(`interpolator: scale must be 2, 3, 4 or 8, got ${scale}.`);
  }
  const upscaler = upscalerOf({
    name,
    scale,
    colors: "any",
    async upscalePlanes(planes, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const large = enlarge(planes, scale, kernels[name]);
      onProgress?.({ done: 1, total: 1 });
      return large;
    },
  });
  return {
    ...upscaler,
    async upscale(image, { signal, onProgress } = {}) {
      signal?.throwIfAborted();
      const large = imresize(image, scale, kernels[name]);
      onProgress?.({ done: 1, total: 1 });
      return large;
    },
  };
}

/** Every plane by Matlab's imresize for real numbers; by default bicubic. */
export function enlarge(
  { width, height, channels, data }: Planes,
  scale: number,
  options?: ResizeOptions,
): Planes {
  const large = { width: width * scale, height: height * scale };
  const area = width * height;
  const result = new Float32Array(channels * large.width * large.height);
  for (let c = 0; c < channels; c++) {
    const plane = data.subarray(c * area, (c + 1) * area);
    result.set(imresizePlane(plane, { width, height }, large, options), c * large.width * large.height);
  }
  return { ...large, channels, data: result };
}
