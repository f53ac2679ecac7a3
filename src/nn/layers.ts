import { convTranspose2d } from "../kernels/conv-transpose2d/index.ts";
import { pair } from "../kernels/conv2d/geometry.ts";
import { conv2d, type Pair } from "../kernels/conv2d/index.ts";
import { dropout, probability } from "../kernels/dropout/index.ts";
import { flatten } from "../kernels/layout/index.ts";
import { linear } from "../kernels/matmul/index.ts";
import { type PadMode, pad } from "../kernels/pad/index.ts";
import { pixelShuffle } from "../kernels/pixel-shuffle/index.ts";
import { avgPool2d, maxPool2d, type PoolOptions, poolWindows } from "../kernels/pool/index.ts";
import { mean } from "../kernels/reduce/index.ts";
import { type InterpolateOptions, interpolate, interpolateOptions } from "../kernels/resize/index.ts";
import { ArgumentError, anything, checkArguments, checkOptions, trueOrFalse } from "../options/arguments.ts";
import { oneOf, quote, whole } from "../options/kinds.ts";
import { rand } from "../tensor/create.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { aRandom, defaultRandom, type Random } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type FusedOptions, isFusable } from "./activations.ts";
import { layerSize } from "./layer-size.ts";
import { type Layer, Module } from "./module.ts";

type PaddingMode = "zeros" | Exclude<PadMode, "constant">;

export interface Conv2dModuleOptions {
  /** Pixels from one window to the next. Default 1. */
  stride?: Pair;
  /** Default 0; `"same"` keeps the picture's size (stride 1, and an even `dilation * (kernelSize - 1)`). */
  padding?: Pair | "same";
  /** What lies around the picture: zeros, its mirror image, or the nearest pixel; see `pad`. Default "zeros". */
  paddingMode?: PaddingMode;
  /** Pixels from one of a window's elements to the next: above 1, the window has gaps. Default 1. */
  dilation?: Pair;
  /** Default true. */
  bias?: boolean;
  /** The generator of the initial weights. Default: that of `manualSeed`. */
  random?: Random;
}

/** Checks what all convolutions take. Only the names of `pairs` are checked here; `pair` checks their values. */
function checkLayer(
  name: string,
  inChannels: number,
  outChannels: number,
  options: object,
  pairs: readonly string[],
): void {
  checkArguments(name, { inChannels: [inChannels, layerSize], outChannels: [outChannels, layerSize] });
  checkOptions(name, options, {
    ...Object.fromEntries(pairs.map((option) => [option, anything])),
    bias: trueOrFalse,
    random: aRandom,
  });
}

/** A parameter that starts uniform in ±1/sqrt(fanIn): PyTorch's default for convolutions. */
function uniformParameter(shape: Shape, fanIn: number, random: Random): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return rand(shape, { random, low: -bound, high: bound, requiresGrad: true });
}

