import { CpuDevice } from "../device/cpu-device.ts";
import { onDevice } from "../device/open.ts";
import {
  ArgumentError,
  aFunction,
  checkArguments,
  checkOptions,
  listOf,
  type Wanted,
} from "../options/arguments.ts";
import { positive } from "../options/kinds.ts";
import { tensor } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { backward } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type CheckInput, type CheckResult, fill, namedResults, normalValues } from "./values.ts";
import { weightedLossOf } from "./weighted-loss.ts";

export interface GradcheckOptions {
  /** h below. Default 1e-5. */
  readonly step?: number;
  /** How far a gradient may be off, relative to its size; for those below 1, absolute. Default 1e-6. */
  readonly tolerance?: number;
}

/**
 * Compares the gradient rules of `f` with central differences, in float64 on the CPU references:
 * df/dx ≈ (f(x + h) - f(x - h)) / 2h for every element of every input.
 *
 *     gradcheck((x, w) => conv2d(x, w), [[1, 2, 4, 4], [3, 2, 3, 3]]);
 *
 * Inputs are shapes, values, or tensors on a float64 device. Keep them small, and away from kinks (relu at
 * 0), where there is no derivative. `f` may return a tensor of any shape, or several: all are weighted with
 * fixed random numbers and summed, so that an error in any element shows. What it returns without a gradient,
 * such as positions, is left out. It needs no GPU, and `f` no device: new tensors are float64 meanwhile.
 *
 * @throws Error that names the input and the element, if a gradient is off.
 */
export function gradcheck(
  f: (...inputs: Tensor[]) => CheckResult,
  inputs: readonly (Tensor | CheckInput)[],
  options: GradcheckOptions = {},
): void {
  checkArguments("gradcheck", { "the first argument": [f, aFunction], inputs: [inputs, listOf(input)] });
  checkOptions("gradcheck", options, { step: positive, tolerance: positive });
  const { step = 1e-5, tolerance = 1e-6 } = options;
  if (inputs.length === 0) throw new ArgumentError("gradcheck", "there is no input to differentiate by.");
  const device = inputs.find((input) => input instanceof Tensor)?.device ?? new CpuDevice("float64");
  onDevice(device, () => {
    using _ = scope();
    const tensors = tensorsOf(inputs);
    const normal = normalValues(7);
    const weights = new Map<string, Float64Array>();
    const differentiable = () =>
      [...namedResults("gradcheck", f(...tensors))].filter(([, y]) => y.node || y.requiresGrad);
    const results = differentiable();
    for (const [name, { size }] of results) weights.set(name, normal(size));
    if (weights.size === 0) throw new Error("gradcheck: no result of the function depends on its inputs.");

    /** What the gradients are of. */
    const weighted = () => {
      using _ = scope();
      let sum = 0;
      for (const [name, y] of differentiable()) {
        const values = y.cpuStorage.array;
        for (const [i, weight] of weights.get(name)!.entries()) sum += weight * values[i];
      }
      return sum;
    };

    const ys = results.map(([, y]) => y);
    const gradients = backward(weightedLossOf(ys, [...weights.values()]), tensors);
    for (const [which, x] of tensors.entries()) {
      const values = x.cpuStorage.array;
      const gradient = gradients.get(x)!.cpuStorage.array;
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        values[i] = value + step;
        const above = weighted();
        values[i] = value - step;
        const below = weighted();
        values[i] = value;
        const want = (above - below) / (2 * step);
        // `!(… <= …)` also catches NaN.
        if (!(Math.abs(gradient[i] - want) <= tolerance * Math.max(1, Math.abs(want)))) {
          throw new Error(
            `gradcheck: gradient of input ${which}, element ${i}: the rule gives ${gradient[i]}, differences ` +
              `give ${want}`,
          );
        }
      }
    }
  });
}

const input: Wanted<Tensor | CheckInput> = {
  wants: "a shape, { shape, values }, or a tensor of the float64 device",
  fits: (value): value is Tensor | CheckInput => typeof value === "object" && value !== null,
};

/** All inputs as tensors of the default device, which is one in float64. */
function tensorsOf(inputs: readonly (Tensor | CheckInput)[]): Tensor[] {
  const normal = normalValues(11);
  return inputs.map((input) => {
    let x: Tensor;
    if (input instanceof Tensor) {
      x = input;
    } else {
      const [{ shape, values }] = fill("gradcheck", [input], normal);
      x = tensor(values, shape);
    }
    if (!(x.cpuStorage.array instanceof Float64Array)) {
      throw new ArgumentError(
        "gradcheck",
        "wants shapes, values, or tensors of a float64 device, " +
          'openDevice({ adapter: "cpu", precision: "float64" }). In float32, differences are too coarse.',
      );
    }
    x.requiresGrad = true;
    return x;
  });
}
