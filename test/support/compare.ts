import { afterAll, expect } from "vitest";
import type { Device, DType } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { numel, type Shape } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import { type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "./close.ts";
import { float32Device } from "./devices.ts";
import { weightedLoss } from "./gradcheck.ts";

/** A shape, to be filled with normally distributed numbers, or values of one's own. */
export type CompareInput =
  | Shape
  | { readonly shape: Shape; readonly values: Float32Array | readonly number[] };

export interface CompareOptions {
  /** As in expectClose; default 1e-5 for both. */
  readonly absolute?: number;
  readonly relative?: number;
  /**
   * Compare gradients with respect to all inputs, too. Default true; false where there is no gradient rule.
   */
  readonly gradients?: boolean;
  /** The inputs' dtype, for which only devices that have it are compared; default float32. */
  readonly dtype?: DType;
  /** Choose kernels by the profile of this class of adapter: those for real GPUs must be right everywhere. */
  readonly adapterClass?: AdapterClass;
}

const cpu = float32Device();
let cases = 0;

// Every test file has its own copy of this module, hence its own count and line.
afterAll(() => console.log(`kernel x shape x adapter cases: ${cases}`));

/**
 * Runs `f` on the float32 CPU references and on each device, with the same inputs, and expects the same
 * result and the same gradients (of the result weighted with random numbers). Call it inside a test.
 */
export async function compareWithCpu(
  devices: readonly GpuDevice[],
  label: string,
  f: (inputs: Tensor[]) => Tensor,
  inputs: readonly CompareInput[],
  { absolute = 1e-5, relative = 1e-5, gradients = true, dtype, adapterClass }: CompareOptions = {},
): Promise<void> {
  const random = new Random(11);
  const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
  const filled = inputs.map((input) =>
    "shape" in input ? input : { shape: input, values: normal(numel(input)) },
  );
  let weights: Float32Array | undefined;

  const results = async (device: Device) => {
    using _ = scope();
    const tensors = filled.map(({ shape, values }) =>
      tensor(values, shape, { device, requiresGrad: gradients, dtype }),
    );
    const y = f(tensors);
    const named = new Map([["value", y]]);
    if (gradients) {
      weights ??= normal(y.size);
      const gradientOf = backward(weightedLoss(y, weights), tensors);
      for (const [i, input] of tensors.entries()) named.set(`gradient of input ${i}`, gradientOf.get(input)!);
    }
    const read: { what: string; shape: Shape; data: Float32Array }[] = [];
    for (const [what, t] of named) read.push({ what, shape: t.shape, data: await t.data() });
    return read;
  };

  const want = await results(cpu);
  for (const device of devices) {
    if (dtype === "float16" && !device.profile.float16) continue;
    const got = await asClass(device, adapterClass, () => results(device));
    for (const [i, { what, shape, data }] of want.entries()) {
      const full = `${label}, ${what}, on ${device.name}:`;
      expect(got[i].shape, full).toEqual(shape);
      expectClose(got[i].data, data, { absolute, relative, label: full });
    }
    cases++;
  }
}

/** Runs `body` while the device has the profile of another class of adapter, if `adapterClass` is set. */
async function asClass<T>(device: GpuDevice, adapterClass: AdapterClass | undefined, body: () => Promise<T>) {
  const own = device.profile;
  if (adapterClass) device.profile = { ...own, ...facts[adapterClass] };
  try {
    return await body();
  } finally {
    device.profile = own;
  }
}
