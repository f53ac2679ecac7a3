/**
 * EDSR: "Enhanced Deep Residual Networks for Single Image Super-Resolution" (Lim, Son, Kim, Nah, Lee 2017).
 *
 *     head: conv 3 -> channels
 *     body: `blocks` times x + resScale * conv(relu(conv(x))), then a conv; plus the head's output
 *     tail: conv to channels * scale², pixel shuffle (twice x2 for x4), conv channels -> 3
 *
 * No batch normalization: it costs memory and normalizes away the range of the features. All layers but the
 * last (and, at x4 and x8, the later steps of the enlargement) work at the small picture's size. The paper's
 * baseline (EDSR.baseline) has 16 blocks of 64 channels and 1.37 M parameters at x2. Its large network
 * (EDSR.paper) has 32 blocks of 256 channels and 40.7 M; it trains only with resScale 0.1.
 */

import { conv2d } from "../kernels/conv2d/index.ts";
import { mul } from "../kernels/elementwise/index.ts";
import { ReLU } from "../nn/activations.ts";
import { Conv2d, PixelShuffle, Sequential } from "../nn/layers.ts";
import { Module, type NamedArray } from "../nn/module.ts";
import { checkArguments, type Wanted } from "../options/arguments.ts";
import { atLeastZero, oneOf, positive, whole } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { tensor } from "../tensor/create.ts";
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
  type Preset,
  quickRecipe,
  type RecognizedNetwork,
} from "./architecture.ts";
import {
  checkColors,
  countOf,
  type DetectOptions,
  renameTensors,
  type State,
  shapeOf,
  withoutTensors,
} from "./state.ts";
import type { TwoStages } from "./super-resolver.ts";

export const DIV2K_RGB_MEAN = [0.4488, 0.4371, 0.404] as const;

/** EDSR for RGB pictures with values in 0..1. Parameter names are those of the authors' PyTorch code. */
export class EDSR extends ConfiguredNetwork<Options> {
  // These names become those of the weights.
  readonly sub_mean: MeanShift;
  readonly add_mean: MeanShift;
  readonly head: Sequential;
  readonly body: Sequential;
  readonly tail: Sequential;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: EDSROptions = {}) {
    const { rgbMean = DIV2K_RGB_MEAN, random = defaultRandom(), ...options } = checkConstructor("EDSR", init);
    super(edsr, options);
    checkArguments("EDSR", { rgbMean: [rgbMean, threeNumbers] });
    const { scale, blocks, channels, resScale, rgbRange } = this.options;
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });

    this.sub_mean = new MeanShift(rgbMean, -rgbRange);
    this.add_mean = new MeanShift(rgbMean, rgbRange);
    this.head = new Sequential(conv(3, channels));
    this.body = new Sequential(
      ...Array.from({ length: blocks }, () => new ResBlock(channels, resScale, random)),
      conv(channels, channels),
    );
    this.tail = new Sequential(upsampler(scale, channels, conv), conv(channels, 3));
  }

  /** The paper's baseline, 16 blocks of 64 channels: 1,369,859 parameters at x2. */
  static baseline(scale: EDSROptions["scale"], options: Omit<EDSROptions, "scale"> = {}): EDSR {
    return new EDSR({ blocks: 16, channels: 64, ...options, scale });
  }

  /** The paper's large network, 32 blocks of 256 channels, residuals times 0.1: 40.7 M parameters at x2. */
  static paper(scale: EDSROptions["scale"], options: Omit<EDSROptions, "scale"> = {}): EDSR {
    return new EDSR({ blocks: 32, channels: 256, resScale: 0.1, ...options, scale });
  }

  /** x [n, 3, h, w] in 0..1 to [n, 3, h * scale, w * scale]. */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const features = this.#features(x);
    const y = this.#reconstruct(features);
    disposeUnderNoGrad(features);
    return y;
  }

  #features(x: Tensor): Tensor {
    const inRange = mul(x, this.options.rgbRange);
    const centered = this.sub_mean.forward(inRange);
    disposeUnderNoGrad(inRange);
    const features = this.head.forward(centered);
    disposeUnderNoGrad(centered);
    // Sequential passes `skip` to its last convolution, whose kernel adds it to the result on the way to
    // memory.
    const y = this.body.forward(features, { skip: features });
    disposeUnderNoGrad(features);
    return y;
  }

  #reconstruct(features: Tensor): Tensor {
    const centered = this.tail.forward(features);
    const inRange = this.add_mean.forward(centered);
    disposeUnderNoGrad(centered);
    const y = mul(inRange, 1 / this.options.rgbRange);
    disposeUnderNoGrad(inRange);
    return y;
  }

  /**
   * One pixel for each 3x3 convolution at LR size (2 * blocks + 3), and less than one for all those at larger
   * sizes together.
   */
  get halo(): number {
    return 2 * this.options.blocks + 4;
  }

  /** The input of the last convolution: all channels at the size of the output. */
  get valuesPerPixel(): number {
    return this.options.channels * this.scale ** 2;
  }

  /** The tail works on up to 64 times as many pixels as the body. */
  override get twoStages(): TwoStages {
    return {
      features: (x) => this.#features(x),
      reconstruct: (features) => this.#reconstruct(features),
      featureValues: this.options.channels,
      // One pixel for the tail's convolution at LR size, and less than one for all those at larger sizes.
      halo: 2,
    };
  }
}

