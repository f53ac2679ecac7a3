/**
 * Resizing along one axis as a matrix: every output sample is a weighted sum of a few neighbouring input samples.
 * The kernels know nothing else; what nearest, bilinear and bicubic mean, at which end of the picture, and in whose
 * convention, is all in this file. The formula of the weights is in picture/resize-weights.ts.
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
 * A matrix of inSize columns and outSize rows whose non-zero elements lie close together in each row:
 * output i = sum over t < taps of weights[i * taps + t] * input[first[i] + t]. No position is outside the input.
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

  /** @param entries calls back with the row, column and value of every element; values at the same place add up. */
  constructor(inSize: number, outSize: number, entries: (visit: Visit) => void) {
    const lowest = new Int32Array(outSize).fill(inSize - 1);
    const highest = new Int32Array(outSize);
    entries((i, j) => {
      lowest[i] = Math.min(lowest[i], j);
      highest[i] = Math.max(highest[i], j);
    });
    // All rows get the same number of taps; shorter ones are filled with zeros, inside the input.
    const taps = lowest.reduce((most, low, i) => Math.max(most, highest[i] - low + 1), 1);
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

/** The matrix that resizes a signal of `inSize` samples to `outSize`, at `scale` output samples per input sample. */
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
  // An axis whose length does not change is copied by PyTorch, even if a factor such as 1.05 was rounded to that,
  // except by plain bicubic. (So its forward kernels for the CPU; its gradients there disagree with them.)
  const copied = !matlab && outSize === inSize && (mode === "bilinear" || antialias);
  const table = resizeWeights(inSize, outSize, copied ? 1 : scale, {
    ...(mode === "bicubic"
      ? // PyTorch's sharper kernel is for interpolation only; with antialias it takes Keys' own, as PIL does.
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

/** Not the nearest sample, in fact, but the one at or before the output sample's START. */
function nearestPytorch(i: number, inSize: number, outSize: number, scale: number): number {
  // PyTorch disregards the scale here, even where it was rounded to give these sizes.
  if (outSize === inSize) return i;
  if (outSize === 2 * inSize) return i >> 1;
  // Its single precision shows: rounded to one side or the other of a whole number, floor() differs.
  return Math.min(Math.floor(Math.fround(i * Math.fround(1 / scale))), inSize - 1);
}

/** The sample in whose interval the output sample's centre lies; mirrored like everything in imresize. */
function nearestMatlab(i: number, inSize: number, _outSize: number, scale: number): number {
  return mirror(Math.floor((i + 0.5) / scale), inSize);
}
