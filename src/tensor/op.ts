/**
 * What an operation is: its shape rule, CPU reference, kernels and gradient rule, in one definition. And what
 * an update is: a change in place, such as an optimiser's step, by a CPU reference or one kernel.
 */

import { CpuDevice, type CpuStorage, type FloatArray } from "../device/cpu-device.ts";
import type { Device, DType, Storage } from "../device/device.ts";
import type { GpuDevice, GpuStorage, Params } from "../device/gpu-device.ts";
import { type Kernel, linearGrid } from "../device/kernel.ts";
import { aFunction, checkArguments, optional } from "../options/arguments.ts";
import type { Shape } from "./shape.ts";
import { aTensor, Tensor } from "./tensor.ts";

/** A tensor as a CPU reference sees it: values in row-major order, and their shape. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: FloatArray;
}

/** Inputs by name; optional ones (a bias) may be undefined. */
export type Inputs = Record<string, Tensor | undefined>;

type ArraysOf<I extends Inputs> = { [K in keyof I]: undefined extends I[K] ? NdArray | undefined : NdArray };

/** A function for each input's gradient, which is called only if that gradient is needed. */
type Thunks<I extends Inputs> = { [K in keyof I]?: () => Tensor };

/** All that defines an operation. */
export interface OpDefinition<I extends Inputs, P> {
  readonly name: string;
  /** Inputs that may be left out. */
  readonly optional?: readonly (keyof I & string)[];
  /**
   * Its inputs may also be float16, all of them; its kernels then call the type of their buffers `element`
   * (see kernel.ts). Default: float32 alone.
   */
  readonly float16?: boolean;
  /** The result's dtype. Default: that of the inputs. */
  dtype?(params: P): DType;
  /** The output's shape; throws a ShapeError that names the operation if the inputs do not fit. */
  shape(inputs: I, params: P): Shape;
  /** The reference, in plain loops: fills `y`, which is zero at first. */
  cpu(inputs: ArraysOf<I>, params: P, y: NdArray): void;
  /** Records the kernels that fill `y`, whose contents are undefined at first. */
  gpu(device: GpuDevice, inputs: I, params: P, y: Tensor): void;
  /** The gradient rule; `dy` is the gradient of the loss with respect to y. Without one, backward throws. */
  backward?(dy: Tensor, saved: I & { y: Tensor }, params: P): Thunks<I>;
  /** `y` is the first input's memory under another shape: `cpu` and `gpu` have nothing to do. */
  readonly view?: boolean;
}

/**
 * Makes the operation: a function from inputs and parameters to the output, which throws a RangeError that
 * names the operation if an input is no tensor.
 */
export function defineOp<I extends Inputs, P = void>(
  definition: OpDefinition<I, P>,
): (inputs: I, params: P) => Tensor {
  return (inputs, params) => {
    const isMissing = ([name, input]: [string, unknown]) =>
      input === undefined && definition.optional?.includes(name);
    const named = Object.entries(inputs).filter((entry): entry is [string, Tensor] => !isMissing(entry));
    for (const [name, input] of named) checkArguments(definition.name, { [name]: [input, aTensor] });
    const [firstName, first] = named[0];
    const { device } = first;
    for (const [name, input] of named) {
      if (input.device !== device) {
        throw new Error(
          `${definition.name}: its inputs are on different devices (${name} on ${input.device.name}, ` +
            `${firstName} on ${device.name}). Create them on the same one.`,
        );
      }
    }
    const shape = definition.shape(inputs, params);
    const tapes = willTape(named.map(([, input]) => input));
    checkDTypes(definition, named, tapes);
    const dtype = definition.dtype?.(params) ?? first.dtype;
    const y = definition.view ? first.view(shape) : Tensor.empty(shape, device, definition.name, dtype);
    if (recorded) {
      recorded.push({ name: definition.name, inputs: Object.fromEntries(named), params, y });
    } else if (isGpu(device)) {
      definition.gpu(device, inputs, params, y);
    } else if (!definition.view) {
      const arrays: Record<string, NdArray> = {};
      for (const [name, input] of named) arrays[name] = { shape: input.shape, data: input.cpuStorage.values };
      // Sums of float16 are not rounded before they are complete.
      const { values } = y.cpuStorage;
      definition.cpu(arrays as ArraysOf<I>, params, { shape, data: values });
      if (dtype === "float16") y.cpuStorage.set(values);
    }
    if (tapes) {
      y.node = {
        name: definition.name,
        inputs: named.map(([name, tensor]) => ({ name, tensor, version: tensor.storage.version })),
        version: y.storage.version,
        backward: definition.backward && ((dy) => definition.backward!(dy, { ...inputs, y }, params)),
      };
    }
    return y;
  };
}