/** x + resScale * conv(relu(conv(x))). */
class ResBlock extends Module {
  readonly body: Sequential;
  readonly resScale: number;

  constructor(channels: number, resScale: number, random: Random) {
    super();
    const conv = () => new Conv2d(channels, channels, 3, { padding: 1, random });
    this.body = new Sequential(conv(), new ReLU(), conv());
    this.resScale = resScale;
  }

  forward(x: Tensor): Tensor {
    return this.body.forward(x, { skip: x, alpha: this.resScale });
  }
}

/** A convolution and a pixel shuffle; at x4 and x8, two or three pairs of them, by 2 each. */
function upsampler(scale: number, channels: number, conv: (from: number, to: number) => Conv2d): Sequential {
  if (scale === 3) return new Sequential(conv(channels, 9 * channels), new PixelShuffle(3));
  const doublings = Array.from({ length: Math.log2(scale) }, () => [
    conv(channels, 4 * channels),
    new PixelShuffle(2),
  ]);
  return new Sequential(...doublings.flat());
}

/** Adds a fixed colour: a 1x1 convolution, as in the authors' code and so in weight files. */
class MeanShift extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(mean: readonly number[], factor: number) {
    super();
    this.weight = tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3, 1, 1]);
    this.bias = tensor(mean.map((value) => value * factor));
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias);
  }
}

/** The mean colour of RGB planes. */
function meanColor(pictures: readonly NamedArray[]): [number, number, number] {
  const sums = [0, 0, 0];
  let pixels = 0;
  for (const { shape, data } of pictures) {
    const area = shape[1] * shape[2];
    for (let i = 0; i < data.length; i++) sums[Math.floor(i / area)] += data[i];
    pixels += area;
  }
  return sums.map((sum) => sum / pixels) as [number, number, number];
}

// ---- Options and presets

const options = {
  /** Enlargement: 2, 3, 4 or 8. Default 2. */
  scale: option(oneOf(2, 3, 4, 8), 2, "enlargement"),
  /** Residual blocks. Default 16. */
  blocks: option(whole(1, MAX_LAYERS), 16, "residual blocks (the paper's baseline: 16)"),
  /** Channels of every feature map. Default 64. */
  channels: option(whole(1, MAX_CHANNELS), 64, "channels of every feature map (the paper's baseline: 64)"),
  /** Factor of each block's residual. Default 1; the paper takes 0.1 for 256 channels. */
  resScale: option(atLeastZero, 1, "factor of each block's residual (0.1 for 256 channels)"),
  /** Pictures are multiplied by this inside the network. Default 255, as for published weights. */
  rgbRange: option(positive, 255, "the network computes with values in 0..1 times this"),
};

