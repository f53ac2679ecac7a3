/** Numbers as planes, which networks take, instead of samples pixel by pixel, which files hold. */
import { DataError } from "./errors.ts";
import { checkImage, type Image, type Samples } from "./image.ts";
import { toLevel, unitFromByte } from "./levels.ts";

/** Numbers as planes [channels, height, width], one after the other. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/**
 * Picture -> planes [channels, height, width] with values byte / 255 in 0..1, as networks take them; of 16
 * bits, sample / 65535.
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
 * Planes [channels, height, width] -> picture. Values are clamped to 0..1, multiplied by 255 (with 16 bits by
 * 65535) and rounded, halves upwards. NaN throws a DataError: it would otherwise turn into black without a
 * word.
 */
export function fromPlanar(
  planes: ArrayLike<number>,
  width: number,
  height: number,
  channels: Image["channels"],
): Image;
export function fromPlanar(
  planes: ArrayLike<number>,
  width: number,
  height: number,
  channels: Image["channels"],
  depth: 8 | 16,
): Image<Samples>;
export function fromPlanar(
  planes: ArrayLike<number>,
  width: number,
  height: number,
  channels: Image["channels"],
  depth: 8 | 16 = 8,
): Image<Samples> {
  const area = width * height;
  if (planes.length !== area * channels) {
    throw new DataError(
      `fromPlanar: ${channels} planes of ${width}x${height} have ${area * channels} values, ` +
        `but ${planes.length} were given.`,
    );
  }
  const white = 2 ** depth - 1;
  const data = new (depth === 8 ? Uint8Array : Uint16Array)(area * channels);
  const image = { width, height, channels, data };
  checkImage(image, "fromPlanar");
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c * area, to = c; i < area; i++, from++, to += channels) {
      const value = planes[from];
      if (Number.isNaN(value)) {
        const at = `channel ${c}, row ${Math.floor(i / width)}, column ${i % width}`;
        throw new DataError(`fromPlanar: the value of ${at} is NaN; the network that made it has diverged.`);
      }
      data[to] = toLevel(value * white, white);
    }
  }
  return image;
}
