/**
 * What an operation is: its shape rule, CPU reference, kernels and gradient rule, in one definition. And what
 * an update is: a change in place, such as an optimiser's step, by a CPU reference or one kernel.
 */

import { CpuDevice, type CpuStorage, type FloatArray } from "../device/cpu-device.ts";
import type { Device, DType, Storage } from "../device/device.ts";
import type { GpuDevice, GpuStorage, Params } from "../device/gpu-device.ts";
import { aKernel, type Kernel, linearGrid } from "../device/kernel.ts";
import { aFunction, checkArguments, listOf, optional, type Wanted } from "../options/arguments.ts";
import { text } from "../options/kinds.ts";
import { countLoose } from "./scope.ts";
import { type Shape, ShapeError } from "./shape.ts";
import { aTensor, type GradientOf, type TapedValue, type TapeNode, Tensor } from "./tensor.ts";

/** A tensor as a CPU reference sees it: values in row-major order, and their shape. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: FloatArray;
}

/** Inputs by name; optional ones (a bias) may be undefined. */
export type Inputs = Record<string, Tensor | undefined>;

type ArraysOf<I extends Inputs> = { [K in keyof I]: undefined extends I[K] ? NdArray | undefined : NdArray };

/** A function for each input's gradient, which is called only if that gradient is needed. */
type Thunks<I extends Inputs> = { [K in keyof I]?: GradientOf };

/** What defines any operation, with one output or several. */
interface CommonDefinition<I extends Inputs> {
  readonly name: string;
  /** Inputs that may be left out. */
  readonly optional?: readonly (keyof I & string)[];
  /**
   * Its inputs may also be float16, all of them; its kernels then call the type of their buffers `element`
   * (see kernel.ts). Default: float32 alone.
   */
  readonly float16?: boolean;
}

/** All that defines an operation. */
export interface OpDefinition<I extends Inputs, P = void> extends CommonDefinition<I> {
  /** The result's dtype. Default: that of the inputs. */
  dtype?(params: P): DType;
  /** The output's shape; throws a ShapeError that names the operation if the inputs do not fit. */
  shape(inputs: I, params: P): Shape;
  /** The reference, in plain loops: fills `y`, which is zero at first. */
  cpu(inputs: ArraysOf<I>, params: P, y: NdArray): void;
  /** Records the kernels that fill `y`, whose contents are undefined at first. */
  gpu(device: GpuDevice, inputs: I, params: P, y: Tensor): void;
  /**
   * The gradient rule; `dy` is the gradient of the loss with respect to y. Without one, backward throws.
   * `saved` are all inputs and y, which are held until their scope ends: a rule takes those that it needs.
   */
  backward?(dy: Tensor, saved: I & { y: Tensor }, params: P): Thunks<I>;
  /** `y` is the first input's memory under another shape: `cpu` and `gpu` have nothing to do. */
  readonly view?: boolean;
}

/** All that defines an operation with several outputs, which have names that no input has. */
export interface MultiOpDefinition<I extends Inputs, P, O extends string> extends CommonDefinition<I> {
  /** The outputs' dtype. Default: that of the inputs. */
  dtype?(params: P): DType;
  /** Each output's shape; throws a ShapeError that names the operation if the inputs do not fit. */
  shapes(inputs: I, params: P): Readonly<Record<O, Shape>>;
  /** The reference, in plain loops: fills the outputs, which are zero at first. */
  cpu(inputs: ArraysOf<I>, params: P, outputs: Readonly<Record<O, NdArray>>): void;
  /** Records the kernels that fill the outputs, whose contents are undefined at first. */
  gpu(device: GpuDevice, inputs: I, params: P, outputs: Readonly<Record<O, Tensor>>): void;
  /**
   * The gradient rule. `dys` are the gradients of the loss with respect to the outputs: undefined, which
   * means 0, for those that the loss does not depend on. At least one is there. `saved` are all inputs and
   * outputs, which are held until their scope ends.
   */
  backward?(
    dys: Readonly<Record<O, Tensor | undefined>>,
    saved: I & Readonly<Record<O, Tensor>>,
    params: P,
  ): Thunks<I>;
  /** Outputs through which no gradient flows, such as the positions of maxima. */
  readonly nonDifferentiable?: readonly O[];
}

