/**
 * ESPCN: "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
 * Network" (Shi, Caballero, Huszár, Totz, Aitken, Bishop, Rueckert, Wang 2016).
 *
 *     first_part: 5x5, 1 -> 64, tanh; 3x3, 64 -> 32, tanh
 *     last_part:  3x3, 32 -> scale², pixel shuffle
 *
 * All layers run at the small picture's size, which makes it scale² times as fast as a network that works on
 * the enlarged picture. The last one computes the scale² pixels that each small pixel becomes as so many
 * channels, and the shuffle only puts them side by side.
 */
import { conv2d } from "../kernels/conv2d/index.ts";
import { add } from "../kernels/elementwise/index.ts";
import { pad } from "../kernels/pad/index.ts";
import { axisTable } from "../kernels/resize/weights.ts";
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d, PixelShuffle, ReLU, Sequential, Tanh } from "../nn/layers.ts";
import { numbers, oneOf, whole, yesOrNo } from "../options/kinds.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type Architecture, completeOptions, metadataOf } from "./architecture.ts";
import { fitFilters } from "./fit-filters.ts";
import { SuperResolver } from "./super-resolver.ts";

export interface ESPCNOptions {
  /** Enlargement: 2, 3 or 4. Default 3. */
  scale?: 2 | 3 | 4;
  /** Channels of the two feature maps. Default [64, 32]: 21,284, 22,729, 24,752 parameters at x2, x3, x4. */
  filters?: readonly [number, number];
  /** After the first two layers. Default "tanh", as in the paper; with "relu" it learns faster. */
  activation?: "tanh" | "relu";
  /**
   * Let the network predict what has to be added to a bicubic enlargement instead of the whole picture. Not
   * in the paper; it starts at bicubic quality and learns faster. Default false.
   */
  residual?: boolean;
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

type Options = Required<Omit<ESPCNOptions, "random">>;

export const espcn: Architecture<"ESPCN", Options, "quick"> = {
  name: "ESPCN",
  summary: "Shi et al. 2016: three convolutions of the small picture and a pixel shuffle, the fastest; luma",
  colors: "y",
  inputSize: "low",
  options: {
    scale: { kind: oneOf(2, 3, 4), default: 3, help: "enlargement" },
    filters: {
      kind: numbers([64, 32], whole(1)),
      default: [64, 32],
      help: "channels of the two feature maps (the paper: 64-32)",
    },
    activation: {
      kind: oneOf("tanh", "relu"),
      default: "tanh",
      help: "after the first two layers (the paper: tanh)",
    },
    residual: {
      kind: yesOrNo,
      default: false,
      help: "predict what has to be added to the bicubic enlargement (the paper: no)",
    },
  },
  presets: {
    /** Minutes. Small batches, and ReLU after a warm-up: see docs/training-choices.md. */
    quick: {
      network: { scale: 3, filters: [64, 32], activation: "relu", residual: true },
      patch: 16,
      batch: 2,
      loss: "l2",
      lr: 1e-3,
      schedule: { kind: "cosine" },
      warmup: 500,
      steps: 6000,
      evalEvery: 1500,
      logEvery: 10,
    },
  },
  describe: ({ scale, filters }) => `ESPCN x${scale}, channels ${filters.join("-")}`,
  shortName: ({ scale }) => `espcn-x${scale}`,
  looksAtExamples: ({ residual }) => residual,
  build(options, random, examples = []) {
    const model = new ESPCN({ ...options, random });
    if (options.residual) fitFilters(model.first_part.modules[0] as Conv2d, examples, random);
    return model;
  },
};

/** ESPCN for luma planes in 0..1. */
export class ESPCN extends SuperResolver {
  readonly colors = espcn.colors;
  readonly inputSize = espcn.inputSize;
  readonly scale: number;
  readonly filters: readonly [number, number];
  readonly activation: "tanh" | "relu";
  readonly residual: boolean;
  // The names below become those of the weights.
  readonly first_part: Sequential;
  readonly last_part: Sequential;

  /** @throws RangeError for an option that does not fit. */
  constructor({ random = defaultRandom(), ...options }: ESPCNOptions = {}) {
    super();
    const { scale, filters, activation, residual } = completeOptions(espcn, options);
    this.scale = scale;
    this.filters = filters;
    this.activation = activation;
    this.residual = residual;
    const conv = (from: number, to: number, side: number) =>
      new Conv2d(from, to, side, { padding: "same", random });
    const features = conv(1, filters[0], 5);
    const mapping = conv(filters[0], filters[1], 3);
    const pixels = conv(filters[1], scale ** 2, 3);
    const bend = () => (activation === "tanh" ? new Tanh() : new ReLU());
    this.first_part = new Sequential(features, bend(), mapping, bend());
    this.last_part = new Sequential(pixels, new PixelShuffle(scale));

    kaimingNormalInit(features, random);
    kaimingNormalInit(mapping, random);
    // Small, so that all scale² pixels of a block start alike. docs/training-choices.md compares it with the
    // layers' own weights.
    normalInit(pixels, 0.001, random);
  }

  /** x [n, 1, h, w] in 0..1 to [n, 1, h * scale, w * scale]. */
  forward(x: Tensor): Tensor {
    const y = this.last_part.forward(this.first_part.forward(x));
    if (!this.residual) return y;
    return add(enlargeBicubic(x, this.scale), y);
  }

  metadata(): Record<string, string> {
    return metadataOf(espcn, this);
  }

  /** Half of each window, added up. */
  get halo(): number {
    return 4;
  }

  get valuesPerPixel(): number {
    return Math.max(...this.filters, this.scale ** 2);
  }
}

const bicubic = { mode: "bicubic", convention: "matlab", antialias: false } as const;

/**
 * Bicubic interpolation as what it is, a sub-pixel convolution whose weights nobody learns: the scale² pixels
 * of a block lie at fixed places between their neighbours. One launch with the shuffle in it; and Matlab's
 * weights (Keys' kernel with a = -0.5), where `interpolate` has PyTorch's by default. Edges are repeated.
 */
function enlargeBicubic(x: Tensor, scale: number): Tensor {
  // Of five pixels in a row, what the middle one's `scale` pixels are made of.
  const { taps, first, weights } = axisTable(5, 5 * scale, scale, bicubic);
  const rows = Array.from({ length: scale }, (_, k) => {
    const i = 2 * scale + k;
    const row = [0, 0, 0, 0, 0];
    for (let t = 0; t < taps; t++) row[first[i] + t] = weights[i * taps + t];
    return row;
  });
  const windows = rows.flatMap((down) =>
    rows.flatMap((across) => down.flatMap((v) => across.map((h) => v * h))),
  );
  const weight = tensor(windows, [scale ** 2, 1, 5, 5], { device: x.device });
  return conv2d(pad(x, [2, 2, 2, 2], "replicate"), weight, undefined, { shuffle: scale });
}
