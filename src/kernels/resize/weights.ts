/**
 * Resizing along one axis as a matrix: every output sample is a weighted sum of a few neighbouring input
 * samples. The kernels know only the matrix. This file says what nearest, bilinear and bicubic mean, what
 * happens at the picture's edges, and how PyTorch and Matlab differ. The formula of the weights is in
 * picture/resize-weights.ts.
 */
import { mirror, resizeWeights } from "../../picture/resize-weights.ts";

export type ResizeMode = "nearest" | "bilinear" | "bicubic";
export type Convention = "pytorch" | "matlab";

export interface AxisOptions {
  readonly mode: ResizeMode;
  readonly convention: Convention;
  readonly antialias: boolean;
}

/**
 * A matrix of inSize columns and outSize rows whose non-zero elements lie close together in each row: output
 * i = sum over t < taps of weights[i * taps + t] * input[first[i] + t]. No position is outside the input.
 */
export class AxisTable {
  readonly inSize: number;
  readonly outSize: number;
  readonly taps: number;
  /** [outSize] */
  readonly first: Int32Array;
  /** [outSize, taps] */
  readonly weights: Float64Array;
  #transposed: AxisTable | undefined;

  /** @param entries Visits the row, column and value of every element; values at the same place add up. */
  constructor(inSize: number, outSize: number, entries: (visit: Visit) => void) {
    const lowest = new Int32Array(outSize).fill(inSize - 1);
    const highest = new Int32Array(outSize);
    entries((i, j) => {
      lowest[i] = Math.min(lowest[i], j);
      highest[i] = Math.max(highest[i], j);
    });
    // All rows get the same number of taps; zeros fill the shorter ones, inside the input.
    const taps = lowest.reduce((longest, low, i) => Math.max(longest, highest[i] - low + 1), 1);
    this.inSize = inSize;
    this.outSize = outSize;
    this.taps = taps;
    this.first = lowest.map((low) => Math.min(low, inSize - taps));
    this.weights = new Float64Array(outSize * taps);
    entries((i, j, weight) => {
      this.weights[i * taps + j - this.first[i]] += weight;
    });
  }

  /** Rows and columns exchanged: the matrix that carries gradients back. */
  get transposed(): AxisTable {
    if (!this.#transposed) {
      this.#transposed = new AxisTable(this.outSize, this.inSize, (visit) => {
        for (let i = 0; i < this.outSize; i++) {
          for (let t = 0; t < this.taps; t++) {
            const weight = this.weights[i * this.taps + t];
            if (weight !== 0) visit(this.first[i] + t, i, weight);
          }
        }
      });
      this.#transposed.#transposed = this;
    }
    return this.#transposed;
  }
}

type Visit = (row: number, column: number, value: number) => void;

/** The matrix that resizes `inSize` samples to `outSize`, at `scale` output samples per input sample. */
export function axisTable(
  inSize: number,
  outSize: number,
  scale: number,
  { mode, convention, antialias }: AxisOptions,
): AxisTable {
  if (mode === "nearest") {
    const source = convention === "pytorch" ? nearestPytorch : nearestMatlab;
    return new AxisTable(inSize, outSize, (visit) => {
      for (let i = 0; i < outSize; i++) visit(i, source(i, inSize, outSize, scale), 1);
    });
  }
  const matlab = convention === "matlab";
  // PyTorch copies an axis that keeps its length, even where a factor such as 1.05 was rounded to that,
  // except with plain bicubic. (Its forward kernels for the CPU do; its gradients there disagree with them.)
  const identity = !matlab && outSize === inSize && (mode === "bilinear" || antialias);
  const table = resizeWeights(inSize, outSize, identity ? 1 : scale, {
    ...(mode === "bicubic"
      ? // PyTorch's sharper kernel is for interpolation only; with antialias it uses Keys' own, as PIL does.
        { kernel: "cubic", a: matlab || antialias ? -0.5 : -0.75 }
      : { kernel: "linear" }),
    antialias,
    edge: matlab ? "mirror" : antialias ? "drop" : "clamp",
  });
  return new AxisTable(inSize, outSize, (visit) => {
    for (const [k, weight] of table.weights.entries()) {
      if (weight !== 0) visit(Math.floor(k / table.taps), table.indices[k], weight);
    }
  });
}

/** PyTorch's "nearest": not the nearest sample, but the one at or before the output sample's START. */
function nearestPytorch(i: number, inSize: number, outSize: number, scale: number): number {
  // PyTorch ignores the scale here, even where the sizes are rounded.
  if (outSize === inSize) return i;
  if (outSize === 2 * inSize) return i >> 1;
  // In single precision, as PyTorch computes it: near a whole number floor() differs from that in double.
  return Math.min(Math.floor(Math.fround(i * Math.fround(1 / scale))), inSize - 1);
}

/** The sample in whose interval the output sample's centre lies; edges mirror, as everywhere in imresize. */
function nearestMatlab(i: number, inSize: number, _outSize: number, scale: number): number {
  return mirror(Math.floor((i + 0.5) / scale), inSize);
}
