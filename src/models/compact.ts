/**
 * Compact: SRVGGNetCompact of Real-ESRGAN (Wang, Xie, Dong, Shan, "Real-ESRGAN: Training Real-World Blind
 * Super-Resolution with Pure Synthetic Data", 2021), the network of its models for animation.
 *
 *     body: conv channels, activation, `layers` times; one more pair before them, from the picture
 *           conv to colours * scale², pixel shuffle
 *     plus the picture, enlarged by repeating its pixels
 *
 * All convolutions are 3x3 and run at the small picture's size. The real models have 16 or 32 layers of 64
 * channels and PReLUs; community models are smaller, too.
 */

import { LeakyReLU, PReLU, ReLU } from "../nn/activations.ts";
import { kaimingNormalInit, normalInit } from "../nn/init.ts";
import { Conv2d, Sequential } from "../nn/layers.ts";
import type { Layer } from "../nn/module.ts";
import { oneOf, whole } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  type Architecture,
  ConfiguredNetwork,
  checkConstructor,
  colorsOption,
  MAX_CHANNELS,
  MAX_LAYERS,
  metadataOf,
  type OptionValues,
  option,
  quickRecipe,
  type RecognizedNetwork,
  scaleOption,
} from "./architecture.ts";
import {
  countOf,
  type DetectOptions,
  picturesOf,
  type State,
  shapeOf,
  withoutEnd,
  withSlopes,
} from "./state.ts";

/** The slope of the original's leaky ReLU. */
const LEAKY_SLOPE = 0.1;

/** Compact for pictures in 0..1. Parameter names are those of SRVGGNetCompact. */
export class Compact extends ConfiguredNetwork<Options> {
  // The name below becomes that of the weights.
  readonly body: Sequential;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: CompactOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("Compact", init);
    super(compact, options);
    const { scale, layers, channels, activation } = this.options;
    const { planes } = this;
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });
    const activations: Record<Options["activation"], () => Layer> = {
      prelu: () => new PReLU(channels),
      leakyRelu: () => new LeakyReLU(LEAKY_SLOPE),
      relu: () => new ReLU(),
    };
    const pairs = Array.from({ length: layers + 1 }, (_, i) => [
      conv(i === 0 ? planes : channels, channels),
      activations[activation](),
    ]);
    const last = conv(channels, planes * scale ** 2);
    this.body = new Sequential(...pairs.flat(), last);

    const slope = { prelu: 0.25, leakyRelu: LEAKY_SLOPE, relu: 0 }[activation];
    for (const [first] of pairs) kaimingNormalInit(first as Conv2d, { slope, random });
    // Training begins with the enlarged picture itself.
    normalInit(last, 0.001, { random });
  }

  /** x [n, c, h, w] in 0..1 to [n, c, h * scale, w * scale]; c is 3 for RGB and 1 for luma. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    return this.body.forward(x, { shuffle: this.scale, skip: x });
  }

  /** One pixel for each convolution. */
  get halo(): number {
    return this.options.layers + 2;
  }

  get valuesPerPixel(): number {
    return Math.max(this.options.channels, this.planes * this.scale ** 2);
  }
}

// ---- Options and presets

const options = {
  /** Enlargement: 1 (the size stays, for noise or JPEG), 2, 3, 4 or 8. Default 2. */
  scale: scaleOption,
  /** Convolutions between the first and the last. Default 16. */
  layers: option(whole(0, MAX_LAYERS), 16, "convolutions between the first and the last"),
  /** Channels of every feature map. Default 64. */
  channels: option(whole(1, MAX_CHANNELS), 64, "channels of every feature map"),
  /** After every convolution but the last. Default "prelu", one learned slope for each channel. */
  activation: option(
    oneOf("prelu", "leakyRelu", "relu"),
    "prelu",
    "after every convolution but the last (leakyRelu: 0.1)",
  ),
  /** RGB, or luma alone. Default "rgb". */
  colors: colorsOption,
};

type Options = OptionValues<typeof options>;

export interface CompactOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const compact: Architecture<"Compact", Options, "quick" | "real-esrgan"> = {
  name: "Compact",
  summary: "Wang et al. 2021 (SRVGGNet): a stack of convolutions on the small picture, for animation; RGB",
  colors: "rgb",
  inputSize: "low",
  options,
  presets: {
    /** A first network, in minutes. */
    quick: {
      network: { scale: 2, layers: 6, channels: 24, activation: "prelu", colors: "rgb" },
      ...quickRecipe,
    },
    /** The network of Real-ESRGAN's animation models, and the first part of their training: by L1. */
    "real-esrgan": {
      network: { scale: 4, layers: 16, channels: 64, activation: "prelu", colors: "rgb" },
      patch: 64,
      batch: 32,
      loss: "l1",
      lr: 2e-4,
      schedule: { kind: "constant" },
      warmup: 0,
      steps: 300_000,
      evalEvery: 1000,
      logEvery: 100,
    },
  },
  describe: ({ scale, layers, channels }) =>
    `Compact x${scale}, ${quantity(layers, "layer")} of ${quantity(channels, "channel")}`,
  shortName: ({ scale, layers, channels }) => `compact-x${scale}-${layers}x${channels}`,
  looksAtExamples: () => false,
  build: (options, random) => new Compact({ ...options, random }),
  recognize: recognizeCompact,
};

// ---- Files of other programs

/** Files of Real-ESRGAN, traiNNer and neosr, whose names are this library's. */
export function recognizeCompact(given: State, { name }: DetectOptions): RecognizedNetwork | undefined {
  const first = shapeOf(given, "body.0.weight");
  const positions = [...given.keys()].map((key) => Number(/^body\.(\d+)\.(?:weight|bias)$/.exec(key)?.[1]));
  if (first?.length !== 4 || !positions.every(Number.isInteger)) return undefined;
  const state = withSlopes(given);
  const end = Math.max(...positions);
  const last = shapeOf(state, `body.${end}.weight`);
  if (last?.length !== 4) throw withoutEnd(name, "Compact");
  const [outputs] = last;
  const { colors, scale } = picturesOf(name, "Compact", { inputs: first[1], outputs });
  const hasSlopes = state.has("body.1.weight");
  const layers = countOf(state, /^body\.(\d+)\.bias$/) - 2;
  const activation = hasSlopes ? "prelu" : "relu";
  return {
    metadata: metadataOf("Compact", { scale, layers, channels: first[0], activation, colors }),
    state,
    assumptions: hasSlopes
      ? []
      : [{ option: "activation", text: "the activation: ReLU, since there are no slopes of PReLUs" }],
  };
}
