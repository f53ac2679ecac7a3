/**
 * What a tensor is, and the notes on it that backward follows. README.md says in which order to read this folder.
 */
import { CpuStorage } from "../device/cpu-device.ts";
import {
  checkDType,
  checkOneDevice,
  checkRoom,
  type Device,
  type DType,
  type Storage,
} from "../device/device.ts";
import type { GpuStorage } from "../device/gpu-storage.ts";
import { aDevice, defaultDevice } from "../device/open.ts";
import { ArgumentError, checkArguments, instanceOf, numberList, type Wanted } from "../options/arguments.ts";
import { explainMethods, explainProperties } from "../options/foreign-names.ts";
import { quote } from "../options/kinds.ts";
import { quantity } from "../options/lists.ts";
import { inspectHook } from "../options/printable.ts";
import { arithmetic, methodSentences, propertySentences } from "./pytorch-names.ts";
import { forget, track } from "./scope.ts";
import { checkShape, formatShape, numel, type Shape, ShapeError, sameShape } from "./shape.ts";

let nextId = 0;

/**
 * Numbers in a box of n axes, on a device, stored as float32 or float16. A tensor has no maths methods:
 * operations are functions such as `add(a, b)` and `conv2d(x, w)`. Its values never change, except by `assign`
 * and by updates in place (update.ts): the steps of optimizers, running statistics, moving averages, added gradients.
 *
 * A tensor's memory is outside JavaScript's heap, where no garbage collector looks: open a `scope()` around
 * work that makes tensors, or call `dispose()`.
 */
export class Tensor {
  readonly shape: Shape;
  /** Ascending in order of creation. */
  readonly id = nextId++;
  /** Does backward(loss) compute its gradient? Set it on parameters before you use them. */
  requiresGrad = false;
  /** How this tensor was computed, if a gradient may flow through it. */
  node: TapeNode | undefined;
  #device: Device;
  #storage: Storage | undefined;

  constructor(device: Device, shape: Shape, storage: Storage) {
    this.#device = device;
    this.shape = shape;
    this.#storage = storage;
    track(this);
  }

  /**
   * A new tensor with memory of its own, whose contents are undefined. Throws a GpuError, which names the
   * function `op`, if the device has no room for it or cannot store the dtype; a ShapeError for what is no shape.
   */
  static empty(
    shape: Shape,
    device: Device = defaultDevice(),
    op = "Tensor.empty",
    dtype: DType = "float32",
  ): Tensor {
    checkShape(op, shape);
    const length = numel(shape);
    checkDType(device, dtype, op);
    checkRoom(device, length, `${op}: A tensor of shape ${formatShape(shape)}`, dtype);
    return new Tensor(device, shape, device.allocate(length, dtype));
  }

  /** Where its values are. `to()` of a module changes it for the module's tensors; nothing else does. */
  get device(): Device {
    return this.#device;
  }

  /** The memory on the device; throws after `dispose`. */
  get storage(): Storage {
    if (!this.#storage) {
      throw new Error(
        `A tensor of shape ${formatShape(this.shape)} was used after it had been disposed. If a scope ` +
          `disposed it, move it out with keep(tensor) before the scope ends. A scope of async work that runs at ` +
          `the same time disposes it, too: await one piece of work before the next.`,
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
   * A tensor of another shape that shares this one's memory. No gradient flows through it; `reshape` is the
   * operation.
   *
   * @throws ShapeError unless the shape has as many elements as this tensor.
   */
  alias(shape: Shape): Tensor {
    checkShape("alias", shape);
    if (numel(shape) !== this.size) {
      throw new ShapeError(
        `alias: shape ${formatShape(shape)} has ${quantity(numel(shape), "element")}, and the tensor of shape ` +
          `${formatShape(this.shape)} has ${quantity(this.size, "element")}. Give a shape with as many.`,
      );
    }
    const storage = this.storage;
    storage.refs++;
    return new Tensor(this.device, shape, storage);
  }

  /** Replaces the memory behind this tensor, for half() and to() of modules. `device` is that of the new memory. */
  replaceStorage(storage: Storage, device = this.#device): void {
    // On another device backward cannot use notes from before.
    storage.version = this.storage.version + (device === this.#device ? 0 : 1);
    this.#device.leave(this.storage);
    this.#storage = storage;
    this.#device = device;
  }

  /**
   * A copy on another device, with the values at the time of the call; on the same device, the tensor itself. It is
   * async, unlike PyTorch's, since the values go through JavaScript's memory. The copy of a parameter is a parameter
   * of its own.
   *
   * @throws Error if a gradient would have to flow from one device to the other, or if the scope around the call ends
   *   before the values have come. GpuError if the device has no room, or cannot store the dtype.
   */
  async to(device: Device): Promise<Tensor> {
    checkDevice(device);
    if (device === this.#device) return this;
    if (this.node) {
      throw new Error(
        `to: the tensor of shape ${formatShape(this.shape)} was computed from parameters, and no gradient flows from ` +
          "one device to another. Write await detach(x).to(device), or compute it under noGrad().",
      );
    }
    // Made before anything is awaited, so that it belongs to the caller's scope.
    const copy = Tensor.empty(this.shape, device, "to", this.dtype);
    copy.requiresGrad = this.requiresGrad;
    try {
      // A CPU device may have digits that data() would round away. They are not waited for.
      const onCpu = this.storage instanceof CpuStorage;
      const values = onCpu ? this.cpuStorage.values : await this.device.read(this.storage);
      device.write(copy.storage, values); // the scope may have ended meanwhile: then copy.storage throws
    } catch (error) {
      copy.dispose();
      throw error;
    }
    return copy;
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
   * (PyTorch's `copy_`). No gradient flows through that. Call `backward` first if a gradient flows through what was
   * computed from the old values.
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
    checkOneDevice("assign: the given tensor", source.device, "this one", this.device);
    const isOfShape = sameShape(source.shape, this.shape);
    if (!isOfShape || source.dtype !== this.dtype) {
      const of = ({ shape, dtype }: Tensor) => (isOfShape ? `dtype ${dtype}` : `shape ${formatShape(shape)}`);
      throw new ShapeError(
        `assign: a tensor of ${of(source)} does not fit one of ${of(this)}. Give one of the same shape, stored ` +
          "alike, or a list of numbers.",
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

/** @throws RangeError for names of devices and dtypes, which PyTorch's `to` takes, and for anything else. */
function checkDevice(device: Device): void {
  if (aDevice.fits(device)) return;
  const advice = ["float32", "float16"].includes(device as unknown as DType)
    ? `To change how values are stored, write cast(x, ${quote(device)}), or model.half().`
    : "Leave it out where one device is enough: what is made after init() is on its device.";
  throw new ArgumentError("to", `wants ${aDevice.wants}, got ${quote(device)}. ${advice}`);
}

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
  /** What the operation made: one tensor, as a rule. */
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
