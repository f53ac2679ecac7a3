import { ArgumentError, checkOptions, trueOrFalse } from "../../options/arguments.ts";
import { atLeastZero } from "../../options/kinds.ts";
import { disposeUnderNoGrad } from "../../tensor/no-grad.ts";
import { refuseFloat16 } from "../../tensor/op.ts";
import { type Axes, numel } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { eq, sub } from "../elementwise/binary.ts";
import { affine, sqrt, square } from "../elementwise/unary.ts";
import { where } from "../elementwise/where.ts";
import { type ReduceOptions, resultOf } from "./reduction.ts";
import { mean, sum } from "./sum.ts";

export interface VarianceOptions extends ReduceOptions {
  /** The sum of squares is divided by the number of elements less this: 0 for a whole population. Default 1. */
  readonly correction?: number;
}

/**
 * The variance over `axes` (default: all), as torch.var: the sum of squared distances from the mean, divided by the
 * number of elements less `correction` (default 1). Throws if nothing is left to divide by.
 */
export function variance(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  return varianceOf("variance", x, axes, options);
}

/**
 * The standard deviation over `axes` (default: all), as torch.std: the root of `variance`. Where that is 0, so is the
 * gradient, as in PyTorch.
 */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  const squares = varianceOf("std", x, axes, options);
  // The root's slope at 0 is infinite; and infinity times 0, the gradient of a variance of 0, is NaN.
  const flat = eq(squares, 0);
  const ones = where(flat, 1, squares);
  const roots = sqrt(ones);
  const result = where(flat, 0, roots);
  for (const intermediate of [squares, flat, ones, roots]) disposeUnderNoGrad(intermediate);
  return result;
}

function varianceOf(name: string, x: Tensor, axes: Axes | undefined, options: VarianceOptions): Tensor {
  checkOptions(name, options, { keepdim: trueOrFalse, correction: atLeastZero });
  const { correction = 1, ...rest } = options;
  const result = resultOf(name, x, axes, rest);
  refuseFloat16(name, { x });
  const count = x.size / numel(result.shape);
  if (!(count > correction)) {
    throw new ArgumentError(
      name,
      `of ${count} ${count === 1 ? "element" : "elements"} nothing is left to divide by with a ` +
        `correction of ${correction}. Take more elements, or { correction: 0 }.`,
    );
  }
  const { deviations, squares } = deviationsOf(x, result.axes);
  const total = sum(squares, result.axes, rest);
  const variance = affine(total, { a: 1 / (count - correction) });
  for (const intermediate of [deviations, squares, total]) disposeUnderNoGrad(intermediate);
  return variance;
}

/**
 * x less its mean over the axes, and the squares of that. A variance takes both passes: the mean of squares less the
 * square of the mean would lose all digits of a small one.
 */
export function deviationsOf(x: Tensor, axes: Axes): { deviations: Tensor; squares: Tensor } {
  const average = mean(x, axes, { keepdim: true });
  const deviations = sub(x, average);
  disposeUnderNoGrad(average);
  return { deviations, squares: square(deviations) };
}
