import { expect } from "vitest";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";

/**
 * Compares the gradient rules of `f` with central differences, in float64 on the CPU references:
 * df/dx ≈ (f(x + h) - f(x - h)) / 2h for every element of every input.
 *
 * `f` may return a tensor of any shape: it is weighted with fixed random numbers and summed, so that an error
 * in any output element shows. Keep inputs small, and away from kinks (relu at 0), where there is no
 * derivative.
 */
export function gradcheck(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor[],
  { step = 1e-5, tolerance = 1e-6 } = {},
): void {
  using _ = scope();
  for (const input of inputs) {
    if (!(input.cpuStorage.array instanceof Float64Array))
      throw new Error("gradcheck wants tensors of the float64 device.");
    input.requiresGrad = true;
  }
  const y = f(...inputs);
  const random = new Random(7);
  const weights = Float64Array.from({ length: y.size }, () => random.normal());
  const weighted = () => {
    using _ = scope();
    const values = f(...inputs).cpuStorage.array;
    return weights.reduce((sum, weight, i) => sum + weight * values[i], 0);
  };

  const gradients = backward(weightedLoss(y, weights), inputs);

  for (const [which, input] of inputs.entries()) {
    const values = input.cpuStorage.array;
    const gradient = gradients.get(input)!.cpuStorage.array;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      values[i] = value + step;
      const above = weighted();
      values[i] = value - step;
      const below = weighted();
      values[i] = value;
      const want = (above - below) / (2 * step);
      const error = Math.abs(gradient[i] - want);
      if (!(error <= tolerance * Math.max(1, Math.abs(want)))) {
        expect.fail(
          `gradient of input ${which}, element ${i}: the rule gives ${gradient[i]}, differences give ${want}`,
        );
      }
    }
  }
  expect(inputs.length).toBeGreaterThan(0);
}

/** A loss whose gradient with respect to y is exactly `weights`. Its value is not computed. */
export function weightedLoss(y: Tensor, weights: ArrayLike<number>): Tensor {
  const loss = Tensor.empty([], y.device);
  loss.node = {
    name: "weighted sum",
    inputs: [{ name: "y", tensor: y, version: y.storage.version }],
    version: loss.storage.version,
    backward: () => ({
      y: () => {
        const dy = Tensor.empty(y.shape, y.device);
        dy.device.write(dy.storage, weights);
        return dy;
      },
    }),
  };
  return loss;
}
