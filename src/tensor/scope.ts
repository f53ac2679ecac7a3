// Browsers without explicit resource management (Safari) lack the symbol; `using` needs only that it exists.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

/** What scopes dispose: tensors. */
interface Tracked {
  dispose(): void;
}

/**
 * A span of the program after which the tensors made in it are disposed, also when it ends by an error:
 *
 *     for (…) {
 *       using step = scope();
 *       const loss = l1Loss(model.forward(low), high);
 *       adam.step(backward(loss));
 *     } // everything made in this round is gone here, except what was kept
 *
 * Scopes nest like blocks. They may stay open across `await`, provided that only one chain of async calls
 * makes tensors at a time: background loaders should deal in typed arrays.
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
    // Scopes opened inside and never ended (an early exit without `using`) end with it.
    for (const scope of open.splice(at)) {
      for (const tensor of scope.tensors) tensor.dispose();
    }
  }
}

/** Scopes that have not ended, the innermost last. */
const open: Scope[] = [];

const owner = new WeakMap<Tracked, Scope>();

/** Opens a scope; declare it with `using`. */
export function scope(): Scope {
  const opened = new Scope();
  open.push(opened);
  return opened;
}

/** Moves a tensor from its scope to the one around that (or out of all scopes): one level at each call. */
export function keep<T extends Tracked>(tensor: T): T {
  const from = owner.get(tensor);
  const at = from ? open.indexOf(from) : -1;
  if (from && at >= 0) {
    from.tensors.delete(tensor);
    const outer = open[at - 1];
    if (outer) {
      outer.tensors.add(tensor);
      owner.set(tensor, outer);
    } else {
      owner.delete(tensor);
    }
  }
  return tensor;
}

/** Called by every new tensor. */
export function track(tensor: Tracked): void {
  const scope = open.at(-1);
  if (!scope) return;
  scope.tensors.add(tensor);
  owner.set(tensor, scope);
}

/** Called by every disposed tensor. */
export function forget(tensor: Tracked): void {
  owner.get(tensor)?.tensors.delete(tensor);
}
