/** From pictures to the planes that a method enlarges, and back: what all methods share. */

import { divided, enlargeAlpha, multiplied } from "../picture/alpha.ts";
import { rgbPlanesToYcbcr, ycbcrPlanesToRgb } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { checkImage, crop, type Image, type Samples } from "../picture/image.ts";
import { interpolatePlanes } from "../picture/imresize.ts";
import type { Planes } from "../picture/planes.ts";
import { fromPlanar, toPlanar } from "../picture/planes.ts";
import { type Box, enlargeInTiles, planTiles, type Tiling, times, within } from "./tiles.ts";
import type { Method, UpscaleOptions, Upscaler } from "./upscaler.ts";

/** An upscaler made of a method: planes become pictures. */
export function upscalerOf(method: Method): Upscaler {
  const { name, scale, colors, device, margin, pixelsWithin } = method;
  return {
    ...{ name, scale, colors, device, margin, pixelsWithin, method },
    async upscale(image, options = {}) {
      checkImage(image, "upscale");
      const tiling = planTiles(image, method, options);
      const result = await upscaleInTiles(method, image, tiling, { depth: 8, grey: "luma" }, options);
      return result as Image;
    },
    upscaleY: (plane, width, height, options) => upscaleLuma(method, plane, width, height, options),
    upscalePlanes: (planes, options = {}) => enlargeInTiles(planes, method, options),
  };
}

/** What is to become of a picture. */
export interface PictureOptions {
  /** Bits of each sample of the result. */
  readonly depth: 8 | 16;
  /** What a method for luma takes a single channel for: luma in studio range, or a picture from black to white as RGB is one. */
  readonly grey: "luma" | "picture";
}

/** The whole picture, tile by tile. */
export async function upscaleInTiles(
  method: Method,
  image: Image<Samples>,
  tiling: Tiling,
  pictureOptions: PictureOptions,
  options: UpscaleOptions,
): Promise<Image<Samples>> {
  const [width, height] = [image.width * method.scale, image.height * method.scale];
  const result = emptyImage(width, height, image.channels, pictureOptions.depth);
  for await (const { top, rows } of bandsOf(method, image, tiling, pictureOptions, options)) {
    result.data.set(rows.data, top * width * image.channels);
  }
  return result;
}

/** A strip of the result, as wide as the whole. */
export interface Band {
  /** The result's row at which it begins. */
  readonly top: number;
  readonly rows: Image<Samples>;
}

/**
 * The result in strips from top to bottom; it is never whole in memory. All strips are written into the same memory: what is in
 * one is to be used before the next is asked for.
 */
export async function* bandsOf(
  method: Method,
  image: Image<Samples>,
  tiling: Tiling,
  pictureOptions: PictureOptions,
  { signal, onProgress }: UpscaleOptions,
): AsyncGenerator<Band> {
  const { scale } = method;
  const stoppable: Method = { ...method, enlarge: (planes) => method.enlarge(planes, signal) };
  const boxes = tiling.rows.map((row) => times(row[0].kept, scale));
  const highest = Math.max(...boxes.map(({ top, bottom }) => bottom - top));
  const strip = emptyImage(image.width * scale, highest, image.channels, pictureOptions.depth);
  let done = 0;
  for (const [index, row] of tiling.rows.entries()) {
    const { top, bottom } = boxes[index];
    const height = bottom - top;
    const data = strip.data.subarray(0, strip.width * height * strip.channels);
    const rows = { ...strip, height, data };
    for (const { window, kept } of row) {
      signal?.throwIfAborted();
      const { left, right } = window;
      const part = crop(image, left, window.top, right - left, window.bottom - window.top);
      const large = await enlargePicture(stoppable, part, pictureOptions);
      copyPart(large, times(within(kept, window), scale), rows, kept.left * scale);
      onProgress?.({ done: ++done, total: tiling.count });
      // Interpolation never waits for anything; this lets others work, such as the one who aborts the signal.
      await new Promise((resolve) => setTimeout(resolve));
    }
    yield { top, rows };
  }
}

