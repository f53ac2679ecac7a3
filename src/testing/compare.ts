import { CpuDevice } from "../device/cpu-device.ts";
import type { Device, DeviceProfile, DType } from "../device/device.ts";
import { aDevice, defaultDevice, onDevice } from "../device/open.ts";
import {
  ArgumentError,
  aFunction,
  anObject,
  checkArguments,
  checkOptions,
  listOf,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { atLeastZero, oneOf, text } from "../options/kinds.ts";
import { tensor } from "../tensor/create.ts";
import { scope } from "../tensor/scope.ts";
import { formatShape, type Shape, ShapeError, sameShape } from "../tensor/shape.ts";
import { backward } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { assertClose, type Tolerance } from "./close.ts";
import { type CheckInput, type CheckResult, fill, namedResults, normalValues } from "./values.ts";
import { weightedLossOf } from "./weighted-loss.ts";

export interface CompareOptions extends Tolerance {
  /** Default: the default device, which must be a GPU's or a software renderer's. */
  readonly devices?: readonly Device[];
  /** Compare gradients with respect to all inputs, too. Default true; false where there is no rule. */
  readonly gradients?: boolean;
  /** The inputs' dtype. Default float32. */
  readonly dtype?: DType;
  /**
   * Facts that replace those of the devices' profiles: an operation that chooses among kernels by them then
   * runs one that it would choose on other hardware.
   */
  readonly profile?: Partial<DeviceProfile>;
}

const reference = new CpuDevice("float32");

/**
 * Runs `f` on the float32 CPU references and on each device, with the same inputs, and throws unless results
 * and gradients are the same, within `absolute` and `relative` (both 1e-5 by default). The gradients are those
 * of the result weighted with random numbers.
 *
 *     await init();
 *     await compareWithCpu((x) => relu(x), [[1, 3, 17, 5]]);
 *
 * Inputs are shapes, which are filled with normally distributed numbers, or `{ shape, values }`. `f` may
 * return a tensor or several. Choose awkward shapes: sizes that are no multiple of the workgroup, single
 * pixels, and one with more elements than a grid of one dimension has threads.
 */
export async function compareWithCpu(
  f: (...inputs: Tensor[]) => CheckResult,
  inputs: readonly CheckInput[],
  options: CompareOptions = {},
): Promise<void> {
  checkArguments("compareWithCpu", { "the first argument": [f, aFunction], inputs: [inputs, listOf(input)] });
  checkOptions("compareWithCpu", options, {
    devices: listOf(aDevice),
    gradients: trueOrFalse,
    profile: anObject,
    dtype: oneOf("float32", "float16"),
    absolute: atLeastZero,
    relative: atLeastZero,
    label: text,
  });
  const { devices = [defaultDevice()], gradients = true, dtype, profile } = options;
  const { absolute = 1e-5, relative = 1e-5, label = "compareWithCpu" } = options;
  if (devices.length === 0 || devices.some((device) => device.profile.reference)) {
    const given = devices.length === 0 ? "none" : "the CPU device, which runs the references";
    throw new ArgumentError(
      label,
      `wants a device that runs kernels, got ${given}. ` +
        'Open one with init(); the adapters "lavapipe" and "swiftshader" need no GPU.',
    );
  }
  if (inputs.length === 0) throw new ArgumentError(label, `compareWithCpu wants at least one input.`);
  const normal = normalValues(11);
  const filled = fill(label, inputs, normal);
  const weights = new Map<string, Float64Array>();

  /** Results and gradients on one device, by name. */
  const valuesOn = async (device: Device): Promise<Map<string, { shape: Shape; data: Float32Array }>> => {
    using _ = scope();
    const tensors = filled.map(({ shape, values }) =>
      tensor(values, shape, { device, requiresGrad: gradients, dtype }),
    );
    const results = onDevice(device, () => namedResults(label, f(...tensors)));
    const named = new Map(results);
    const ys = [...results].filter(([, y]) => y.node || y.requiresGrad);
    if (gradients && ys.length > 0) {
      for (const [name, { size }] of ys) if (!weights.has(name)) weights.set(name, normal(size));
      const loss = weightedLossOf(
        ys.map(([, y]) => y),
        ys.map(([name]) => weights.get(name)!),
      );
      const gradientOf = backward(loss, tensors);
      for (const [i, x] of tensors.entries()) named.set(`gradient of input ${i}`, gradientOf.get(x)!);
    }
    const values = new Map<string, { shape: Shape; data: Float32Array }>();
    for (const [name, { shape }] of named) values.set(name, { shape, data: await named.get(name)!.data() });
    return values;
  };

  const want = await valuesOn(reference);
  for (const device of devices) {
    const got = await withProfile(device, profile, () => valuesOn(device));
    for (const [name, { shape, data }] of want) {
      const what = `${label}, ${name}, on ${device.name}:`;
      const value = got.get(name);
      if (!value || !sameShape(value.shape, shape)) {
        const gotShape = value ? formatShape(value.shape) : "nothing";
        throw new ShapeError(`${what} got ${gotShape}, want shape ${formatShape(shape)}`);
      }
      assertClose(value.data, data, { absolute, relative, label: what });
    }
  }
}

const input: Wanted<CheckInput> = {
  wants: "a shape, or { shape, values }",
  fits: (value): value is CheckInput => typeof value === "object" && value !== null,
};

/** Runs `body` while these facts replace those of the device. */
async function withProfile<T>(
  device: Device,
  facts: Partial<DeviceProfile> | undefined,
  body: () => Promise<T>,
): Promise<T> {
  if (!facts) return body();
  const changing = device as { profile: DeviceProfile };
  const own = device.profile;
  changing.profile = { ...own, ...facts };
  try {
    return await body();
  } finally {
    changing.profile = own;
  }
}
