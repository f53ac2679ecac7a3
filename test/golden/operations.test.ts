/** Every operation against PyTorch: value and gradients, on the CPU references and on every adapter. */
import { describe, test } from "vitest";
import { batchNorm } from "../../src/kernels/batch-norm/index.ts";
import { convTranspose2d } from "../../src/kernels/conv-transpose2d/index.ts";
import { type Conv2dOptions, conv2d } from "../../src/kernels/conv2d/index.ts";
import { crossEntropy } from "../../src/kernels/cross-entropy/index.ts";
import { denseConv2d } from "../../src/kernels/dense-conv2d/index.ts";
import * as elementwise from "../../src/kernels/elementwise/index.ts";
import * as layout from "../../src/kernels/layout/index.ts";
import {
  binaryCrossEntropyWithLogits,
  charbonnierLoss,
  huberLoss,
  l1Loss,
  mseLoss,
  smoothL1Loss,
} from "../../src/kernels/loss/index.ts";
import { linear, matmul } from "../../src/kernels/matmul/index.ts";
import { pad } from "../../src/kernels/pad/index.ts";
import { pixelShuffle, pixelUnshuffle } from "../../src/kernels/pixel-shuffle/index.ts";
import { avgPool2d, maxPool2d } from "../../src/kernels/pool/index.ts";
import { argmax, max, mean, min, std, sum, variance } from "../../src/kernels/reduce/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { logSoftmax, softmax } from "../../src/kernels/softmax/index.ts";
import { fftLoss, ssimLoss } from "../../src/nn/image-losses.ts";
import { groupNorm, layerNorm } from "../../src/nn/normalization.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { checkGolden, type GoldenCase, type Run, readGolden } from "../support/golden.ts";
import { spread } from "../support/tier.ts";

const { add, sub, mul, div, pow, prelu, leakyRelu, clamp, gelu, symmetricGate, where } = elementwise;
const { concat, permute, reshape, slice } = layout;

/** Those that take tensors alone and have the same name in PyTorch need no entry. */
const sameName = Object.fromEntries(
  Object.entries(elementwise).map(([name, f]): [string, Run] => [
    name,
    ({ x, a, b }) => (f as (...tensors: Tensor[]) => Tensor)(...[x, a, b].filter(Boolean)),
  ]),
);

/** What follows a convolution in its kernel, by the names of make.py; `e` is its own input. */
const followers: Record<string, (e: Tensor) => Conv2dOptions> = {
  leaky_relu: () => ({ activation: "leakyRelu", slope: 0.2 }),
  silu: () => ({ activation: "silu" }),
  prelu: (e) => ({ activation: "prelu", slope: e }),
  gate: (e) => ({ gate: e }),
  "shuffled skip": (e) => ({ skip: e, shuffle: 2 }),
};