/** Throws a RangeError unless an operation takes the dtypes of its inputs. */
function checkDTypes(
  { name, float16, dtype }: Pick<OpDefinition<never, never>, "name" | "float16" | "dtype">,
  inputs: readonly (readonly [name: string, tensor: Tensor])[],
  tapes: boolean,
): void {
  const [firstName, first] = inputs[0];
  const other = inputs.find(([, input]) => input.dtype !== first.dtype);
  if (other) {
    const [otherName, { dtype: otherDType }] = other;
    throw new RangeError(
      `${name}: ${firstName} is stored as ${first.dtype} and ${otherName} as ${otherDType}. Bring both to one dtype, ` +
        `with cast(), or with half() for a network.`,
    );
  }
  if (first.dtype === "float32" && !dtype) return;
  if (!float16) {
    throw new RangeError(
      `${name}: takes tensors of float32 alone, and ${firstName} is stored as float16. Use cast(${firstName}, ` +
        `"float32").`,
    );
  }
  if (tapes) {
    throw new RangeError(
      `${name}: no gradient flows through float16, and ${firstName} or another input asks for one. Train in ` +
        `float32, and use float16 under noGrad().`,
    );
  }
}

/** What an operation was asked to do, as `recordOps` notes it. */
export interface RecordedOp {
  readonly name: string;
  /** Those that were given. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** As the operation's definition has them. */
  readonly params: unknown;
  /** Its shape is right, its contents are undefined. */
  readonly y: Tensor;
}

let recorded: RecordedOp[] | undefined;

/**
 * Runs `body` without computing anything: operations only check their inputs, make a tensor of the result's
 * shape, and are noted, in order. So a network can be written down in another form (src/nn/onnx-export.ts).
 */
export function recordOps(body: () => void): RecordedOp[] {
  const ops: RecordedOp[] = [];
  const before = recorded;
  recorded = ops;
  try {
    body();
  } finally {
    recorded = before;
  }
  return ops;
}

/** Does an operation on these inputs leave a note for backward? */
export function willTape(inputs: readonly (Tensor | undefined)[]): boolean {
  return noGrads === 0 && inputs.some((input) => input && (input.requiresGrad || input.node));
}

/** How many noGrad() calls are in effect. */
let noGrads = 0;

/**
 * Stops operations from leaving notes for backward, which saves memory where no gradient is needed. Either
 * until the end of a block,
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
export function disposeUnlessTaped(intermediate: Tensor): void {
  if (noGrads > 0) intermediate.dispose();
}

/** A change, in place, of blocks of memory that all have the same number of elements. */
export interface UpdateDefinition<Name extends string> {
  /** The reference, in plain loops. */
  cpu(blocks: Readonly<Record<Name, FloatArray>>, params: Params): void;
  /**
   * Binds the blocks by their names, has a parameter `size` (the number of elements), and computes four
   * elements per thread in workgroups of 64. The last vec4 may reach past the end: every buffer has room for
   * that.
   */
  readonly kernel: Kernel;
}

/**
 * Makes the update: a function that changes the blocks on their device. Parameters that differ from one
 * update to the next are given as a function.
 */
export function defineUpdate<Name extends string>({ cpu, kernel }: UpdateDefinition<Name>) {
  return (
    device: Device,
    blocks: Readonly<Record<Name, Storage>>,
    params: Params | (() => Params) = {},
  ): void => {
    if (isGpu(device)) {
      const [{ length: size }] = Object.values<Storage>(blocks);
      device.run(kernel, {
        buffers: blocks as Record<Name, GpuStorage>,
        params: typeof params === "function" ? () => ({ size, ...params() }) : { size, ...params },
        grid: linearGrid(Math.ceil(size / 4), 64),
      });
    } else {
      const arrays: Record<string, FloatArray> = {};
      for (const [name, block] of Object.entries<Storage>(blocks)) arrays[name] = (block as CpuStorage).array;
      cpu(arrays as Record<Name, FloatArray>, typeof params === "function" ? params() : params);
    }
  };
}

/** Tells the two kinds of device apart, for operations and updates. */
function isGpu(device: Device): device is GpuDevice {
  return !(device instanceof CpuDevice);
}
