/** Training batches from pairs of pictures. */
import { Random, type Shape, type SuperResolver } from "../src/index.ts";
import { copyPatch, type Image, imresize, lumaOf, randomPlace } from "../src/picture/index.ts";
import type { Pair } from "./material.ts";

/** Side of a patch in LR pixels, and patches per step. */
const PATCH = 24;
const BATCH = 8;
/** A patch on which bicubic interpolation errs by less than this (of 1) has nothing to teach. */
const DULL = 1 / 255;
/** So often another patch is looked for in place of a dull one. */
const TRIES = 8;

export interface Batch {
  /** Values 0..1, of the shape beside it: [n, channels, side, side]. */
  readonly low: Float32Array;
  readonly lowShape: Shape;
  readonly high: Float32Array;
  readonly highShape: Shape;
  /** Mean absolute difference between high and low enlarged by bicubic interpolation; 0 for even areas. */
  readonly bicubicLoss: number;
}

/** A pair as the network sees it. */
interface Planes {
  readonly high: Image;
  /** The small picture, or `bicubic` for networks that take enlarged pictures. */
  readonly low: Image;
  /** The small picture enlarged by bicubic interpolation. */
  readonly bicubic: Image;
}

/** Random patches of pairs, flipped and turned at random, for a network. Large pictures are chosen more often. */
export class Patches {
  readonly #pairs: readonly Planes[];
  /** From low to high: 1 if low is enlarged. */
  readonly #scale: number;
  readonly #side: number;
  readonly #random: Random;

  constructor(pairs: readonly Pair[], { scale, colors, inputSize }: SuperResolver, seed: number) {
    this.#random = new Random(seed);
    const planes = pairs.map((pair): Planes => {
      const [low, high] = colors === "y" ? [lumaOf(pair.low), lumaOf(pair.high)] : [pair.low, pair.high];
      const bicubic = imresize(low, scale);
      return { high, bicubic, low: inputSize === "high" ? bicubic : low };
    });
    this.#scale = inputSize === "high" ? 1 : scale;
    const room = Math.max(...planes.map(({ low }) => Math.min(low.width, low.height)));
    this.#side = Math.min(inputSize === "high" ? PATCH * scale : PATCH, room);
    this.#pairs = planes.filter(({ low }) => Math.min(low.width, low.height) >= this.#side);
  }

  next(): Batch {
    const { channels } = this.#pairs[0].high;
    const [p, q] = [this.#side, this.#side * this.#scale];
    const [lowSize, highSize] = [channels * p * p, channels * q * q];
    const low = new Float32Array(BATCH * lowSize);
    const high = new Float32Array(BATCH * highSize);
    const bicubic = new Float32Array(highSize);
    let bicubicLoss = 0;
    for (let n = 0; n < BATCH; n++) {
      let difference = 0;
      for (let tries = 0; tries < TRIES && difference < DULL; tries++) {
        const pair = this.#choose();
        const { x, y, symmetry } = randomPlace(this.#random, pair.low, p);
        copyPatch(low, n * lowSize, pair.low, x, y, p, symmetry);
        const [left, top] = [x * this.#scale, y * this.#scale];
        copyPatch(high, n * highSize, pair.high, left, top, q, symmetry);
        copyPatch(bicubic, 0, pair.bicubic, left, top, q, symmetry);
        difference = meanDifference(bicubic, high.subarray(n * highSize, (n + 1) * highSize));
      }
      bicubicLoss += difference / BATCH;
    }
    return {
      low,
      lowShape: [BATCH, channels, p, p],
      high,
      highShape: [BATCH, channels, q, q],
      bicubicLoss,
    };
  }

  #choose(): Planes {
    const area = ({ low }: Planes) => low.width * low.height;
    let at = this.#random.int(this.#pairs.reduce((sum, pair) => sum + area(pair), 0));
    return this.#pairs.find((pair) => {
      at -= area(pair);
      return at < 0;
    })!;
  }
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((total, value, i) => total + Math.abs(value - b[i]), 0) / a.length;
}
