/**
 * Wren, this library's own network: small, quick, and no more than what pays for its milliseconds.
 *
 *     x ─┬─ head ─ block ─ … ─ block ─ tail ─ pixel shuffle ─(+)─ y
 *        └───────────── bicubic enlargement ──────────────────┘
 *
 *     block:  x + conv2(relu(conv1(x)))
 *     head:   conv colours -> channels
 *     tail:   conv channels -> colours * scale²
 *
 * All convolutions are 3x3, and all run at the small picture's size. Where it differs from EDSR, and why:
 *
 * - EDSR enlarges feature maps, and then makes a picture of them: in an EDSR of this size, that is half of the work
 *   at x4. Here the last convolution at the small size computes the scale² pixels of each colour, and the shuffle
 *   puts them side by side.
 * - The network predicts what has to be added to the bicubic enlargement. The tail's weights are 0 at first, so that
 *   training begins with that enlargement, and not with noise.
 * - EDSR has one more convolution after its blocks, and a skip around them all. Here the blocks' own skips carry
 *   everything from head to tail.
 *
 * Plain 3x3 convolutions, because they are what graphics cards are fastest at: attention, or convolutions in
 * groups, cost fewer multiplications and more time. docs/training-choices.md has what was compared.
 */
import { add, sub } from "../kernels/elementwise/index.ts";
import { Conv2d } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import { whole } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
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
import { enlargeBicubic } from "./enlarge-bicubic.ts";
import { countOf, type DetectOptions, picturesOf, type State, shapeOf } from "./state.ts";

/** Wren for pictures in 0..1. */
export class Wren extends ConfiguredNetwork<Options> {
  // The names below become those of the weights.
  readonly head: Conv2d;
  readonly blocks: readonly Block[];
  readonly tail: Conv2d;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: WrenOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("Wren", init);
    super(wren, options);
    const { scale, blocks, channels } = this.options;
    const { planes } = this;
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });
    this.head = conv(planes, channels);
    this.blocks = Array.from({ length: blocks }, () => new Block(channels, random));
    this.tail = conv(channels, planes * scale ** 2);
    // So that training begins with the enlarged picture itself.
    for (const parameter of this.tail.parameters()) parameter.assign(new Float32Array(parameter.size));
  }

  /** x [n, c, h, w] in 0..1 to [n, c, h * scale, w * scale]; c is 3 for RGB and 1 for luma. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const detail = this.#detail(x);
    const enlarged = this.scale === 1 ? x : enlargeBicubic(x, this.scale);
    const y = add(enlarged, detail);
    disposeUnderNoGrad(detail);
    if (enlarged !== x) disposeUnderNoGrad(enlarged);
    return y;
  }

  /** What has to be added to the bicubic enlargement. */
  #detail(x: Tensor): Tensor {
    const centered = sub(x, MIDDLE);
    let features = this.head.forward(centered);
    disposeUnderNoGrad(centered);
    for (const block of this.blocks) {
      const before = features;
      features = block.forward(before);
      disposeUnderNoGrad(before);
    }
    // The kernel of the convolution shuffles on the way to memory.
    const detail = this.tail.forward(features, { shuffle: this.scale });
    disposeUnderNoGrad(features);
    return detail;
  }

  /** One pixel for each convolution. */
  get halo(): number {
    return 2 * this.options.blocks + 2;
  }

  get valuesPerPixel(): number {
    return Math.max(this.options.channels, this.planes * this.scale ** 2);
  }
}

/** Subtracted from pictures first: networks learn faster from numbers around 0. */
const MIDDLE = 0.45;

/** x + conv2(relu(conv1(x))). */
class Block extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;

  constructor(channels: number, random: Random) {
    super();
    const conv = () => new Conv2d(channels, channels, 3, { padding: 1, random });
    this.conv1 = conv();
    this.conv2 = conv();
  }

  forward(x: Tensor): Tensor {
    const between = this.conv1.forward(x, { activation: "relu" });
    const y = this.conv2.forward(between, { skip: x });
    disposeUnderNoGrad(between);
    return y;
  }
}

// ---- Options and presets

const options = {
  /** Enlargement: 1 (the size stays, for noise or JPEG), 2, 3, 4 or 8. Default 2. */
  scale: scaleOption,
  /** Residual blocks. Default 10. */
  blocks: option(whole(1, MAX_LAYERS), 10, "residual blocks of two convolutions"),
  /** Channels of every feature map. Default 32. */
  channels: option(whole(1, MAX_CHANNELS), 32, "channels of every feature map"),
  /** RGB, or luma alone. Default "rgb". */
  colors: colorsOption,
};

type Options = OptionValues<typeof options>;

export interface WrenOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const wren: Architecture<"Wren", Options, "quick" | "wren"> = {
  name: "Wren",
  summary: "This library's own: residual blocks and the cheapest enlargement, the best for its time; RGB",
  colors: "rgb",
  inputSize: "low",
  options,
  presets: {
    /** A first network, in minutes. */
    quick: {
      network: { scale: 2, blocks: 4, channels: 16, colors: "rgb" },
      ...quickRecipe,
      warmup: 100,
    },
    /** The network that comes with the library: hours. */
    wren: {
      network: { scale: 2, blocks: 10, channels: 32, colors: "rgb" },
      patch: 48,
      batch: 16,
      loss: "l1",
      lr: 1e-3,
      schedule: { kind: "cosine" },
      warmup: 500,
      steps: 200_000,
      evalEvery: 1000,
      logEvery: 100,
    },
  },
  describe: ({ scale, blocks, channels }) =>
    `Wren x${scale}, ${quantity(blocks, "block")} of ${quantity(channels, "channel")}`,
  shortName: ({ scale, blocks, channels }) => `wren-x${scale}-${blocks}x${channels}`,
  looksAtExamples: () => false,
  build: (options, random) => new Wren({ ...options, random }),
  recognize: recognizeWren,
};

// ---- Files of other programs

/** Files that PyTorch wrote, whose names are this library's: examples/pytorch. */
export function recognizeWren(state: State, { name }: DetectOptions): RecognizedNetwork | undefined {
  const first = shapeOf(state, "head.weight");
  const isOne = ["blocks.0.conv1.weight", "tail.weight"].every((key) => state.has(key));
  if (first === undefined || !isOne) return undefined;
  const [outputs] = shapeOf(state, "tail.weight") ?? [];
  const { colors, scale } = picturesOf(name, "Wren", { inputs: first[1], outputs });
  const blocks = countOf(state, /^blocks\.(\d+)\.conv1\.weight$/);
  return {
    metadata: metadataOf("Wren", { scale, blocks, channels: first[0], colors }),
    state,
    assumptions: [],
  };
}
