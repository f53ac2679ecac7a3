/** Batch normalization (Ioffe and Szegedy 2015): each channel gets mean 0 and variance 1, then w and b. */

import { linearGrid } from "../../device/kernel.ts";
import {
  anyNumber,
  checkArguments,
  checkOptions,
  isObject,
  trueOrFalse,
  type Wanted,
} from "../../options/arguments.ts";
import { positive } from "../../options/kinds.ts";
import { disposeUnderNoGrad, noGrad } from "../../tensor/no-grad.ts";
import { defineOp, refuseFloat16 } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { defineUpdate } from "../../tensor/update.ts";
import { div, mul } from "../elementwise/binary.ts";
import { affine, sqrt } from "../elementwise/unary.ts";
import { reshape } from "../layout/reshape.ts";
import { mean, sum } from "../reduce/sum.ts";
import {
  batchNormGradKernel,
  batchNormKernel,
  channelSumsKernel,
  countKernel,
  runningKernel,
} from "./batch-norm.wgsl.ts";

/** The channels of a shape [n, c, …], the elements of each, and how many of them lie side by side. */
function sizesOf(shape: Shape) {
  const [n, channels, ...rest] = shape;
  const plane = numel(rest);
  return { channels, plane, length: n * plane };
}

/** Calls `visit` with every place in x [n, c, …] and its channel. */
function forEachElement(shape: Shape, visit: (at: number, channel: number) => void): void {
  const { channels, plane } = sizesOf(shape);
  for (let at = 0; at < numel(shape); at++) visit(at, Math.floor(at / plane) % channels);
}

