/** Whether operations leave notes for backward. */
import { aFunction, checkArguments, optional } from "../options/arguments.ts";
import { isNotedConstant } from "./record-ops.ts";
import { aTensor, type Tensor } from "./tensor.ts";

/** Does an operation on these inputs leave a note for backward? */
export function willTape(inputs: readonly (Tensor | undefined)[]): boolean {
  return noGrads === 0 && inputs.some((input) => input && wantsGradient(input));
}

/** Is the tensor a parameter, or computed from one? */
export function wantsGradient({ requiresGrad, node }: Tensor): boolean {
  return requiresGrad || node !== undefined;
}

/** How many noGrad() calls are in effect. */
let noGrads = 0;

/** Says why nothing leaves a note at this moment, in a sentence for messages; empty if notes are left. */
export function whyNoGradients(): string {
  if (noGrads === 0) return "";
  return (
    " At this moment noGrad() is in effect: if it was called alone, as in Python, it never ends. Write using _ = " +
    "noGrad(), which ends with its block, or noGrad(() => …)."
  );
}

/**
 * Stops operations from leaving notes for backward, which saves memory where no gradient is needed. Either
 * until the end of a block (a mere `noGrad();` without `using` never ends),
 *
 *     using _ = noGrad();
 *
 * or while a function runs, whose result it returns: `const y = noGrad(() => model.forward(x))`. If the
 * function is async, it lasts until the promise settles, for all operations in the program.
 */
export function noGrad(): Disposable;
export function noGrad<T>(body: () => T): T;
export function noGrad<T>(body?: () => T): Disposable | T {
  checkArguments("noGrad", { "the first argument": [body, optional(aFunction)] });
  let ended = false;
  const end = () => {
    if (!ended) noGrads--;
    ended = true;
  };
  noGrads++;
  if (body === undefined) return { [Symbol.dispose]: end };
  let result: T | undefined;
  try {
    result = body();
  } finally {
    if (result instanceof Promise) result.then(end, end);
    else end();
  }
  return result;
}

/**
 * Under noGrad(), disposes an intermediate result that only a gradient would read again, so that a deep
 * network has a few feature maps in memory instead of all. Otherwise leaves it to its scope.
 */
export function disposeUnderNoGrad(intermediate: Tensor): void {
  checkArguments("disposeUnderNoGrad", { "the first argument": [intermediate, aTensor] });
  if (noGrads > 0 && !isNotedConstant(intermediate)) intermediate.dispose();
}
