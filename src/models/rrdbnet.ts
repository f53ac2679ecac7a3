/**
 * RRDBNet, the generator of ESRGAN (Wang, Yu, Wu, Gu, Liu, Dong, Loy, Qiao, Tang, "ESRGAN: Enhanced Super-Resolution
 * Generative Adversarial Networks", 2018) and of Real-ESRGAN: the network of most models that people exchange.
 *
 *     conv_first: conv 3 -> channels
 *     body:       `blocks` times x + 0.2 * (three dense blocks of x), then conv_body; plus conv_first's output
 *     conv_up1 …: nearest x2, conv, leaky ReLU; twice for x4
 *     conv_hr, conv_last: conv, leaky ReLU; conv channels -> 3
 *
 * A dense block is x + 0.2 * conv5(everything before it), where conv1 to conv4 each read x and the results of those
 * before, and add `growth` channels. 23 blocks of 64 channels have 16.7 M weights.
 *
 * With `unshuffle` the network works on the picture that a pixel unshuffle has made smaller: Real-ESRGAN's models for
 * x2 (unshuffle 2) and x1 (unshuffle 4) are its network for x4, and take as long for each pixel of the result.
 */
import { denseConv2d } from "../kernels/dense-conv2d/index.ts";
import { add } from "../kernels/elementwise/index.ts";
import { slice } from "../kernels/layout/index.ts";
import { pad } from "../kernels/pad/index.ts";
import { pixelUnshuffle } from "../kernels/pixel-shuffle/index.ts";
import { interpolate } from "../kernels/resize/index.ts";
import { normalInit } from "../nn/init.ts";
import { Conv2d } from "../nn/layers.ts";
import { Module } from "../nn/module.ts";
import { oneOf, whole } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
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
} from "./architecture.ts";
import {
  countOf,
  type DetectOptions,
  otherPictures,
  renameTensors,
  type State,
  scaleInName,
  shapeOf,
  withoutEnd,
} from "./state.ts";
import type { TwoStages } from "./super-resolver.ts";

/** The slope of every leaky ReLU. */
const SLOPE = 0.2;

/** Margin of tiles, in pixels of the features. */
const HALO = 64;

/** Factor of every residual. */
const RESIDUAL = 0.2;

/** RRDBNet for pictures in 0..1. Parameter names are those of BasicSR and Real-ESRGAN. */
export class RRDBNet extends ConfiguredNetwork<Options> {
  // The names below become those of the weights; those of the enlargement are conv_up1, conv_up2, …
  readonly conv_first: Conv2d;
  readonly body: readonly Block[];
  readonly conv_body: Conv2d;
  readonly ups: readonly Conv2d[];
  readonly conv_hr: Conv2d;
  readonly conv_last: Conv2d;

  /** @throws RangeError for an option that does not fit. */
  constructor(init: RRDBNetOptions = {}) {
    const { random = defaultRandom(), ...options } = checkConstructor("RRDBNet", init);
    super(rrdbnet, options);
    const { scale, blocks, channels, growth, unshuffle } = this.options;
    const { planes } = this;
    const conv = (from: number, to: number) => new Conv2d(from, to, 3, { padding: 1, random });
    this.conv_first = conv(planes * unshuffle ** 2, channels);
    this.body = Array.from({ length: blocks }, () => new Block(channels, growth, random));
    this.conv_body = conv(channels, channels);
    this.ups = Array.from({ length: Math.log2(scale * unshuffle) }, () => conv(channels, channels));
    this.conv_hr = conv(channels, channels);
    this.conv_last = conv(channels, planes);
  }

  protected override memberName(name: string): string {
    return name.replace(/^ups\.(\d+)$/, (_, i) => `conv_up${Number(i) + 1}`);
  }

