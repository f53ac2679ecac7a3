/**
 * The way in: any picture, by any method, in one call. Read on in method.ts (which method), picture.ts (pictures to planes and
 * back), tiles.ts (large pictures in parts), network.ts and forward.ts (a network on one part).
 */

import { type AlphaChoice, withoutAlpha } from "../picture/alpha.ts";
import type { Image, Samples } from "../picture/image.ts";
import { type OpenMethodOptions, openMethod } from "./method.ts";
import { upscaleInTiles } from "./picture.ts";
import { type PictureSource, readSource } from "./source.ts";
import { planTiles } from "./tiles.ts";
import type { UpscaleOptions } from "./upscaler.ts";

export interface UpscalePictureOptions extends OpenMethodOptions, UpscaleOptions {
  /** What becomes of transparency: kept (the default), dropped, or the picture is put on white or black. */
  readonly alpha?: AlphaChoice;
  /** Bits of each sample of the result. Default 8. */
  readonly depth?: 8 | 16;
}

/** The enlarged picture, and what was done to get it. */
export interface Upscaled<S extends Samples = Uint8Array> {
  readonly image: Image<S>;
  /** As tables print it, such as `bicubic` or `EDSR+`. */
  readonly method: string;
  readonly scale: number;
  /** Where it ran: an adapter's name, or "JavaScript" for interpolation. */
  readonly adapter: string;
  /** How many tiles, and the size of the windows they were computed in, in pixels of the small picture. */
  readonly tiles: number;
  readonly window: { readonly width: number; readonly height: number };
  /** From the picture in memory to the result in memory. */
  readonly ms: number;
  /** The most bytes of the device's memory that were in use at a time, weights included; 0 for interpolation. */
  readonly peakBytes: number;
}

/**
 * Enlarges a picture. The same in Node and in browsers.
 *
 *     const { image } = await upscale(await fetch("photo.jpg").then((r) => r.blob()), { scale: 2 });
 *     const { image, ms } = await upscale("photo.jpg", { method: await readFile("edsr-x2.safetensors") });
 *
 * Without a method: by "edsr-small", which comes with the library. Weights are loaded at every call; for many pictures, pass a
 * network (`loadPretrained`, `loadModel`) or an upscaler.
 *
 * @throws DataError for pictures that cannot be read, RangeError for options that make no sense, the signal's reason when it
 *   was aborted.
 */
export function upscale(
  picture: PictureSource,
  options?: UpscalePictureOptions & { readonly depth?: 8 },
): Promise<Upscaled>;
export function upscale(
  picture: PictureSource,
  options: UpscalePictureOptions & { readonly depth: 16 },
): Promise<Upscaled<Uint16Array>>;
export function upscale(picture: PictureSource, options: UpscalePictureOptions): Promise<Upscaled<Samples>>;
export async function upscale(
  picture: PictureSource,
  options: UpscalePictureOptions = {},
): Promise<Upscaled<Samples>> {
  const { alpha = "keep", depth = 8, signal, onProgress } = options;
  signal?.throwIfAborted();
  const image = withoutAlpha(await readSource(picture), alpha);
  const { upscaler, close } = await openMethod(options);
  try {
    const { name, scale, method, device } = upscaler;
    const before = device?.memory().peakBytes ?? 0;
    device?.resetPeak();
    const start = performance.now();
    const tiling = planTiles(image, method, options);
    const result = await upscaleInTiles(
      method,
      image,
      tiling,
      { depth, grey: "picture" },
      { signal, onProgress },
    );
    const ms = performance.now() - start;
    const peakBytes = device?.memory().peakBytes ?? 0;
    device?.resetPeak(Math.max(before, peakBytes));
    return {
      image: result,
      method: name,
      scale,
      adapter: device?.name ?? "JavaScript",
      tiles: tiling.count,
      window: { width: tiling.width, height: tiling.height },
      ms,
      peakBytes,
    };
  } finally {
    close();
  }
}
