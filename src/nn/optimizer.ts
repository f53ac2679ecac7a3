import { checkAllOnOneDevice, type Device, type Storage } from "../device/device.ts";
import { type AdamConstants, type AdamOptions, adamStep } from "../kernels/optim/adam.ts";
import { gather } from "../kernels/optim/gather.ts";
import { type SgdOptions, sgdStep } from "../kernels/optim/sgd.ts";
import {
  ArgumentError,
  checkArguments,
  checkIsObject,
  checkOptions,
  isObject,
  listOf,
  plainNumberList,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { isOfClass } from "../options/classes.ts";
import { explainMethods, explainProperties } from "../options/foreign-names.ts";
import { atLeastZero, quote, text, whole } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { inspectHook } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { formatShape, type Shape, sameShape } from "../tensor/shape.ts";
import type { Gradients } from "../tensor/tape.ts";
import { aTensor, type Tensor } from "../tensor/tensor.ts";
import { checkGradient } from "./gradients.ts";
import { optimizerSentences } from "./pytorch-names.ts";

/** All tensors that optimizers train. */
const trained = new WeakSet<Tensor>();

/** Storages of one layout, for several parameters: their values, their gradients, and running sums. */
type Block<Sum extends string> = Readonly<Record<"parameters" | "gradients" | Sum, Storage>>;

/**
 * Keeps the parameters in one block of memory, and their gradients and running sums (such as Adam's m and v)
 * in storages of the same layout, so that the arithmetic of a step is one kernel launch for the whole network.
 * Only a network that is larger than what the device can bind at once has several blocks. The parameters
 * become parts of their block, where tensors that share their memory follow them; nothing else about them changes. A
 * step first gathers the gradients, which backward() made one by one, in their block.
 */
export abstract class Optimizer<Sum extends string = string> {
  /** The learning rate; set it between steps to follow a schedule. */
  lr: number;
  /** Number of steps so far. */
  steps = 0;
  protected readonly device: Device;
  readonly #blocks: readonly Block<Sum>[];
  /** Each parameter, and where it begins in its block, in elements. */
  readonly #slots: readonly { parameter: Tensor; block: Block<Sum>; start: number }[];
  /** The names of the running sums. */
  readonly #sums: readonly Sum[];
  #disposed = false;
  #warned = false;

  constructor(
    parameters: readonly Tensor[],
    options: { readonly lr?: number },
    sums: readonly Sum[],
    wanted: Readonly<Record<string, Wanted>>,
  ) {
    const { name } = this.constructor;
    // Without types, `new Adam(parameters, 0.1)` would pass for options without a learning rate.
    checkIsObject(name, options, "such as { lr: 1e-3 }");
    checkOptions(name, options, { lr: atLeastZero, weightDecay: atLeastZero, ...wanted });
    checkParameters(name, parameters);
    this.lr = options.lr ?? 1e-3;
    this.#sums = sums;
    const [{ device }] = parameters;
    this.device = device;
    const parts = inParts(parameters, device.profile.maxTensorBytes / 4);
    this.#blocks = parts.map((part) => {
      const length = part.reduce((sum, parameter) => sum + room(parameter), 0);
      const storages = ["parameters", "gradients", ...sums].map(
        (name) => [name, device.allocate(length)] as const,
      );
      for (const [, storage] of storages) device.write(storage, new Float32Array(length));
      return Object.fromEntries(storages) as Block<Sum>;
    });
    this.#slots = parts.flatMap((part, i) => {
      const block = this.#blocks[i];
      let end = 0;
      return part.map((parameter) => {
        const start = end;
        end += room(parameter);
        device.moveInto(block.parameters, start, parameter.storage);
        trained.add(parameter);
        return { parameter, block, start };
      });
    });
  }

  /**
   * Moves every parameter one step against its gradient, in place. `gradients`, from `backward(loss)`, must
   * have one for every parameter.
   */
  step(gradients: Gradients): void {
    this.#refuseDisposed("step");
    // All checks come first: nothing changes if one fails.
    if (!(gradients instanceof Map)) {
      throw new ArgumentError(
        `${this.constructor.name}.step`,
        `wants the gradients of backward(loss), got ${quote(gradients)}. Write ` +
          `optimizer.step(backward(loss)).`,
      );
    }
    if (!atLeastZero.fits(this.lr)) {
      throw new ArgumentError(
        `${this.constructor.name}.step`,
        `lr is ${quote(this.lr)}, and a learning rate is a number of at least 0. ` +
          `If a schedule computed it, look at the schedule's arguments: the first learning rate comes ` +
          `first, as in stepLR(1e-3, { stepSize: 10 }).`,
      );
    }
    for (const [i, { parameter, block }] of this.#slots.entries()) {
      const label = `${this.constructor.name}.step: parameter ${i} of shape ${formatShape(parameter.shape)}`;
      const gradient = gradients.get(parameter);
      if (!gradient) {
        throw new Error(
          `${label} has no gradient; the loss does not depend on it. Give the optimizer only the ` +
            `parameters that are trained.`,
        );
      }
      checkGradient(label, parameter, gradient);
      if (parameter.storage.whole !== block.parameters) {
        throw new Error(
          `${label} belongs to another optimizer by now, or model.to(device) has moved it. Use one optimizer per ` +
            "parameter, and make it after the network has been moved.",
        );
      }
    }
    if (gradients.size > this.#slots.length) this.#warnOfUntrained(gradients);
    for (const block of this.#blocks) {
      const slots = this.#slots.filter((slot) => slot.block === block);
      const parts = slots.map(({ parameter, start }) => ({ from: gradients.get(parameter)!.storage, start }));
      gather(this.device, block.gradients, parts);
    }
    this.device.eachTime(() => {
      this.steps++;
      for (const { parameter } of this.#slots) parameter.storage.version++;
    });
    for (const block of this.#blocks) this.update(block);
  }

  /** Says once that there are gradients which no optimizer uses: a layer may be hidden from `parameters()`. */
  #warnOfUntrained(gradients: Gradients): void {
    const untrained = [...gradients.keys()].filter((tensor) => !trained.has(tensor));
    if (this.#warned || untrained.length === 0) return;
    this.#warned = true;
    console.warn(
      `${this.constructor.name}.step: no optimizer has ${untrained.length} of the tensors with a gradient, such as ` +
        `the one of shape ${formatShape(untrained[0].shape)}, so they are not trained. If they should be, keep ` +
        "their layers in public properties of modules: parameters() does not see a private field (#conv), nor a " +
        "variable outside the class. If not, ask backward(loss, parameters) for the gradients of the others alone.",
    );
  }

  /** Changes a block's parameters according to its gradients. */
  protected abstract update(block: Block<Sum>): void;

  /**
   * Everything but the parameters and the options that is needed to continue later: steps, lr and running sums, all
   * as they are at the time of the call, and the shapes that the sums belong to. `saveCheckpoint({ model, optimizer })`
   * writes it into a file, with the network.
   */
  async stateDict(): Promise<OptimizerState> {
    this.#refuseDisposed("stateDict");
    // All are read before anything is awaited.
    const { steps, lr } = this;
    const sums = this.#sums.map(async (name) => {
      const parts = await Promise.all(this.#blocks.map((block) => this.device.read(block[name])));
      return [name, concatFloats(parts)] as const;
    });
    return { steps, lr, shapes: this.#shapes(), sums: Object.fromEntries(await Promise.all(sums)) };
  }

  /**
   * Continues from the result of `stateDict`. Errors call the state `source` (a file's path).
   *
   * @throws DataError, without changing anything, if the state belongs to other parameters or another optimizer.
   */
  loadStateDict(state: OptimizerState, options: { source?: string } = {}): void {
    this.#refuseDisposed("loadStateDict");
    const method = `${this.constructor.name}.loadStateDict`;
    checkArguments(method, { state: [state, aState] });
    checkOptions(method, options, { source: text });
    const { source = "the given state" } = options;
    const [own, given] = [this.#shapes(), state.shapes ?? this.#shapes()];
    const other = own.findIndex((shape, i) => !given[i] || !sameShape(shape, given[i]));
    if (other >= 0 || given.length !== own.length) {
      const difference =
        given.length === own.length
          ? `its parameter ${other} is ${formatShape(given[other])} and should be ${formatShape(own[other])}`
          : `it has ${quantity(given.length, "parameter")} and should have ${own.length}`;
      throw new DataError(
        `${method}: ${source} does not fit: ${difference}. It belongs to another network or optimizer.`,
      );
    }
    for (const name of this.#sums) {
      const length = this.#blocks.reduce((sum, block) => sum + block[name].length, 0);
      if (state.sums[name]?.length !== length) {
        throw new DataError(
          `${method}: ${name} of ${source} has ${state.sums[name]?.length ?? "no"} values and should have ${length}. ` +
            `It belongs to another network or optimizer.`,
        );
      }
    }
    for (const name of this.#sums) {
      let start = 0;
      for (const { [name]: storage } of this.#blocks) {
        this.device.write(storage, state.sums[name].subarray(start, start + storage.length));
        start += storage.length;
      }
    }
    this.steps = state.steps;
    this.lr = state.lr;
  }

  #shapes(): Shape[] {
    return this.#slots.map(({ parameter }) => parameter.shape);
  }

  /** Its name, learning rate, steps so far and number of parameters. */
  toString(): string {
    const parameters = quantity(this.#slots.length, "parameter");
    const disposed = this.#disposed ? ", disposed" : "";
    return `${this.constructor.name}, lr ${this.lr}, ${quantity(this.steps, "step")}, ${parameters}${disposed}`;
  }

  /** What console.log prints in Node. */
  [inspectHook](): string {
    return this.toString();
  }

  /** @throws Error, for its sums have to be waited for. */
  toJSON(): never {
    throw new Error(
      `${this.constructor.name}: JSON cannot hold an optimizer. Write await saveCheckpoint({ model, optimizer }), or ` +
        `await optimizer.stateDict() for its state.`,
    );
  }

  /** Frees the running sums and gradients; the parameters stay. A second call is harmless. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const block of this.#blocks) {
      for (const storage of Object.values<Storage>(block)) this.device.release(storage);
    }
  }

  #refuseDisposed(method: string): void {
    if (!this.#disposed) return;
    throw new Error(`${this.constructor.name}.${method}: the optimizer has been disposed. Create a new one.`);
  }
}

explainMethods(Optimizer.prototype, "An optimizer", optimizerSentences);
explainProperties(Optimizer.prototype, "An optimizer", { param_groups: "Write optimizer.lr." });

/** @throws RangeError or Error unless these are parameters, each once, that can be trained by one optimizer. */
function checkParameters(name: string, parameters: readonly Tensor[]): void {
  if (!listOf(aTensor).fits(parameters)) {
    throw new ArgumentError(
      name,
      `the first argument is a list of tensors, such as model.parameters(), got ${quote(parameters)}.`,
    );
  }
  const fixed = parameters.find((parameter) => !parameter.requiresGrad);
  if (fixed) {
    throw new ArgumentError(
      name,
      `the tensor of shape ${formatShape(fixed.shape)} is no parameter, for its requiresGrad is not ` +
        `set: backward() computes no gradient for it. Set it, or leave the tensor out.`,
    );
  }
  if (parameters.some(({ dtype }) => dtype === "float16")) {
    throw new ArgumentError(
      name,
      `a parameter is stored as float16, which is for inference. Train in float32, and call half() on the ` +
        `network afterwards.`,
    );
  }
  if (parameters.length === 0) {
    throw new Error(
      `${name}: there are no parameters to optimize. A parameter is a tensor with requiresGrad in a property of a ` +
        `module, or in an array there: parameters() does not see a private field (#weight), nor a variable outside ` +
        `the class.`,
    );
  }
  if (new Set(parameters).size !== parameters.length) {
    throw new Error(
      `${name}: a parameter is in the list twice. Give each once, as module.parameters() does.`,
    );
  }
  const owners = new Map<Storage, Tensor>();
  for (const parameter of parameters) {
    const owner = owners.get(parameter.storage);
    if (owner) {
      throw new Error(
        `${name}: the parameters of shapes ${formatShape(owner.shape)} and ${formatShape(parameter.shape)} share ` +
          "their memory, as after reshape() or detach(). Give one of them, or assign the values to a new tensor.",
      );
    }
    owners.set(parameter.storage, parameter);
  }
  checkAllOnOneDevice(name, "parameter", parameters, " Or use one optimizer for each device.");
}

/** The elements that a parameter takes in a block. GPU bindings start at multiples of 256 bytes; gaps stay zeros. */
function room({ size }: Tensor): number {
  return Math.ceil(size / 64) * 64;
}

/** The parameters in their order, cut into parts of at most so many elements. */
function inParts(parameters: readonly Tensor[], most: number): Tensor[][] {
  const parts: Tensor[][] = [[]];
  let length = 0;
  for (const parameter of parameters) {
    if (length > 0 && length + room(parameter) > most) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)!.push(parameter);
    length += room(parameter);
  }
  return parts;
}

function concatFloats(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

const aState: Wanted<OptimizerState> = {
  wants:
    "what stateDict() returns, { steps, lr, shapes, sums }, with sums that are Float32Arrays (not from JSON)",
  fits: (value): value is OptimizerState =>
    isObject(value) &&
    whole(0).fits(value.steps) &&
    atLeastZero.fits(value.lr) &&
    (value.shapes === undefined || listOf(plainNumberList).fits(value.shapes)) &&
    isObject(value.sums) &&
    Object.values(value.sums).every((sum) => isOfClass<Float32Array>(sum, "Float32Array")),
};

const twoShares: Wanted<readonly [number, number]> = {
  wants: "two numbers, each at least 0 and below 1",
  fits: (value): value is readonly [number, number] =>
    Array.isArray(value) && value.length === 2 && value.every((beta) => beta >= 0 && beta < 1),
};

export interface OptimizerState {
  readonly steps: number;
  readonly lr: number;
  /** Those of the parameters, in their order. Without them, only the length of the sums is checked. */
  readonly shapes?: readonly Shape[];
  readonly sums: Readonly<Record<string, Float32Array>>;
}

/** Adam (Kingma and Ba 2015), torch.optim.Adam's arithmetic; the formulas are at `adamStep`. */
export class Adam extends Optimizer<"m" | "v"> {
  readonly #constants: AdamConstants;

  constructor(parameters: readonly Tensor[], options: AdamOptions = {}) {
    super(parameters, options, ["m", "v"], { betas: twoShares, eps: atLeastZero });
    const { betas = [0.9, 0.999], eps = 1e-8 } = options;
    const { decoupled } = this;
    const { weightDecay = decoupled ? 0.01 : 0 } = options;
    this.#constants = { betas, eps, weightDecay, decoupled };
  }

  /** Whether weights decay by themselves and not through the gradients. */
  protected get decoupled(): boolean {
    return false;
  }

  protected update(block: Block<"m" | "v">): void {
    adamStep(this.device, block, this.#constants, this);
  }
}

/**
 * Adam with a weight decay of its own, 0.01 by default, that does not pass through the gradients (Loshchilov
 * and Hutter 2019): torch.optim.AdamW's arithmetic.
 */
export class AdamW extends Adam {
  protected override get decoupled(): boolean {
    return true;
  }
}

/** Stochastic gradient descent, torch.optim.SGD's arithmetic; the formulas are at `sgdStep`. */
export class SGD extends Optimizer<"velocity"> {
  readonly #options: Omit<Required<SgdOptions>, "lr">;

  constructor(parameters: readonly Tensor[], options: SgdOptions = {}) {
    if (options?.nesterov && !((options.momentum ?? 0) > 0)) {
      throw new ArgumentError(
        "SGD",
        `nesterov wants a momentum above 0, got ${quote(options.momentum ?? 0)}.`,
      );
    }
    super(parameters, options, ["velocity"], { momentum: atLeastZero, nesterov: trueOrFalse });
    const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
    this.#options = { momentum, nesterov, weightDecay };
  }

  protected update(block: Block<"velocity">): void {
    sgdStep(this.device, block, this.#options, this);
  }
}