/**
 * Makes the operation: a function from inputs and parameters to the output, or to the outputs by name. It
 * throws a RangeError that names the operation if an input is no tensor.
 */
export function defineOp<I extends Inputs, P = void>(
  definition: OpDefinition<I, P>,
): (inputs: I, params: P) => Tensor;
export function defineOp<I extends Inputs, P, O extends string>(
  definition: MultiOpDefinition<I, P, O>,
): (inputs: I, params: P) => Record<O, Tensor>;
export function defineOp<I extends Inputs, P, O extends string>(
  definition: OpDefinition<I, P> | MultiOpDefinition<I, P, O>,
): (inputs: I, params: P) => Tensor | Record<O, Tensor> {
  checkDefinition(definition);
  if ("shapes" in definition) {
    return (inputs, params) => {
      const outputs = run(definition, inputs, params);
      const twice = Object.keys(outputs).find((output) => output in inputs);
      if (twice === undefined) return outputs;
      throw new Error(`${definition.name}: an input and an output are both called "${twice}".`);
    };
  }
  const named = withNamedOutput(definition);
  return (inputs, params) => run(named, inputs, params).y;
}

function checkDefinition(definition: object): void {
  const { name, shape, shapes, cpu, gpu, backward, nonDifferentiable } = (definition ?? {}) as Record<
    string,
    unknown
  >;
  checkArguments("defineOp", { name: [name, text] });
  checkArguments(`defineOp of ${name}`, {
    [shapes === undefined ? "shape" : "shapes"]: [shapes ?? shape, aFunction],
    cpu: [cpu, aFunction],
    gpu: [gpu, aFunction],
    backward: [backward, optional(aFunction)],
    nonDifferentiable: [nonDifferentiable, optional(listOf(text))],
  });
}

/** An operation with one output is one with several, of which there is one. */
interface Definition<I extends Inputs, P, O extends string> extends MultiOpDefinition<I, P, O> {
  readonly view?: boolean;
}

function withNamedOutput<I extends Inputs, P>(definition: OpDefinition<I, P>): Definition<I, P, "y"> {
  const { name, optional, float16, view, backward } = definition;
  return {
    name,
    optional,
    float16,
    view,
    dtype: definition.dtype && ((params) => definition.dtype!(params)),
    shapes: (inputs, params) => ({ y: definition.shape(inputs, params) }),
    cpu: (inputs, params, { y }) => definition.cpu(inputs, params, y),
    gpu: (device, inputs, params, { y }) => definition.gpu(device, inputs, params, y),
    backward: backward && (({ y: dy }, saved, params) => definition.backward!(dy!, saved, params)),
  };
}

