import { anything, checkOptions, finite, type Wanted } from "../../options/arguments.ts";
import { oneOf, whole } from "../../options/kinds.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, type Shape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { affine } from "../elementwise/unary.ts";
import { forEachPixel, pixelUnshuffle, shuffledShape } from "../pixel-shuffle/index.ts";
import { sum } from "../reduce/index.ts";
import { type Activation, activations } from "./epilogue.ts";
import { type Geometry, outputShape, type Pair, pair } from "./geometry.ts";
import {
  type ForwardInputs,
  type ForwardParams,
  launchForward,
  launchInputGrad,
  launchWeightGrad,
} from "./launch.ts";
import { type Variant, variants } from "./plan.ts";
import * as reference from "./reference.ts";

export type { Activation } from "./epilogue.ts";
export type { Pair } from "./geometry.ts";
export { type Variant, variants } from "./plan.ts";

export interface Conv2dOptions {
  /** How far the window moves between outputs. Default 1. */
  stride?: Pair;
  /** Zeros assumed around the picture. Default 0. */
  padding?: Pair;
  /** Distance between the pixels under neighbouring weights. Default 1. */
  dilation?: Pair;
  /** Applied to the result. Default `"none"`. */
  activation?: Activation;
  /** A tensor of the result's shape. The result is skip + alpha * convolution, as in a residual block. */
  skip?: Tensor;
  /** Factor of the convolution where there is a `skip`. Default 1. */
  alpha?: number;
  /** Shuffles the result's pixels by this factor, as `pixelShuffle(…, r)` would. Default 1: no shuffle. */
  shuffle?: number;
  /**
   * Use this forward kernel instead of the planned or tuned one (plan.ts), for tests and benchmarks. After
   * "1-naive" and "2-tiled", `activation`, `skip` and `shuffle` take a second launch. Gradients and the CPU
   * device ignore it.
   */
  variant?: Variant;
}

const conv2dOptions: Readonly<Record<keyof Conv2dOptions, Wanted>> = {
  ...{ stride: anything, padding: anything, dilation: anything }, // `pair` looks at them
  activation: oneOf("none", ...Object.keys(activations)),
  skip: aTensor,
  alpha: finite,
  shuffle: whole(1),
  variant: oneOf(...variants),
};

