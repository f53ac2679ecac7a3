import { checkArguments } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import type { Axes } from "../../tensor/shape.ts";
import {
  broadcastStrides,
  checkShape,
  formatShape,
  numel,
  type Shape,
  ShapeError,
  sameShape,
  stridesOf,
} from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { affine } from "../elementwise/unary.ts";
import { copyOnCpu, copyOnGpu } from "../layout/copy.ts";
import { defineReduction, type ReduceOptions, type ReductionRule, resultOf } from "./reduction.ts";

const rule: ReductionRule = {
  combine: (a, b) => a + b,
  neutral: 0,
  wgsl: { start: "0.0", combine: "a + b" },
  // Every element counts once in the sum, so each gets the sum's gradient, unchanged.
  backward: (dy, x, _y, { scale }) => broadcastTo(scale === 1 ? dy : affine(dy, { a: scale }), x.shape),
};
const sumOp = defineReduction("sum", rule);
const meanOp = defineReduction("mean", rule);

/**
 * The sum over `axes` (default: all, which gives one number of shape []). An empty list means no axes, as in
 * NumPy. The order of the additions is fixed, so every run gives the same result.
 */
export function sum(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return sumOp({ x }, { ...resultOf("sum", x, axes, options), scale: 1 });
}

/** The mean over `axes` (default: all). */
export function mean(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const result = resultOf("mean", x, axes, options);
  return meanOp({ x }, { ...result, scale: numel(result.shape) / x.size });
}

/**
 * The opposite of broadcasting: sums x over the axes along which broadcasting would repeat a tensor of
 * `shape` to give x's shape. Returns x itself if the shapes are equal. Throws if `shape` does not broadcast
 * to x's.
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  checkBroadcast("sumTo", shape, x.shape);
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < missing || (shape[axis - missing] === 1 && size > 1) ? [axis] : [],
  );
  return sumOp({ x }, { axes, shape, scale: 1 });
}

const broadcastOp = defineOp<{ x: Tensor }, { shape: Shape }>({
  name: "broadcastTo",
  float16: true,
  shape: (_, { shape }) => shape,
  cpu: ({ x }, _, y) => copyOnCpu(x, y, repeating(x.shape, y.shape)),
  gpu: (device, { x }, _, y) => copyOnGpu(device, x, y, repeating(x.shape, y.shape)),
  backward: (dy, { x }) => ({ x: () => sumTo(dy, x.shape) }),
});

function repeating(from: Shape, to: Shape) {
  return { sizes: to, xStrides: broadcastStrides(from, to), yStrides: stridesOf(to) };
}

/**
 * x repeated to `shape` by NumPy's rule: aligned at the last axis, sizes must be equal or x's 1. Returns x
 * itself if the shapes are equal. Operations on two tensors broadcast by themselves, without this copy.
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkArguments("broadcastTo", { x: [x, aTensor] });
  checkShape("broadcastTo", shape);
  if (sameShape(x.shape, shape)) return x;
  checkBroadcast("broadcastTo", x.shape, shape);
  return broadcastOp({ x }, { shape });
}

function checkBroadcast(op: string, small: Shape, large: Shape): void {
  const missing = large.length - small.length;
  if (missing < 0 || !small.every((size, axis) => size === 1 || size === large[axis + missing])) {
    throw new ShapeError(
      `${op}: a tensor of shape ${formatShape(small)} cannot be repeated to ${formatShape(large)}. ` +
        `Aligned at the last axis, every size must be the same or 1.`,
    );
  }
}
