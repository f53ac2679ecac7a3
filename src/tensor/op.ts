/** What an operation is: its shape rule, CPU reference, kernels and gradient rule, in one definition. */
import type { FloatArray } from "../device/cpu-device.ts";
import { checkOneDevice, type DType } from "../device/device.ts";
import { type GpuDevice, isGpu } from "../device/gpu-device.ts";
import { checkHasValues } from "../device/meta-device.ts";
import {
  ArgumentError,
  aFunction,
  checkArguments,
  listOf,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { text } from "../options/kinds.ts";
import { willTape } from "./no-grad.ts";
import { isRecording, type NamedTensor, recordOp } from "./record-ops.ts";
import { countLoose } from "./scope.ts";
import type { Shape } from "./shape.ts";
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
    if (tensor.device !== device)
      checkOneDevice(`${name}: ${key}`, tensor.device, namedInputs[0].name, device);
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
  if (isRecording()) {
    recordOp(name, namedInputs, params, namedOutputs[0].tensor);
  } else if (isGpu(device)) {
    for (const { tensor } of namedOutputs) countLoose(tensor);
    definition.gpu(device, inputs, params, outputs);
  } else if (!definition.view) {
    checkHasValues(device, `${name}: an operation`);
    const arrays = arraysOf(namedOutputs);
    definition.cpu(arraysOf(namedInputs) as ArraysOf<I>, params, arrays as Record<O, NdArray>);
    // Sums of float16 are not rounded before they are complete.
    if (dtype === "float16")
      for (const { name, tensor } of namedOutputs) tensor.cpuStorage.set(arrays[name].data);
  }

  if (tapes) {
    const rule = (dys: Record<O, Tensor | undefined>) =>
      definition.backward!(dys, { ...inputs, ...outputs }, params);
    leaveNote(definition, namedInputs, namedOutputs, rule);
  }
  return outputs;
}

/**
 * Notes on the outputs how they were computed, for backward.
 *
 * @param rule the definition's gradient rule, which gets the gradients of the outputs by name.
 */
function leaveNote<I extends Inputs, P, O extends string>(
  { name, backward, nonDifferentiable }: Definition<I, P, O>,
  inputs: readonly NamedTensor[],
  outputs: readonly NamedTensor[],
  rule: (dys: Record<O, Tensor | undefined>) => Thunks<I>,
): void {
  const byPlace = (...gradients: (Tensor | undefined)[]) => {
    const dys = {} as Record<string, Tensor | undefined>;
    for (const [i, output] of outputs.entries()) dys[output.name] = gradients[i];
    return rule(dys as Record<O, Tensor | undefined>);
  };
  const node: TapeNode = {
    name,
    inputs: inputs.map(tapedValue),
    outputs: outputs.map(tapedValue),
    backward: backward && byPlace,
  };
  for (const { name: key, tensor } of outputs) {
    if (!nonDifferentiable?.includes(key as O)) tensor.node = node;
  }
}

/** Python's None is undefined here, not null. */
const perhapsTensor: Wanted = { ...aTensor, wants: "a tensor, or undefined where there is none" };

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
    throw new ArgumentError(
      name,
      `${firstName} is stored as ${first.dtype} and ${otherName} as ${otherDType}. Bring both to one dtype, ` +
        `with cast(), or with half() for a network.`,
    );
  }
  if (first.dtype === "float32" && !dtype) return;
  if (!float16) refuseFloat16(name, { [firstName]: first });
  if (tapes) {
    throw new ArgumentError(
      name,
      `no gradient flows through float16, and ${firstName} or another input asks for one. Train in ` +
        `float32, and use float16 under noGrad().`,
    );
  }
}

/** For functions of several operations, which would name one that their caller does not know. @throws RangeError */
export function refuseFloat16(name: string, inputs: Inputs): void {
  for (const [key, tensor] of Object.entries(inputs)) {
    if (tensor?.dtype !== "float16") continue;
    throw new ArgumentError(
      name,
      `takes tensors of float32 alone, and ${key} is stored as float16. Use cast(${key}, "float32").`,
    );
  }
}
