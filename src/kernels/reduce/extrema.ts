import type { Axes } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { div, eq, mul } from "../elementwise/binary.ts";
import { defineReduction, type ReduceOptions, type ReductionRule, resultOf } from "./reduction.ts";
import { sum } from "./sum.ts";

/** Equal extrema share the gradient evenly. */
const backward: ReductionRule["backward"] = (dy, x, y, { axes }) => {
  const winners = eq(x, y);
  return mul(winners, div(dy, sum(winners, axes, { keepdim: true })));
};

// WGSL cannot write infinity, so `start` is an element. And its max and min may lose a NaN.
const maxOp = defineReduction("max", {
  combine: Math.max,
  neutral: Number.NEGATIVE_INFINITY,
  wgsl: { start: "v", combine: "keep_nan(a, keep_nan(b, max(a, b)))" },
  backward,
});
const minOp = defineReduction("min", {
  combine: Math.min,
  neutral: Number.POSITIVE_INFINITY,
  wgsl: { start: "v", combine: "keep_nan(a, keep_nan(b, min(a, b)))" },
  backward,
});

/**
 * The largest element along `axes` (default: of all), as torch.amax. Equal maxima share the gradient evenly.
 */
export function max(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return maxOp({ x }, { ...resultOf("max", x, axes, options), scale: 1 });
}

/**
 * The smallest element along `axes` (default: of all), as torch.amin. Equal minima share the gradient evenly.
 */
export function min(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return minOp({ x }, { ...resultOf("min", x, axes, options), scale: 1 });
}
