import type { Tensor } from "../../tensor/tensor.ts";
import { div, equal, mul } from "../elementwise/binary.ts";
import { type Axes, defineReduction, type ReduceOptions, resultOf } from "./reduction.ts";
import { sum } from "./sum.ts";

const maxOp = defineReduction("max", {
  combine: Math.max,
  neutral: Number.NEGATIVE_INFINITY,
  // WGSL cannot write infinity, so `start` is an element. And its max may lose a NaN.
  wgsl: { start: "v", combine: "keep_nan(a, keep_nan(b, max(a, b)))" },
  backward(dy, x, y, { axes }) {
    const winners = equal(x, y);
    return mul(winners, div(dy, sum(winners, axes, { keepdim: true })));
  },
});

/**
 * The largest element along `axes` (default: of all), as torch.amax. Equal maxima share the gradient evenly.
 */
export function max(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return maxOp({ x }, { ...resultOf("max", x, axes, options), scale: 1 });
}