/** How the operations of each file are called. An operand that is no tensor is a number among the options. */
const topics: Record<string, Record<string, Run>> = {
  conv2d: {
    conv2d: ({ x, w, b }, { stride, padding, dilation, relu }) =>
      conv2d(x, w, b, { stride, padding, dilation, activation: relu ? "relu" : "none" }),
    conv2d_then: ({ x, w, b, e }, { follower }) =>
      conv2d(x, w, b, { padding: 1, ...followers[follower as string](e) }),
    dense_conv2d: ({ x, ...layers }, { growth }) =>
      denseConv2d(
        x,
        Array.from(growth, (_, i) => ({ weight: layers[`w${i}`], bias: layers[`b${i}`] })),
        0.2,
      ),
  },
  conv_transpose2d: {
    conv_transpose2d: ({ x, w, b }, { stride, padding, output_padding: outputPadding, dilation }) =>
      convTranspose2d(x, w, b, { stride, padding, outputPadding, dilation }),
  },
  elementwise: {
    ...sameName,
    gelu_tanh: ({ x }) => gelu(x, { approximate: "tanh" }),
    where: ({ c, a, b }) => where(c, a, b),
    symmetric_gate: ({ z, x }) => symmetricGate(z, x),
    elu: ({ x }, { alpha }) => elementwise.elu(x, alpha),
    softplus: ({ x }, { beta }) => elementwise.softplus(x, beta),
    leaky_relu: ({ x }, { slope }) => leakyRelu(x, slope),
    clamp: ({ x }, { low, high }) => clamp(x, low, high),
    prelu: ({ x, w }) => prelu(x, w),
    add: ({ a, b }, options) => add(a, b ?? options.b, { alpha: options.alpha }),
    sub: ({ a, b }, options) => sub(a ?? options.a, b ?? options.b),
    mul: ({ a, b }, options) => mul(a, b ?? options.b),
    div: ({ a, b }, options) => div(a ?? options.a, b ?? options.b),
    pow: ({ a, b }, options) => pow(a ?? options.a, b ?? options.b),
  },
  reduce: {
    sum: ({ x }, { axes, keepdim }) => sum(x, axes ?? undefined, { keepdim }),
    mean: ({ x }, { axes, keepdim }) => mean(x, axes ?? undefined, { keepdim }),
    amax: ({ x }, { axes, keepdim }) => max(x, axes ?? undefined, { keepdim }),
    amin: ({ x }, { axes, keepdim }) => min(x, axes ?? undefined, { keepdim }),
    var: ({ x }, { axes, correction }) => variance(x, axes ?? undefined, { correction }),
    std: ({ x }, { axes, correction }) => std(x, axes ?? undefined, { correction }),
    argmax: ({ x }, { axis, keepdim }) => argmax(x, axis ?? undefined, { keepdim }),
    softmax: ({ x }, { axis }) => softmax(x, axis),
    log_softmax: ({ x }, { axis }) => logSoftmax(x, axis),
    matmul: ({ a, b }) => matmul(a, b),
    linear: ({ x, w, b }) => linear(x, w, b),
  },
  layers: {
    max_pool2d: ({ x }, { window, stride, padding }) => maxPool2d(x, window, { stride, padding }),
    avg_pool2d: ({ x }, { window, stride, padding }) => avgPool2d(x, window, { stride, padding }),
    layer_norm: ({ x, w, b }, { shape, eps }) => layerNorm(x, shape, w, b, { eps }),
    group_norm: ({ x, w, b }, { groups }) => groupNorm(x, groups, w, b),
    batch_norm: ({ x, w, b, mean, variance, batches }, { training, momentum }) =>
      batchNorm(x, { mean, variance, batches }, w, b, { training, momentum }),
  },
  layout: {
    reshape: ({ x }, { shape }) => reshape(x, shape),
    permute: ({ x }, { axes }) => permute(x, axes),
    slice: ({ x }, { starts, ends }) => slice(x, starts, ends),
    cat: (parts, { axis }) => concat(Object.values(parts), axis),
    flip: ({ x }, { axes }) => layout.flip(x, axes),
    split: ({ x }, { sizes, axis }) => concat(layout.split(x, sizes, axis).reverse(), axis),
    transpose: ({ x }, { axis0, axis1 }) => layout.transpose(x, axis0, axis1),
    squeeze: ({ x }, { axis }) => layout.squeeze(x, axis ?? undefined),
    unsqueeze: ({ x }, { axis }) => layout.unsqueeze(x, axis),
    flatten: ({ x }, { start, end }) => layout.flatten(x, start, end),
    stack: (parts, { axis }) => layout.stack(Object.values(parts), axis),
    pad: ({ x }, { padding, mode, value }) => pad(x, padding, mode, value),
    pixel_shuffle: ({ x }, { r }) => pixelShuffle(x, r),
    pixel_unshuffle: ({ x }, { r }) => pixelUnshuffle(x, r),
  },
  resize: {
    interpolate: ({ x }, { mode, antialias, size, scale_factor: scaleFactor }) =>
      interpolate(x, size ? { mode, antialias, size } : { mode, antialias, scaleFactor }),
  },
  loss: {
    l1_loss: ({ x, target }, { reduction }) => l1Loss(x, target, { reduction }),
    mse_loss: ({ x, target }, { reduction }) => mseLoss(x, target, { reduction }),
    huber_loss: ({ x, target }, { reduction, delta }) => huberLoss(x, target, { reduction, delta }),
    smooth_l1_loss: ({ x, target }, { reduction, beta }) => smoothL1Loss(x, target, { reduction, beta }),
    bce_with_logits: ({ x, target }, { reduction }) => binaryCrossEntropyWithLogits(x, target, { reduction }),
    charbonnier: ({ x, target }, { reduction, eps }) => charbonnierLoss(x, target, { reduction, eps }),
    ssim: ({ x, target }) => ssimLoss(x, target),
    fft: ({ x, target }) => fftLoss(x, target),
    cross_entropy: ({ x, target }, { reduction }) => crossEntropy(x, target, { reduction }),
  },
};

/** WGSL lets a GPU be that far off in exp, log and pow. Elsewhere only long sums lose digits. */
const tolerances: Record<string, number> = { elementwise: 1e-5 };

const devices = [float32Device(), ...(await gpuDevices())];

/** All cases of a topic; in the quick tier five of each operation. */
function goldenCases(topic: string): GoldenCase[] {
  const cases = readGolden(topic);
  const operations = [...new Set(cases.map(({ op }) => op))];
  return operations.flatMap((op) =>
    spread(
      cases.filter((golden) => golden.op === op),
      5,
    ),
  );
}

for (const [topic, operations] of Object.entries(topics)) {
  describe.each(devices.map((device) => [device.name, device] as const))(`${topic} on %s`, (_, device) => {
    test.each(goldenCases(topic).map((golden) => [golden.name, golden] as const))("%s", (_, golden) => {
      const run = operations[golden.op];
      if (!run) {
        throw new Error(
          `${topic}.safetensors has a case of ${golden.op}, which has no entry. Add it to \`${topic}\` of ` +
            "`topics` in test/golden/operations.test.ts: how the operation is called.",
        );
      }
      return checkGolden(device, run, golden, tolerances[topic] ?? 2e-6);
    });
  });
}