/** Runs an operation on its inputs' device, and leaves a note for backward on its outputs. */
function run<I extends Inputs, P, O extends string>(
  definition: Definition<I, P, O>,
  inputs: I,
  params: P,
): Record<O, Tensor> {
  // Plain loops, since every operation of every step comes through here.
  const { name } = definition;
  const namedInputs: NamedTensor[] = [];
  for (const key in inputs) {
    const tensor = inputs[key];
    if (tensor === undefined && definition.optional?.includes(key)) continue;
    if (aTensor.fits(tensor)) namedInputs.push({ name: key, tensor });
    else
      checkArguments(name, { [key]: [tensor, definition.optional?.includes(key) ? perhapsTensor : aTensor] });
  }
  const [{ tensor: first }] = namedInputs;
  const { device } = first;
  for (const { name: key, tensor } of namedInputs) {
    if (tensor.device !== device) {
      throw new Error(
        `${name}: its inputs are on different devices (${key} on ${tensor.device.name}, ${namedInputs[0].name} on ` +
          `${device.name}). Create them on the same one.`,
      );
    }
  }

  const shapes = definition.shapes(inputs, params);
  const tapes = willTape(Object.values(inputs));
  checkDTypes(definition, namedInputs, tapes);
  const dtype = definition.dtype?.(params) ?? first.dtype;
  const outputs = {} as Record<O, Tensor>;
  const namedOutputs: NamedTensor[] = [];
  for (const key in shapes) {
    const shape = shapes[key];
    const tensor = definition.view ? first.alias(shape) : Tensor.empty(shape, device, name, dtype);
    outputs[key] = tensor;
    namedOutputs.push({ name: key, tensor });
  }
  if (recording) {
    const inputs = Object.fromEntries(namedInputs.map(({ name, tensor }) => [name, tensor]));
    recording.push({ name, inputs, params, y: namedOutputs[0].tensor });
  } else if (isGpu(device)) {
    for (const { tensor } of namedOutputs) countLoose(tensor);
    definition.gpu(device, inputs, params, outputs);
  } else if (!definition.view) {
    const arrays = arraysOf(namedOutputs);
    definition.cpu(arraysOf(namedInputs) as ArraysOf<I>, params, arrays as Record<O, NdArray>);
    // Sums of float16 are not rounded before they are complete.
    if (dtype === "float16")
      for (const { name, tensor } of namedOutputs) tensor.cpuStorage.set(arrays[name].data);
  }

  if (tapes) {
    const rule = (...gradients: (Tensor | undefined)[]) => {
      const dys = {} as Record<string, Tensor | undefined>;
      for (const [i, output] of namedOutputs.entries()) dys[output.name] = gradients[i];
      return definition.backward!(dys as Record<O, Tensor | undefined>, { ...inputs, ...outputs }, params);
    };
    const node: TapeNode = {
      name,
      inputs: namedInputs.map(tapedValue),
      outputs: namedOutputs.map(tapedValue),
      backward: definition.backward && rule,
    };
    for (const { name: key, tensor } of namedOutputs) {
      if (!definition.nonDifferentiable?.includes(key as O)) tensor.node = node;
    }
  }
  return outputs;
}

/** Python's None is undefined here, not null. */
const perhapsTensor: Wanted = { ...aTensor, wants: "a tensor, or undefined where there is none" };

interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

function tapedValue({ name, tensor }: NamedTensor): TapedValue {
  return { name, tensor, version: tensor.storage.version };
}

function arraysOf(values: readonly NamedTensor[]): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {};
  for (const { name, tensor } of values)
    arrays[name] = { shape: tensor.shape, data: tensor.cpuStorage.values };
  return arrays;
}

