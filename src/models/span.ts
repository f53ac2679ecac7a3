/**
 * SPAN: "Swift Parameter-free Attention Network for Efficient Super-Resolution" (Wan, Yu, Wu, Kwok, Zhang,
 * Timofte 2024), the basis of the fastest entries of the NTIRE challenges since.
 *
 *     conv_1:    conv 3 -> channels
 *     block_i:   z = conv(silu(conv(silu(conv(x))))),  y = (z + x) * (sigmoid(z) - 1/2)
 *     conv_cat:  1x1, of the features after conv_1, conv_2(the last block), the first block, and the first layer of
 *                the last block
 *     upsampler: conv to 3 * scale², pixel shuffle
 *
 * All convolutions but one are 3x3 and run at the small picture's size. In the authors' code each is a sum of
 * branches, (1x1, 3x3, 1x1) and 1x1, which help training and add up to one 3x3: `eval_conv`. This network has that
 * one from the start; `recognizeSpan` folds the branches of files that have them.
 */

import { mul, sub } from "../kernels/elementwise/index.ts";
import { concat } from "../kernels/layout/index.ts";
import type { FusedOptions } from "../nn/activations.ts";
import { Conv2d, PixelShuffle, Sequential } from "../nn/layers.ts";
import { Module, type NamedArray } from "../nn/module.ts";
import { ArgumentError } from "../options/arguments.ts";
import { whole, yesOrNo } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { tensor } from "../tensor/create.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";
import { sameShape } from "../tensor/shape.ts";
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
import { DIV2K_RGB_MEAN } from "./edsr.ts";
import { countOf, type DetectOptions, picturesOf, type State, shapeOf, withBiases } from "./state.ts";

/** SPAN for pictures in 0..1. Parameter names are those of the authors' code after folding. */
export class SPAN extends ConfiguredNetwork<Options> {
  // The names below become those of the weights; those of the blocks are block_1, block_2, …
  readonly conv_1: FoldedConv;
  readonly blocks: readonly Block[];
  readonly conv_cat: Conv2d;
  readonly conv_2: FoldedConv;
  readonly upsampler: Sequential;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: SPANOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("SPAN", init);
    super(span, options);
    const { scale, blocks, channels, normalize, colors } = this.options;
    if (normalize && colors === "y") {
      throw new ArgumentError("SPAN", "normalize subtracts a mean colour, which luma has not. Leave it out.");
    }
    const { planes } = this;
    this.conv_1 = new FoldedConv(planes, channels, random);
    this.blocks = Array.from({ length: blocks }, () => new Block(channels, random));
    this.conv_cat = new Conv2d(4 * channels, channels, 1, { random });
    this.conv_2 = new FoldedConv(channels, channels, random);
    const last = new Conv2d(channels, planes * scale ** 2, 3, { padding: 1, random });
    this.upsampler = new Sequential(last, new PixelShuffle(scale));
  }

  protected override memberName(name: string): string {
    return name.replace(/^blocks\.(\d+)$/, (_, i) => `block_${Number(i) + 1}`);
  }

  /** x [n, c, h, w] in 0..1 to [n, c, h * scale, w * scale]; c is 3 for RGB and 1 for luma. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const input = this.options.normalize ? normalize(x) : x;
    const first = this.conv_1.forward(input);
    if (input !== x) disposeUnderNoGrad(input);
    let y = first;
    let afterFirstBlock = first;
    let inLastBlock = first;
    for (const [i, block] of this.blocks.entries()) {
      const before = y;
      const isLast = i === this.blocks.length - 1;
      const { y: after, inner } = block.gated(before);
      if (isLast) inLastBlock = inner;
      else disposeUnderNoGrad(inner);
      if (before !== first && before !== afterFirstBlock) disposeUnderNoGrad(before);
      if (i === 0) afterFirstBlock = after;
      y = after;
    }
    const last = this.conv_2.forward(y);
    if (y !== afterFirstBlock) disposeUnderNoGrad(y);
    const parts = [first, last, afterFirstBlock, inLastBlock];
    const all = concat(parts, 1);
    for (const part of parts) disposeUnderNoGrad(part);
    const features = this.conv_cat.forward(all);
    disposeUnderNoGrad(all);
    const result = this.upsampler.forward(features);
    disposeUnderNoGrad(features);
    return result;
  }

  /** One pixel for each 3x3 convolution. */
  get halo(): number {
    return 3 * this.options.blocks + 3;
  }

  /** The four feature maps that `conv_cat` reads. */
  get valuesPerPixel(): number {
    return Math.max(4 * this.options.channels, this.planes * this.scale ** 2);
  }
}

/** (x - mean) * 255. */
function normalize(x: Tensor): Tensor {
  const mean = tensor(DIV2K_RGB_MEAN, [1, 3, 1, 1], { device: x.device, dtype: x.dtype });
  const centered = sub(x, mean);
  const y = mul(centered, 255);
  for (const part of [mean, centered]) disposeUnderNoGrad(part);
  return y;
}

