/** A convolution backwards: from small to large, with learned weights. FSRCNN's last layer. */
import { ArgumentError, anything, checkOptions, type Wanted } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, type Shape, ShapeError } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkInputs, type Geometry, type Pair, pair } from "../conv2d/geometry.ts";
import { conv2d, conv2dWeightGrad } from "../conv2d/index.ts";
import type { ForwardInputs } from "../conv2d/launch.ts";
import { slice } from "../layout/index.ts";
import { sum } from "../reduce/index.ts";
import { launchForward } from "./launch.ts";
import * as reference from "./reference.ts";

export interface ConvTranspose2dOptions {
  /** How far apart the windows of neighbouring input pixels lie. Default 1. */
  stride?: Pair;
  /** Pixels cut off on every side of the result. Default 0. */
  padding?: Pair;
  /**
   * Rows and columns added below and to the right. A convolution with a stride turns inputs of several sizes
   * into one size; this says which of them to return to. Smaller than the stride or the dilation. Default 0.
   */
  outputPadding?: Pair;
  /** Distance between the pixels that neighbouring weights reach. Default 1. */
  dilation?: Pair;
}

const convTranspose2dOptions: Readonly<Record<keyof ConvTranspose2dOptions, Wanted>> = {
  stride: anything, // `pair` checks them all
  padding: anything,
  outputPadding: anything,
  dilation: anything,
};

/**
 * Transposed 2-D convolution: x [n, c, h, w], weight [c, o, kh, kw] and optional bias [o] give [n, o, oh,
 * ow], where oh = (h - 1) stride - 2 padding + dilation (kh - 1) + outputPadding + 1. PyTorch's
 * `F.conv_transpose2d` without groups. Differentiable in all three. Throws a ShapeError if the shapes do not
 * fit.
 *
 * Fast for equal strides without dilation, and for stride 1; other combinations run a plain kernel.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvTranspose2dOptions = {},
): Tensor {
  checkOptions("convTranspose2d", options, convTranspose2dOptions);
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1 } = options;
  const geometry = {
    stride: pair("stride", stride, 1, "convTranspose2d"),
    padding: pair("padding", padding, 0, "convTranspose2d"),
    outputPadding: pair("outputPadding", outputPadding, 0, "convTranspose2d"),
    dilation: pair("dilation", dilation, 1, "convTranspose2d"),
  };
  const { stride: s, outputPadding: extra, dilation: d } = geometry;
  if (extra.some((e, axis) => e >= Math.max(s[axis], d[axis]))) {
    throw new ArgumentError(
      "convTranspose2d",
      `outputPadding [${extra}] must be smaller than the stride [${s}] or the dilation ` +
        `[${d}]: no convolution with these would lead back.`,
    );
  }
  return convTranspose2dOp({ x, w: weight, b: bias }, geometry);
}

export interface TransposedGeometry extends Geometry {
  readonly outputPadding: readonly [number, number];
}

const convTranspose2dOp = defineOp<ForwardInputs, TransposedGeometry>({
  name: "convTranspose2d",
  float16: true,
  optional: ["b"],
  shape: ({ x, w, b }, geometry) => outputShape(x.shape, w.shape, b?.shape, geometry),
  cpu: ({ x, w, b }, geometry, y) => reference.forward(x, w, b, y, geometry),
  gpu: (device, inputs, geometry, y) => launchForward(device, inputs, y, geometry),
  // From y to x this is a convolution. The gradients are that convolution and its weight gradient.
  backward: (dy, { x, w }, geometry) => ({
    x: () => {
      const { stride, padding, dilation } = geometry;
      const dx = conv2d(dy, w, undefined, { stride, padding, dilation });
      // An outputPadding as large as the stride (with a dilation) leaves room for one more window.
      return slice(dx, [0, 0, 0, 0], x.shape);
    },
    w: () => conv2dWeightGrad({ x: dy, dy: x }, { geometry, wShape: w.shape }),
    b: () => sum(dy, [0, 2, 3]),
  }),
});

function outputShape(x: Shape, w: Shape, b: Shape | undefined, geometry: TransposedGeometry): Shape {
  checkInputs("convTranspose2d", "[c, o, kh, kw]", x, w, b);
  const { stride, padding, outputPadding, dilation } = geometry;
  const size = (axis: 0 | 1) => {
    const span = (x[2 + axis] - 1) * stride[axis] + dilation[axis] * (w[2 + axis] - 1) + 1;
    return span - 2 * padding[axis] + outputPadding[axis];
  };
  if (size(0) < 1 || size(1) < 1) {
    throw new ShapeError(
      `convTranspose2d: nothing is left of x ${formatShape(x)} with weight ${formatShape(w)} and stride ` +
        `[${stride}] after a padding of [${padding}] on each side. Use a smaller one.`,
    );
  }
  return [x[0], w[1], size(0), size(1)];
}
