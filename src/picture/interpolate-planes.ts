import { imresizePlane } from "./imresize.ts";
import type { Planes } from "./planes.ts";
import type { ResizeOptions } from "./resize-weights.ts";

/** Every plane by Matlab's imresize for real numbers; by default bicubic. */
export function interpolatePlanes(
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
