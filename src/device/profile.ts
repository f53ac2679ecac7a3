/**
 * Which facts hold for which kind of adapter (DeviceProfile explains them). This folder alone knows kinds of
 * adapter: all other code asks `device.profile`. The numbers come from measurements of kernels.
 */
import type { DeviceProfile } from "./device.ts";

/** The kinds of adapter whose best kernels differ. `gpu` is a card of any other maker. */
export type AdapterClass = "nvidia" | "amd" | "intel" | "apple" | "gpu" | "lavapipe" | "swiftshader";

/** The facts that an adapter's kind decides; the rest are read from the device itself. */
type Facts = Omit<DeviceProfile, "maxTensorBytes" | "float16" | "subgroupSize">;

/** What real GPUs have in common, with the numbers that were measured on NVIDIA's H100 (docs/gpus.md). */
const gpu: Facts = {
  reference: false,
  separateProcessor: true,
  // Equal addresses in a subgroup are one request to the memory unit.
  sharesLoads: true,
  shuffles: false,
  cheapBarriers: true,
  costlyLoops: false,
  // One subgroup of 64 threads, or two of 32.
  workgroup: 64,
  // 8 x 8 sums, and as many registers again for what is loaded and for addresses.
  blockSums: 64,
  // The most threads that a workgroup may have by WebGPU's default limits.
  reductionThreads: 256,
  // Starting a thread costs a few cycles: 16 outputs are enough to pay for it.
  outputsPerThread: 16,
  // Four workgroups for each of some 130 cores.
  groupsToFill: 512,
  // 60 for each lane of such a card.
  threadsToSaturate: 2 ** 20,
};

/** NVIDIA's cards: all of it was measured. A thread may use 255 registers. */
const nvidia: Facts = gpu;

/**
 * AMD's cards: by their design, not measured. A thread may use 256 registers, and 128 of them leave room for 12
 * subgroups on each SIMD unit, so blocks of 64 sums suit. The largest cards have 96 (Radeon) to 304 (Instinct)
 * compute units, so as many workgroups are wanted as for NVIDIA's.
 */
const amd: Facts = gpu;

/**
 * Intel's GPUs: by their design, not measured. A hardware thread has 128 registers of 8 numbers (Arc) or 16 (Xe2),
 * which are 64 numbers for each lane of a subgroup of 16 or 32: with 64 sums nothing would be left for what is
 * loaded.
 */
const intel: Facts = {
  ...gpu,
  blockSums: 32,
  // Sixteen workgroups for each of 8 cores (in a processor), four for each of 32 (Arc).
  groupsToFill: 128,
  // 64 for each lane of 32 cores with 128 lanes.
  threadsToSaturate: 2 ** 18,
};

/**
 * Apple's GPUs: by their design, not measured. A thread may use 128 registers, but only with some 50 or fewer does a
 * core have room for 1024 threads, which hide its memory's latency. 32 sums leave 20 for the rest.
 */
const apple: Facts = {
  ...gpu,
  blockSums: 32,
  // Twelve workgroups for each of 10 cores, three for each of 40. The largest have 80.
  groupsToFill: 128,
  // 50 for each lane of 40 cores with 128 lanes.
  threadsToSaturate: 2 ** 18,
};

/** Mesa's software adapter, measured on 2 cores. */
const lavapipe: Facts = {
  reference: false,
  separateProcessor: false,
  sharesLoads: false,
  shuffles: true,
  cheapBarriers: false,
  costlyLoops: false,
  // Two subgroups of 8: work for one core, of which there are few.
  workgroup: 16,
  // No processor has so many registers; it keeps sums in its first cache.
  blockSums: 64,
  reductionThreads: 64,
  outputsPerThread: 64,
  // A few for each core, so that all end at about the same time.
  groupsToFill: 32,
  threadsToSaturate: 2 ** 14,
};

export const facts: Readonly<Record<AdapterClass, Facts>> = {
  nvidia,
  amd,
  intel,
  apple,
  gpu,
  lavapipe,
  // Its compiler optimizes little.
  swiftshader: { ...lavapipe, shuffles: false, costlyLoops: true },
};

export const cpuProfile: DeviceProfile = {
  ...lavapipe,
  reference: true,
  subgroupSize: 0,
  maxTensorBytes: 2 ** 32, // what JavaScript's arrays hold on all machines
  float16: true,
};

/** What a device is called and what it is good at. */
export interface Identity {
  readonly name: string;
  readonly adapterClass: AdapterClass;
  readonly profile: DeviceProfile;
  /** Subgroups have several sizes here, and kernels have to ask for the profile's `subgroupSize`. */
  readonly fixesSubgroups: boolean;
}

/** The parts of a GPUDevice that are read, written out: these declarations compile without WebGPU's types, too. */
interface OpenedDevice {
  readonly features: ReadonlySet<string>;
  readonly limits: { readonly maxStorageBufferBindingSize: number; readonly maxBufferSize: number };
}

/**
 * Reads all that from an adapter and the device that was opened on it.
 *
 * @param fixable of how many lanes its subgroups can be made, if by themselves they have several sizes.
 */
export function identify(
  { info }: { readonly info: GPUAdapterInfo },
  { features, limits }: OpenedDevice,
  fixable?: number,
): Identity {
  const adapterClass = classify(info);
  const { subgroupMinSize, subgroupMaxSize = 0 } = info;
  const size = subgroupMinSize === subgroupMaxSize ? subgroupMaxSize : (fixable ?? 0);
  const profile = {
    ...facts[adapterClass],
    subgroupSize: features.has("subgroups") ? size : 0,
    maxTensorBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    float16: features.has("shader-f16"),
  };
  const fixesSubgroups = profile.subgroupSize > 0 && subgroupMinSize !== subgroupMaxSize;
  return { name: nameOf(info, adapterClass), adapterClass, profile, fixesSubgroups };
}

function classify(info: GPUAdapterInfo): AdapterClass {
  const text = `${info.description} ${info.device} ${info.architecture}`.toLowerCase();
  if (text.includes("llvmpipe")) return "lavapipe";
  if (text.includes("swiftshader")) return "swiftshader";
  const vendor = info.vendor.toLowerCase();
  return (["nvidia", "amd", "intel", "apple"] as const).find((name) => vendor.includes(name)) ?? "gpu";
}

/** A name for people: for software the renderer and its version, for a GPU its own name first. */
function nameOf(info: GPUAdapterInfo, adapterClass: AdapterClass): string {
  const { device, description, vendor, architecture } = info;
  const isSoftware = adapterClass === "lavapipe" || adapterClass === "swiftshader";
  const parts = isSoftware ? [description || device] : [device, description];
  return parts.filter(Boolean).join(", ") || [vendor, architecture].filter(Boolean).join(" ") || "GPU";
}
