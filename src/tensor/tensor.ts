import { CpuStorage } from "../device/cpu-device.ts";
import { checkDType, checkRoom, type Device, type DType, type Storage } from "../device/device.ts";
import type { GpuStorage } from "../device/gpu-device.ts";
import { MetaDevice } from "../device/meta-device.ts";
import { aDevice, defaultDevice } from "../device/open.ts";
import {
  checkArguments,
  checkOptions,
  finite,
  instanceOf,
  isObject,
  numberList,
  optional,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { explainMethods, explainProperties } from "../options/foreign-names.ts";
import { oneOf, quote } from "../options/kinds.ts";
import { inspectHook } from "../options/printable.ts";
import { arithmetic, methodSentences, propertySentences } from "./pytorch-names.ts";
import { aRandom, defaultRandom, Random } from "./random.ts";
import { forget, track } from "./scope.ts";
import { checkShape, formatShape, numel, type Shape, ShapeError, sameShape } from "./shape.ts";

let nextId = 0;

/**
 * Numbers in a box of n axes, on a device, stored as float32 or float16. A tensor has no maths methods: operations are functions such
 * as `add(a, b)` and `conv2d(x, w)`. Its values never change, except by `assign` and by optimisers, which
 * update parameters in place.
 *
 * A tensor's memory is outside JavaScript's heap, where no garbage collector looks: open a `scope()` around
 * work that makes tensors, or call `dispose()`.
 */
export class Tensor {
  readonly shape: Shape;
  readonly device: Device;
  /** Ascending in order of creation. */
  readonly id = nextId++;
  /** Does backward(loss) compute its gradient? Set it on parameters before you use them. */
  requiresGrad = false;
  /** How this tensor was computed, if a gradient may flow through it. */
  node: TapeNode | undefined;
  #storage: Storage | undefined;

  constructor(device: Device, shape: Shape, storage: Storage) {
    this.device = device;
    this.shape = shape;
    this.#storage = storage;
    track(this);
  }

  /**
   * A new tensor with memory of its own, whose contents are undefined. Throws a GpuError, which names the
   * function `op`, if the device has no room for it or cannot store the dtype.
   */
  static empty(
    shape: Shape,
    device: Device = defaultDevice(),
    op = "Tensor.empty",
    dtype: DType = "float32",
  ): Tensor {
    const length = numel(shape);
    checkDType(device, dtype, op);
    checkRoom(device, length, `${op}: A tensor of shape ${formatShape(shape)}`, dtype);
    return new Tensor(device, shape, device.allocate(length, dtype));
  }

  /** The memory on the device; throws after `dispose`. */
  get storage(): Storage {
    if (!this.#storage) {
      throw new Error(
        `A tensor of shape ${formatShape(this.shape)} was used after it had been disposed. If a scope ` +
          `disposed it, move it out with keep(tensor) before the scope ends.`,
      );
    }
    return this.#storage;
  }

  get gpuStorage(): GpuStorage {
    return this.storage as GpuStorage;
  }

  get cpuStorage(): CpuStorage {
    return this.storage as CpuStorage;
  }

  /** How its values lie in memory. */
  get dtype(): DType {
    return this.storage.dtype;
  }

  get disposed(): boolean {
    return this.#storage === undefined;
  }

  get size(): number {
    return numel(this.shape);
  }

  /**
   * A tensor of the same size that shares this one's memory. No gradient flows through it; `reshape` is the
   * operation.
   */
  alias(shape: Shape): Tensor {
    checkShape("alias", shape);
    const storage = this.storage;
    storage.refs++;
    return new Tensor(this.device, shape, storage);
  }

  /** Replaces the memory behind this tensor, for optimisers, which keep all parameters in one block, and half(). */
  replaceStorage(storage: Storage): void {
    storage.version = this.storage.version;
    this.device.release(this.storage);
    this.#storage = storage;
  }

  /** A copy of the values in row-major order, as floats of 32 bits. On a GPU this waits for the work before it. */
  data(): Promise<Float32Array> {
    return toBeAwaited("x.data()", this.#data());
  }

  async #data(): Promise<Float32Array> {
    return this.device.read(this.storage);
  }

  /** The value of a tensor with one element. */
  item(): Promise<number> {
    return toBeAwaited("x.item()", this.#item());
  }

  async #item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(
        `item: wants a tensor with one element, got shape ${formatShape(this.shape)}; use data().`,
      );
    }
    // data() would round float64 to float32.
    if (this.storage instanceof CpuStorage) return this.storage.values[0];
    return (await this.data())[0];
  }

  /**
   * Overwrites the values with those of a list, or of a tensor of the same shape, which is copied on the device
   * (PyTorch's `copy_`). No gradient flows through that. If a gradient depends on the old values, call `backward`
   * first.
   */
  assign(values: ArrayLike<number> | Tensor): void {
    if (values instanceof Tensor) {
      this.#copyFrom(values);
      return;
    }
    checkArguments("assign", { "the first argument": [values, numbersOrTensor] });
    if (values.length !== this.size) {
      throw new ShapeError(
        `assign: ${values.length} values do not fill a tensor of shape ${formatShape(this.shape)}.`,
      );
    }
    this.device.write(this.storage, values);
    this.storage.version++;
  }

  #copyFrom(source: Tensor): void {
    const differs = (["device", "shape", "dtype"] as const).find((what) =>
      what === "shape" ? !sameShape(source.shape, this.shape) : source[what] !== this[what],
    );
    if (differs) {
      const of = ({ shape, device, dtype }: Tensor) =>
        differs === "shape"
          ? `shape ${formatShape(shape)}`
          : `${differs} ${{ device: device.name, dtype }[differs]}`;
      throw new ShapeError(
        `assign: a tensor of ${of(source)} does not fit one of ${of(this)}. Give one of the same shape, on the same ` +
          `device and stored alike, or a list of numbers.`,
      );
    }
    const { storage } = this;
    if (source.storage !== storage) this.device.copy(source.storage, storage);
    this.device.eachTime(() => storage.version++);
  }

  /** Gives the memory back. A second call is harmless. */
  dispose(): void {
    if (!this.#storage) return;
    this.device.release(this.#storage);
    this.#storage = undefined;
    // Lets go of the inputs, but leaves a note, so that backward refuses to go on without this tensor.
    if (this.node) this.node = { name: this.node.name, inputs: [], outputs: [], backward: undefined };
    forget(this);
  }

  toString(): string {
    return `Tensor${formatShape(this.shape)} on ${this.device.name}${this.disposed ? ", disposed" : ""}`;
  }

  /** What console.log prints in Node: values would have to be waited for. */
  [inspectHook](): string {
    return `${this}${this.disposed ? "" : " (await show(x) prints its values)"}`;
  }

  /** @throws Error, for JSON would hold the device's innards in place of values. */
  toJSON(): never {
    throw new Error(
      "A tensor's values have to be waited for, and JSON cannot. Write JSON.stringify([...(await x.data())]).",
    );
  }

  /** Texts may contain a tensor; x + y, x < y and so on throw. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new Error(arithmetic);
  }
}

explainMethods(Tensor.prototype, "A tensor", methodSentences);
explainProperties(Tensor.prototype, "A tensor", propertySentences);

const numbersOrTensor: Wanted = { ...numberList, wants: "a list of numbers or a tensor" };

/** Lets a promise say what it is when it is used in place of its value: `total += loss.item()`. */
function toBeAwaited<T>(call: string, promise: Promise<T>): Promise<T> {
  const refuse = () => {
    throw new Error(`${call} returns a promise, for a GPU has to be waited for. Write await ${call}.`);
  };
  return Object.defineProperty(promise, Symbol.toPrimitive, { value: refuse });
}

/** What operations want. */
export const aTensor = instanceOf(Tensor, "a tensor");

/**
 * Computes the gradient of an input. Where the input has several uses, `backward` adds up the gradients from
 * all of them; a kernel that can do so on the way to memory has `plus` instead, which returns the gradient
 * plus those from `others`, the uses whose turn came before (undefined if there are none).
 */
export type GradientOf = (() => Tensor) | { readonly plus: (others: Tensor | undefined) => Tensor };

/** The note that an operation leaves on its outputs. Its rule may read inputs and outputs. */
export interface TapeNode {
  readonly name: string;
  readonly inputs: readonly TapedValue[];
  /** Mostly one. */
  readonly outputs: readonly TapedValue[];
  /**
   * From the gradient of each output (undefined for 0) to functions that compute those of the inputs, by
   * name. Undefined where the operation has no rule.
   */
  readonly backward:
    | ((...dys: (Tensor | undefined)[]) => Readonly<Record<string, GradientOf | undefined>>)
    | undefined;
}

/** A tensor that an operation read or made, and the version of its storage then. */
export interface TapedValue {
  readonly name: string;
  readonly tensor: Tensor;
  readonly version: number;
}

export interface TensorOptions {
  /** Default: the device of `init()`. */
  device?: Device;
  /** Does backward(loss) compute its gradient? Default false. */
  requiresGrad?: boolean;
  /** How values lie in memory: float16 takes half of it, for inference. Default "float32". */
  dtype?: DType;
}

/** What functions that take a dtype want. */
export const aDType = oneOf("float32", "float16");

const tensorOptions = { device: aDevice, requiresGrad: trueOrFalse, dtype: aDType };

/** A number, a list of numbers, a list of such lists, and so on. */
export type NestedArray = number | ArrayLike<number> | readonly NestedArray[];

/**
 * A tensor from values: `tensor(3)`, `tensor([[1, 2], [3, 4]])`, or flat values with a shape,
 * `tensor(floats, [1, 3, 48, 48])`. The values are copied. Options come last.
 */
export function tensor(values: NestedArray, options?: TensorOptions): Tensor;
export function tensor(values: NestedArray, shape: Shape | undefined, options?: TensorOptions): Tensor;
export function tensor(
  values: NestedArray,
  shapeOrOptions?: Shape | TensorOptions,
  lastOptions?: TensorOptions,
): Tensor {
  if (!isNested(values)) {
    throw new RangeError(
      `tensor: the first argument is a number, a list of numbers, or a list of such lists, got ${quote(values)}.`,
    );
  }
  const isShape = shapeOrOptions === undefined || Array.isArray(shapeOrOptions);
  if (!isShape && (!isObject(shapeOrOptions) || lastOptions !== undefined)) {
    throw new ShapeError(
      `tensor: after the values come a shape, a list such as [1, 3, 48, 48], and options, or one of both; got ` +
        `${quote(shapeOrOptions)} for a shape.`,
    );
  }
  const shape = isShape ? (shapeOrOptions as Shape | undefined) : undefined;
  const options = isShape ? lastOptions : (shapeOrOptions as TensorOptions);
  const flat = flatten(values);
  const sizes = shape ?? inferShape(values);
  checkShape("tensor", sizes);
  if (numel(sizes) !== flat.length) {
    throw new ShapeError(
      `tensor: ${flat.length} values do not fill shape ${formatShape(sizes)}, which holds ${numel(sizes)}.`,
    );
  }
  return create("tensor", sizes, options === undefined ? {} : options, () => flat);
}

/** Makes a tensor, and its values when it is known that the device has room for them. */
function create(
  op: string,
  shape: Shape,
  options: TensorOptions,
  values: (length: number) => ArrayLike<number>,
): Tensor {
  checkShape(op, shape);
  checkOptions(op, options, tensorOptions);
  const { device, requiresGrad = false, dtype } = options;
  if (requiresGrad && dtype === "float16") {
    throw new RangeError(
      `${op}: a tensor of float16 has no gradient, so requiresGrad and dtype "float16" exclude each other. Train ` +
        `in float32.`,
    );
  }
  const result = Tensor.empty(shape, device, op, dtype);
  result.requiresGrad = requiresGrad;
  if (!(result.device instanceof MetaDevice)) result.device.write(result.storage, values(result.size));
  return result;
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options?: TensorOptions): Tensor {
  return filled("zeros", shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options?: TensorOptions): Tensor {
  return filled("ones", shape, 1, options);
}

/** A tensor whose elements all equal `value`. */
export function full(shape: Shape, value: number, options?: TensorOptions): Tensor {
  if (typeof value !== "number") {
    throw new RangeError(`full: the value must be a number, got ${quote(value)}.`);
  }
  return filled("full", shape, value, options);
}

function filled(op: string, shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return create(op, shape, options, (length) => new Float32Array(length).fill(value));
}

/**
 * The numbers from `start` by steps of `step` to below `end`, as torch.arange: `arange(3)` is 0, 1, 2 and
 * `arange(1, 2, 0.25)` is 1, 1.25, 1.5, 1.75. Throws if there is none between the two.
 */
export function arange(end: number): Tensor;
export function arange(start: number, end: number, step?: number, options?: TensorOptions): Tensor;
export function arange(first: number, end?: number, step = 1, options: TensorOptions = {}): Tensor {
  checkArguments("arange", {
    "the first number": [first, finite],
    end: [end, optional(finite)],
    step: [step, finite],
  });
  const [from, to] = end === undefined ? [0, first] : [first, end];
  const count = Math.ceil((to - from) / step);
  if (!(count >= 1 && count < Infinity)) {
    throw new RangeError(`arange: there is no number from ${from} to below ${to} by steps of ${step}.`);
  }
  return create("arange", [count], options, (length) =>
    Float64Array.from({ length }, (_, i) => from + i * step),
  );
}

export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from. Default: the generator of `manualSeed`. */
  random?: Random;
}

/** Uniform random values in [low, high), by default [0, 1). A `Random` alone may stand for the options. */
export function rand(
  shape: Shape,
  options: Random | (RandomOptions & { low?: number; high?: number }) = {},
  ...others: never[]
): Tensor {
  checkShape("rand", shape);
  const { random, low = 0, high = 1, ...rest } = randomOptions("rand", options, others);
  checkArguments("rand", { low: [low, finite], high: [high, finite] });
  return randomTensor("rand", shape, random, rest, (generator) => low + (high - low) * generator.uniform());
}

/** Normal random values, mean 0 and standard deviation 1. A `Random` alone may stand for the options. */
export function randn(shape: Shape, options: Random | RandomOptions = {}, ...others: never[]): Tensor {
  checkShape("randn", shape);
  const { random, ...rest } = randomOptions("randn", options, others);
  return randomTensor("randn", shape, random, rest, (generator) => generator.normal());
}

function randomTensor(
  op: string,
  shape: Shape,
  random = defaultRandom(),
  options: TensorOptions,
  draw: (random: Random) => number,
): Tensor {
  checkArguments(op, { random: [random, aRandom] });
  return create(op, shape, options, (length) => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = draw(random);
    return values;
  });
}

function randomOptions<O extends RandomOptions>(op: string, options: Random | O, others: unknown[]): O {
  if (others.length > 0) {
    throw new RangeError(
      `${op}: takes a shape and options, such as { random, low: -1, high: 1 }, got ${others.length + 2} arguments.`,
    );
  }
  if (options instanceof Random) return { random: options } as O;
  if (isObject(options)) return options;
  throw new RangeError(
    `${op}: the second argument is a Random or options, such as { random, low: -1, high: 1 }, got ` +
      `${quote(options)}.`,
  );
}

/** Numbers all the way down. Typed arrays hold nothing else. */
function isNested(values: unknown): values is NestedArray {
  return typeof values === "number" || isTyped(values) || (Array.isArray(values) && values.every(isNested));
}

function isTyped(values: unknown): values is ArrayLike<number> {
  return ArrayBuffer.isView(values) && !(values instanceof DataView) && !isBig(values);
}

function isBig(values: unknown): boolean {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

function isFlat(values: NestedArray): values is ArrayLike<number> {
  return ArrayBuffer.isView(values) || Array.prototype.every.call(values, (v) => typeof v === "number");
}

function flatten(values: NestedArray): ArrayLike<number> {
  if (typeof values === "number") return [values];
  if (isFlat(values)) return values;
  return (values as readonly NestedArray[]).flatMap((inner) => Array.from(flatten(inner)));
}

function inferShape(values: NestedArray): Shape {
  if (typeof values === "number") return [];
  if (isFlat(values)) return [values.length];
  const shapes = (values as readonly NestedArray[]).map(inferShape);
  if (shapes.some((shape) => shape.join() !== shapes[0].join())) {
    throw new ShapeError(
      "tensor: the nested lists have different lengths. Give every row the same number of values.",
    );
  }
  return [values.length, ...shapes[0]];
}
