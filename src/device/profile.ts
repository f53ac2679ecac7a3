/**
 * Which facts hold for which kind of adapter (DeviceProfile explains them). This folder alone knows kinds of
 * adapter: all other code asks `device.profile`. The numbers come from measurements of kernels.
 */
import type { DeviceProfile } from "./device.ts";

/** The kinds of adapter whose best kernels differ. */
export type AdapterClass = "gpu" | "lavapipe" | "swiftshader";

/** The facts that an adapter's kind decides; the rest are read from the device itself. */
type Facts = Omit<DeviceProfile, "maxTensorBytes" | "subgroupSize">;

const gpu: Facts = {
  reference: false,
  ownProcessor: true,
  sharesLoads: true,
  cheapBarriers: true,
  costlyLoops: false,
  workgroup: 64,
  reductionLanes: 256,
  outputsPerThread: 16,
  groupsToFill: 512,
  threadsToSaturate: 2 ** 20,
};

const lavapipe: Facts = {
  reference: false,
  ownProcessor: false,
  sharesLoads: false,
  cheapBarriers: false,
  costlyLoops: false,
  workgroup: 16,
  reductionLanes: 64,
  outputsPerThread: 64,
  groupsToFill: 32,
  threadsToSaturate: 2 ** 14,
};

export const facts: Readonly<Record<AdapterClass, Facts>> = {
  gpu,
  lavapipe,
  swiftshader: { ...lavapipe, costlyLoops: true },
};

export const cpuProfile: DeviceProfile = {
  ...lavapipe,
  reference: true,
  subgroupSize: 0,
  maxTensorBytes: 2 ** 32, // what JavaScript's arrays hold on all machines
};

/** What a device is called and what it is good at. */
export interface Identity {
  readonly name: string;
  readonly adapterClass: AdapterClass;
  readonly profile: DeviceProfile;
}

/** Of a GPUDevice, written out: these declarations have to compile without WebGPU's types, too. */
interface OpenedDevice {
  readonly features: ReadonlySet<string>;
  readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
}

/** Reads all that from an adapter and the device that was opened on it. */
export function identify(
  { info }: { readonly info: GPUAdapterInfo },
  { features, limits }: OpenedDevice,
): Identity {
  const adapterClass = classify(info);
  const { subgroupMinSize, subgroupMaxSize = 0 } = info;
  const profile = {
    ...facts[adapterClass],
    subgroupSize: features.has("subgroups") && subgroupMinSize === subgroupMaxSize ? subgroupMaxSize : 0,
    maxTensorBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
  };
  return { name: nameOf(info, adapterClass), adapterClass, profile };
}

function classify(info: GPUAdapterInfo): AdapterClass {
  const text = `${info.description} ${info.device} ${info.architecture}`.toLowerCase();
  if (text.includes("llvmpipe")) return "lavapipe";
  if (text.includes("swiftshader")) return "swiftshader";
  return "gpu";
}

/** A name for people: for software the renderer and its version, for a GPU its own name first. */
function nameOf(info: GPUAdapterInfo, adapterClass: AdapterClass): string {
  const { device, description, vendor, architecture } = info;
  const parts = adapterClass === "gpu" ? [device, description] : [description || device];
  return parts.filter(Boolean).join(", ") || [vendor, architecture].filter(Boolean).join(" ") || "GPU";
}
