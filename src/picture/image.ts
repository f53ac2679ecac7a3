import { ArgumentError, isObject } from "../options/arguments.ts";
import { isBytes, isOfClass } from "../options/classes.ts";
import { quote } from "../options/kinds.ts";
import { DataError } from "./errors.ts";

/** A picture's samples: 8 bits each (0..255), or 16 (0..65535). */
export type Samples = Uint8Array | Uint16Array;

/** Width and height of a picture, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * A picture as sRGB bytes in the order of files: row by row, the channels of a pixel side by side (HWC).
 * Channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha. Functions that also take 16 bits per sample,
 * `Image<Uint16Array>`, say so by their types; the others refuse it.
 */
export interface Image<S extends Samples = Uint8Array> {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  data: S;
  /**
   * Whose numbers the colours are. Default "srgb". `upscale()` computes on the numbers as they are and passes
   * this on; all other functions take them for sRGB.
   */
  colorSpace?: ColorSpace;
}

export const colorSpaces = ["srgb", "display-p3"] as const;
export type ColorSpace = (typeof colorSpaces)[number];

/** Of 8 bits each, and not 16. A canvas' clamped bytes are bytes, too. */
export function hasBytes(image: Image<Samples>): image is Image {
  return image.data.BYTES_PER_ELEMENT === 1;
}

/**
 * Throws a DataError unless the sizes are whole, above 0, and match the number of samples. These may be clamped
 * bytes, as a canvas has them.
 */
export function checkImage(image: Image<Samples>, caller: string): void {
  if (!isObject(image) || !("width" in image && "height" in image && "channels" in image)) {
    throw new DataError(
      `a picture is { width, height, channels, data }, got ${quote(image)}.${wayToPicture(image)}`,
      { caller },
    );
  }
  const { width, height, channels, data, colorSpace } = image;
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!whole || ![1, 2, 3, 4].includes(channels)) {
    throw new DataError(
      `${quote(width)}x${quote(height)} with ${quote(channels)} channels is not a picture; ` +
        "width and height must be whole numbers above 0 and channels 1, 2, 3 or 4.",
      { caller },
    );
  }
  if (colorSpace !== undefined && !colorSpaces.includes(colorSpace)) {
    throw new DataError(
      `a picture's colorSpace is ${colorSpaces.join(" or ")}, or left out, got ${quote(colorSpace)}.`,
      { caller },
    );
  }
  if (!isBytes(data) && !isOfClass(data, "Uint16Array")) {
    throw new DataError(
      `a picture's data are samples of 8 or 16 bits, a Uint8Array or a Uint16Array, got ` +
        `${quote(data)}. fromPlanar() makes a picture of real numbers.`,
      { caller },
    );
  }
  const length = width * height * channels;
  if (data.length !== length) {
    const unit = data.BYTES_PER_ELEMENT === 2 ? "samples" : "bytes";
    throw new DataError(
      `a picture of ${width}x${height} with ${channels} channels has ${length} ${unit}, ` +
        `but data has ${data.length}.`,
      { caller },
    );
  }
}

/** The same, and a DataError for 16 bits: what reads them as bytes returns garbage. */
export function checkByteImage(image: Image<Samples>, caller: string): void {
  checkImage(image, caller);
  if (hasBytes(image)) return;
  throw new DataError(
    "takes pictures of 8 bits per sample, and this one has 16. Make one of 8 first: " +
      "fromPlanar(toPlanar(image), image.width, image.height, image.channels).",
    { caller },
  );
}

/** How to get at the picture: of a promise, of what upscale() returns, or of a tensor. */
function wayToPicture(value: unknown): string {
  const { then, image, shape } = (value ?? {}) as { then?: unknown; image?: unknown; shape?: unknown };
  if (typeof then === "function") return " Await it first.";
  if (isObject(image)) return " Its image is one: write result.image.";
  return Array.isArray(shape) ? " Write fromPlanar(await x.data(), width, height, channels)." : "";
}

