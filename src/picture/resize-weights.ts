/**
 * How pictures are resized, as tables: the one definition behind imresize (pictures, on the CPU) and
 * interpolate (tensors).
 *
 * Resizing is linear in the picture and separable. A table for each axis says which input samples make an
 * output sample, and with which weights; one table is applied to all columns, the other to all rows.
 *
 * The weights are a kernel's values. Cubic convolution (Keys, "Cubic convolution interpolation for digital
 * image processing", 1981) joins two cubic polynomials of the distance d, in samples:
 *
 *     k(d) = (a+2) d³ - (a+3) d² + 1          for d <= 1
 *            a d³ - 5a d² + 8a d - 4a         for 1 < d <= 2
 *            0                                beyond
 *
 * so that k is 1 at 0, is 0 at the other samples, and has a continuous slope, equal to `a` at distance 1.
 * With a = -1/2 it reproduces straight lines and parabolas; a = -3/4 looks sharper and does not.
 */

import { ArgumentError, checkOptions, finite, trueOrFalse, type Wanted } from "../options/arguments.ts";
import { oneOf, positive, quote, whole } from "../options/kinds.ts";

export type ResizeOptions = (
  | {
      /** Keys' cubic convolution kernel, four samples wide. The default. */
      kernel?: "cubic";
      /** Its slope at distance 1. Default -0.5: Matlab, PIL. OpenCV and PyTorch: -0.75. */
      a?: number;
    }
  | {
      /**
       * "linear": a triangle, two samples wide, for linear interpolation. "box": one sample wide; the mean of
       * what an output sample covers, or without antialias the nearest sample.
       */
      kernel: "linear" | "box";
      a?: undefined;
    }
) & {
  /** When shrinking, stretch the kernel by 1 / scale so that every input sample counts. Default true. */
  antialias?: boolean;
  /**
   * What lies beyond the edge: the picture mirrored (the default; Matlab), its outermost sample again
   * ("clamp"; PyTorch), or nothing, for which the other weights make up ("drop"; PIL, PyTorch with
   * antialias).
   */
  edge?: "mirror" | "clamp" | "drop";
  /**
   * Where input and output samples lie in the intervals they stand for, from 0 (the start) to 1. Default 0.5
   * and 0.5. In MPEG-2 video, colour lies on the first of two columns of luma: 0.25.
   */
  siting?: readonly [from: number, to: number];
};

/** Output sample i is the sum over t < taps of weights[i * taps + t] * input[indices[i * taps + t]]. */
export interface ResizeTable {
  taps: number;
  /** [outSize, taps], positions in 0..inSize-1 in the kernel's order; at the edges they may repeat. */
  indices: Int32Array;
  /** [outSize, taps]; the weights of each output sample add up to 1. */
  weights: Float64Array;
}

/**
 * The table for resizing a signal of `inSize` samples to `outSize`. Sample i covers the interval [i, i + 1]
 * and by default lies in its middle: with `scale` output samples per input sample, output i lies at input
 * position (i + 0.5) / scale - 0.5. `scale` is an argument of its own because imresize keeps the requested
 * scale when it rounds outSize.
 *
 * Throws a RangeError if sizes or scale are not above 0, or if an output sample has no input sample in reach.
 */
export function resizeWeights(
  inSize: number,
  outSize: number,
  scale: number,
  options: ResizeOptions = {},
): ResizeTable {
  checkOptions("resizeWeights", options, resizeOptions);
  if (!(side.fits(inSize) && side.fits(outSize) && positive.fits(scale))) {
    throw new ArgumentError(
      "resizeWeights",
      `sizes must be whole numbers from 1 to ${MAX_SIDE} and scale above 0, not ${quote(inSize)} -> ` +
        `${quote(outSize)} at scale ${quote(scale)}.`,
    );
  }
  const { kernel = "cubic", a = -0.5, antialias = true, edge = "mirror", siting = [0.5, 0.5] } = options;
  const { width, value } = kernels[kernel];
  const stretch = antialias && scale < 1 ? 1 / scale : 1;
  const support = width * stretch;

  const all = Math.ceil(support) + 2; // one spare at each end, against rounding in the division
  const indices = new Int32Array(outSize * all);
  const weights = new Float64Array(outSize * all);
  let firstUsed = all;
  let lastUsed = -1;
  for (let i = 0; i < outSize; i++) {
    // Whole scales repeat their weights with every input sample. Counting positions from that sample gives
    // all of them the same rounding errors, so parts of a picture give the bits of the whole.
    const base = Number.isInteger(scale) ? Math.floor(i / scale) : 0;
    const centre = (i - base * scale + siting[1]) / scale - siting[0];
    const left = Math.floor(centre - support / 2);
    let total = 0;
    for (let t = 0; t < all; t++) {
      const at = base + left + t;
      const missing = edge === "drop" && (at < 0 || at >= inSize);
      const weight = missing ? 0 : value((centre - left - t) / stretch, a);
      weights[i * all + t] = weight;
      indices[i * all + t] = edge === "mirror" ? mirror(at, inSize) : clamp(at, inSize);
      total += weight;
      if (weight !== 0) {
        firstUsed = Math.min(firstUsed, t);
        lastUsed = Math.max(lastUsed, t);
      }
    }
    if (total === 0) {
      throw new ArgumentError(
        "resizeWeights",
        `${inSize} -> ${outSize} at scale ${scale}: no input sample reaches output ` +
          `sample ${i}. Use a scale near ${outSize / inSize} or another edge than "drop".`,
      );
    }
    for (let t = 0; t < all; t++) weights[i * all + t] /= total;
  }

  // Taps that no output sample uses would only cost time.
  const taps = lastUsed - firstUsed + 1;
  const isUsed = (_: number, k: number) => k % all >= firstUsed && k % all <= lastUsed;
  return { taps, indices: indices.filter(isUsed), weights: weights.filter(isUsed) };
}

/** Far more than any picture has. */
const MAX_SIDE = 2 ** 24;
const side = whole(1, MAX_SIDE);

const aPair: Wanted = {
  wants: "two numbers from 0 to 1",
  fits: (value): value is readonly [number, number] =>
    Array.isArray(value) && value.length === 2 && value.every((place) => place >= 0 && place <= 1),
};

export const resizeOptions: Readonly<Record<keyof ResizeOptions, Wanted>> = {
  kernel: oneOf("cubic", "linear", "box"),
  a: finite,
  antialias: trueOrFalse,
  edge: oneOf("mirror", "clamp", "drop"),
  siting: aPair,
};

/** How many samples wide, and the value at distance x. */
const kernels = {
  cubic: { width: 4, value: cubic },
  linear: { width: 2, value: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  // Half open: of two samples equally near, the right one counts.
  box: { width: 1, value: (x: number) => Number(x >= -0.5 && x < 0.5) },
};

function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d <= 2) return a * (((d - 5) * d + 8) * d - 4);
  return 0;
}

/** ... 1 0 | 0 1 2 ... n-1 | n-1 n-2 ...: mirrored, edge samples twice, over and over. */
export function mirror(i: number, n: number): number {
  const m = ((i % (2 * n)) + 2 * n) % (2 * n);
  return m < n ? m : 2 * n - 1 - m;
}

function clamp(i: number, n: number): number {
  return Math.min(Math.max(i, 0), n - 1);
}
