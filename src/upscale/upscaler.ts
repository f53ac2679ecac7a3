import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import type { Planes } from "../picture/planes.ts";
import { Bands } from "./bands.ts";
import type { Method } from "./method.ts";
import { enlargePlanes, type UpscaleOptions } from "./tiles.ts";

/** A method with the functions that callers use; they cut into tiles what is too large for memory. */
export interface Upscaler extends Method {
  /**
   * A picture of 1 to 4 channels, `scale` times as wide and high. One channel is a grey picture (0 black, 255
   * white), whatever the method works on. `withColors` and `withAlpha` say what becomes of colours and
   * transparency.
   */
  upscale(image: Image, options?: UpscaleOptions): Promise<Image>;
  /**
   * Luma alone as real numbers, [height, width] in BT.601's studio range (16..235), neither rounded nor
   * clamped: what the papers' protocol measures, after rounding. Only for the colors `"y"` and `"any"`.
   */
  upscaleY(
    plane: ArrayLike<number>,
    width: number,
    height: number,
    options?: UpscaleOptions,
  ): Promise<Float32Array>;
  /** `enlarge` in tiles: the planes that `colors` says, in 0..1, to planes `scale` times as large. */
  upscalePlanes(planes: Planes, options?: UpscaleOptions): Promise<Planes>;
}

/** The functions of an upscaler for a method. */
export function upscalerOf(method: Method): Upscaler {
  return {
    ...method,
    upscale: async (image, options = {}) =>
      (await new Bands(image, method, { ...options, depth: 8 }).image()) as Image,
    upscaleY: (plane, width, height, options) => upscaleLuma(method, plane, width, height, options),
    upscalePlanes: (planes, options) => enlargePlanes(planes, method, options),
  };
}

async function upscaleLuma(
  method: Method,
  plane: ArrayLike<number>,
  width: number,
  height: number,
  options?: UpscaleOptions,
): Promise<Float32Array> {
  const { name, colors } = method;
  if (colors === "rgb") {
    throw new DataError(`upscaleY: ${name} works on red, green and blue, not on luma alone; use upscale().`);
  }
  if (plane.length !== width * height) {
    throw new DataError(
      `upscaleY: a plane of ${width}x${height} has ${width * height} values, but ${plane.length} were given.`,
    );
  }
  const data = Float32Array.from(plane, (level) => level / 255);
  const large = await enlargePlanes({ width, height, channels: 1, data }, method, options);
  if (large.data.some(Number.isNaN)) {
    throw new DataError(
      `upscaleY: ${name} made NaN of a plane of ${width}x${height}; its training has diverged.`,
    );
  }
  return large.data.map((value) => value * 255);
}

/**
 * Bytes that JavaScript needs while it makes the pixels of the result out of one pixel: of up to four planes
 * each, its numbers before and after the colours are put together and as samples, and two passes of one plane
 * in double precision.
 */
export function bytesPerPixel(scale: number): number {
  return scale ** 2 * (4 * (4 + 4 + 2) + 16) + 4 * (4 + 2);
}
