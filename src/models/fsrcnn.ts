/**
 * FSRCNN: "Accelerating the Super-Resolution Convolutional Neural Network" (Dong, Loy, Tang 2016), SRCNN's
 * authors' answer to its slowness.
 *
 *     first_part: features    5x5, 1 -> d
 *     mid_part:   shrinking   1x1, d -> s
 *                 mapping     m times 3x3, s -> s
 *                 expanding   1x1, s -> d
 *     last_part:  9x9 transposed convolution, d -> 1, which enlarges
 *
 * with a PReLU after each but the last. The mapping, which makes the network deep, has few channels and the
 * small picture's size.
 */

import { PReLU } from "../nn/activations.ts";
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d, ConvTranspose2d, Sequential } from "../nn/layers.ts";
import { whole } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  type Architecture,
  ConfiguredNetwork,
  checkConstructor,
  MAX_CHANNELS,
  MAX_LAYERS,
  metadataOf,
  type OptionValues,
  option,
  type RecognizedNetwork,
} from "./architecture.ts";
import {
  checkColors,
  countOf,
  type DetectOptions,
  lumaScale,
  type State,
  scaleOf,
  shapeOf,
  withSlopes,
} from "./state.ts";

/** FSRCNN for luma planes in 0..1. */
export class FSRCNN extends ConfiguredNetwork<Options> {
  // The names below become those of the weights.
  readonly first_part: Sequential;
  readonly mid_part: Sequential;
  readonly last_part: ConvTranspose2d;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: FSRCNNOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("FSRCNN", init);
    super(fsrcnn, options);
    const { scale, d, s, m } = this.options;
    // The paper's choice: He's rule before a PReLU, whose slope starts at 0.25, and a small transposed
    // convolution.
    const layer = (from: number, to: number, side: number) => {
      const conv = new Conv2d(from, to, side, { padding: "same", random });
      kaimingNormalInit(conv, { slope: 0.25, random });
      return [conv, new PReLU(to)];
    };
    const mapping = Array.from({ length: m }, () => layer(s, s, 3));
    this.first_part = new Sequential(...layer(1, d, 5));
    this.mid_part = new Sequential(...layer(d, s, 1), ...mapping.flat(), ...layer(s, d, 1));
    this.last_part = new ConvTranspose2d(d, 1, 9, {
      stride: scale,
      padding: 4,
      outputPadding: scale - 1,
      random,
    });
    normalInit(this.last_part, 0.001, { random });
  }

  /** The paper's FSRCNN-s, for real time: d = 32, s = 5, m = 1; 4,086 parameters. */
  static small(scale: FSRCNNOptions["scale"], options: Pick<FSRCNNOptions, "random"> = {}): FSRCNN {
    return new FSRCNN({ ...options, scale, d: 32, s: 5, m: 1 });
  }

  /** x [n, 1, h, w] in 0..1 to [n, 1, h * scale, w * scale]. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const features = this.first_part.forward(x);
    const mapped = this.mid_part.forward(features);
    disposeUnderNoGrad(features);
    const y = this.last_part.forward(mapped);
    disposeUnderNoGrad(mapped);
    return y;
  }

  /**
   * Half of each window, added up. The last window counts in pixels of the result: the last of an LR pixel's,
   * number `scale` - 1, is reached by windows whose middles lie up to 4 pixels further.
   */
  get halo(): number {
    return 2 + this.options.m + Math.floor((this.scale + 3) / this.scale);
  }

  get valuesPerPixel(): number {
    return Math.max(this.options.d, this.scale ** 2);
  }
}

// ---- Options and presets

const options = {
  /** Enlargement: 2, 3 or 4. Default 3. */
  scale: option(lumaScale, 3, "enlargement"),
  /** Channels of the features. Default 56 (with the other defaults 12,809 parameters). */
  d: option(whole(1, MAX_CHANNELS), 56, "channels of the features (the paper: 56; for real time 32)"),
  /** Channels of the mapping. Default 12. */
  s: option(whole(1, MAX_CHANNELS), 12, "channels of the mapping (the paper: 12; for real time 5)"),
  /** Layers of the mapping. Default 4. */
  m: option(whole(0, MAX_LAYERS), 4, "layers of the mapping (the paper: 4; for real time 1)"),
};

type Options = OptionValues<typeof options>;

export interface FSRCNNOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const fsrcnn: Architecture<"FSRCNN", Options, "quick"> = {
  name: "FSRCNN",
  summary: "Dong et al. 2016: a deep, narrow network on the small picture and a transposed convolution; luma",
  colors: "y",
  inputSize: "low",
  options,
  presets: {
    /** Minutes, half of which it needs to reach bicubic interpolation: see docs/training-choices.md. */
    quick: {
      network: { scale: 3, d: 56, s: 12, m: 4 },
      patch: 16,
      batch: 8,
      loss: "l2",
      lr: 2e-3,
      schedule: { kind: "cosine" },
      warmup: 200,
      steps: 4000,
      evalEvery: 1000,
      logEvery: 10,
    },
  },
  describe: ({ scale, d, s, m }) =>
    `FSRCNN x${scale}, ${d} and ${quantity(s, "channel")}, ${quantity(m, "layer")} of mapping`,
  shortName: ({ scale, d, s, m }) => `fsrcnn-x${scale}-${d}-${s}-${m}`,
  looksAtExamples: () => false,
  build: (options, random) => new FSRCNN({ ...options, random }),
  recognize: recognizeFSRCNN,
};

// ---- Files of other programs

/** FSRCNN-pytorch, whose names are this library's. */
function recognizeFSRCNN(given: State, options: DetectOptions): RecognizedNetwork | undefined {
  const state = withSlopes(given);
  const last = shapeOf(state, "last_part.weight");
  const shrink = shapeOf(state, "mid_part.0.weight");
  if (last === undefined || shrink === undefined || !state.has("first_part.1.weight")) return undefined;
  const [s, d] = shrink;
  const inputs = shapeOf(state, "first_part.0.weight")?.[1] ?? 1;
  checkColors(options.name, "FSRCNN", inputs, 1);
  const m = countOf(state, /^mid_part\.(\d+)\.bias$/) - 2;
  return { metadata: metadataOf("FSRCNN", { scale: scaleOf(options), d, s, m }), state, assumptions: [] };
}