/** A 3x3 convolution; in the authors' code one with branches, which `fold` adds up to this one. */
class FoldedConv extends Module {
  readonly eval_conv: Conv2d;

  constructor(from: number, to: number, random: Random) {
    super();
    this.eval_conv = new Conv2d(from, to, 3, { padding: 1, random });
  }

  forward(x: Tensor, fused: FusedOptions = {}): Tensor {
    return this.eval_conv.forward(x, fused);
  }
}

/** Three convolutions whose result, gated by itself, is added to the input. */
class Block extends Module {
  readonly c1_r: FoldedConv;
  readonly c2_r: FoldedConv;
  readonly c3_r: FoldedConv;

  constructor(channels: number, random: Random) {
    super();
    const conv = () => new FoldedConv(channels, channels, random);
    this.c1_r = conv();
    this.c2_r = conv();
    this.c3_r = conv();
  }

  forward(x: Tensor): Tensor {
    const { y, inner } = this.gated(x);
    disposeUnderNoGrad(inner);
    return y;
  }

  /**
   * `inner` is the first convolution's result after the SiLU. (The authors hand on what is before it, but their
   * SiLU works in place.)
   */
  gated(x: Tensor): { y: Tensor; inner: Tensor } {
    const inner = this.c1_r.forward(x, { activation: "silu" });
    const second = this.c2_r.forward(inner, { activation: "silu" });
    const y = this.c3_r.forward(second, { gate: x });
    disposeUnderNoGrad(second);
    return { y, inner };
  }
}

// ---- Options and presets

const options = {
  /** Enlargement: 1 (the size stays, for noise or JPEG), 2, 3, 4 or 8. Default 2. */
  scale: scaleOption,
  /** Blocks of three convolutions. Default 6. */
  blocks: option(whole(1, MAX_LAYERS), 6, "blocks of three convolutions (the paper: 6)"),
  /** Channels of every feature map. Default 48. */
  channels: option(whole(1, MAX_CHANNELS), 48, "channels of every feature map (the paper: 48)"),
  /**
   * Subtract DIV2K's mean colour and multiply by 255 first, as the authors do. Default false: most models trained
   * since do without, and start better.
   */
  normalize: option(yesOrNo, false, "subtract a mean colour and multiply by 255 first (the paper: yes)"),
  /** RGB, or luma alone. Default "rgb". */
  colors: colorsOption,
};

type Options = OptionValues<typeof options>;

export interface SPANOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const span: Architecture<"SPAN", Options, "quick" | "span-paper"> = {
  name: "SPAN",
  summary: "Wan et al. 2024: gated blocks of plain convolutions on the small picture, good and fast; RGB",
  colors: "rgb",
  inputSize: "low",
  options,
  presets: {
    /** A first network, in minutes. */
    quick: {
      network: { scale: 2, blocks: 3, channels: 20, normalize: false, colors: "rgb" },
      ...quickRecipe,
      warmup: 100,
    },
    /** The paper's network and recipe, from random weights at every scale. */
    "span-paper": {
      network: { scale: 4, blocks: 6, channels: 48, normalize: true, colors: "rgb" },
      patch: 64,
      batch: 64,
      loss: "l1",
      lr: 5e-4,
      schedule: { kind: "step", stepSize: 200_000, gamma: 0.5 },
      warmup: 0,
      steps: 1_000_000,
      evalEvery: 1000,
      logEvery: 100,
    },
  },
  describe: ({ scale, blocks, channels }) =>
    `SPAN x${scale}, ${quantity(blocks, "block")} of ${quantity(channels, "channel")}`,
  shortName: ({ scale, blocks, channels }) => `span-x${scale}-${blocks}x${channels}`,
  looksAtExamples: () => false,
  // As in the files of the authors' code.
  markers: { no_norm: { normalize: "false" } },
  build: (options, random) => new SPAN({ ...options, random }),
  recognize: recognizeSpan,
};

// ---- Files of other programs

/** Files of the authors, traiNNer and neosr, with branches; and those of the NTIRE challenges, without. */
export function recognizeSpan(given: State, { name }: DetectOptions): RecognizedNetwork | undefined {
  const isOne = ["conv_cat.weight", "upsampler.0.weight"].every((key) => given.has(key));
  if (!isOne || countOf(given, /^block_(\d+)\.c3_r\./) === 0) return undefined;
  const keys = [...given.keys()];
  if (keys.some((key) => key.startsWith("conv_9x9."))) return undefined; // SPAN-fast
  if (!keys.some((key) => key.startsWith("conv_1."))) {
    throw new DataError(
      `${name}: this is SPAN without its first convolution. The file is damaged or incomplete.`,
    );
  }
  // neosr can leave out the biases of all that has branches.
  const folded = foldAll(withBiases(given, /^(?:conv_\d|block_\d+)\./), name);
  const first = shapeOf(folded, "conv_1.eval_conv.weight") ?? [];
  const outputs = shapeOf(folded, "upsampler.0.weight")?.[0];
  const { colors, scale } = picturesOf(name, "SPAN", { inputs: first[1], outputs });
  const blocks = countOf(folded, /^block_(\d+)\.c3_r\.eval_conv\.weight$/);
  const normalize = !folded.delete("no_norm") && colors === "rgb";
  const options = { scale, blocks, channels: first[0], normalize, colors };
  const assumption = {
    option: "normalize",
    text: "what is subtracted from pictures: the mean of DIV2K, and the rest multiplied by 255, as in the paper",
  };
  return { metadata: metadataOf("SPAN", options), state: folded, assumptions: normalize ? [assumption] : [] };
}