  /**
   * x [n, c, h, w] in 0..1 to [n, c, h * scale, w * scale]; c is 3 for RGB and 1 for luma. Where `unshuffle` does not
   * divide a side, the picture is continued by its mirror image and the result cropped.
   */
  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const r = this.options.unshuffle;
    if (r === 1) return this.#reconstructed(this.#features(x));
    const [n, c, h, w] = x.shape;
    const whole = wholeBlocks(x, r);
    const small = pixelUnshuffle(whole, r);
    if (whole !== x) disposeUnderNoGrad(whole);
    const y = this.#reconstructed(this.#features(small));
    disposeUnderNoGrad(small);
    if (whole === x) return y;
    const cropped = slice(y, [0, 0, 0, 0], [n, c, h * this.scale, w * this.scale]);
    disposeUnderNoGrad(y);
    return cropped;
  }

  #features(x: Tensor): Tensor {
    const first = this.conv_first.forward(x);
    let y = first;
    for (const block of this.body) {
      const before = y;
      y = block.forward(before);
      if (before !== first) disposeUnderNoGrad(before);
    }
    const features = this.conv_body.forward(y, { skip: first });
    disposeUnderNoGrad(y);
    disposeUnderNoGrad(first);
    return features;
  }

  /** Disposes the features. */
  #reconstructed(features: Tensor): Tensor {
    const y = this.#reconstruct(features);
    disposeUnderNoGrad(features);
    return y;
  }

  #reconstruct(features: Tensor): Tensor {
    const leaky = { activation: "leakyRelu", slope: SLOPE } as const;
    let y = features;
    const next = (made: Tensor) => {
      if (y !== features) disposeUnderNoGrad(y);
      y = made;
    };
    for (const up of this.ups) {
      next(interpolate(y, { mode: "nearest", scaleFactor: 2 }));
      next(up.forward(y, leaky));
    }
    next(this.conv_hr.forward(y, leaky));
    next(this.conv_last.forward(y));
    return y;
  }

  /**
   * How far the network looks is far wider than a tile, but what is beyond 64 pixels changes few samples of a result,
   * and hardly any by more than a level of 255: docs/measurements.md has the figures, and the distance for half a
   * level. So tiles have a margin of 64 pixels of the unshuffled picture, and results in tiles are not those of the
   * whole picture to the last bit.
   */
  get halo(): number {
    return Math.min(this.exactHalo, HALO * this.options.unshuffle);
  }

  /** One pixel for each convolution at the size of the features, and less than two for all others together. */
  override get exactHalo(): number {
    return (15 * this.options.blocks + 4) * this.options.unshuffle;
  }

  override get multiple(): number {
    return this.options.unshuffle;
  }

  /** What the enlargement ends with, or a dense block's maps, for each pixel of the picture. */
  get valuesPerPixel(): number {
    const { channels, growth, unshuffle } = this.options;
    return Math.max(channels * this.scale ** 2, Math.ceil((channels + 4 * growth) / unshuffle ** 2));
  }

  /** The enlargement works on up to 64 times as many pixels as the blocks. */
  override get twoStages(): TwoStages | undefined {
    const { channels, growth, unshuffle } = this.options;
    if (unshuffle > 1) return undefined; // the features are smaller than the picture
    return {
      features: (x) => this.#features(x),
      reconstruct: (features) => this.#reconstruct(features),
      featureValues: channels + 4 * growth,
      // Half a pixel for the first convolution of the enlargement, and at most half for each of the others, of
      // which more than two see less. At scale 1 there are two, at full size.
      halo: 2,
    };
  }
}

/** x [n, c, h, w] continued by its mirror image to multiples of r. Tiny pictures are mirrored several times. */
function wholeBlocks(x: Tensor, r: number): Tensor {
  const [h, w] = x.shape.slice(2);
  const [down, right] = [h, w].map((side) => Math.min(-side & (r - 1), Math.max(side - 1, 1)));
  if (down + right === 0) return x;
  // A single row or column has no other beside it that could be its mirror image.
  const wide = pad(x, [0, right, 0, 0], w === 1 ? "replicate" : "reflect");
  const larger = pad(wide, [0, 0, 0, down], h === 1 ? "replicate" : "reflect");
  disposeUnderNoGrad(wide);
  const whole = wholeBlocks(larger, r);
  if (whole !== larger) disposeUnderNoGrad(larger);
  return whole;
}

/** x + 0.2 * (three dense blocks of x): "residual in residual dense block". */
class Block extends Module {
  readonly rdb1: DenseBlock;
  readonly rdb2: DenseBlock;
  readonly rdb3: DenseBlock;

  constructor(channels: number, growth: number, random: Random) {
    super();
    const block = () => new DenseBlock(channels, growth, random);
    this.rdb1 = block();
    this.rdb2 = block();
    this.rdb3 = block();
  }