/**
 * A learned 2-D convolution. Weight [outChannels, inChannels, kh, kw] and bias [outChannels] start uniform in
 * ±1/sqrt(inChannels * kh * kw), PyTorch's default.
 */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly paddingMode: PaddingMode;
  readonly dilation: Pair;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dModuleOptions = {}) {
    super();
    checkLayer("Conv2d", inChannels, outChannels, options, ["stride", "padding", "dilation", "paddingMode"]);
    const { stride = 1, padding = 0, paddingMode = "zeros", dilation = 1, bias = true } = options;
    const { random = defaultRandom() } = options;
    checkArguments("Conv2d", { paddingMode: [paddingMode, oneOf("zeros", "reflect", "replicate")] });
    const [kh, kw] = pair("kernelSize", kernelSize, 1, "Conv2d");
    const [dh, dw] = pair("dilation", dilation, 1, "Conv2d");
    if (padding !== "same") pair("padding", padding, 0, "Conv2d");
    const same = [(dh * (kh - 1)) / 2, (dw * (kw - 1)) / 2] as const;
    const fits =
      same.every(Number.isInteger) && pair("stride", stride, 1, "Conv2d").every((step) => step === 1);
    if (padding === "same" && !fits) {
      throw new ArgumentError(
        "Conv2d",
        `padding "same" wants stride 1 and an even dilation * (kernelSize - 1), got stride ${stride}, dilation ` +
          `${dilation} and window ${kh}x${kw}. Give the padding as a number.`,
      );
    }
    this.stride = stride;
    this.padding = padding === "same" ? same : padding;
    this.paddingMode = paddingMode;
    this.dilation = dilation;
    const fanIn = inChannels * kh * kw;
    this.weight = uniformParameter([outChannels, inChannels, kh, kw], fanIn, random);
    this.bias = bias ? uniformParameter([outChannels], fanIn, random) : undefined;
  }

  /** x [n, inChannels, h, w] to [n, outChannels, oh, ow]. `fused` runs in the same kernel; see `conv2d`. */
  forward(x: Tensor, fused: FusedOptions = {}): Tensor {
    const { weight, bias, stride, padding, paddingMode, dilation } = this;
    if (paddingMode === "zeros") return conv2d(x, weight, bias, { stride, padding, dilation, ...fused });
    const [vertical, horizontal] = pair("padding", padding, 0, "Conv2d");
    const withBorder = pad(x, [horizontal, horizontal, vertical, vertical], paddingMode);
    const y = conv2d(withBorder, weight, bias, { stride, dilation, ...fused });
    disposeUnderNoGrad(withBorder);
    return y;
  }
}

/**
 * A learned linear map, x wᵀ + b. Weight [outFeatures, inFeatures] and bias [outFeatures] start uniform in
 * ±1/sqrt(inFeatures), PyTorch's default.
 */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean; random?: Random } = {}) {
    super();
    checkArguments("Linear", { inFeatures: [inFeatures, layerSize], outFeatures: [outFeatures, layerSize] });
    checkOptions("Linear", options, { bias: trueOrFalse, random: aRandom });
    const { bias = true, random = defaultRandom() } = options;
    this.weight = uniformParameter([outFeatures, inFeatures], inFeatures, random);
    this.bias = bias ? uniformParameter([outFeatures], inFeatures, random) : undefined;
  }

  /** x [..., inFeatures] to [..., outFeatures]. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

export interface ConvTranspose2dModuleOptions extends Omit<Conv2dModuleOptions, "padding" | "paddingMode"> {
  /** Rows and columns that are left out at every side of the result. Default 0. */
  padding?: Pair;
  /** Rows and columns more at the bottom and the right; fewer than the stride or the dilation. Default 0. */
  outputPadding?: Pair;
}

/**
 * A learned transposed convolution; see `convTranspose2d`. Weight [inChannels, outChannels, kh, kw] and bias
 * [outChannels] start uniform in ±1/sqrt(outChannels * kh * kw), PyTorch's default.
 */
export class ConvTranspose2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly outputPadding: Pair;
  readonly dilation: Pair;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvTranspose2dModuleOptions = {},
  ) {
    super();
    const pairs = ["stride", "padding", "outputPadding", "dilation"];
    checkLayer("ConvTranspose2d", inChannels, outChannels, options, pairs);
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1 } = options;
    pair("stride", stride, 1, "ConvTranspose2d");
    pair("dilation", dilation, 1, "ConvTranspose2d");
    pair("padding", padding, 0, "ConvTranspose2d");
    pair("outputPadding", outputPadding, 0, "ConvTranspose2d");
    const { bias = true, random = defaultRandom() } = options;
    const [kh, kw] = pair("kernelSize", kernelSize, 1, "ConvTranspose2d");
    this.stride = stride;
    this.padding = padding;
    this.outputPadding = outputPadding;
    this.dilation = dilation;
    const fanIn = outChannels * kh * kw; // of the convolution whose gradient this is, as in PyTorch
    this.weight = uniformParameter([inChannels, outChannels, kh, kw], fanIn, random);
    this.bias = bias ? uniformParameter([outChannels], fanIn, random) : undefined;
  }

  /** x [n, inChannels, h, w] to [n, outChannels, oh, ow]. */
  forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation } = this;
    return convTranspose2d(x, this.weight, this.bias, { stride, padding, outputPadding, dilation });
  }
}

