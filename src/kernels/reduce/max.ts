import type { Tensor } from "../../tensor/tensor.ts";
import { div, equal, mul } from "../elementwise/binary.ts";
import { type Axes, defineReduction, type ReduceOptions, resultOf } from "./reduction.ts";
import { sum } from "./sum.ts";

const maxOp = defineReduction("max", {
  combine: Math.max,
  neutral: Number.NEGATIVE_INFINITY,
  // WGSL has no way to write infinity; and its max may lose a NaN, which is neither above nor below the other
  // number.
  wgsl: { start: "v", combine: "select(select(a + b, b, a <= b), a, a > b)" },
  backward(dy, x, y, { axes }) {
    const winners = equal(x, y);
    return mul(winners, div(dy, sum(winners, axes, { keepdim: true })));
  },
});

/**
 * The largest element along `axes` (default: of all), as torch.amax: where several are equal, the gradient is
 * split evenly among them.
 */
export function max(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return maxOp(x, { ...resultOf("max", x, axes, options), scale: 1 });
}
