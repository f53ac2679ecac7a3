import type { Device } from "../../device/device.ts";
import { isGpu } from "../../device/gpu-device.ts";
import { ArgumentError, anything, checkOptions, finite, type Wanted } from "../../options/arguments.ts";
import { oneOf, whole } from "../../options/kinds.ts";
import { wantsGradient, willTape } from "../../tensor/no-grad.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, type Shape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, Tensor } from "../../tensor/tensor.ts";
import { affine } from "../elementwise/unary.ts";
import { reshape } from "../layout/reshape.ts";
import { forEachPixel, pixelShuffle, pixelUnshuffle, shuffledShape } from "../pixel-shuffle/index.ts";
import { sum } from "../reduce/index.ts";
import {
  type Activation,
  activationNames,
  activations,
  applySeparately,
  type Epilogue,
  isPlain,
  isUndoable,
  noEpilogue,
  storedValue,
} from "./epilogue.ts";
import { type Geometry, outputShape, type Pair, pair } from "./geometry.ts";
import {
  type ForwardInputs,
  type ForwardParams,
  type InputGradInputs,
  launchForward,
  launchInputGrad,
  launchWeightGrad,
} from "./launch.ts";
import { type Variant, variants } from "./plan.ts";
import { planWeightGrad } from "./plan-weight-grad.ts";
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
  /**
   * Factor of negative values: for activation "leakyRelu" a number, default 0.01; for "prelu" a tensor [o], which
   * is learned.
   */
  slope?: number | Tensor;
  /**
   * The result is skip + alpha * convolution, as in a residual block. With `shuffle` r, skip [n, o / r², oh, ow]
   * is added as enlarged r times by repeating pixels, as `interpolate(…, { mode: "nearest" })` would.
   */
  skip?: Tensor;
  /** A tensor of the result's shape. The result is `symmetricGate(convolution, gate)`. */
  gate?: Tensor;
  /** Factor of the convolution where there is a `skip`. Default 1. */
  alpha?: number;
  /** Shuffles the result's pixels by this factor, as `pixelShuffle(…, r)` would. Default 1: no shuffle. */
  shuffle?: number;
  /**
   * Use this forward kernel instead of the planned or tuned one (plan.ts), for tests and benchmarks. After
   * "1-naive" and "2-tiled", `activation`, `skip`, `gate` and `shuffle` take a second launch. Gradients and the CPU
   * device ignore it.
   */
  variant?: Variant;
}

const numberOrTensor: Wanted<number | Tensor> = {
  wants: "a finite number or a tensor",
  fits: (value): value is number | Tensor => finite.fits(value) || aTensor.fits(value),
};

const conv2dOptions: Readonly<Record<keyof Conv2dOptions, Wanted>> = {
  stride: anything, // `pair` looks at the first three
  padding: anything,
  dilation: anything,
  activation: oneOf("none", ...activationNames),
  slope: numberOrTensor,
  skip: aTensor,
  gate: aTensor,
  alpha: finite,
  shuffle: whole(1),
  variant: oneOf(...variants),
};

