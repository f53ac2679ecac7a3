/**
 * FSRCNN: "Accelerating the Super-Resolution Convolutional Neural Network" (Dong, Loy, Tang 2016), SRCNN's authors'
 * answer to its slowness.
 *
 *     first_part: features    5x5, 1 -> d
 *     mid_part:   shrinking   1x1, d -> s
 *                 mapping     m times 3x3, s -> s
 *                 expanding   1x1, s -> d
 *     last_part:  9x9 transposed convolution, d -> 1, which enlarges
 *
 * with a PReLU after each but the last. The mapping, where the depth is, runs on few channels of the small picture.
 */
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d, ConvTranspose2d, PReLU, Sequential } from "../nn/layers.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { SuperResolver } from "./super-resolver.ts";

export interface FSRCNNOptions {
  /** Enlargement: 2, 3 or 4. Default 3. */
  scale?: 2 | 3 | 4;
  /** Channels of the features. Default 56 (with the other defaults 12,809 parameters). */
  d?: number;
  /** Channels of the mapping. Default 12. */
  s?: number;
  /** Layers of the mapping. Default 4. */
  m?: number;
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

/** FSRCNN for luma planes in 0..1. */
export class FSRCNN extends SuperResolver {
  readonly colors = "y";
  readonly inputSize = "lr";
  readonly scale: number;
  readonly d: number;
  readonly s: number;
  readonly m: number;
  // The names below become those of the weights.
  readonly first_part: Sequential;
  readonly mid_part: Sequential;
  readonly last_part: ConvTranspose2d;

  constructor(options: FSRCNNOptions = {}) {
    super();
    const { scale = 3, d = 56, s = 12, m = 4, random = defaultRandom() } = options;
    if (![2, 3, 4].includes(scale)) throw new RangeError(`FSRCNN: scale must be 2, 3 or 4, got ${scale}.`);
    if (![d, s, m].every(Number.isInteger) || d < 1 || s < 1 || m < 0) {
      throw new RangeError(
        `FSRCNN: d and s must be whole numbers above 0 and m 0 or more, got ${d}, ${s} and ${m}.`,
      );
    }
    this.scale = scale;
    this.d = d;
    this.s = s;
    this.m = m;
    // The paper's choice: He's rule before a PReLU, whose slope starts at 0.25, and a small transposed convolution.
    const step = (from: number, to: number, side: number) => {
      const conv = new Conv2d(from, to, side, { padding: "same", random });
      kaimingNormalInit(conv, random, { slope: 0.25 });
      return [conv, new PReLU(to)];
    };
    const mapping = Array.from({ length: m }, () => step(s, s, 3));
    this.first_part = new Sequential(...step(1, d, 5));
    this.mid_part = new Sequential(...step(d, s, 1), ...mapping.flat(), ...step(s, d, 1));
    this.last_part = new ConvTranspose2d(d, 1, 9, {
      stride: scale,
      padding: 4,
      outputPadding: scale - 1,
      random,
    });
    normalInit(this.last_part, 0.001, random);
  }

  /** The paper's FSRCNN-s, for real time: d = 32, s = 5, m = 1; 4,086 parameters. */
  static small(scale: FSRCNNOptions["scale"], options: Pick<FSRCNNOptions, "random"> = {}): FSRCNN {
    return new FSRCNN({ ...options, scale, d: 32, s: 5, m: 1 });
  }

  /**
   * Half of each window, added up. That of the last counts in pixels of the result: the last one of an LR pixel's, number
   * `scale` - 1, is reached by windows whose middles lie up to 4 pixels further.
   */
  get halo(): number {
    return 2 + this.m + Math.floor((this.scale + 3) / this.scale);
  }

  get valuesPerPixel(): number {
    return Math.max(this.d, this.scale ** 2);
  }

  /** x [n, 1, h, w] in 0..1 to [n, 1, h * scale, w * scale]. */
  forward(x: Tensor): Tensor {
    return this.last_part.forward(this.mid_part.forward(this.first_part.forward(x)));
  }

  metadata(): Record<string, string> {
    const { scale, d, s, m } = this;
    return { architecture: "FSRCNN", scale: `${scale}`, d: `${d}`, s: `${s}`, m: `${m}` };
  }
}
