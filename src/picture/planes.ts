/** Planes of numbers, as networks take them, from and to the pixels of files. */

import { checkArguments, isObject, numberList } from "../options/arguments.ts";
import { oneOf, quote, whole } from "../options/kinds.ts";
import { DataError } from "./errors.ts";
import { checkImage, type Image, type Samples } from "./image.ts";
import { toLevel, unitFromByte } from "./levels.ts";

/** Real numbers, one channel after the other: [channels, height, width]. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** How many planes the colours have that a network works on: red, green and blue, or luma alone. */
export function planeCount(colors: "rgb" | "y"): 1 | 3 {
  return colors === "rgb" ? 3 : 1;
}

/** Throws a DataError unless planes [channels, height, width] have one value for every sample. */
export function checkPlanes(
  planes: ArrayLike<number>,
  [channels, height, width]: readonly number[],
  caller: string,
): void {
  const sizes = {
    channels: [channels, whole(1)],
    height: [height, whole(1)],
    width: [width, whole(1)],
  } as const;
  checkArguments(caller, { planes: [planes, numberList], ...sizes });
  const { length } = planes;
  if (length === channels * height * width) return;
  throw new DataError(
    `planes [${channels}, ${height}, ${width}] have ${channels * height * width} values, ` +
      `but ${length} were given.`,
    { caller },
  );
}

/** The same for planes with their sizes. */
export function checkPlanesObject(planes: Planes, caller: string): void {
  if (!isObject(planes)) {
    throw new DataError(`planes are { width, height, channels, data }, got ${quote(planes)}.`, { caller });
  }
  const { data, channels, height, width } = planes;
  checkPlanes(data, [channels, height, width], caller);
}

/**
 * Picture -> planes [channels, height, width] with values in 0..1, as networks take them: byte / 255, or
 * sample / 65535 if samples have 16 bits.
 */
export function toPlanar(image: Image<Samples>): Float32Array {
  checkImage(image, "toPlanar");
  const { width, height, channels, data } = image;
  const area = width * height;
  const planes = new Float32Array(area * channels);
  const bytes = data.BYTES_PER_ELEMENT === 1;
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c, to = c * area; i < area; i++, from += channels, to++) {
      planes[to] = bytes ? unitFromByte[data[from]] : data[from] / 65535;
    }
  }
  return planes;
}

/**
 * Planes [channels, height, width] -> picture. Values are clamped to 0..1, multiplied by 255 (by 65535 if
 * depth is 16) and rounded, halves upwards. Throws a DataError for NaN, which would otherwise silently become
 * black.
 */
export function fromPlanar<Depth extends 8 | 16 = 8>(
  planes: ArrayLike<number>,
  width: number,
  height: number,
  channels: Image["channels"],
  depth: Depth = 8 as Depth,
): Image<Depth extends 8 ? Uint8Array : Uint16Array> {
  checkPlanes(planes, [channels, height, width], "fromPlanar");
  checkArguments("fromPlanar", { channels: [channels, oneOf(1, 2, 3, 4)], depth: [depth, oneOf(8, 16)] });
  const area = width * height;
  const white = 2 ** depth - 1;
  const data = new (depth === 8 ? Uint8Array : Uint16Array)(area * channels);
  const image = { width, height, channels, data } as Image<Depth extends 8 ? Uint8Array : Uint16Array>;
  checkImage(image, "fromPlanar");
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c * area, to = c; i < area; i++, from++, to += channels) {
      const value = planes[from];
      if (Number.isNaN(value)) {
        const at = `channel ${c}, row ${Math.floor(i / width)}, column ${i % width}`;
        throw new DataError(`the value of ${at} is NaN; the network that made it has diverged.`, {
          caller: "fromPlanar",
        });
      }
      data[to] = toLevel(value * white, white);
    }
  }
  return image;
}