/**
 * 2-D convolution (cross-correlation, as everywhere in deep learning): x [n, c, h, w], weight [o, c, kh, kw]
 * and optional bias [o] give [n, o, oh, ow], where oh = floor((h + 2 padding - dilation (kh - 1) - 1) /
 * stride) + 1. PyTorch's `F.conv2d` without groups. Differentiable in all three, and in `skip`, `gate` and PReLU's
 * slopes.
 *
 * `activation`, `skip`, `gate` and `shuffle` are applied on the way to memory and cost next to nothing. While gradients
 * are recorded, "silu", "prelu", a gate, and "leakyRelu" with a negative slope are operations of their own. With
 * `shuffle` r the result is [n, o / r², oh * r, ow * r]. Of activation, skip and gate, one can be used at a time, and
 * no gate with a shuffle.
 *
 * @throws ShapeError if shapes do not fit; RangeError for options outside their range (stride 0), and for options
 * that do not go together (alpha without a skip, two of activation, skip and gate).
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  checkOptions("conv2d", options, conv2dOptions);
  const { stride = 1, padding = 0, dilation = 1, variant } = options;
  const geometry: Geometry = {
    stride: pair("stride", stride, 1),
    padding: pair("padding", padding, 0),
    dilation: pair("dilation", dilation, 1),
  };
  const { epilogue, extra } = readEpilogue(options, weight);
  if (isUndoable(epilogue) || !willTape([x, weight, bias, extra])) {
    return conv2dOp({ x, w: weight, b: bias, extra }, { geometry, epilogue, variant });
  }
  // Backward needs the convolution's own result.
  const z = conv2dOp({ x, w: weight, b: bias }, { geometry, epilogue: noEpilogue, variant });
  const y = applySeparately(epilogue, z, extra);
  return epilogue.shuffle === 1 ? y : pixelShuffle(y, epilogue.shuffle);
}

/** What follows the convolution, and the tensor that this reads. */
function readEpilogue(
  { activation = "none", slope, skip, gate, alpha = 1, shuffle = 1 }: Conv2dOptions,
  weight: Tensor,
): { epilogue: Epilogue; extra: Tensor | undefined } {
  const uses = [activation !== "none" && `activation "${activation}"`, skip && "skip", gate && "gate"];
  const used = uses.filter(Boolean);
  if (used.length > 1) {
    throw new ArgumentError(
      "conv2d",
      `${used.join(" and ")} cannot be combined. Apply one of them to the result of conv2d.`,
    );
  }
  if (gate && shuffle !== 1) {
    throw new ArgumentError(
      "conv2d",
      `gate cannot be combined with shuffle ${shuffle}. Apply pixelShuffle to the result.`,
    );
  }
  if (alpha !== 1 && !skip)
    throw new ArgumentError("conv2d", `alpha ${alpha} was given without a skip to add it to.`);
  if (slope !== undefined && activation !== "leakyRelu" && activation !== "prelu") {
    throw new ArgumentError(
      "conv2d",
      `slope was given with activation "${activation}"; "leakyRelu" and "prelu" have one.`,
    );
  }
  if (activation === "prelu") {
    const outputs = weight.shape[0];
    if (!(slope instanceof Tensor) || slope.shape.join() !== String(outputs)) {
      throw new ShapeError(
        `conv2d: for activation "prelu", slope must be a tensor [${outputs}], one number for each channel of ` +
          `the result, got ${slope instanceof Tensor ? formatShape(slope.shape) : slope}.`,
      );
    }
  } else if (slope instanceof Tensor) {
    throw new ArgumentError(
      "conv2d",
      `for activation "${activation}", slope must be a number, got a tensor.`,
    );
  }
  const slopes = slope instanceof Tensor ? slope : undefined;
  const extraKind = skip ? "skip" : gate ? "gate" : slopes ? "slopes" : "none";
  const number = typeof slope === "number" ? slope : 0.01;
  return {
    epilogue: { activation, slope: number, extraKind, alpha, shuffle },
    extra: skip ?? gate ?? slopes,
  };
}

const conv2dOp = defineOp<ForwardInputs, ForwardParams>({
  name: "conv2d",
  float16: true,
  optional: ["b", "extra"],
  shape({ x, w, b, extra }, { geometry, epilogue }) {
    const shape = outputShape(x.shape, w.shape, b?.shape, geometry);
    const { extraKind, shuffle } = epilogue;
    const shuffled = shuffle === 1 ? shape : shuffledShape("conv2d", shape, shuffle);
    if (extra && extraKind !== "slopes") {
      const wanted = [shape[0], shuffled[1], shape[2], shape[3]];
      if (!sameShape(extra.shape, wanted)) {
        const whose = shuffle === 1 ? "the result's shape" : "the shape of the picture that is enlarged,";
        throw new ShapeError(
          `conv2d: ${extraKind} ${formatShape(extra.shape)} must have ${whose} ${formatShape(wanted)}.`,
        );
      }
    }
    return shuffled;
  },
  cpu({ x, w, b, extra }, { geometry, epilogue }, y) {
    const { extraKind, shuffle: r } = epilogue;
    const shape = beforeShuffle(y.shape, r);
    const z = r === 1 ? y : { shape, data: y.data.slice() };
    reference.forward(x, w, b, z, geometry);
    if (!isPlain(epilogue)) {
      const area = shape[2] * shape[3];
      for (let i = 0; i < z.data.length; i++) {
        const plane = Math.floor(i / area); // counts the channels of all pictures
        // A skip of the coarse shape has one channel for r * r of them.
        const at =
          extraKind === "slopes" ? plane % shape[1] : Math.floor(plane / (r * r)) * area + (i % area);
        z.data[i] = storedValue(epilogue, z.data[i], extra?.data[at] ?? 0);
      }
    }
    if (z !== y) {
      forEachPixel(shape, r, (coarse, fine) => {
        y.data[fine] = z.data[coarse];
      });
    }
  },
  gpu(device, inputs, params, y) {
    launchForward(device, params, inputs, y, beforeShuffle(y.shape, params.epilogue.shuffle));
  },
  backward(dy, { x, w, b, y, extra }, { geometry, epilogue }) {
    const { activation, slope, alpha, shuffle } = epilogue;
    // The gradient with respect to the plain convolution's result: dy, taken back through the epilogue, last
    // step first. It is computed once, when the first input asks for it.
    let cached: Tensor | undefined;
    const dz = () => {
      cached ??= undoEpilogue();
      return cached;
    };
    const undoEpilogue = () => {
      let gradient = dy;
      // These activations' derivatives need only the result, so y can stand for the argument, too.
      const undo = activation in activations && activations[activation as keyof typeof activations];
      if (undo) gradient = undo.gradient({ dy, x: y, y }, { a: slope });
      if (shuffle !== 1) gradient = pixelUnshuffle(gradient, shuffle);
      return alpha === 1 ? gradient : affine(gradient, { a: alpha });
    };
    // Set by `weightGrad` if its kernel also sums dy. The rule of `w` runs before that of `b`.
    let db: Tensor | undefined;
    const weightGrad = () => {
      const [inputs, params] = [
        { x, dy: dz() },
        { geometry, wShape: w.shape },
      ];
      if (!b || !wantsGradient(b) || !sumsBias(x.device, inputs.dy.shape, params)) {
        return conv2dWeightGrad(inputs, params);
      }
      const gradients = conv2dWeightAndBiasGrad(inputs, params);
      db = gradients.db;
      return gradients.dw;
    };
    return {
      // The gradients from x's other uses are added on the way to memory, as a skip connection would be.
      x: { plus: (others) => conv2dInputGrad({ dy: dz(), w, others }, { geometry, xShape: x.shape }) },
      w: weightGrad,
      b: () => db ?? sum(dz(), [0, 2, 3]),
      // Only a skip gets here: with a gate or slopes, `conv2d` has applied the epilogue separately (isUndoable).
      extra: () => (shuffle === 1 ? dy : sumOfBlocks(dy, shuffle, extra!.shape)),
    };
  },
});