type Options = OptionValues<typeof options>;

const threeNumbers: Wanted<readonly [number, number, number]> = {
  wants: "a colour, three numbers",
  fits: (value): value is readonly [number, number, number] =>
    Array.isArray(value) && value.length === 3 && value.every(Number.isFinite),
};

export interface EDSROptions extends Partial<Options> {
  /** Mean colour of the training pictures, subtracted before and added after. Default: that of DIV2K. */
  rgbMean?: readonly [number, number, number];
  /** The generator of the initial weights. Default: that of `manualSeed`. */
  random?: Random;
}

/** The paper's baseline, 1.37 M parameters at x2. The authors' code halves the rate every 200,000 steps. */
const paper: Preset<Options> = {
  network: { scale: 2, blocks: 16, channels: 64, resScale: 1, rgbRange: 255 },
  patch: 48,
  batch: 16,
  loss: "l1",
  lr: 1e-4,
  schedule: { kind: "step", stepSize: 200_000, gamma: 0.5 },
  warmup: 0,
  steps: 300_000,
  evalEvery: 1000,
  logEvery: 100,
};

export const edsr: Architecture<"EDSR", Options, "quick" | "edsr-article" | "edsr-paper"> = {
  name: "EDSR",
  summary: "Lim et al. 2017: residual blocks on the small picture and pixel shuffles, good and slow; RGB",
  colors: "rgb",
  inputSize: "low",
  options,
  presets: {
    /** A first network, in minutes. */
    quick: {
      network: { scale: 2, blocks: 4, channels: 16, resScale: 1, rgbRange: 255 },
      ...quickRecipe,
    },
    /** The paper's baseline for a tenth of the steps: hours on a GPU. */
    "edsr-article": { ...paper, steps: 30_000 },
    "edsr-paper": paper,
  },
  describe: ({ scale, blocks, channels }) =>
    `EDSR x${scale}, ${quantity(blocks, "block")} of ${quantity(channels, "channel")}`,
  shortName: ({ scale, blocks, channels }) => `edsr-x${scale}-${blocks}x${channels}`,
  looksAtExamples: () => true,
  build: (options, random, examples = []) =>
    new EDSR({ ...options, random, rgbMean: examples.length > 0 ? meanColor(examples) : undefined }),
  recognize: recognizeEDSR,
};

// ---- Files of other programs

function recognizeEDSR(state: State, options: DetectOptions): RecognizedNetwork | undefined {
  return recognizeByOwnNames(state, options) ?? recognizeBasicsr(state, options);
}

/** EDSR-PyTorch, whose names are this library's; also torchSR and super-image. */
function recognizeByOwnNames(state: State, { name }: DetectOptions): RecognizedNetwork | undefined {
  const head = shapeOf(state, "head.0.weight");
  if (head === undefined || !state.has("body.0.body.0.weight") || !state.has("tail.0.0.weight"))
    return undefined;
  // RCAN; EDSR with batch normalization.
  if ([...state.keys()].some((key) => /conv_du|\.body\.1\./.test(key))) return undefined;
  // Its files begin so, and its code leaves the two shifts out that it writes into them.
  const isSuperImage = /(?:^|[\\/])pytorch_model_[234]x\.pt$/.test(name);
  const shift = state.get("sub_mean.bias");
  const rgbRange = isSuperImage ? 1 : shift === undefined || shift.data.some((value) => value < -2) ? 255 : 1;
  const shifts = meanShifts(isSuperImage ? 0 : rgbRange);
  const withShifts = isSuperImage ? new Map([...state, ...shifts]) : new Map([...shifts, ...state]);
  const range = isSuperImage
    ? "0 to 1, with no mean subtracted, since by its name the file is super-image's"
    : shift === undefined
      ? div2kRange
      : undefined;
  return describeEdsr(name, withShifts, rgbRange, range, isSuperImage ? 1 : undefined);
}