/** A picture at once. */
async function enlargePicture(
  method: Method,
  image: Image<Samples>,
  { depth, grey }: PictureOptions,
): Promise<Image<Samples>> {
  const { width, height, channels } = image;
  const transparent = channels === 2 || channels === 4;
  if (method.enlargeBytes && !transparent && depth === 8 && image.data instanceof Uint8Array) {
    return method.enlargeBytes(image as Image);
  }
  const planes: Planes = { width, height, channels, data: toPlanar(image) };
  const large = transparent
    ? await enlargeWithAlpha(method, planes)
    : await enlargeColors(method, planes, grey);
  return fromPlanar(large.data, large.width, large.height, channels, depth);
}

/** Colours times alpha, and alpha itself, enlarged; then divided again. */
async function enlargeWithAlpha(method: Method, planes: Planes): Promise<Planes> {
  const { width, height, channels, data } = planes;
  const area = width * height;
  const alpha: Planes = { width, height, channels: 1, data: data.subarray(-area) };
  const colors: Planes = { width, height, channels: channels - 1, data: data.subarray(0, -area) };
  const large = await enlargeColors(method, multiplied(colors, alpha), "picture");
  const largeAlpha = await enlargeAlpha(alpha, method.scale, (plane) =>
    enlargeColors(method, plane, "picture"),
  );
  return divided(large, largeAlpha);
}

/** Grey or RGB in 0..1 by a method that may know other colours. */
async function enlargeColors(method: Method, planes: Planes, grey: PictureOptions["grey"]): Promise<Planes> {
  const { colors } = method;
  if (colors === "y" && planes.channels === 3) return enlargeByLuma(method, planes);
  if (colors === "y" && grey === "picture") {
    const luma = await method.enlarge(withValues(planes, (value) => (16 + 219 * value) / 255));
    return withValues(luma, (value) => (255 * value - 16) / 219);
  }
  if (colors === "rgb" && planes.channels === 1) return mean(await method.enlarge(repeated(planes, 3)));
  return method.enlarge(planes);
}

/** RGB by a method that knows luma alone; colour, to which the eye is less sensitive, by bicubic interpolation. */
async function enlargeByLuma(method: Method, planes: Planes): Promise<Planes> {
  const { width, height } = planes;
  const area = width * height;
  const ycbcr = rgbPlanesToYcbcr(planes.data);
  const luma = await method.enlarge({ width, height, channels: 1, data: ycbcr.subarray(0, area) });
  const chroma = interpolatePlanes({ width, height, channels: 2, data: ycbcr.subarray(area) }, method.scale);
  const large = new Float32Array(luma.data.length + chroma.data.length);
  large.set(luma.data);
  large.set(chroma.data, luma.data.length);
  return { ...luma, channels: 3, data: ycbcrPlanesToRgb(large) };
}

async function upscaleLuma(
  method: Method,
  plane: ArrayLike<number>,
  width: number,
  height: number,
  options: UpscaleOptions = {},
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
  const large = await enlargeInTiles({ width, height, channels: 1, data }, method, options);
  if (large.data.some(Number.isNaN)) {
    throw new DataError(
      `upscaleY: ${name} made NaN of a plane of ${width}x${height}; its training has diverged.`,
    );
  }
  return large.data.map((value) => value * 255);
}

function emptyImage(
  width: number,
  height: number,
  channels: Image["channels"],
  depth: 8 | 16,
): Image<Samples> {
  const length = width * height * channels;
  return { width, height, channels, data: depth === 8 ? new Uint8Array(length) : new Uint16Array(length) };
}

/** Copies a part of a picture, which is as high as `to`, to column `left`. */
function copyPart(from: Image<Samples>, part: Box, to: Image<Samples>, left: number): void {
  const { channels } = from;
  for (let row = part.top; row < part.bottom; row++) {
    const start = row * from.width;
    const line = from.data.subarray((start + part.left) * channels, (start + part.right) * channels);
    to.data.set(line, ((row - part.top) * to.width + left) * channels);
  }
}

function withValues(planes: Planes, value: (old: number) => number): Planes {
  return { ...planes, data: planes.data.map(value) };
}

function repeated({ width, height, data }: Planes, channels: number): Planes {
  const repeated = new Float32Array(channels * data.length);
  for (let c = 0; c < channels; c++) repeated.set(data, c * data.length);
  return { width, height, channels, data: repeated };
}

/** The mean of all planes. */
function mean({ width, height, channels, data }: Planes): Planes {
  const area = width * height;
  const mean = new Float32Array(area);
  for (let i = 0; i < data.length; i++) mean[i % area] += data[i] / channels;
  return { width, height, channels: 1, data: mean };
}
