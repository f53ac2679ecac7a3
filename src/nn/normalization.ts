/**
 * Normalizations: over a batch as a layer (its function has a folder among the kernels), and over a picture by itself
 * as functions of existing operations and as layers.
 */
import { type BatchNormOptions, batchNorm, batchNormOptions } from "../kernels/batch-norm/index.ts";
import { add, div, mul, sqrt } from "../kernels/elementwise/index.ts";
import { reshape } from "../kernels/layout/index.ts";
import { mean } from "../kernels/reduce/index.ts";
import { deviationsOf } from "../kernels/reduce/variance.ts";
import {
  ArgumentError,
  checkArguments,
  checkOptions,
  listOf,
  optional,
  trueOrFalse,
} from "../options/arguments.ts";
import { positive, whole } from "../options/kinds.ts";
import { full } from "../tensor/create.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import { refuseFloat16 } from "../tensor/op.ts";
import { formatShape, type Shape, ShapeError, sameShape } from "../tensor/shape.ts";
import { aTensor, type Tensor } from "../tensor/tensor.ts";
import { layerSize } from "./layer-size.ts";
import { Module } from "./module.ts";

export interface NormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

export interface NormModuleOptions extends NormOptions {
  /** Has it a learned weight and bias? Default true. */
  readonly affine?: boolean;
}

/**
 * x with mean 0 and variance 1 over its last axes, whose sizes are `normalizedShape` (a number for one axis), times
 * `weight` plus `bias` of those sizes (Ba, Kiros, Hinton 2016), as torch.nn.functional.layer_norm.
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor,
  bias?: Tensor,
  options: NormOptions = {},
): Tensor {
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  checkArguments("layerNorm", {
    x: [x, aTensor],
    normalizedShape: [shape, listOf(whole(1))],
    weight: [weight, optional(aTensor)],
    bias: [bias, optional(aTensor)],
  });
  checkOptions("layerNorm", options, { eps: positive });
  refuseFloat16("layerNorm", { x, weight, bias });
  const rank = shape.length;
  if (rank === 0 || !sameShape(x.shape.slice(-rank), shape)) {
    throw new ShapeError(
      `layerNorm: the last axes of x ${formatShape(x.shape)} must be ${formatShape(shape)}, the shape that is ` +
        `normalized.`,
    );
  }
  checkSizes("layerNorm", shape, { weight, bias });
  const axes = shape.map((_, i) => i - rank);
  return scaleAndShift(normalize(x, axes, options.eps), weight, bias);
}

/**
 * x [n, c, …] with mean 0 and variance 1 over each of `groups` groups of channels of each picture, times `weight`
 * plus `bias`, both [c] (Wu and He 2018), as torch.nn.functional.group_norm. One group for each channel is instance
 * normalization.
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  weight?: Tensor,
  bias?: Tensor,
  options: NormOptions = {},
): Tensor {
  checkArguments("groupNorm", {
    x: [x, aTensor],
    groups: [groups, whole(1)],
    weight: [weight, optional(aTensor)],
    bias: [bias, optional(aTensor)],
  });
  checkOptions("groupNorm", options, { eps: positive });
  refuseFloat16("groupNorm", { x, weight, bias });
  const [n, channels, ...rest] = x.shape;
  if (x.shape.length < 2 || channels % groups !== 0) {
    throw new ShapeError(
      `groupNorm: x must be [n, c, …] with channels that ${groups} groups can share equally, got ` +
        `${formatShape(x.shape)}.`,
    );
  }
  checkSizes("groupNorm", [channels], { weight, bias });
  const perGroup = reshape(x, [n, groups, -1]);
  const normal = normalize(perGroup, [2], options.eps);
  const perChannel = (values?: Tensor) => values && reshape(values, [channels, ...rest.map(() => 1)]);
  const [scale, shift] = [perChannel(weight), perChannel(bias)];
  const result = scaleAndShift(reshape(normal, x.shape), scale, shift);
  for (const view of [perGroup, normal, scale, shift]) if (view) disposeUnderNoGrad(view);
  return result;
}

function checkSizes(name: string, shape: Shape, values: Readonly<Record<string, Tensor | undefined>>): void {
  for (const [what, tensor] of Object.entries(values)) {
    if (!tensor || sameShape(tensor.shape, shape)) continue;
    throw new ShapeError(
      `${name}: ${what} has shape ${formatShape(tensor.shape)} and must have ${formatShape(shape)}.`,
    );
  }
}

/** (x - mean) / sqrt(variance + eps), the variance being that of a whole population. */
function normalize(x: Tensor, axes: readonly number[], eps = 1e-5): Tensor {
  const { deviations, squares } = deviationsOf(x, axes);
  const variance = mean(squares, axes, { keepdim: true });
  const sum = add(variance, eps);
  const root = sqrt(sum);
  const result = div(deviations, root);
  for (const intermediate of [deviations, squares, variance, sum, root]) disposeUnderNoGrad(intermediate);
  return result;
}