/** BasicSR's EDSR: other names, and the mean colour, DIV2K's, in the code, or in relatives as a buffer. */
function recognizeBasicsr(state: State, { name }: DetectOptions): RecognizedNetwork | undefined {
  if (
    !["conv_first.weight", "conv_after_body.weight", "body.0.conv1.weight"].every((key) => state.has(key))
  ) {
    return undefined;
  }
  const blocks = countOf(state, /^body\.(\d+)\.conv1\.weight$/);
  const mean = state.get("mean");
  const hasMean = mean !== undefined && mean.data.length === 3 && mean.data.every((x) => x >= 0 && x <= 1);
  const weights = hasMean ? withoutTensors(state, ["mean"]) : state;
  const names = renameTensors(weights, [
    [/^conv_first\./, "head.0."],
    [/^body\.(\d+)\.conv1\./, "body.$1.body.0."],
    [/^body\.(\d+)\.conv2\./, "body.$1.body.2."],
    [/^conv_after_body\./, `body.${blocks}.`],
    [/^upsample\./, "tail.0."],
    [/^conv_last\./, "tail.1."],
  ]);
  const shifts = meanShifts(255, hasMean ? [...mean.data] : undefined);
  const range = hasMean ? "0 to 255, less the mean in the file" : div2kRange;
  return describeEdsr(name, new Map([...shifts, ...names]), 255, range);
}

const div2kRange = "0 to 255, less the mean of DIV2K";

/**
 * @param range the range of values, in words, if it was assumed.
 * @throws DataError if it is for other pictures than RGB
 */
export function describeEdsr(
  name: string,
  state: State,
  rgbRange: number,
  range?: string,
  resScale?: number,
): RecognizedNetwork {
  const [channels, inputs = 3] = shapeOf(state, "head.0.weight") ?? [];
  checkColors(name, "EDSR", inputs, 3);
  const blocks = countOf(state, /^body\.(\d+)\.body\.0\.weight$/);
  // Two steps by 2 or three, or one step whose channels say by how much.
  const steps = countOf(state, /^tail\.0\.(\d+)\.weight$/);
  const [first = 0] = shapeOf(state, "tail.0.0.weight") ?? [];
  const step = Math.sqrt(first / channels);
  if (first > 0 && Number.isInteger(step) && (steps === 1 ? step > 3 : step !== 2)) {
    throw new DataError(
      `${name}: this EDSR enlarges by ${step}${steps === 1 ? " in one step" : `, ${steps} times`}, and pixelgrad's ` +
        "does in steps by 2, or in one by 3. Look for such a one.",
    );
  }
  const scale = Math.round(step) ** steps;
  // Large networks diverge without it; the paper's large network has 256 channels.
  const factor = resScale ?? (channels >= 256 ? 0.1 : 1);
  const assumptions = [{ option: "resScale", text: `the factor of each block's residual: ${factor}` }];
  if (range !== undefined) assumptions.unshift({ option: "rgbRange", text: `the range of values: ${range}` });
  return {
    metadata: metadataOf("EDSR", { scale, blocks, channels, resScale: factor, rgbRange }),
    state,
    assumptions,
  };
}

/** The tensors of EDSR's layers that subtract and add the mean colour, times `range`. */
export function meanShifts(range: number, mean: readonly number[] = DIV2K_RGB_MEAN): [string, NamedArray][] {
  const identity = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const shift = (name: string, factor: number): [string, NamedArray][] => [
    [`${name}.weight`, { shape: [3, 3, 1, 1], data: identity }],
    [`${name}.bias`, { shape: [3], data: Float32Array.from(mean, (value) => factor * value) }],
  ];
  return [...shift("sub_mean", -range), ...shift("add_mean", range)];
}