/** The axes other than that of the channels. */
function othersOf({ shape }: Tensor): number[] {
  return shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

// ---- Sums over channels

interface Parts {
  readonly parts: number;
  readonly scale: number;
}

/** The sum of a * (x - mean), where a is dy, or without one x - mean: [channels, parts]. */
const partsOp = defineOp<{ x: Tensor; mean: Tensor; dy: Tensor | undefined }, Parts>({
  name: "batchNorm sums",
  optional: ["dy"],
  shape: ({ x }, { parts }) => [x.shape[1], parts],
  cpu({ x, mean, dy }, { parts, scale }, y) {
    forEachElement(x.shape, (at, channel) => {
      const d = x.data[at] - mean.data[channel];
      y.data[channel * parts] += scale * (dy ? dy.data[at] : d) * d;
    });
  },
  gpu(device, { x, mean, dy }, { parts, scale }, y) {
    const sizes = sizesOf(x.shape);
    device.run(channelSumsKernel, {
      constants: { THREADS: device.profile.reductionThreads },
      functions: `fn factor(at: u32, d: f32) -> f32 { return ${dy ? "dy[at]" : "d"}; }`,
      buffers: { x: x.gpuStorage, dy: (dy ?? x).gpuStorage, mean: mean.gpuStorage, sums: y.gpuStorage },
      params: { ...sizes, parts, chunk: Math.ceil(sizes.length / parts), scale },
      grid: linearGrid(sizes.channels * parts, 1),
    });
  },
});

/** Fewer elements are not worth a workgroup of their own. */
const MIN_CHUNK = 4096;

function channelSum(x: Tensor, mean: Tensor, dy: Tensor | undefined, scale: number): Tensor {
  const { channels, length } = sizesOf(x.shape);
  const { groupsToFill, reference } = x.device.profile;
  const most = reference ? 1 : Math.ceil(groupsToFill / channels);
  const parts = Math.max(1, Math.min(most, Math.ceil(length / MIN_CHUNK)));
  const partials = partsOp({ x, mean, dy }, { parts, scale });
  const total = parts === 1 ? reshape(partials, [channels]) : sum(partials, 1);
  partials.dispose();
  return total;
}

// ---- The operation

interface Params {
  readonly eps: number;
  /** Mean and variance are those of x itself, and change with it. */
  readonly ofBatch: boolean;
}

type Inputs = { x: Tensor; mean: Tensor; variance: Tensor; w: Tensor; b: Tensor };

const normOp = defineOp<Inputs, Params>({
  name: "batchNorm",
  shape: ({ x }) => x.shape,
  cpu({ x, mean, variance, w, b }, { eps }, y) {
    forEachElement(x.shape, (at, c) => {
      y.data[at] = ((x.data[at] - mean.data[c]) / Math.sqrt(variance.data[c] + eps)) * w.data[c] + b.data[c];
    });
  },
  gpu(device, { x, mean, variance, w, b }, { eps }, y) {
    const { channels, plane } = sizesOf(x.shape);
    device.run(batchNormKernel, {
      buffers: {
        x: x.gpuStorage,
        mean: mean.gpuStorage,
        variance: variance.gpuStorage,
        w: w.gpuStorage,
        b: b.gpuStorage,
        y: y.gpuStorage,
      },
      params: { size: x.size, channels, plane, eps },
      grid: linearGrid(x.size, 64),
    });
  },
  backward(dy, { x, mean: mu, variance, w }, { eps, ofBatch }) {
    const deviation = () => sqrt(affine(variance, { a: 1, b: eps }));
    return {
      x() {
        if (!ofBatch) return mul(dy, alongChannels(div(w, deviation()), x));
        const meanDy = mean(dy, othersOf(dy));
        const meanDyD = channelSum(x, mu, dy, 1 / sizesOf(x.shape).length);
        return gradOp({ dy, x, mean: mu, variance, w, meanDy, meanDyD }, { eps });
      },
      w: () => div(channelSum(x, mu, dy, 1), deviation()),
      b: () => sum(dy, othersOf(dy)),
    };
  },
});

/** dx where mean and variance are those of the batch; batchNormGradKernel has the formula. */
const gradOp = defineOp<
  Record<"dy" | "x" | "mean" | "variance" | "w" | "meanDy" | "meanDyD", Tensor>,
  { eps: number }
>({
  name: "batchNorm gradient",
  shape: ({ x }) => x.shape,
  cpu({ dy, x, mean, variance, w, meanDy, meanDyD }, { eps }, dx) {
    forEachElement(x.shape, (at, c) => {
      const v = variance.data[c] + eps;
      const d = x.data[at] - mean.data[c];
      dx.data[at] = (w.data[c] / Math.sqrt(v)) * (dy.data[at] - meanDy.data[c] - (d / v) * meanDyD.data[c]);
    });
  },
  gpu(device, { dy, x, mean, variance, w, meanDy, meanDyD }, { eps }, dx) {
    const { channels, plane } = sizesOf(x.shape);
    device.run(batchNormGradKernel, {
      buffers: {
        dy: dy.gpuStorage,
        x: x.gpuStorage,
        mean: mean.gpuStorage,
        variance: variance.gpuStorage,
        w: w.gpuStorage,
        mean_dy: meanDy.gpuStorage,
        mean_dy_d: meanDyD.gpuStorage,
        dx: dx.gpuStorage,
      },
      params: { size: x.size, channels, plane, eps },
      grid: linearGrid(x.size, 64),
    });
  },
});

/** A value for each channel, [c], as [c, 1, …], which broadcasts with x [n, c, …]. */
function alongChannels(values: Tensor, x: Tensor): Tensor {
  return reshape(values, [values.size, ...x.shape.slice(2).map(() => 1)]);
}

// ---- Running statistics

const count = defineUpdate<"batches">({
  cpu({ batches }) {
    batches[0]++;
  },
  kernel: countKernel,
});

const follow = defineUpdate<"running_mean" | "running_variance" | "mean" | "variance" | "batches">({
  cpu(blocks, { momentum, unbiased }) {
    const share = momentum < 0 ? 1 / blocks.batches[0] : momentum;
    for (let c = 0; c < blocks.mean.length; c++) {
      const variance = unbiased * blocks.variance[c];
      blocks.running_mean[c] += share * (blocks.mean[c] - blocks.running_mean[c]);
      blocks.running_variance[c] += share * (variance - blocks.running_variance[c]);
    }
  },
  kernel: runningKernel,
  single: ["batches"],
});

/** What batch normalization uses in place of a batch's own statistics, once the network is trained. */
export interface RunningStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** How many batches there have been: a tensor of shape []. */
  readonly batches: Tensor;
}