function scaleAndShift(x: Tensor, weight?: Tensor, bias?: Tensor): Tensor {
  const product = weight ? mul(x, weight) : x;
  const sum = bias ? add(product, bias) : product;
  for (const intermediate of [x, product]) if (intermediate !== sum) disposeUnderNoGrad(intermediate);
  return sum;
}

/** `layerNorm` with a learned weight, at first 1, and bias, at first 0, of the normalized shape. */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly eps: number;

  constructor(normalizedShape: number | Shape, options: NormModuleOptions = {}) {
    super();
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    checkArguments("LayerNorm", { normalizedShape: [shape, listOf(layerSize)] });
    checkOptions("LayerNorm", options, { eps: positive, affine: trueOrFalse });
    const { eps = 1e-5, affine = true } = options;
    this.normalizedShape = [...shape];
    this.eps = eps;
    this.weight = affine ? full(shape, 1, { requiresGrad: true }) : undefined;
    this.bias = affine ? full(shape, 0, { requiresGrad: true }) : undefined;
  }

  /** x [..., normalizedShape] to the same shape. */
  forward(x: Tensor): Tensor {
    const { normalizedShape, weight, bias, eps } = this;
    return layerNorm(x, normalizedShape, weight, bias, { eps });
  }
}

/** `groupNorm` with a learned weight, at first 1, and bias, at first 0, for each channel. */
export class GroupNorm extends Module {
  readonly groups: number;
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly eps: number;

  constructor(groups: number, channels: number, options: NormModuleOptions = {}) {
    super();
    checkArguments("GroupNorm", { groups: [groups, layerSize], channels: [channels, layerSize] });
    checkOptions("GroupNorm", options, { eps: positive, affine: trueOrFalse });
    const { eps = 1e-5, affine = true } = options;
    if (channels % groups !== 0)
      throw new ArgumentError("GroupNorm", `${groups} groups cannot share ${channels} channels equally.`);
    this.groups = groups;
    this.eps = eps;
    this.weight = affine ? full([channels], 1, { requiresGrad: true }) : undefined;
    this.bias = affine ? full([channels], 0, { requiresGrad: true }) : undefined;
  }

  /** x [n, channels, …] to the same shape. */
  forward(x: Tensor): Tensor {
    const { groups, weight, bias, eps } = this;
    return groupNorm(x, groups, weight, bias, { eps });
  }
}

/**
 * Normalizes every channel of [n, channels, h, w] by the mean and variance of the batch, and in eval() by
 * running averages of them, then scales by a learned weight and adds a learned bias; see `batchNorm`. Names
 * in weight files are PyTorch's: weight, bias, running_mean, running_var, num_batches_tracked.
 */
export class BatchNorm2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  /** How many batches it has seen in training; shape []. */
  readonly numBatchesTracked: Tensor;
  readonly eps: number;
  readonly momentum: number | null;

  constructor(channels: number, options: Omit<BatchNormOptions, "training"> = {}) {
    super();
    checkArguments("BatchNorm2d", { channels: [channels, layerSize] });
    checkOptions("BatchNorm2d", options, batchNormOptions);
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.weight = full([channels], 1, { requiresGrad: true });
    this.bias = full([channels], 0, { requiresGrad: true });
    this.runningMean = full([channels], 0);
    this.runningVar = full([channels], 1);
    this.numBatchesTracked = full([], 0);
  }

  protected override memberName(name: string): string {
    return pytorchNames.get(name) ?? name;
  }

  protected override finiteBuffers(): readonly Tensor[] {
    return [this.runningMean, this.runningVar];
  }

  forward(x: Tensor): Tensor {
    if (x.shape.length !== 4) {
      throw new ShapeError(
        `BatchNorm2d: x must have the four axes [n, c, h, w], got ${formatShape(x.shape)}.`,
      );
    }
    const { training, momentum, eps } = this;
    const running = { mean: this.runningMean, variance: this.runningVar, batches: this.numBatchesTracked };
    return batchNorm(x, running, this.weight, this.bias, { training, momentum, eps });
  }
}

/** What PyTorch calls the buffers of a BatchNorm2d. */
const pytorchNames: ReadonlyMap<string, string> = new Map([
  ["runningMean", "running_mean"],
  ["runningVar", "running_var"],
  ["numBatchesTracked", "num_batches_tracked"],
]);
