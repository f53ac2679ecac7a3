import { Tensor } from "../tensor/tensor.ts";

/** Values outside any device, as files hold them. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A part of a network; `children` may be tensors (parameters) or other modules. */
type Member = Tensor | Module;

/**
 * A part of a network, as in PyTorch: it holds parameters and other modules as properties, and `forward` says
 * what it computes. Create modules outside scopes: a scope would dispose their parameters when it ends.
 */
export abstract class Module {
  abstract forward(x: Tensor): Tensor;

  /** Tensors and modules held directly, by name: the properties, lists of modules counted from 0. */
  protected *members(): Iterable<[string, Member]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Tensor || value instanceof Module) yield [name, value];
      else if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) {
          if (item instanceof Module) yield [`${name}.${i}`, item];
        }
      }
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
   * Overwrites all tensors' values. Throws, without changing anything, unless `state` has exactly this module's
   * names and shapes; the message lists what differs. `source` is what it calls the state, such as a file's path.
   */
  loadStateDict(state: ReadonlyMap<string, NamedArray>, source = "the given state"): void {
    const own = this.namedTensors();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const misshapen = [...own].filter(
      ([name, { shape }]) => state.has(name) && state.get(name)!.shape.join() !== shape.join(),
    );
    if (missing.length + unexpected.length + misshapen.length > 0) {
      const shapes = misshapen.map(
        ([name, { shape }]) => `${name} is [${state.get(name)!.shape}] and should be [${shape}]`,
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
    for (const [name, tensor] of own) tensor.assign(state.get(name)!.data);
  }

  /** Frees all tensors of this module. */
  dispose(): void {
    for (const tensor of this.namedTensors().values()) tensor.dispose();
  }
}

function some(names: string[]): string {
  return names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
}