/** Zeros of the same type as `like`. */
export function zerosLike<T extends Samples | Float64Array>(like: T, length: number): T {
  const types = { 1: Uint8Array, 2: Uint16Array, 8: Float64Array };
  return new types[like.BYTES_PER_ELEMENT as 1 | 2 | 8](length) as T;
}

/** The w x h part whose top left pixel is column `x` of row `y`. Throws a RangeError if it sticks out. */
export function crop<S extends Samples = Uint8Array>(
  image: Image<S>,
  x: number,
  y: number,
  w: number,
  h: number,
): Image<S> {
  checkImage(image, "crop");
  checkInside(image, [x, y, w, h], "crop");
  const { width, channels, data } = image;
  const part = zerosLike(data, w * h * channels);
  for (let row = 0; row < h; row++) {
    const start = ((y + row) * width + x) * channels;
    part.set(data.subarray(start, start + w * channels), row * w * channels);
  }
  return { width: w, height: h, channels, data: part };
}

/** Throws a RangeError unless the part (column, row, width, height) lies inside the picture. */
export function checkInside({ width, height }: Image<Samples>, part: number[], caller: string): void {
  const [x, y, w, h] = part;
  const inside =
    part.every(Number.isInteger) && x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= width && y + h <= height;
  if (inside) return;
  const [column, row, columns, rows] = part.map(quote);
  throw new ArgumentError(
    caller,
    `${columns}x${rows} at column ${column}, row ${row} is not a whole part of a ` +
      `${width}x${height} picture.`,
  );
}

/**
 * Crops the right and bottom edge so that both sides become multiples of `scale`: the usual first step of
 * super-resolution benchmarks. Returns the picture itself if nothing needs to go. Throws a RangeError if
 * `scale` is no whole number above 0, a DataError for a picture with fewer than `scale` pixels on a side.
 */
export function modcrop<S extends Samples = Uint8Array>(image: Image<S>, scale: number): Image<S> {
  checkImage(image, "modcrop");
  if (!Number.isInteger(scale) || scale < 1) {
    throw new ArgumentError("modcrop", `scale must be a whole number of at least 1, not ${quote(scale)}.`);
  }
  const width = image.width - (image.width % scale);
  const height = image.height - (image.height % scale);
  if (width === 0 || height === 0) {
    throw new DataError(
      `a ${image.width}x${image.height} picture is too small for scale ${scale}; ` +
        `each side needs at least ${scale} pixels.`,
      { caller: "modcrop" },
    );
  }
  if (width === image.width && height === image.height) return image;
  return crop(image, 0, 0, width, height);
}

/** Three channels: grey is repeated, alpha is dropped without blending. An RGB picture is returned itself. */
export function toRgb<S extends Samples = Uint8Array>(image: Image<S>): Image<S> {
  checkImage(image, "toRgb");
  const { width, height, channels, data } = image;
  if (channels === 3) return image;
  const rgb = zerosLike(data, width * height * 3);
  const [g, b] = channels === 4 ? [1, 2] : [0, 0];
  for (let from = 0, to = 0; to < rgb.length; from += channels, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + g];
    rgb[to + 2] = data[from + b];
  }
  return { width, height, channels: 3, data: rgb };
}

/** Writes a picture's samples as RGBA of 8 bits to the beginning of `rgba`. */
export function fillRgba(rgba: Uint8ClampedArray, { width, height, channels, data }: Image<Samples>): void {
  const grey = channels <= 2;
  const unit = data.BYTES_PER_ELEMENT === 1 ? 1 : 257; // the array of the pixels rounds
  for (let from = 0, to = 0; to < 4 * width * height; from += channels, to += 4) {
    rgba[to] = data[from] / unit;
    rgba[to + 1] = data[grey ? from : from + 1] / unit;
    rgba[to + 2] = data[grey ? from : from + 2] / unit;
    rgba[to + 3] = channels % 2 === 0 ? data[from + channels - 1] / unit : 255;
  }
}
