/**
 * ESPCN: "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
 * Network" (Shi, Caballero, Huszár, Totz, Aitken, Bishop, Rueckert, Wang 2016).
 *
 *     first_part: 5x5, 1 -> 64, tanh; 3x3, 64 -> 32, tanh
 *     last_part:  3x3, 32 -> scale², pixel shuffle
 *
 * All layers run at the small picture's size, which makes it scale² times as fast as a network that works on
 * the enlarged picture. Each small pixel becomes scale² pixels; the last layer computes them as channels,
 * and the shuffle only puts them side by side.
 */
import { add } from "../kernels/elementwise/index.ts";
import { ReLU, Tanh } from "../nn/activations.ts";
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d, PixelShuffle, Sequential } from "../nn/layers.ts";
import { numbers, oneOf, whole, yesOrNo } from "../options/kinds.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  type Architecture,
  ConfiguredNetwork,
  checkConstructor,
  MAX_CHANNELS,
  metadataOf,
  type OptionValues,
  option,
  type RecognizedNetwork,
} from "./architecture.ts";
import { enlargeBicubic } from "./enlarge-bicubic.ts";
import { fitFilters } from "./fit-filters.ts";
import {
  assumedWhole,
  checkColors,
  type DetectOptions,
  lumaScale,
  markersIn,
  type State,
  shapeOf,
  withoutTensors,
} from "./state.ts";

/** ESPCN for luma planes in 0..1. */
export class ESPCN extends ConfiguredNetwork<Options> {
  // The names below become those of the weights.
  readonly first_part: Sequential;
  readonly last_part: Sequential;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: ESPCNOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("ESPCN", init);
    super(espcn, options);
    const { scale, filters, activation } = this.options;
    const conv = (from: number, to: number, side: number) =>
      new Conv2d(from, to, side, { padding: "same", random });
    const features = conv(1, filters[0], 5);
    const mapping = conv(filters[0], filters[1], 3);
    const pixels = conv(filters[1], scale ** 2, 3);
    const bend = () => (activation === "tanh" ? new Tanh() : new ReLU());
    this.first_part = new Sequential(features, bend(), mapping, bend());
    this.last_part = new Sequential(pixels, new PixelShuffle(scale));

    kaimingNormalInit(features, { random });
    kaimingNormalInit(mapping, { random });
    // Small, so that all scale² pixels of a block start alike. docs/training-choices.md compares it with the
    // layers' own weights.
    normalInit(pixels, 0.001, { random });
  }

  /** x [n, 1, h, w] in 0..1 to [n, 1, h * scale, w * scale]. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const features = this.first_part.forward(x);
    const detail = this.last_part.forward(features);
    disposeUnderNoGrad(features);
    if (!this.options.residual) return detail;
    const enlarged = enlargeBicubic(x, this.scale);
    const y = add(enlarged, detail);
    for (const part of [enlarged, detail]) disposeUnderNoGrad(part);
    return y;
  }

  /** Half of each window, added up. */
  get halo(): number {
    return 4;
  }

  get valuesPerPixel(): number {
    return Math.max(...this.options.filters, this.scale ** 2);
  }
}

// ---- Options and presets

const options = {
  /** Enlargement: 2, 3 or 4. Default 3. */
  scale: option(lumaScale, 3, "enlargement"),
  /** Channels of the two feature maps. Default [64, 32]: 21,284, 22,729, 24,752 parameters at x2, x3, x4. */
  filters: option(
    numbers([64, 32], whole(1, MAX_CHANNELS)),
    [64, 32],
    "channels of the two feature maps (the paper: 64-32)",
  ),
  /** After the first two layers. Default "tanh", as in the paper; with "relu" it learns faster. */
  activation: option(oneOf("tanh", "relu"), "tanh", "after the first two layers (the paper: tanh)"),
  /**
   * Let the network predict what has to be added to a bicubic enlargement instead of the whole picture. Not
   * in the paper; training starts at bicubic quality and learns faster. Default false.
   */
  residual: option(yesOrNo, false, "predict what has to be added to the bicubic enlargement (the paper: no)"),
};

type Options = OptionValues<typeof options>;

export interface ESPCNOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const espcn: Architecture<"ESPCN", Options, "quick"> = {
  name: "ESPCN",
  summary: "Shi et al. 2016: three convolutions of the small picture and a pixel shuffle, the fastest; luma",
  colors: "y",
  inputSize: "low",
  options,
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
  // The weights of such a network make nothing sensible of other programs' ESPCN.
  markers: { residual: { residual: "true" }, relu: { activation: "relu" } },
  build(options, random, examples = []) {
    const model = new ESPCN({ ...options, random });
    if (options.residual) fitFilters(model.first_part.modules[0] as Conv2d, examples, random);
    return model;
  },
  recognize: recognizeESPCN,
};

// ---- Files of other programs

/** ESPCN-pytorch, whose names are this library's; and files of this library without their metadata. */
function recognizeESPCN(given: State, { name }: DetectOptions): RecognizedNetwork | undefined {
  const marks = markersIn(given, Object.keys(espcn.markers!));
  const state = withoutTensors(given, marks);
  const last = shapeOf(state, "last_part.0.weight");
  const [first, inputs = 0] = shapeOf(state, "first_part.0.weight") ?? [];
  if (last === undefined || first === undefined || !state.has("first_part.2.weight")) return undefined;
  const [pixels, second] = last;
  checkColors(name, "ESPCN", inputs, 1);
  const [residual, relu] = ["residual", "relu"].map((marker) => marks.includes(marker));
  const activation = relu ? "relu" : "tanh";
  const options = { scale: Math.sqrt(pixels), filters: [first, second], activation, residual };
  // Where one of the two is there, the file is this library's, which would have written the other.
  const assumptions =
    residual || relu
      ? []
      : [{ option: "activation", text: "the activation: tanh, as in the paper" }, assumedWhole];
  return { metadata: metadataOf("ESPCN", options), state, assumptions };
}
