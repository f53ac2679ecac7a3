/**
 * Which facts hold for which kind of adapter. This is the only place that knows: everybody else asks
 * `device.profile` (the facts are explained at DeviceProfile). The numbers were found by measuring kernels.
 */
import type { DeviceProfile } from "./device.ts";

/** The kinds of adapter whose best kernels differ. */
export type AdapterClass = "gpu" | "lavapipe" | "swiftshader";

type Facts = Omit<DeviceProfile, "maxTensorBytes" | "subgroupSize">;

const gpu: Facts = {
  reference: false,
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
  sharesLoads: false,
  cheapBarriers: false,
  costlyLoops: false,
  workgroup: 16,
  reductionLanes: 64,
  outputsPerThread: 64,
  groupsToFill: 32,
  threadsToSaturate: 2 ** 14,
};

const facts: Record<AdapterClass, Facts> = { gpu, lavapipe, swiftshader: { ...lavapipe, costlyLoops: true } };

/** The profile of an adapter of this class, with what the device itself says about subgroups and sizes. */
export function profileOf(
  adapterClass: AdapterClass,
  { subgroupSize, maxTensorBytes }: Pick<DeviceProfile, "subgroupSize" | "maxTensorBytes">,
): DeviceProfile {
  return { ...facts[adapterClass], subgroupSize, maxTensorBytes };
}

export const cpuProfile: DeviceProfile = {
  ...lavapipe,
  reference: true,
  subgroupSize: 0,
  maxTensorBytes: Number.POSITIVE_INFINITY,
};

/** What a device can be called and what it is good at. */
export interface Identity {
  readonly name: string;
  readonly adapterClass: AdapterClass;
  readonly profile: DeviceProfile;
}

/** Reads all that from an adapter and the device that was opened on it. */
export function identify(
  { info }: { readonly info: GPUAdapterInfo },
  {
    features,
    limits,
  }: {
    readonly features: ReadonlySet<string>;
    readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
  },
): Identity {
  const adapterClass = classify(info);
  const fixedSize = info.subgroupMinSize === info.subgroupMaxSize ? (info.subgroupMaxSize ?? 0) : 0;
  const profile = profileOf(adapterClass, {
    subgroupSize: features.has("subgroups") ? fixedSize : 0,
    maxTensorBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
  });
  return { name: nameOf(info, adapterClass), adapterClass, profile };
}

function classify(info: GPUAdapterInfo): AdapterClass {
  const text = `${info.description} ${info.device} ${info.architecture}`.toLowerCase();
  if (text.includes("llvmpipe")) return "lavapipe";
  if (text.includes("swiftshader")) return "swiftshader";
  return "gpu";
}

/** What people call it: for software the renderer and its version, for a GPU its own name first. */
function nameOf(info: GPUAdapterInfo, adapterClass: AdapterClass): string {
  const parts = adapterClass === "gpu" ? [info.device, info.description] : [info.description || info.device];
  return (
    parts.filter(Boolean).join(", ") || [info.vendor, info.architecture].filter(Boolean).join(" ") || "GPU"
  );
}
