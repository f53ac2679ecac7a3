import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { type CompareOptions, compareWithCpu as compare } from "../../src/testing/compare.ts";
import type { CheckInput } from "../../src/testing/values.ts";

export type CompareInput = CheckInput;

/**
 * The library's own comparison of kernels with their references, on several devices. With `adapterClass`,
 * they run the kernels that this class of adapter would get: those for real GPUs must be right everywhere.
 * With a dtype, only devices that have it are compared.
 */
export async function compareWithCpu(
  devices: readonly GpuDevice[],
  label: string,
  f: (inputs: Tensor[]) => Tensor,
  inputs: readonly CompareInput[],
  { adapterClass, ...options }: CompareOptions & { readonly adapterClass?: AdapterClass } = {},
): Promise<void> {
  const profile = adapterClass && facts[adapterClass];
  const able = devices.filter((device) => options.dtype !== "float16" || device.profile.float16);
  if (able.length === 0) return;
  await compare((...tensors) => f(tensors), inputs, { devices: able, label, profile, ...options });
}
