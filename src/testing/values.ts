/** What the checks put into a function, and what comes out of it. */

import { ArgumentError, isObject } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { Random } from "../tensor/random.ts";
import { checkShape, numel, type Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** A shape, to be filled with normally distributed numbers, or values of one's own. */
export type CheckInput = Shape | { readonly shape: Shape; readonly values: ArrayLike<number> };

/** A function's result: a tensor, or several in a list or by name. */
export type CheckResult = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Normally distributed numbers, the same at every call with this seed. */
export function normalValues(seed: number): (length: number) => Float64Array {
  const random = new Random(seed);
  return (length) => Float64Array.from({ length }, () => random.normal());
}

/** The inputs with their values, and the source of random numbers for more. */
export function fill(
  caller: string,
  inputs: readonly CheckInput[],
  normal: (length: number) => Float64Array,
): { shape: Shape; values: ArrayLike<number> }[] {
  return inputs.map((input) => {
    const { shape, values } = isObject(input) ? input : { shape: input as Shape, values: undefined };
    checkShape(caller, shape);
    return { shape, values: values ?? normal(numel(shape)) };
  });
}

/** The tensors of a result, by name. */
export function namedResults(caller: string, result: CheckResult): Map<string, Tensor> {
  const entries = result instanceof Tensor ? { result } : { ...result };
  const named = new Map(
    Object.entries<Tensor>(entries).map(([key, tensor]) => [/^\d/.test(key) ? `result ${key}` : key, tensor]),
  );
  if (named.size === 0 || ![...named.values()].every((tensor) => tensor instanceof Tensor)) {
    throw new ArgumentError(
      caller,
      `the function must return a tensor, a list of them, or tensors by name, got ${quote(result)}.`,
    );
  }
  return named;
}