  forward(x: Tensor): Tensor {
    const first = this.rdb1.forward(x);
    const second = this.rdb2.forward(first);
    disposeUnderNoGrad(first);
    const third = this.rdb3.forward(second);
    disposeUnderNoGrad(second);
    const y = add(x, third, { alpha: RESIDUAL });
    disposeUnderNoGrad(third);
    return y;
  }
}

/** x + 0.2 * conv5(x and the results of conv1 to conv4, each of which reads all before it). */
class DenseBlock extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly conv3: Conv2d;
  readonly conv4: Conv2d;
  readonly conv5: Conv2d;

  constructor(channels: number, growth: number, random: Random) {
    super();
    const conv = (before: number, to: number) => {
      const from = channels + before * growth;
      const layer = new Conv2d(from, to, 3, { padding: 1, random });
      // A tenth of what keeps the signal's size, as in the authors' code: many residuals add up.
      normalInit(layer, 0.1 * Math.sqrt(2 / (9 * from)), { random });
      return layer;
    };
    this.conv1 = conv(0, growth);
    this.conv2 = conv(1, growth);
    this.conv3 = conv(2, growth);
    this.conv4 = conv(3, growth);
    this.conv5 = conv(4, channels);
  }

  forward(x: Tensor): Tensor {
    const { conv1, conv2, conv3, conv4, conv5 } = this;
    const layers = [conv1, conv2, conv3, conv4].map(({ weight, bias }) => ({ weight, bias: bias! }));
    const all = denseConv2d(x, layers, SLOPE);
    const y = conv5.forward(all, { skip: x, alpha: RESIDUAL });
    disposeUnderNoGrad(all);
    return y;
  }
}

// ---- Options and presets

const options = {
  /** Enlargement: 1 (the size stays, for noise or JPEG), 2, 4 or 8. Default 4. */
  scale: option(oneOf(1, 2, 4, 8), 4, "enlargement; 1 keeps the size"),
  /** Blocks of three dense blocks. Default 23. */
  blocks: option(whole(1, MAX_LAYERS), 23, "blocks of three dense blocks (ESRGAN: 23; for animation 6)"),
  /** Channels between the blocks. Default 64. */
  channels: option(whole(1, MAX_CHANNELS), 64, "channels between the blocks (ESRGAN: 64)"),
  /** Channels that each convolution of a dense block adds. Default 32. */
  growth: option(whole(1, MAX_CHANNELS), 32, "channels that a dense block's convolution adds (ESRGAN: 32)"),
  /** Work on a picture this many times smaller, with its pixels in channels: 1, 2 or 4. Default 1: as it is. */
  unshuffle: option(
    oneOf(1, 2, 4),
    1,
    "work on a picture so many times smaller (Real-ESRGAN: 2 at scale 2, 4 at scale 1)",
  ),
  /** RGB, or luma alone. Default "rgb". */
  colors: colorsOption,
};

type Options = OptionValues<typeof options>;

export interface RRDBNetOptions extends Partial<Options> {
  /** Where the initial weights come from; default: the generator of `manualSeed`. */
  random?: Random;
}

export const rrdbnet: Architecture<"RRDBNet", Options, "quick" | "esrgan-psnr"> = {
  name: "RRDBNet",
  summary: "Wang et al. 2018 (ESRGAN, Real-ESRGAN): dense blocks, the most used for photographs, slow; RGB",
  colors: "rgb",
  inputSize: "low",
  options,
  presets: {
    /** A first network, in minutes: one block with few channels. */
    quick: {
      network: { scale: 2, blocks: 1, channels: 16, growth: 8, unshuffle: 1, colors: "rgb" },
      ...quickRecipe,
    },
    /** The first part of ESRGAN's training, by L1: the network that the authors call RRDB_PSNR. */
    "esrgan-psnr": {
      network: { scale: 4, blocks: 23, channels: 64, growth: 32, unshuffle: 1, colors: "rgb" },
      patch: 32,
      batch: 16,
      loss: "l1",
      lr: 2e-4,
      schedule: { kind: "step", stepSize: 200_000, gamma: 0.5 },
      warmup: 0,
      steps: 1_000_000,
      evalEvery: 1000,
      logEvery: 100,
    },
  },
  describe: ({ scale, blocks, channels }) =>
    `RRDBNet x${scale}, ${quantity(blocks, "block")} of ${quantity(channels, "channel")}`,
  shortName: ({ scale, blocks, channels }) => `rrdbnet-x${scale}-${blocks}x${channels}`,
  looksAtExamples: () => false,
  build: (options, random) => new RRDBNet({ ...options, random }),
  recognize: recognizeRRDBNet,
};