/** The sum of each block of r x r pixels: the gradient of repeating a pixel over them. */
function sumOfBlocks(dy: Tensor, r: number, [n, c, h, w]: Shape): Tensor {
  return sum(reshape(pixelUnshuffle(dy, r), [n, c, r * r, h, w]), [2]);
}

/** The shape [n, o, oh, ow] of the convolution's result before its pixels are shuffled by r. */
function beforeShuffle([n, o, h, w]: Shape, r: number): Shape {
  return [n, o * r * r, h / r, w / r];
}

/** The gradient of x: for conv2d, and for the convolutions of denseConv2d. */
export const conv2dInputGrad = defineOp<InputGradInputs, { geometry: Geometry; xShape: Shape }>({
  name: "conv2d input gradient",
  optional: ["others"],
  shape: (_, { xShape }) => xShape,
  cpu({ dy, w, others }, { geometry }, dx) {
    reference.inputGrad(dy, w, dx, geometry);
    if (others) for (let i = 0; i < dx.data.length; i++) dx.data[i] += others.data[i];
  },
  gpu: (device, inputs, { geometry }, dx) => launchInputGrad(device, inputs, dx, geometry),
});

interface WeightGradParams {
  readonly geometry: Geometry;
  readonly wShape: Shape;
}

/**
 * The gradient of the weights: for conv2d, for convTranspose2d, and for the convolutions of denseConv2d, whose x has
 * more channels than are read.
 */
export const conv2dWeightGrad = defineOp<{ x: Tensor; dy: Tensor }, WeightGradParams>({
  name: "conv2d weight gradient",
  shape: (_, { wShape }) => wShape,
  cpu: ({ x, dy }, { geometry }, dw) => reference.weightGrad(x, dy, dw, geometry),
  gpu: (device, inputs, { geometry }, dw) => launchWeightGrad(device, inputs, { dw }, geometry),
});

/** The gradients of weights and bias from one reading of dy, where `sumsBias` says so. */
const conv2dWeightAndBiasGrad = defineOp<{ x: Tensor; dy: Tensor }, WeightGradParams, "dw" | "db">({
  name: "conv2d weight and bias gradient",
  shapes: (_, { wShape }) => ({ dw: wShape, db: [wShape[0]] }),
  cpu({ x, dy }, { geometry }, { dw, db }) {
    reference.weightGrad(x, dy, dw, geometry);
    reference.biasGrad(dy, db);
  },
  gpu: (device, inputs, { geometry }, gradients) => launchWeightGrad(device, inputs, gradients, geometry),
});

/** Does the device's weight gradient kernel for these sizes sum the bias's gradient along the way? */
function sumsBias(device: Device, yShape: Shape, { wShape, geometry }: WeightGradParams): boolean {
  const shape = { wShape, yShape, geometry, hasBias: true };
  return isGpu(device) && planWeightGrad(device.profile, shape).sumsBias;
}
