/** Training data from a single picture: made small, it is the question; the picture itself is the answer. */
import { Random, type Shape, type SuperResolver } from "../src/index.ts";
import {
  copyPatch,
  type Image,
  imresize,
  lumaOf,
  modcrop,
  randomPlace,
  toRgb,
} from "../src/picture/index.ts";

/** Side of a patch in LR pixels, and patches per step. */
const PATCH = 24;
const BATCH = 8;

export interface OwnBatch {
  /** Values 0..1, of the shape beside it: [n, channels, side, side]. */
  readonly low: Float32Array;
  readonly lowShape: Shape;
  readonly high: Float32Array;
  readonly highShape: Shape;
  /** Mean absolute difference between high and low enlarged by bicubic interpolation. */
  readonly bicubicLoss: number;
}

/** Random patches of a picture and of its small version, flipped and turned at random, for a network. */
export class OwnPatches {
  readonly #high: Image;
  /** The small picture, or `#bicubic` for networks that take enlarged pictures. */
  readonly #low: Image;
  /** The small picture enlarged by bicubic interpolation. */
  readonly #bicubic: Image;
  /** From low to high: 1 if low is enlarged. */
  readonly #scale: number;
  readonly #side: number;
  readonly #random = new Random(0);

  constructor(picture: Image, { scale, colors, inputSize }: SuperResolver) {
    const rgb = modcrop(toRgb(picture), scale);
    this.#high = colors === "y" ? lumaOf(rgb) : rgb;
    const size = { width: rgb.width / scale, height: rgb.height / scale };
    const small = imresize(this.#high, size);
    this.#bicubic = imresize(small, scale);
    this.#low = inputSize === "high" ? this.#bicubic : small;
    this.#scale = this.#high.width / this.#low.width;
    const side = inputSize === "high" ? PATCH * scale : PATCH;
    this.#side = Math.min(side, this.#low.width, this.#low.height);
  }

  next(): OwnBatch {
    const { channels } = this.#high;
    const [p, q] = [this.#side, this.#side * this.#scale];
    const low = new Float32Array(BATCH * channels * p * p);
    const high = new Float32Array(BATCH * channels * q * q);
    const bicubic = new Float32Array(high.length);
    for (let n = 0; n < BATCH; n++) {
      const { x, y, symmetry } = randomPlace(this.#random, this.#low, p);
      copyPatch(low, n * channels * p * p, this.#low, x, y, p, symmetry);
      const [left, top] = [x * this.#scale, y * this.#scale];
      copyPatch(high, n * channels * q * q, this.#high, left, top, q, symmetry);
      copyPatch(bicubic, n * channels * q * q, this.#bicubic, left, top, q, symmetry);
    }
    return {
      low,
      lowShape: [BATCH, channels, p, p],
      high,
      highShape: [BATCH, channels, q, q],
      bicubicLoss: meanDifference(high, bicubic),
    };
  }
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((total, value, i) => total + Math.abs(value - b[i]), 0) / a.length;
}
