/**
 * How pictures are resized, as tables: the one definition behind imresize (bytes, on the CPU) and interpolate
 * (tensors). Nothing here is bound to Node.
 *
 * Resizing is linear in the picture and separable, so it is done in two steps: a table says which input samples
 * make each output sample and with which weights, then the table is applied to all columns and to all rows.
 *
 * The weights are a kernel's values. Cubic convolution (Keys, "Cubic convolution interpolation for digital image
 * processing", 1981) joins two cubic polynomials of the distance d, in samples:
 *
 *     k(d) = (a+2) d³ - (a+3) d² + 1          for d <= 1
 *            a d³ - 5a d² + 8a d - 4a         for 1 < d <= 2
 *            0                                beyond
 *
 * so that k is 1 at 0, is 0 at the other samples, and has a continuous slope, equal to `a` at distance 1. With
 * a = -1/2 it reproduces straight lines and parabolas; a = -3/4 looks sharper and does not.
 */
export type ResizeOptions = (
  | {
      /** Keys' cubic convolution kernel, four samples wide. The default. */
      kernel?: "cubic";
      /** Its slope at distance 1. Default -0.5: Matlab, PIL. OpenCV and PyTorch: -0.75. */
      a?: number;
    }
  | {
      /**
       * "linear": triangle, two samples wide: linear interpolation. "box": one sample wide; with antialias the mean
       * of what an output sample covers, without it the nearest sample.
       */
      kernel: "linear" | "box";
      a?: undefined;
    }
) & {
  /** When shrinking, stretch the kernel by 1 / scale so that every input sample counts. Default true. */
  antialias?: boolean;
  /**
   * What the kernel meets beyond the picture: the picture mirrored (the default; Matlab), its outermost sample
   * again ("clamp"; PyTorch), or nothing ("drop"; PyTorch's antialias, PIL): then the other weights make up for it.
   */
  edge?: "mirror" | "clamp" | "drop";
  /**
   * Where samples lie in the intervals that they stand for, of the input and of the output: from 0, the
   * beginning, to 1. Default 0.5 and 0.5. Colour of MPEG-2 video lies on the first of two columns of luma:
   * 0.25.
   */
  siting?: readonly [from: number, to: number];
};

/** Output sample i is the sum over t < taps of weights[i * taps + t] * input[indices[i * taps + t]]. */
export interface ResizeTable {
  taps: number;
  /** [outSize, taps] positions in 0..inSize-1, in the kernel's order; at the edges they may repeat. */
  indices: Int32Array;
  /** [outSize, taps]; the weights of each output sample add up to 1. */
  weights: Float64Array;
}

/**
 * The table for resizing a signal of `inSize` samples to `outSize`. Sample i covers the interval [i, i + 1];
 * if it lies in the middle, with `scale` output samples per input sample the centre of output i lies at
 * (i + 0.5) / scale - 0.5. `scale` is an argument of its own because imresize keeps the scale that was asked
 * for when outSize had to be rounded.
 *
 * Throws a RangeError if sizes or scale mean nothing, or if no input sample is within an output sample's
 * reach.
 */
export function resizeWeights(
  inSize: number,
  outSize: number,
  scale: number,
  options: ResizeOptions = {},
): ResizeTable {
  if (!(Number.isInteger(inSize) && Number.isInteger(outSize) && inSize > 0 && outSize > 0 && scale > 0)) {
    throw new RangeError(
      `resizeWeights: sizes must be whole numbers above 0 and scale above 0, not ${inSize} -> ${outSize} ` +
        `at scale ${scale}.`,
    );
  }
  const { kernel: name = "cubic", a = -0.5, antialias = true, edge = "mirror" } = options;
  const [from, to] = options.siting ?? [0.5, 0.5];
  const kernel = { cubic: (x: number) => cubic(x, a), linear, box }[name];
  const stretch = antialias && scale < 1 ? 1 / scale : 1;
  const support = { cubic: 4, linear: 2, box: 1 }[name] * stretch;

  const all = Math.ceil(support) + 2; // one spare at each end, against rounding in the division
  const indices = new Int32Array(outSize * all);
  const weights = new Float64Array(outSize * all);
  let firstUsed = all;
  let lastUsed = -1;
  for (let i = 0; i < outSize; i++) {
    // Whole scales repeat their weights with every input sample. Counted from that one they also have the
    // same rounding errors, wherever it lies: parts of a picture give the bits of the whole.
    const base = Number.isInteger(scale) ? Math.floor(i / scale) : 0;
    const centre = (i - base * scale + to) / scale - from;
    const left = Math.floor(centre - support / 2);
    let total = 0;
    for (let t = 0; t < all; t++) {
      const at = base + left + t;
      const missing = edge === "drop" && (at < 0 || at >= inSize);
      const weight = missing ? 0 : kernel((centre - left - t) / stretch);
      weights[i * all + t] = weight;
      indices[i * all + t] = edge === "mirror" ? mirror(at, inSize) : clamp(at, inSize);
      total += weight;
      if (weight !== 0) {
        firstUsed = Math.min(firstUsed, t);
        lastUsed = Math.max(lastUsed, t);
      }
    }
    if (total === 0) {
      throw new RangeError(
        `resizeWeights: ${inSize} -> ${outSize} at scale ${scale}: output sample ${i} lies where the input has ` +
          `nothing to take it from. Use a scale near ${outSize / inSize} or another edge than "drop".`,
      );
    }
    for (let t = 0; t < all; t++) weights[i * all + t] /= total;
  }

  // Taps that no output sample uses would only cost time.
  const taps = lastUsed - firstUsed + 1;
  const used = (_: unknown, k: number) => Math.floor(k / taps) * all + firstUsed + (k % taps);
  const places = Array.from({ length: outSize * taps }, used);
  return {
    taps,
    indices: Int32Array.from(places, (k) => indices[k]),
    weights: Float64Array.from(places, (k) => weights[k]),
  };
}

function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d <= 2) return a * (((d - 5) * d + 8) * d - 4);
  return 0;
}

function linear(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

/** Half open: of two samples equally near, the right one counts. */
function box(x: number): number {
  return x >= -0.5 && x < 0.5 ? 1 : 0;
}

/** ... 1 0 | 0 1 2 ... n-1 | n-1 n-2 ...: mirrored with the edge sample repeated, as often as needed. */
export function mirror(i: number, n: number): number {
  const m = ((i % (2 * n)) + 2 * n) % (2 * n);
  return m < n ? m : 2 * n - 1 - m;
}

function clamp(i: number, n: number): number {
  return Math.min(Math.max(i, 0), n - 1);
}
