import { checkOptions, trueOrFalse } from "../options/arguments.ts";
import { fromRgb, offset, toRgbMatrix } from "./bt601.ts";
import { DataError } from "./errors.ts";
import { checkImage, type Image, type Samples, zerosLike } from "./image.ts";
import { toByte, toLevel, whiteOf } from "./levels.ts";
import { checkPlanes } from "./planes.ts";

export interface YOptions {
  /** Round to the picture's levels, halves upwards, as Matlab does with uint8 and uint16. Default false. */
  round?: boolean;
}

const yOptions = { round: trueOrFalse };

/** Luma of an RGB picture of 8 or 16 bits in 16..235, [height, width]. */
export function rgbToY(image: Image<Samples>, options: YOptions = {}): Float64Array {
  checkRgb(image, "rgbToY");
  checkOptions("rgbToY", options, yOptions);
  const { round = false } = options;
  return component(image, 0, round);
}

/**
 * Luma of an RGB picture, rounded to whole levels, as a picture of 1 channel: in 16..235, or 257 times that if
 * samples have 16 bits.
 */
export function lumaOf<S extends Samples = Uint8Array>(image: Image<S>): Image<S> {
  checkRgb(image, "lumaOf");
  const { width, height } = image;
  const data = zerosLike(image.data, width * height);
  const unit = whiteOf(data) / 255;
  const y = component(image, 0, false);
  for (let i = 0; i < y.length; i++) data[i] = toLevel(unit * y[i], whiteOf(data));
  return { width, height, channels: 1, data };
}

/** RGB picture of 8 or 16 bits -> planes [3, height, width]: Y in 16..235, Cb and Cr in 16..240. */
export function rgbToYcbcr(image: Image<Samples>, options: YOptions = {}): Float64Array {
  checkRgb(image, "rgbToYcbcr");
  checkOptions("rgbToYcbcr", options, yOptions);
  const { round = false } = options;
  const planes = new Float64Array(image.data.length);
  for (let k = 0; k < 3; k++) planes.set(component(image, k, round), (k * planes.length) / 3);
  return planes;
}

/** Planes Y, Cb, Cr from rgbToYcbcr (rounded or not) -> RGB picture, clamped and rounded to bytes. */
export function ycbcrToRgb(planes: ArrayLike<number>, width: number, height: number): Image {
  checkPlanes(planes, [3, height, width], "ycbcrToRgb");
  const area = width * height;
  const data = new Uint8Array(3 * area);
  for (let k = 0; k < 3; k++) {
    const [wy, wb, wr] = toRgbMatrix[k];
    for (let i = 0; i < area; i++) {
      const y = planes[i] - offset[0];
      const cb = planes[area + i] - offset[1];
      const cr = planes[2 * area + i] - offset[2];
      data[3 * i + k] = toByte(wy * y + wb * cb + wr * cr);
    }
  }
  return { width, height, channels: 3, data };
}

/** Planes R, G, B in 0..1, of any depth -> planes Y, Cb, Cr in 0..1: those of rgbToYcbcr divided by 255. */
export function rgbPlanesToYcbcr(planes: Float32Array): Float32Array {
  return transform(planes, fromRgb, [0, 0, 0], offset);
}

/** The inverse; values that no RGB picture has are not clamped. */
export function ycbcrPlanesToRgb(planes: Float32Array): Float32Array {
  return transform(planes, toRgbMatrix, offset, [0, 0, 0]);
}

/** Applies matrix * (pixel - before / 255) + after / 255 to every pixel of three planes. */
function transform(
  planes: Float32Array,
  matrix: readonly number[][],
  before: readonly number[],
  after: readonly number[],
): Float32Array {
  const area = planes.length / 3;
  const result = new Float32Array(planes.length);
  for (let k = 0; k < 3; k++) {
    const [a, b, c] = matrix[k];
    const constant = (after[k] - a * before[0] - b * before[1] - c * before[2]) / 255;
    for (let i = 0; i < area; i++) {
      result[k * area + i] = constant + a * planes[i] + b * planes[area + i] + c * planes[2 * area + i];
    }
  }
  return result;
}

function checkRgb(image: Image<Samples>, caller: string): void {
  checkImage(image, caller);
  if (image.channels !== 3) {
    throw new DataError(
      `the picture has ${image.channels} channels, but 3 (RGB) are needed; call toRgb first.`,
      { caller },
    );
  }
}

/** Plane `k` of Y, Cb and Cr, in levels of 8 bits. */
function component({ data }: Image<Samples>, k: number, round: boolean): Float64Array {
  const white = whiteOf(data);
  const unit = white / 255;
  const [wr, wg, wb] = fromRgb[k].map((weight) => weight / unit);
  const out = new Float64Array(data.length / 3);
  for (let i = 0, p = 0; i < out.length; i++, p += 3) {
    const value = offset[k] + wr * data[p] + wg * data[p + 1] + wb * data[p + 2];
    out[i] = round ? toLevel(unit * value, white) / unit : value;
  }
  return out;
}
