import { Tensor } from "../tensor/tensor.ts";

/** Values outside any device, as files hold them. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a module is made of: tensors (parameters) and other modules. */
type Member = Tensor | Module;

/** What a state and a module do not have in common; all three lists hold names of tensors. */
export interface StateDifference {
  /** The module has them, the state lacks them. */
  readonly missing: string[];
  /** The state has them, the module lacks them. */
  readonly unexpected: string[];
  /** Both have them, in different shapes. */
  readonly misshapen: string[];
}

/**
 * A part of a network, as in PyTorch: it holds parameters and other modules as properties, and `forward` says
 * what it computes. Create modules outside scopes: a scope would dispose their parameters when it ends.
 *
 * Properties and arrays of tensors and modules are found. A Map, a Set or a plain object that holds some is
 * refused as soon as anybody asks for the parameters. Private fields (`#conv`) and variables outside the
 * class cannot be seen from here: what is kept there is neither trained nor saved nor disposed, and nothing
 * can say so. TypeScript's `private` is fine.
 */
export abstract class Module {
  abstract forward(x: Tensor): Tensor;

  /** Tensors and modules held directly, by name: the properties; items of arrays are counted from 0. */
  protected *members(): Iterable<[string, Member]> {
    for (const [name, value] of Object.entries(this)) yield* this.#membersIn(name, value);
  }

  *#membersIn(name: string, value: unknown): Iterable<[string, Member]> {
    if (isMember(value)) yield [name, value];
    else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) yield* this.#membersIn(`${name}.${i}`, item);
    } else if (holdsMember(value)) {
      throw new Error(
        `${this.constructor.name}: the ${value.constructor?.name ?? "object"} in "${name}" holds tensors or modules, which ` +
          `would be neither trained nor saved there. Keep them in properties of the module or in arrays.`,
      );
    }
  }

  /** Every tensor of this module and its parts by its dotted name, such as `body.0.weight`. */
  namedTensors(): Map<string, Tensor> {
    const found = new Map<string, Tensor>();
    for (const [name, member] of this.members()) {
      if (member instanceof Tensor) found.set(name, member);
      else for (const [inner, tensor] of member.namedTensors()) found.set(`${name}.${inner}`, tensor);
    }
    return found;
  }

  /** The tensors that are trained: those with `requiresGrad`, each once, also if several modules share it. */
  parameters(): Tensor[] {
    return [...new Set(this.namedTensors().values())].filter((tensor) => tensor.requiresGrad);
  }

  /** How many numbers are trained. */
  parameterCount(): number {
    return this.parameters().reduce((sum, { size }) => sum + size, 0);
  }

  /** A copy of all tensors' values, by name. */
  async stateDict(): Promise<Map<string, NamedArray>> {
    const state = new Map<string, NamedArray>();
    for (const [name, tensor] of this.namedTensors())
      state.set(name, { shape: tensor.shape, data: await tensor.data() });
    return state;
  }

  /**
   * Overwrites the tensors' values with those of `state`. Throws, without changing anything, unless `state`
   * has exactly this module's names and shapes; the message lists what differs, and calls the state `source`
   * (a file's path).
   *
   * With `strict: false` every tensor is taken over whose name and shape fit, all others keep their values,
   * and the result says which. (PyTorch's throws for a shape that differs even then.)
   */
  loadStateDict(
    state: ReadonlyMap<string, NamedArray>,
    { strict = true, source = "the given state" }: { strict?: boolean; source?: string } = {},
  ): StateDifference {
    const own = this.namedTensors();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const fits = (name: string) => state.get(name)?.shape.join() === own.get(name)!.shape.join();
    const misshapen = [...own.keys()].filter((name) => state.has(name) && !fits(name));
    if (strict && missing.length + unexpected.length + misshapen.length > 0) {
      const shapes = misshapen.map(
        (name) => `${name} is [${state.get(name)!.shape}] and should be [${own.get(name)!.shape}]`,
      );
      throw new Error(
        `loadStateDict: ${source} does not fit this ${this.constructor.name}: ` +
          [
            missing.length > 0 ? `it lacks ${some(missing)}` : "",
            unexpected.length > 0 ? `it has ${some(unexpected)}, which this network lacks` : "",
            shapes.length > 0 ? some(shapes) : "",
          ]
            .filter(Boolean)
            .join("; ") +
          `. It was saved from another architecture: create the network with the options it was trained with.`,
      );
    }
    for (const [name, tensor] of own) if (fits(name)) tensor.assign(state.get(name)!.data);
    return { missing, unexpected, misshapen };
  }

  /** Frees all tensors of this module. */
  dispose(): void {
    for (const tensor of this.namedTensors().values()) tensor.dispose();
  }
}

function isMember(value: unknown): value is Member {
  return value instanceof Tensor || value instanceof Module;
}

/** Is there a tensor or a module somewhere in a Map, a Set, an array or a plain object? */
function holdsMember(value: unknown, seen = new Set<unknown>()): value is object {
  if (typeof value !== "object" || value === null || seen.has(value)) return false;
  seen.add(value);
  const isPlain = [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value));
  const items =
    value instanceof Map || value instanceof Set ? [...value] : isPlain ? Object.values(value) : [];
  return items.some((item) => isMember(item) || holdsMember(item, seen));
}

function some(names: string[]): string {
  return names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
}