/**
 * 2-D convolution (cross-correlation, as everywhere in deep learning): x [n, c, h, w], weight [o, c, kh, kw]
 * and optional bias [o] give [n, o, oh, ow], where oh = floor((h + 2 padding - dilation (kh - 1) - 1) /
 * stride) + 1. PyTorch's `F.conv2d` without groups. Differentiable in all three, and in `skip`. Throws a
 * ShapeError if the shapes do not fit.
 *
 * `activation`, `skip` and `shuffle` are applied on the way to memory and cost next to nothing. `skip` cannot
 * be combined with the other two. With `shuffle` r the result is [n, o / r², oh * r, ow * r].
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  checkOptions("conv2d", options, conv2dOptions);
  const { stride = 1, padding = 0, dilation = 1, variant, skip } = options;
  const { activation = "none", alpha = 1, shuffle = 1 } = options;
  if (skip && (activation !== "none" || shuffle !== 1)) {
    throw new RangeError(
      `conv2d: skip cannot be combined with activation "${activation}" and shuffle ${shuffle}. ` +
        `Apply those after it.`,
    );
  }
  if (alpha !== 1 && !skip)
    throw new RangeError(`conv2d: alpha ${alpha} was given without a skip to add it to.`);
  const geometry: Geometry = {
    stride: pair("stride", stride, 1),
    padding: pair("padding", padding, 0),
    dilation: pair("dilation", dilation, 1),
  };
  const epilogue = { activation, skip: skip !== undefined, alpha, shuffle };
  return conv2dOp({ x, w: weight, b: bias, skip }, { geometry, epilogue, variant });
}

const conv2dOp = defineOp<ForwardInputs, ForwardParams>({
  name: "conv2d",
  float16: true,
  optional: ["b", "skip"],
  shape({ x, w, b, skip }, { geometry, epilogue }) {
    const shape = outputShape(x.shape, w.shape, b?.shape, geometry);
    if (skip && !sameShape(skip.shape, shape)) {
      throw new ShapeError(
        `conv2d: skip ${formatShape(skip.shape)} must have the result's shape ${formatShape(shape)}.`,
      );
    }
    return epilogue.shuffle === 1 ? shape : shuffledShape("conv2d", shape, epilogue.shuffle);
  },
  cpu({ x, w, b, skip }, { geometry, epilogue }, y) {
    const { activation, alpha, shuffle } = epilogue;
    const shape = beforeShuffle(y.shape, shuffle);
    const z = shuffle === 1 ? y : { shape, data: y.data.slice() };
    reference.forward(x, w, b, z, geometry);
    if (activation !== "none") {
      const { f } = activations[activation].rule;
      for (let i = 0; i < z.data.length; i++) z.data[i] = f(z.data[i], 0, 0);
    }
    if (skip) for (let i = 0; i < z.data.length; i++) z.data[i] = skip.data[i] + alpha * z.data[i];
    if (z !== y) {
      forEachPixel(shape, shuffle, (coarse, fine) => {
        y.data[fine] = z.data[coarse];
      });
    }
  },
  gpu(device, inputs, params, y) {
    launchForward(device, params, inputs, y, beforeShuffle(y.shape, params.epilogue.shuffle));
  },
  backward(dy, { x, w, y }, { geometry, epilogue }) {
    const { activation, alpha, shuffle } = epilogue;
    // The gradient with respect to the plain convolution's result: dy, taken back through the epilogue, last
    // step first. It is computed once, when the first input asks for it.
    let cached: Tensor | undefined;
    const dz = () => {
      cached ??= undoEpilogue();
      return cached;
    };
    const undoEpilogue = () => {
      let dz = dy;
      // These activations' derivatives need only the result, so y can stand for the argument, too.
      if (activation !== "none") dz = activations[activation].gradient({ dy, x: y, y });
      if (shuffle !== 1) dz = pixelUnshuffle(dz, shuffle);
      return alpha === 1 ? dz : affine(dz, { a: alpha });
    };
    return {
      x: () => conv2dInputGrad({ dy: dz(), w }, { geometry, xShape: x.shape }),
      w: () => conv2dWeightGrad({ x, dy: dz() }, { geometry, wShape: w.shape }),
      b: () => sum(dz(), [0, 2, 3]),
      skip: () => dy,
    };
  },
});

/** The shape [n, o, oh, ow] of the convolution's result before its pixels are shuffled by r. */
function beforeShuffle([n, o, h, w]: Shape, r: number): Shape {
  return [n, o * r * r, h / r, w / r];
}

const conv2dInputGrad = defineOp<{ dy: Tensor; w: Tensor }, { geometry: Geometry; xShape: Shape }>({
  name: "conv2d input gradient",
  shape: (_, { xShape }) => xShape,
  cpu: ({ dy, w }, { geometry }, dx) => reference.inputGrad(dy, w, dx, geometry),
  gpu: (device, { dy, w }, { geometry }, dx) => launchInputGrad(device, dy, w, dx, geometry),
});

/** Also the weight gradient of convTranspose2d. */
export const conv2dWeightGrad = defineOp<{ x: Tensor; dy: Tensor }, { geometry: Geometry; wShape: Shape }>({
  name: "conv2d weight gradient",
  shape: (_, { wShape }) => wShape,
  cpu: ({ x, dy }, { geometry }, dw) => reference.weightGrad(x, dy, dw, geometry),
  gpu: (device, { x, dy }, { geometry }, dw) => launchWeightGrad(device, x, dy, dw, geometry),
});