const someStatistics: Wanted<RunningStatistics> = {
  wants: "{ mean, variance, batches }, all of them tensors, and batches of one element",
  fits: (value): value is RunningStatistics =>
    isObject(value) &&
    [value.mean, value.variance, value.batches].every(aTensor.fits) &&
    (value.batches as Tensor).size === 1,
};

export interface BatchNormOptions {
  /** Use the batch's own statistics, and move the running ones towards them. Default false. */
  readonly training?: boolean;
  /** The share by which the running statistics move; null makes them averages over all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const momentumWanted: Wanted<number | null> = {
  wants: "a number from 0 to 1, or null for a plain average",
  fits: (value): value is number | null =>
    value === null || (anyNumber.fits(value) && value >= 0 && value <= 1),
};

export const batchNormOptions = { momentum: momentumWanted, eps: positive };

/**
 * (x - mean) / sqrt(variance + eps) * w + b for x [n, c, …], where all others have one value per channel,
 * [c]; as torch.nn.functional.batch_norm. Mean and variance are the running ones; in training those of x
 * itself, through which gradients flow as well. The running variance is fed with the unbiased one (divided by
 * count - 1), while the batch is normalized by the biased one: PyTorch does so.
 *
 * The layer `BatchNorm2d` keeps the tensors. Throws a ShapeError in training if a channel has a single value.
 */
export function batchNorm(
  x: Tensor,
  running: RunningStatistics,
  w: Tensor,
  b: Tensor,
  options: BatchNormOptions = {},
): Tensor {
  checkArguments("batchNorm", {
    x: [x, aTensor],
    running: [running, someStatistics],
    w: [w, aTensor],
    b: [b, aTensor],
  });
  checkOptions("batchNorm", options, { ...batchNormOptions, training: trueOrFalse });
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  const channels = x.shape[1];
  const perChannel = { "running.mean": running.mean, "running.variance": running.variance, w, b };
  for (const [name, { shape }] of Object.entries(perChannel)) {
    if (x.shape.length >= 2 && sameShape(shape, [channels])) continue;
    throw new ShapeError(
      `batchNorm: ${name} has shape ${formatShape(shape)}, and x ${formatShape(x.shape)}. Want x [n, c, …] ` +
        `and ${name} [c].`,
    );
  }
  refuseFloat16("batchNorm", { x, ...perChannel });
  if (!training)
    return normOp({ x, mean: running.mean, variance: running.variance, w, b }, { eps, ofBatch: false });
  const { length } = sizesOf(x.shape);
  if (length === 1) {
    throw new ShapeError(
      `batchNorm: x ${formatShape(x.shape)} has one value per channel, whose variance is 0. In training there ` +
        `must be more: a larger batch, or larger pictures.`,
    );
  }
  const [mu, variance] = noGrad(() => {
    const mu = mean(x, othersOf(x));
    return [mu, channelSum(x, mu, undefined, 1 / length)];
  });
  const { device } = x;
  count(device, { batches: running.batches.storage });
  follow(
    device,
    {
      running_mean: running.mean.storage,
      running_variance: running.variance.storage,
      mean: mu.storage,
      variance: variance.storage,
      batches: running.batches.storage,
    },
    { momentum: momentum ?? -1, unbiased: length / (length - 1) },
  );
  const y = normOp({ x, mean: mu, variance, w, b }, { eps, ofBatch: true });
  disposeUnderNoGrad(mu);
  disposeUnderNoGrad(variance);
  return y;
}
