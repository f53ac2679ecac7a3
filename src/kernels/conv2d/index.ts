import type { Shape } from "../../tensor/shape.ts";
import { defineOp } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { sum } from "../reduce/index.ts";
import { type Geometry, outputShape, type Pair, pair } from "./geometry.ts";
import {
  type Activation,
  activations,
  type ForwardParams,
  launchForward,
  launchInputGrad,
  launchWeightGrad,
  type Variant,
} from "./launch.ts";
import * as reference from "./reference.ts";

export type { Pair } from "./geometry.ts";
export { type Activation, type Variant, variants } from "./launch.ts";

export interface Conv2dOptions {
  /** How far the window moves between outputs. Default 1. */
  stride?: Pair;
  /** Zeros assumed around the picture. Default 0. */
  padding?: Pair;
  /** Distance between the pixels under neighbouring weights. Default 1. */
  dilation?: Pair;
  /** Default `"none"`. */
  activation?: Activation;
  /** Use this kernel instead of the one that `choose` takes; for tests and benchmarks. */
  variant?: Variant;
}

/**
 * 2-D convolution (cross-correlation, as everywhere in deep learning): x [n, c, h, w], weight [o, c, kh, kw] and
 * optional bias [o] give [n, o, oh, ow], where oh = floor((h + 2 padding - dilation (kh - 1) - 1) / stride) + 1.
 * PyTorch's `F.conv2d` without groups. Differentiable in all three. Throws a ShapeError if the shapes do not fit.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  const { stride = 1, padding = 0, dilation = 1, activation = "none", variant } = options;
  const geometry: Geometry = {
    stride: pair("stride", stride, 1),
    padding: pair("padding", padding, 0),
    dilation: pair("dilation", dilation, 1),
  };
  return conv2dOp({ x, w: weight, b: bias }, { geometry, activation, variant });
}

const conv2dOp = defineOp<{ x: Tensor; w: Tensor; b: Tensor | undefined }, ForwardParams>({
  name: "conv2d",
  shape: ({ x, w, b }, { geometry }) => outputShape(x.shape, w.shape, b?.shape, geometry),
  cpu({ x, w, b }, { geometry, activation }, y) {
    reference.forward(x, w, b, y, geometry);
    if (activation === "none") return;
    const { f } = activations[activation].rule;
    for (let i = 0; i < y.data.length; i++) y.data[i] = f(y.data[i], 0, 0);
  },
  gpu(device, { x, w, b }, params, y) {
    launchForward(device, params, {
      x: x.gpuStorage,
      xShape: x.shape,
      w: w.gpuStorage,
      wShape: w.shape,
      b: b?.gpuStorage,
      y: y.gpuStorage,
      yShape: y.shape,
    });
  },
  backward(dy, { x, w, y }, { geometry, activation }) {
    // The gradient before the activation, made when the first of the three asks for it.
    let before: Tensor | undefined;
    const dz = () => {
      // These activations' derivatives need only their result, so y stands in for their argument, too.
      before ??= activation === "none" ? dy : activations[activation].gradient({ dy, x: y, y });
      return before;
    };
    return {
      x: () => conv2dInputGrad({ dy: dz(), w }, { geometry, xShape: x.shape }),
      w: () => conv2dWeightGrad({ x, dy: dz() }, { geometry, wShape: w.shape }),
      b: () => sum(dz(), [0, 2, 3]),
    };
  },
});

const conv2dInputGrad = defineOp<{ dy: Tensor; w: Tensor }, { geometry: Geometry; xShape: Shape }>({
  name: "conv2d input gradient",
  shape: (_, { xShape }) => xShape,
  cpu: ({ dy, w }, { geometry }, dx) => reference.inputGrad(dy, w, dx, geometry),
  gpu: (device, { dy, w }, { geometry }, dx) => launchInputGrad(device, dy, w, dx, geometry),
});

const conv2dWeightGrad = defineOp<{ x: Tensor; dy: Tensor }, { geometry: Geometry; wShape: Shape }>({
  name: "conv2d weight gradient",
  shape: (_, { wShape }) => wShape,
  cpu: ({ x, dy }, { geometry }, dw) => reference.weightGrad(x, dy, dw, geometry),
  gpu: (device, { x, dy }, { geometry }, dw) => launchWeightGrad(device, x, dy, dw, geometry),
});