/** Throws a RangeError unless an operation takes the dtypes of its inputs. */
function checkDTypes(
  { name, float16, dtype }: Pick<OpDefinition<never, never>, "name" | "float16" | "dtype">,
  inputs: readonly NamedTensor[],
  tapes: boolean,
): void {
  const [{ name: firstName, tensor: first }] = inputs;
  const other = inputs.find(({ tensor }) => tensor.dtype !== first.dtype);
  if (other) {
    const {
      name: otherName,
      tensor: { dtype: otherDType },
    } = other;
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
  /** The output, or the first of several. Its shape is right, its contents are undefined. */
  readonly y: Tensor;
}

let recording: RecordedOp[] | undefined;

/**
 * Runs `body` without computing anything: operations only check their inputs, make a tensor of the result's
 * shape, and are noted, in order. So a network can be written down in another form (src/nn/onnx-export.ts).
 */
export function recordOps(body: () => void): RecordedOp[] {
  const ops: RecordedOp[] = [];
  const before = recording;
  recording = ops;
  try {
    body();
  } finally {
    recording = before;
  }
  return ops;
}

/** Does an operation on these inputs leave a note for backward? */
export function willTape(inputs: readonly (Tensor | undefined)[]): boolean {
  return noGrads === 0 && inputs.some((input) => input && wantsGradient(input));
}

/** Is the tensor a parameter, or computed from one? */
export function wantsGradient({ requiresGrad, node }: Tensor): boolean {
  return requiresGrad || node !== undefined;
}

/** How many noGrad() calls are in effect. */
let noGrads = 0;

/** For messages: why does nothing leave a note at this moment? A sentence, or nothing. */
export function whyNoGradients(): string {
  if (noGrads === 0) return "";
  return (
    " At this moment noGrad() is in effect: if it was called alone, as in Python, it never ends. Write using _ = " +
    "noGrad(), which ends with its block, or noGrad(() => …)."
  );
}

/**
 * Stops operations from leaving notes for backward, which saves memory where no gradient is needed. Either
 * until the end of a block (a mere `noGrad();` without `using` never ends),
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
export function disposeUnderNoGrad(intermediate: Tensor): void {
  checkArguments("disposeUnderNoGrad", { "the first argument": [intermediate, aTensor] });
  if (noGrads > 0) intermediate.dispose();
}

/** A change, in place, of blocks of memory that all have the same number of elements. */
export interface UpdateDefinition<Name extends string> {
  /** The reference, in plain loops. */
  cpu(blocks: Readonly<Record<Name, FloatArray>>, params: Params): void;
  /**
   * Binds the blocks by their names, those that it changes as `read_write`; has a parameter `size` (the number
   * of elements), and computes four elements per thread in workgroups of 64. The last vec4 may reach past the
   * end: every buffer has room for that.
   */
  readonly kernel: Kernel;
  /** Those of one element, which count for all elements of the others. */
  readonly single?: readonly Name[];
}

/**
 * Makes the update: a function that changes tensors, or storages, on their device. No gradient flows through
 * it, and backward refuses to use values that it has overwritten. Parameters that differ from one update to
 * the next are given as a function, which is called again when captured work is replayed (`capture`).
 */
export function defineUpdate<Name extends string>(definition: UpdateDefinition<Name>) {
  const { cpu, kernel, single = [] } = definition ?? {};
  checkArguments("defineUpdate", { cpu: [cpu, aFunction], kernel: [kernel, aKernel] });
  const changed = kernel.bindings.filter(({ kind }) => kind === "read_write").map(({ name }) => name as Name);
  return (
    device: Device,
    blocks: Readonly<Record<Name, Tensor | Storage>>,
    params: Params | (() => Params) = {},
  ): void => {
    const storages = {} as Record<Name, Storage>;
    let first: Name | undefined;
    for (const name in blocks) {
      storages[name] = storageOn(device, blocks[name], `${kernel.name}: ${name}`);
      if (single.includes(name)) continue;
      first ??= name;
      if (storages[name].length !== storages[first].length) {
        throw new ShapeError(
          `${kernel.name}: ${first} has ${storages[first].length} elements and ${name} has ` +
            `${storages[name].length}. An update is of tensors of the same size.`,
        );
      }
    }
    const size = storages[first!].length;
    if (isGpu(device)) {
      device.run(kernel, {
        buffers: storages as Record<Name, GpuStorage>,
        params: typeof params === "function" ? () => ({ size, ...params() }) : { size, ...params },
        grid: linearGrid(Math.ceil(size / 4), 64),
      });
    } else {
      const arrays = {} as Record<Name, FloatArray>;
      for (const name in storages) arrays[name] = (storages[name] as CpuStorage).array;
      cpu(arrays, typeof params === "function" ? params() : params);
    }
    device.eachTime(() => {
      for (const name of changed) storages[name].version++;
    });
  };
}

function storageOn(device: Device, block: Tensor | Storage, what: string): Storage {
  if (!(block instanceof Tensor)) return block;
  if (block.device === device) return block.storage;
  throw new Error(
    `${what} is on ${block.device.name} and not on ${device.name}, where the update is to run.`,
  );
}

/** Tells the two kinds of device apart, for operations and updates. */
function isGpu(device: Device): device is GpuDevice {
  return !(device instanceof CpuDevice);
}
