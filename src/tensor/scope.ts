import {
  aFunction,
  checkArguments,
  isObject,
  isPlain,
  optional,
  refusePromise,
  type Wanted,
} from "../options/arguments.ts";

// Browsers without explicit resource management (Safari) lack the symbol, which is all that `using` needs.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

/** What scopes dispose: tensors. */
export interface Tracked {
  dispose(): void;
}

/**
 * A part of the program. At its end, even after an error, the tensors made in it are disposed:
 *
 *     for (…) {
 *       using step = scope();
 *       const loss = l1Loss(model.forward(low), high);
 *       adam.step(backward(loss));
 *     } // here all tensors of this round are disposed, except those that keep() moved out
 *
 * Scopes nest like blocks. They may stay open across `await`, as long as only one chain of async calls makes
 * tensors at a time: background loaders should use typed arrays. So functions of a library, which other work
 * may surround, end their scopes before they await anything, and make what lasts longer `outsideScopes`.
 */
export class Scope {
  readonly tensors = new Set<Tracked>();

  [Symbol.dispose](): void {
    this.end();
  }

  /** Ends the scope, for code without `using`. */
  end(): void {
    const at = open.lastIndexOf(this);
    if (at < 0) return;
    // Inner scopes that are still open (an early exit without `using`) end with it.
    for (const scope of open.splice(at)) {
      for (const tensor of scope.tensors) tensor.dispose();
    }
  }
}

/** Scopes that have not ended, the innermost last. */
const open: Scope[] = [];

/**
 * Opens a scope: declare it with `using`, or end() it. Or runs a function in a scope of its own and returns
 * what it returns; the tensors in that are moved out, as by `keep`, also from lists, Maps and plain objects:
 *
 *     const loss = scope(() => {
 *       const loss = l1Loss(model.forward(low), high);
 *       adam.step(backward(loss));
 *       return loss;
 *     });
 *
 * If the function is async, the scope lasts until its promise settles.
 */
export function scope(): Scope;
export function scope<T>(body: () => T): T;
export function scope<T>(body?: () => T): Scope | T {
  checkArguments("scope", { "the first argument": [body, optional(aFunction)] });
  const opened = new Scope();
  open.push(opened);
  if (body === undefined) return opened;
  let result: T | undefined;
  try {
    result = body();
    if (!(result instanceof Promise)) keepAll(result, opened);
  } finally {
    if (!(result instanceof Promise)) opened.end();
  }
  if (!(result instanceof Promise)) return result;
  const kept = result.then((value) => {
    keepAll(value, opened);
    return value;
  });
  return kept.finally(() => opened.end()) as T;
}

/** Moves all tensors of a scope that are in a value, or in objects and arrays within it, out of the scope. */
function keepAll(value: unknown, from: Scope, seen = new Set<unknown>()): void {
  if (seen.has(value)) return;
  seen.add(value);
  if (from.tensors.has(value as Tracked)) keep(value as Tracked);
  else if (Array.isArray(value)) for (const item of value) keepAll(item, from, seen);
  else if (value instanceof Map) for (const item of value.values()) keepAll(item, from, seen);
  else if (isPlain(value)) for (const item of Object.values(value)) keepAll(item, from, seen);
}

const disposable: Wanted<Tracked> = {
  wants: "a tensor",
  fits: (value): value is Tracked => isObject(value) && typeof value.dispose === "function",
};

/** Moves a tensor to the scope around its own, one level at each call; from the outermost, out of all. */
export function keep<T extends Tracked>(tensor: T): T {
  checkArguments("keep", { "the first argument": [tensor, disposable] });
  const at = open.findIndex(({ tensors }) => tensors.delete(tensor));
  open[at - 1]?.tensors.add(tensor);
  return tensor;
}

/**
 * Runs a function whose new tensors belong to no scope, whoever has one open. For what outlives its caller,
 * such as a network. It must not be async: after its first `await`, the scopes would be open again.
 *
 * @throws RangeError if it returns a promise
 */
export function outsideScopes<T>(body: () => T): T {
  checkArguments("outsideScopes", { "the first argument": [body, aFunction] });
  const others = open.splice(0);
  onPurpose++;
  let result: T;
  try {
    result = body();
  } finally {
    onPurpose--;
    open.unshift(...others);
  }
  refusePromise(
    "outsideScopes",
    result,
    "if it is async, what it makes after an await belongs to a scope again. Await first, and make the tensors in a " +
      "function that is not async.",
  );
  return result;
}

/** How many calls of `outsideScopes` are running. */
let onPurpose = 0;

/** Results of operations outside all scopes, and how many of them have not been disposed. */
const loose = new WeakSet<Tracked>();
let looseCount = 0;
let warned = false;

/** So many of them look like a loop that fills the device's memory. */
const MANY = 500;

/**
 * Operations call this for their results where memory is outside JavaScript's heap. Says once that many of
 * them have piled up. Parameters, which nobody wants to be disposed, are no results of operations.
 */
export function countLoose(result: Tracked): void {
  if (open.length > 0 || onPurpose > 0 || warned) return;
  loose.add(result);
  looseCount++;
  if (looseCount < MANY) return;
  warned = true;
  console.warn(
    `pixelgrad: ${MANY} results of operations are in the device's memory and belong to no scope, so nothing frees ` +
      "them: JavaScript's garbage collector does not look there. Open a scope around each step or picture, " +
      "using _ = scope(); or put the work into scope(() => { … }). This is said once.",
  );
}

/** Every new tensor calls this. */
export function track(tensor: Tracked): void {
  open.at(-1)?.tensors.add(tensor);
}

/** Every disposed tensor calls this. */
export function forget(tensor: Tracked): void {
  if (loose.delete(tensor)) looseCount--;
  for (const { tensors } of open) tensors.delete(tensor);
}
