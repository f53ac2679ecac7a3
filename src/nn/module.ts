import type { Device } from "../device/device.ts";
import { aDevice } from "../device/open.ts";
import { cast } from "../kernels/cast/index.ts";
import {
  aFunction,
  checkArguments,
  checkOptions,
  instanceOf,
  isObject,
  isPlain,
  refusePromise,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { isOfClass } from "../options/classes.ts";
import { explainMethods } from "../options/foreign-names.ts";
import { quote, text } from "../options/kinds.ts";
import { firstOf } from "../options/lists.ts";
import { excerpt, inspectHook } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { noGrad } from "../tensor/no-grad.ts";
import { outsideScopes } from "../tensor/scope.ts";
import { formatShape, numel } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { moduleSentences } from "./pytorch-names.ts";
import { drawTree, type Tree } from "./tree.ts";

/** Values outside any device, as files hold them. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function isNamedArray(value: unknown): value is NamedArray {
  const { shape, data } = (value ?? {}) as Partial<NamedArray>;
  return (
    Array.isArray(shape) && isOfClass<Float32Array>(data, "Float32Array") && data.length === numel(shape)
  );
}

const aState: Wanted<ReadonlyMap<string, NamedArray>> = {
  wants: "a Map from names to { shape, data }, such as stateDict() returns",
  fits: (value): value is ReadonlyMap<string, NamedArray> =>
    value instanceof Map && [...value.values()].every(isNamedArray),
};

/** What a module is made of: tensors (parameters) and other modules. */
type Member = Tensor | Module;

/** How a state and a module differ, as names of tensors. */
export interface StateDifference {
  /** Tensors of the module that the state lacks. */
  readonly missing: string[];
  /** Tensors of the state that the module lacks. */
  readonly unexpected: string[];
  /** Tensors of both, with different shapes. */
  readonly misshapen: string[];
}

/**
 * A network or a part of one, as in PyTorch: its properties are parameters and other modules, and `forward`
 * is what it computes. Create modules outside scopes: a scope would dispose their parameters when it ends.
 *
 * Tensors and modules belong to it if they are its properties, or in arrays that are. In a Map, a Set, a plain
 * object or an object of a class that is no module they are an error as soon as the parameters are asked for, unless
 * they belong to it besides; and so is a module that it is itself a part of. Private fields (`#conv`) and variables
 * outside the class are invisible from here: tensors there are neither trained nor saved nor disposed, and all that
 * shows it is an optimizer's warning. TypeScript's `private` is fine.
 */
export abstract class Module {
  /** Is the module being trained? Dropout and batch normalization behave differently then; see `train()`. */
  training = true;

  /**
   * What it computes. A network of one's own may take several tensors and options, and return a list or an object of
   * them; a `Layer` takes and returns one tensor. Of a `Module` alone TypeScript does not know which, and checks
   * neither.
   */
  // biome-ignore lint/suspicious/noExplicitAny: `layer.forward(x)` of a Module[] compiles, with any inputs and result.
  abstract forward(...inputs: any[]): any;

  /** The module's own tensors and modules, by the property's name (in arrays followed by `.0`, `.1`, …). */
  *#members(): Iterable<[string, Member]> {
    const seen = new Set<unknown>();
    for (const [property, value] of Object.entries(this)) {
      for (const [name, member] of this.#membersIn(property, value, seen)) {
        yield [this.memberName(name), member];
      }
    }
  }

  /**
   * What a tensor or module is called whose property (in arrays followed by `.0`, `.1`, …) is called `name`: the
   * same, unless weight files have other names. Return names that you do not know as they are: subclasses may have
   * properties of their own.
   */
  protected memberName(name: string): string {
    return name;
  }

  /**
   * The module's own buffers (tensors without requiresGrad) that are infinite only after a training that has diverged,
   * such as running statistics: `loadStateDict` refuses such values. Those of other buffers, such as masks, load.
   */
  protected finiteBuffers(): readonly Tensor[] {
    return [];
  }

  *#membersIn(name: string, value: unknown, seen: Set<unknown>): Iterable<[string, Member]> {
    if (isMember(value)) yield [name, value];
    else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) {
        if (typeof item === "object") yield* this.#membersIn(`${name}.${i}`, item, seen);
      }
    } else if (hiddenMembers(value, seen).some((member) => !belongTogether(this, member))) {
      const kind = (value as object).constructor?.name ?? "object";
      throw new Error(
        `${this.constructor.name}: the ${kind} in "${name}" holds tensors ` +
          `or modules, which would be neither trained nor saved there. Keep them in properties of the ` +
          `module or in arrays. If they are no parts of it, keep the ${kind} in a private field (#name).`,
      );
    }
  }

  /** This module and all modules inside it. */
  #parts(): Set<Module> {
    const parts = new Set<Module>([this]);
    for (const part of parts) {
      for (const [, member] of part.#members()) if (member instanceof Module) parts.add(member);
    }
    return parts;
  }

  /**
   * Every tensor of this module and its parts, by its dotted name, such as `body.0.weight`.
   *
   * @throws Error if two tensors have the same name
   */
  namedTensors(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    const add = (name: string, tensor: Tensor) => {
      if ((tensors.get(name) ?? tensor) !== tensor) {
        throw new Error(
          `${this.constructor.name}: two tensors are called "${name}", so one would be neither trained nor saved. ` +
            "Rename a property, or let memberName return another name for one of them.",
        );
      }
      tensors.set(name, tensor);
    };
    within(modulesToName, this, () => {
      for (const [name, member] of this.#members()) {
        if (member instanceof Tensor) add(name, member);
        else for (const [inner, tensor] of member.namedTensors()) add(`${name}.${inner}`, tensor);
      }
    });
    return tensors;
  }

  /** The tensors that are trained: those with `requiresGrad`, each once even if several modules share it. */
  parameters(): Tensor[] {
    return [...new Set(this.namedTensors().values())].filter((tensor) => tensor.requiresGrad);
  }

  /** How many numbers are trained. */
  parameterCount(): number {
    return this.parameters().reduce((sum, { size }) => sum + size, 0);
  }

  /** Sets `training` for this module and all its parts: to true, as they are at first, or to `mode`. */
  train(mode = true): this {
    checkArguments(`${this.constructor.name}.train`, { mode: [mode, trueOrFalse] });
    within(modulesToTrain, this, () => {
      this.training = mode;
      for (const [, member] of this.#members()) if (member instanceof Module) member.train(mode);
    });
    return this;
  }

  /** Ends training mode: dropout lets everything through, batch normalization uses its running statistics. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Runs `body` in eval mode. Afterwards every part is in the mode in which it was. It must not be async: the mode
   * would end at its first `await`.
   *
   * @throws RangeError if it returns a promise
   */
  evaluating<T>(body: () => T): T {
    const caller = `${this.constructor.name}.evaluating`;
    checkArguments(caller, { "the first argument": [body, aFunction] });
    const modes = [...this.#parts()].map((part) => [part, part.training] as const);
    let result: T;
    try {
      this.eval();
      result = body();
    } finally {
      for (const [part, mode] of modes) part.training = mode;
    }
    refusePromise(
      caller,
      result,
      "if it is async, eval mode ended at its first await. Return the tensor, and await afterwards: const y = " +
        "model.evaluating(() => model.forward(x)).",
    );
    return result;
  }

  /**
   * A copy of all tensors' values, by name: parameters, and buffers such as running statistics. The values are those
   * at the time of the call, even if a step follows before the promise settles.
   */
  async stateDict(): Promise<Map<string, NamedArray>> {
    // All are read before anything is awaited.
    const entries = [...this.namedTensors()].map(async ([name, tensor]) => {
      return [name, { shape: tensor.shape, data: await tensor.data() }] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /**
   * Overwrites the tensors' values with those of `state`. Errors call the state `source` (a file's path).
   *
   * With `strict: false`, tensors whose name and shape fit get the state's values, and the others keep
   * theirs; the result lists those. (PyTorch's throws for a different shape even then.)
   *
   * @throws DataError, without changing anything, unless `state` has exactly this module's names and shapes;
   *   the message lists what differs. And if a value that would be loaded is NaN, for what a network makes of it may
   *   look like a picture; or infinite, unless it is of a tensor without requiresGrad: a buffer such as a mask, or a
   *   frozen parameter. (Of the running statistics of BatchNorm2d infinite values are refused, too.)
   */
  loadStateDict(
    state: ReadonlyMap<string, NamedArray>,
    options: { strict?: boolean; source?: string } = {},
  ): StateDifference {
    const name = "loadStateDict";
    checkArguments(name, { state: [state, aState] });
    checkOptions(name, options, { strict: trueOrFalse, source: text });
    const { strict = true, source = `${name}: the given state` } = options;
    const own = this.namedTensors();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const fits = (name: string) => state.get(name)?.shape.join() === own.get(name)!.shape.join();
    const misshapen = [...own.keys()].filter((name) => state.has(name) && !fits(name));
    const shapes = misshapen.map(
      (name) => `${name} is ${quote(state.get(name)!.shape)} and should be ${quote(own.get(name)!.shape)}`,
    );
    const differences = [
      missing.length > 0 && `it lacks ${firstOf(missing.map(excerpt), 4)}`,
      unexpected.length > 0 && `it has ${firstOf(unexpected.map(excerpt), 4)}, which this network lacks`,
      shapes.length > 0 && firstOf(shapes.map(excerpt), 4),
    ].filter(Boolean);
    if (strict && differences.length > 0) {
      throw new DataError(
        `${source} does not fit this ${this.constructor.name}: ${differences.join("; ")}. ` +
          `It was saved from another architecture: create the network with the options it was trained with.`,
      );
    }
    const fitting = [...own].filter(([name]) => fits(name));
    const finiteBuffers = new Set([...this.#parts()].flatMap((part) => part.finiteBuffers()));
    for (const [tensorName, tensor] of fitting) {
      const wantsFinite = tensor.requiresGrad || finiteBuffers.has(tensor);
      const isBroken = wantsFinite ? (value: number) => !Number.isFinite(value) : Number.isNaN;
      const broken = state.get(tensorName)!.data.find(isBroken);
      if (broken === undefined) continue;
      throw new DataError(
        `${source} holds ${broken} in the tensor ${tensorName}. The training that made it has diverged, or ` +
          `the file is damaged. Take weights from before that.`,
      );
    }
    for (const [name, tensor] of fitting) tensor.assign(state.get(name)!.data);
    return { missing, unexpected, misshapen };
  }

  /** What the network was built with, as strings. Weight files keep it. */
  metadata(): Record<string, string> {
    return {};
  }

  /**
   * Stores all tensors of this module as float16 from now on, in half the memory, and returns the module;
   * PyTorch's name. For inference alone: operations compute in f32 and store their results as float16, too, so
   * `forward` takes and makes float16 (see `cast`), under noGrad(). An optimizer refuses the parameters.
   * Float16 is refused by operations that take float32 alone, and layers made of them: linear and matmul, pooling,
   * softmax, dropout in training, where, reductions, normalizations and losses.
   *
   * @throws GpuError, without changing anything, if the device cannot store float16.
   */
  half(): this {
    using _ = noGrad();
    const tensors = new Set(this.namedTensors().values());
    for (const [tensor, halved] of [...tensors].map((tensor) => [tensor, cast(tensor, "float16")] as const)) {
      takeMemory(tensor, halved);
      halved.dispose();
    }
    return this;
  }

  /**
   * Moves all tensors of this module to another device, and resolves to the module; PyTorch's name. It is async, since
   * the values go through JavaScript's memory. The tensors stay the same objects. Upscalers of the module follow it;
   * make optimizers afterwards, for they keep to the device that it was on when they were made.
   *
   * @throws Error, without changing anything, if a value changes or an optimizer is made meanwhile: await the promise.
   *   GpuError if the device has no room, or cannot store float16.
   */
  async to(device: Device): Promise<this> {
    checkArguments(`${this.constructor.name}.to`, { device: [device, aDevice] });
    const tensors = [...new Set(this.namedTensors().values())].filter((tensor) => tensor.device !== device);
    // An optimizer that is made moves a storage into its own memory, so that it is a part of another whole.
    const before = tensors.map(({ storage }) => ({
      storage,
      version: storage.version,
      whole: storage.whole,
    }));
    const hasChanged = ({ storage }: Tensor, i: number) => {
      const { version, whole } = before[i];
      return storage !== before[i].storage || storage.version !== version || storage.whole !== whole;
    };
    const results = await Promise.allSettled(outsideScopes(() => tensors.map((tensor) => tensor.to(device))));
    const copies = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    try {
      const failed = results.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
      if (tensors.some(hasChanged)) {
        throw new Error(
          `${this.constructor.name}.to: a value has changed while the tensors were moved, or an optimizer was made. ` +
            "Await the promise before the next step.",
        );
      }
      for (const [i, copy] of copies.entries()) takeMemory(tensors[i], copy);
    } finally {
      for (const copy of copies) copy.dispose();
    }
    return this;
  }

  /** The modules inside it as a tree, with the shapes of their tensors and how many numbers are trained. */
  toString(): string {
    return drawTree(this.#tree());
  }

  /** What console.log prints in Node. */
  [inspectHook](): string {
    return this.toString();
  }

  #tree(): Tree {
    const parameters = this.parameterCount(); // which also sees that the tree has an end
    const tensors: string[] = [];
    const parts: [string, Tree][] = [];
    for (const [name, member] of this.#members()) {
      if (member instanceof Module) parts.push([name, member.#tree()]);
      else tensors.push(`${name} ${formatShape(member.shape)}${member.requiresGrad ? "" : ", not trained"}`);
    }
    return { kind: this.constructor.name || "Module", tensors, parameters, parts };
  }

  /** Disposes all tensors of this module. */
  dispose(): void {
    for (const tensor of this.namedTensors().values()) tensor.dispose();
  }
}

explainMethods(Module.prototype, "A module", moduleSentences);

/** A module from one tensor to one tensor, such as those of a Sequential. */
export type Layer = Module & { forward(x: Tensor): Tensor };

/** What functions that take a network want. */
export const aModule = instanceOf(Module, "a network or another module");

/** Puts a tensor's values where those of `copy` are, which is to be disposed. */
function takeMemory(tensor: Tensor, { storage, device }: Tensor): void {
  storage.refs++; // the tensor's, besides that of the copy
  tensor.replaceStorage(storage, device);
}

function isMember(value: unknown): value is Member {
  return value instanceof Tensor || value instanceof Module;
}

/**
 * The tensors and modules somewhere in a Map, a Set, an array or a plain object that is not in `seen`. Of an object of
 * a class only the layers and parameters right in it count, or among the first items of a container in it: a tokenizer
 * has a Map of all words, and a page or a server hangs together with everything.
 */
function hiddenMembers(value: unknown, seen: Set<unknown>): Member[] {
  if (!(isObject(value) || Array.isArray(value)) || seen.has(value)) return [];
  seen.add(value);
  if (isMember(value)) return [value];
  if (isContainer(value)) {
    const objects = itemsOf(value).filter((item) => typeof item === "object");
    return objects.flatMap((item) => hiddenMembers(item, seen));
  }
  const properties: PropertyDescriptor[] = Object.values(Object.getOwnPropertyDescriptors(value));
  return properties
    .map(({ value }) => value as unknown) // of a getter undefined: it may do anything, and is not called
    .flatMap((property) => (isContainer(property) ? itemsOf(property, 100) : [property]))
    .filter(isMember)
    .filter((member) => member instanceof Module || member.requiresGrad);
}

function isContainer(value: unknown): value is object {
  return value instanceof Map || value instanceof Set || Array.isArray(value) || isPlain(value);
}

/** The first `count` items of a container; those of a Map are its keys and values. */
function itemsOf(container: object, count = Infinity): unknown[] {
  const items = isPlain(container) ? Object.values(container) : (container as Iterable<unknown>);
  const first: unknown[] = [];
  for (const item of items) {
    if (first.length >= count) break;
    if (container instanceof Map) first.push(...(item as [unknown, unknown]));
    else first.push(item);
  }
  return first;
}

/** Is one of them a part of the other, so that the module does not lose the member? */
function belongTogether(module: Module, member: Member): boolean {
  return partsOf(module).has(member) || partsOf(member).has(module);
}

function partsOf(member: Member): Set<Member> {
  const parts = new Set([member]);
  for (const part of parts) {
    if (part instanceof Tensor) continue;
    for (const value of Object.values(part).flat(Infinity)) if (isMember(value)) parts.add(value);
  }
  return parts;
}

/** Modules whose tensors are being named, and those that are being put into a mode: each is inside the one before. */
const [modulesToName, modulesToTrain] = [new Set<Module>(), new Set<Module>()];

/** Visits a module's members. @throws Error if the module is one of `outer`, so that the visits would never end */
function within(outer: Set<Module>, module: Module, visit: () => void): void {
  if (outer.has(module)) {
    throw new Error(
      `${module.constructor.name}: this module is a part of itself, for a part of it has it in a property. Keep ` +
        "references to modules around a part in private fields (#parent), which are not looked at.",
    );
  }
  outer.add(module);
  try {
    visit();
  } finally {
    outer.delete(module);
  }
}
