/**
 * What an operation is: its shape rule, CPU reference, kernels and gradient rule, in one definition. And what
 * an update is: a change of memory in place, as optimisers make it, with a CPU reference and one kernel.
 */
import { CpuDevice, type CpuStorage, type FloatArray } from "../device/cpu-device.ts";
import type { Device, Storage } from "../device/device.ts";
import type { GpuDevice, GpuStorage } from "../device/gpu-device.ts";
import { type Kernel, linearGrid } from "../device/kernel.ts";
import type { Shape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** A tensor as a CPU reference sees it: values in row-major order and their shape. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: FloatArray;
}

/** Inputs by name; optional ones (a bias) may be undefined. */
export type Inputs = Record<string, Tensor | undefined>;

type ArraysOf<I extends Inputs> = { [K in keyof I]: undefined extends I[K] ? NdArray | undefined : NdArray };

/** Gradients by input name, each a function that computes it: what nobody wants is never computed. */
type Thunks<I extends Inputs> = { [K in keyof I]?: () => Tensor };

/** Everything an operation owes. */
export interface OpDefinition<I extends Inputs, P> {
  readonly name: string;
  /** The output's shape; throws a ShapeError that names the operation if the inputs do not fit. */
  shape(inputs: I, params: P): Shape;
  /** The definition in plain loops: fills `y`, which is zero at the start. */
  cpu(inputs: ArraysOf<I>, params: P, y: NdArray): void;
  /** Records the kernels that fill `y`, whose contents are undefined at the start. */
  gpu(device: GpuDevice, inputs: I, params: P, y: Tensor): void;
  /** The gradient rule: `dy` is the loss's gradient with respect to y. Absent: not differentiable. */
  backward?(dy: Tensor, saved: I & { y: Tensor }, params: P): Thunks<I>;
  /** The output is the input's memory under another shape: nothing is computed. */
  readonly view?: boolean;
}

/** Makes an operation out of its definition: a function from inputs and parameters to the output. */
export function defineOp<I extends Inputs, P = void>(
  definition: OpDefinition<I, P>,
): (inputs: I, params: P) => Tensor {
  return (inputs, params) => {
    const named = Object.entries(inputs).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    const device = named[0][1].device;
    for (const [name, input] of named) {
      if (input.device !== device) {
        throw new Error(
          `${definition.name}: its inputs are on different devices (${name} on ${input.device.name}, ${named[0][0]} ` +
            `on ${device.name}). Create them on the same one.`,
        );
      }
    }
    const shape = definition.shape(inputs, params);
    if (definition.view) {
      const y = named[0][1].view(shape);
      return record(definition, named, inputs, params, y);
    }
    const y = Tensor.empty(shape, device);
    if (isGpu(device)) {
      definition.gpu(device, inputs, params, y);
    } else {
      const arrays: Record<string, NdArray> = {};
      for (const [name, input] of named) arrays[name] = { shape: input.shape, data: input.cpuStorage.array };
      definition.cpu(arrays as ArraysOf<I>, params, { shape, data: y.cpuStorage.array });
    }
    return record(definition, named, inputs, params, y);
  };
}

function record<I extends Inputs, P>(
  { name, backward }: OpDefinition<I, P>,
  named: [string, Tensor][],
  inputs: I,
  params: P,
  y: Tensor,
): Tensor {
  if (noGrads > 0 || !named.some(([, input]) => input.requiresGrad || input.node)) return y;
  y.node = {
    name,
    inputs: named.map(([key, tensor]) => ({ name: key, tensor, version: tensor.storage.version })),
    version: y.storage.version,
    backward: backward && ((dy) => backward(dy, { ...inputs, y }, params)),
  };
  return y;
}

/** How many noGrad() have not ended. */
let noGrads = 0;

/**
 * Operations leave no notes for backward: for evaluation, where no gradient is wanted. Either until the end
 * of a block,
 *
 *     using _ = noGrad();
 *
 * or while a function runs, whose result it returns: `const y = noGrad(() => model.forward(x))`. With an
 * async function it lasts until the promise settles, for all operations of the program.
 */
export function noGrad(): Disposable;
export function noGrad<T>(body: () => T): T;
export function noGrad<T>(body?: () => T): Disposable | T {
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
 * Disposes an intermediate result that only a gradient would read again: at once under noGrad(), else its
 * scope does so when it ends. A deep network then holds a few feature maps instead of all.
 */
export function disposeUnlessTaped(intermediate: Tensor): void {
  if (noGrads > 0) intermediate.dispose();
}

/** The numbers that an update takes, by their names in the kernel's `Params`. */
type Params = Readonly<Record<string, number>>;

/** An update in place of blocks of memory that have the same number of elements. */
export interface UpdateDefinition<Name extends string> {
  /** The definition in plain loops. */
  cpu(blocks: Readonly<Record<Name, FloatArray>>, params: Params): void;
  /**
   * Binds the blocks by their names, takes `size`, the number of elements, among its parameters, and computes
   * four elements per thread in workgroups of 64. The last vec4 may reach past the end, into room that every
   * buffer has.
   */
  readonly kernel: Kernel;
  /** The parameters differ from one update to the next: the device need not keep them. */
  readonly transientParams?: boolean;
}

/** Makes an update out of its definition: a function that records it on the blocks' device. */
export function defineUpdate<Name extends string>({
  cpu,
  kernel,
  transientParams,
}: UpdateDefinition<Name>): (
  device: Device,
  blocks: Readonly<Record<Name, Storage>>,
  params: Params,
) => void {
  return (device, blocks, params) => {
    if (isGpu(device)) {
      const [{ length: size }] = Object.values<Storage>(blocks);
      device.run(kernel, {
        buffers: blocks as Record<Name, GpuStorage>,
        params: { size, ...params },
        transientParams,
        grid: linearGrid(Math.ceil(size / 4), 64),
      });
    } else {
      const arrays = Object.entries<Storage>(blocks).map(([name, block]) => [
        name,
        (block as CpuStorage).array,
      ]);
      cpu(Object.fromEntries(arrays), params);
    }
  };
}

/** The two kinds of device there are. Nothing else asks. */
function isGpu(device: Device): device is GpuDevice {
  return !(device instanceof CpuDevice);
}
