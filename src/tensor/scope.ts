import { aFunction, checkArguments, isObject, type Wanted } from "../options/arguments.ts";

// Browsers without explicit resource management (Safari) lack the symbol, which is all that `using` needs.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

/** What scopes dispose: tensors. */
interface Tracked {
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

/** Opens a scope; declare it with `using`. */
export function scope(): Scope {
  const opened = new Scope();
  open.push(opened);
  return opened;
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
 * such as a network. It must not be async.
 */
export function outsideScopes<T>(body: () => T): T {
  checkArguments("outsideScopes", { "the first argument": [body, aFunction] });
  const others = open.splice(0);
  try {
    return body();
  } finally {
    open.unshift(...others);
  }
}

/** Every new tensor calls this. */
export function track(tensor: Tracked): void {
  open.at(-1)?.tensors.add(tensor);
}

/** Every disposed tensor calls this. */
export function forget(tensor: Tracked): void {
  for (const { tensors } of open) tensors.delete(tensor);
}