// ---- Files of other programs

/** Files of BasicSR, Real-ESRGAN, traiNNer and neosr; of ESRGAN's first code, and of the code after it. */
export function recognizeRRDBNet(
  given: State,
  { name, scale: wanted }: DetectOptions,
): RecognizedNetwork | undefined {
  const state = withBasicNames(given);
  if (!state.has("body.0.rdb1.conv1.weight") || !state.has("conv_first.weight")) return undefined;
  // Other networks have an RRDBNet in them.
  if (![...state.keys()].every((key) => /^(?:conv_|body\.\d+\.rdb\d\.conv\d\.)/.test(key))) return undefined;
  const [channels, inputs = 0] = shapeOf(state, "conv_first.weight") ?? [];
  const [planes] = shapeOf(state, "conv_last.weight") ?? [];
  if (planes === undefined) throw withoutEnd(name, "an RRDBNet");
  const unshuffle = Math.sqrt(inputs / planes);
  if (![1, 3].includes(planes) || !options.unshuffle.kind.fits(unshuffle)) {
    throw otherPictures(name, "an RRDBNet", inputs, planes);
  }
  const growth = shapeOf(state, "body.0.rdb1.conv1.weight")?.[0];
  const blocks = countOf(state, /^body\.(\d+)\.rdb1\.conv1\.weight$/);
  const ups = countOf(state, /^conv_up(\d+)\.weight$/);
  // ESRGAN's code enlarges by 3 in one step, whose weights are like those of a step by 2.
  const isForThree = wanted === 3 || (wanted !== 2 && scaleInName(name) === 3);
  if (ups === 1 && unshuffle === 1 && isForThree) {
    throw new DataError(
      `${name}: by ${wanted === 3 ? "the scale that was given" : "its name"} this RRDBNet enlarges by 3, which none ` +
        "does here. If it enlarges by 2, say so: --scale 2, or { scale: 2 } in a program.",
    );
  }
  const scale = 2 ** ups / unshuffle;
  const colors = planes === 3 ? "rgb" : "y";
  const described = { scale, blocks, channels, growth, unshuffle, colors };
  return { metadata: metadataOf("RRDBNet", described), state, assumptions: [] };
}

/** The tensors by BasicSR's names. Other files have the same ones in three other spellings. */
function withBasicNames(state: State): State {
  if (state.has("model.0.weight") && state.has("model.1.sub.0.RDB1.conv1.0.weight")) {
    // Modules in a row: conv_first, the body with conv_body as its last part, for each enlargement an upsampling,
    // a convolution and an activation; then conv_hr, an activation, conv_last.
    const blocks = countOf(state, /^model\.1\.sub\.(\d+)\.RDB1\./);
    const positions = [...state.keys()].map((key) => Number(/^model\.(\d+)\.weight$/.exec(key)?.[1] ?? 0));
    const last = Math.max(...positions);
    const named = renameTensors(state, [
      [/^model\.0\./, "conv_first."],
      [/^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\./, "body.$1.rdb$2.conv$3."],
      [new RegExp(`^model\\.1\\.sub\\.${blocks}\\.`), "conv_body."],
      [new RegExp(`^model\\.${last - 2}\\.`), "conv_hr."],
      [new RegExp(`^model\\.${last}\\.`), "conv_last."],
    ]);
    // No more than there are tensors: positions may be any number.
    const count = Math.min(Math.max(0, (last - 4) / 3), state.size);
    const ups = Array.from({ length: count }, (_, i): [RegExp, string] => [
      new RegExp(`^model\\.${3 * (i + 1)}\\.`),
      `conv_up${i + 1}.`,
    ]);
    return renameTensors(named, ups);
  }
  return renameTensors(state, [
    [/^RRDB_trunk\.(\d+)\.RDB(\d)\./, "body.$1.rdb$2."],
    [/^trunk_conv\./, "conv_body."],
    [/^upconv(\d)\./, "conv_up$1."],
    [/^HRconv\./, "conv_hr."],
  ]);
}