/** Rearranges channels into space: [n, c * r * r, h, w] to [n, c, h * r, w * r]. See `pixelShuffle`. */
export class PixelShuffle extends Module {
  readonly factor: number;

  constructor(factor: number) {
    super();
    checkArguments("PixelShuffle", { factor: [factor, whole(1)] });
    this.factor = factor;
  }

  fuse(): FusedOptions {
    return { shuffle: this.factor };
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.factor);
  }
}

/** The largest element of every window; see `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: PoolOptions;

  constructor(kernelSize: Pair, options: PoolOptions = {}) {
    super();
    poolWindows("MaxPool2d", kernelSize, options);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/** The mean of every window; see `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: PoolOptions;

  constructor(kernelSize: Pair, options: PoolOptions = {}) {
    super();
    poolWindows("AvgPool2d", kernelSize, options);
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/** The mean of each whole picture: [n, c, h, w] to [n, c, 1, 1]. Of PyTorch's layer, only the size 1. */
export class AdaptiveAvgPool2d extends Module {
  constructor(outputSize: 1) {
    super();
    checkArguments("AdaptiveAvgPool2d", { outputSize: [outputSize, oneOf(1)] });
  }

  forward(x: Tensor): Tensor {
    return mean(x, [-2, -1], { keepdim: true });
  }
}

/** Merges the axes from `start` (default 1: all but the batch) to `end` (default: the last) into one. */
export class Flatten extends Module {
  readonly start: number;
  readonly end: number;

  constructor(start = 1, end = -1) {
    super();
    checkArguments("Flatten", { start: [start, whole()], end: [end, whole()] });
    this.start = start;
    this.end = end;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.start, this.end);
  }
}

/** Zeros with probability p in training, and nothing otherwise; see `dropout`. */
export class Dropout extends Module {
  readonly p: number;
  readonly random: Random | undefined;

  constructor(p = 0.5, options: { random?: Random } = {}) {
    super();
    checkArguments("Dropout", { p: [p, probability] });
    checkOptions("Dropout", options, { random: aRandom });
    this.p = p;
    this.random = options.random;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training, random: this.random });
  }
}

/** Enlarges by interpolation; see `interpolate`. */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    checkOptions("Upsample", options, interpolateOptions, ["mode"]);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

/** Modules one after the other. Parameters are named by position: `0.weight`, `2.weight`, … */
export class Sequential extends Module {
  readonly modules: readonly Layer[];

  constructor(...modules: Layer[]) {
    super();
    for (const [i, module] of modules.entries()) {
      if (module instanceof Module) continue;
      throw new ArgumentError(
        "Sequential",
        `argument ${i} is ${quote(module)} and not a module. Give modules one by one: ` +
          `new Sequential(new Conv2d(3, 8, 3), new ReLU()).`,
      );
    }
    this.modules = modules;
  }

  /** Modules are called "0", "1", …, as in PyTorch. */
  protected override memberName(name: string): string {
    return name.replace(/^modules\.(?=\d+$)/, "");
  }

  /**
   * Runs a convolution and the activation or pixel shuffle after it as one kernel. `last` are options for the
   * last module, which must then be a convolution: `{ skip: x }` turns the sequence into a residual block.
   * Under noGrad(), each module's result is disposed once the next module has read it.
   */
  forward(x: Tensor, last?: FusedOptions): Tensor {
    if (last && !(this.modules.at(-1) instanceof Conv2d)) {
      throw new ArgumentError("Sequential", "only a Conv2d as the last module takes options.");
    }
    let y = x;
    for (let i = 0; i < this.modules.length; i++) {
      const module = this.modules[i];
      const next = this.modules[i + 1];
      const before = y;
      const fused = module instanceof Conv2d && isFusable(next) ? next.fuse(module) : undefined;
      if (!(module instanceof Conv2d)) {
        y = module.forward(y);
      } else if (fused) {
        y = module.forward(y, fused);
        i++;
      } else {
        y = module.forward(y, next ? {} : last);
      }
      if (before !== x && before !== y) disposeUnderNoGrad(before);
    }
    return y;
  }
}