/** The branches of all convolutions added up; `eval_conv` beside them may be of an earlier step. */
function foldAll(state: State, name: string): Map<string, NamedArray> {
  const result = new Map<string, NamedArray>();
  const folded = new Set<string>();
  for (const [key, array] of state) {
    const [, convolution] = /^(.*)\.(?:sk|conv\.[012])\.(?:weight|bias)$/.exec(key) ?? [];
    if (convolution === undefined) {
      if (!result.has(key)) result.set(key, array);
    } else if (!folded.has(convolution)) {
      folded.add(convolution);
      for (const [kind, values] of Object.entries(fold(branchesOf(state, convolution, name)))) {
        result.set(`${convolution}.eval_conv.${kind}`, values);
      }
    }
  }
  return result;
}

/** Weights and biases of sk, conv.0, conv.1, conv.2. */
interface Branches {
  readonly weights: readonly NamedArray[];
  readonly biases: readonly NamedArray[];
}

/** @throws DataError unless all are there, in shapes that fit each other. */
function branchesOf(state: State, convolution: string, name: string): Branches {
  const layers = ["sk", "conv.0", "conv.1", "conv.2"].map((layer) => `${convolution}.${layer}`);
  const of = (kind: string) => layers.map((layer) => state.get(`${layer}.${kind}`) ?? nothing);
  const branches = { weights: of("weight"), biases: of("bias") };
  const [[o = 0, c = 0], [before = 0], [between = 0]] = branches.weights.map(({ shape }) => shape);
  const weightShapes = [
    [o, c, 1, 1],
    [before, c, 1, 1],
    [between, before, 3, 3],
    [o, between, 1, 1],
  ];
  const fits =
    branches.weights.every(({ shape }, i) => sameShape(shape, weightShapes[i])) &&
    branches.biases.every(({ shape }, i) => sameShape(shape, [weightShapes[i][0]]));
  if (fits && o * c > 0) return branches;
  throw new DataError(
    `${name}: the branches of ${convolution} do not add up to one convolution, as they do in SPAN. The file is ` +
      "damaged, or another network's.",
  );
}

const nothing: NamedArray = { shape: [], data: new Float32Array() };

/**
 * One 3x3 convolution of the branches
 *
 *     sk: 1x1, w0    and    conv.0: 1x1, w1;  conv.1: 3x3, w2;  conv.2: 1x1, w3
 *
 * of which nothing but sums lies between input and output: w = w0 (in the middle) + w3 w2 w1, as products of
 * matrices over channels for each tap, and b = b0 + b3 + w3 (b2 + w2 b1).
 */
function fold({ weights, biases }: Branches): { weight: NamedArray; bias: NamedArray } {
  const [w0, w1, w2, w3] = weights;
  const [b0, b1, b2, b3] = biases.map(({ data }) => data);
  const [o, c] = w0.shape;
  const [[before], [between]] = [w1.shape, w2.shape];
  const taps = 9;
  const weight = new Float64Array(o * c * taps);
  const bias = Float64Array.from(b0, (value, i) => value + b3[i]);
  // w2 w1 and b2 + w2 b1, one row of `between` at a time.
  for (let m = 0; m < between; m++) {
    const row = new Float64Array(c * taps);
    let shift = b2[m];
    for (let k = 0; k < before; k++) {
      for (let tap = 0; tap < taps; tap++) {
        const w = w2.data[(m * before + k) * taps + tap];
        shift += w * b1[k];
        for (let i = 0; i < c; i++) row[i * taps + tap] += w * w1.data[k * c + i];
      }
    }
    for (let j = 0; j < o; j++) {
      const w = w3.data[j * between + m];
      bias[j] += w * shift;
      for (let i = 0; i < row.length; i++) weight[j * c * taps + i] += w * row[i];
    }
  }
  for (let j = 0; j < o; j++) {
    for (let i = 0; i < c; i++) weight[(j * c + i) * taps + 4] += w0.data[j * c + i];
  }
  return {
    weight: { shape: [o, c, 3, 3], data: Float32Array.from(weight) },
    bias: { shape: [o], data: Float32Array.from(bias) },
  };
}
