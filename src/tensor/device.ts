import { type AdapterChoice, openGpuDevice } from "./adapter.ts";
import { CpuDevice } from "./cpu-device.ts";
import type { TuningFile } from "./tuning.ts";

/** What a device keeps of one tensor's elements. Several tensors may share it (see reshape). */
export interface Storage {
  /** Number of elements. */
  readonly length: number;
  /** How many tensors use it; at 0 the device takes the memory back. */
  refs: number;
  /** Counts writes in place (an optimiser's step), so that backward can refuse stale values. */
  version: number;
}

/** A snapshot of what a device holds; see {@link memory}. */
export interface MemoryStats {
  /** Storages in use: tensors that have not been disposed (reshaped views share one). */
  live: number;
  /** Bytes of those. */
  liveBytes: number;
  /** The most `liveBytes` has been since the device was made, or since `resetPeak`. */
  peakBytes: number;
  /** GPU buffers that exist, in use or waiting in the pool for the next tensor; 0 on the CPU. */
  buffers: number;
  /** Bytes of those buffers. */
  bufferBytes: number;
  /** Buffers created since the device was made: constant in a steady training loop. */
  buffersCreated: number;
  /** Compute pipelines compiled since the device was made. */
  pipelines: number;
}

/**
 * Where tensors live: a `GpuDevice`, or the `CpuDevice` that runs every operation on its reference. Storages
 * belong to the device that allocated them.
 */
export interface Device {
  readonly kind: "cpu" | "gpu";
  /** What to print: "llvmpipe (LLVM 15.0.6, 256 bits)", "cpu", … */
  readonly name: string;
  allocate(length: number): Storage;
  /** A part of a storage under its own name; it keeps the whole alive. `offset` is a multiple of 64 elements. */
  slice(storage: Storage, offset: number, length: number): Storage;
  release(storage: Storage): void;
  write(storage: Storage, values: ArrayLike<number>): void;
  /** A copy of the elements; on the GPU this waits until everything before it has been computed. */
  read(storage: Storage): Promise<Float32Array>;
  /** Copies all elements; both have the same length. */
  copy(from: Storage, to: Storage): void;
  /** Resolves when all work handed to the device is done; rejects if any of it failed. */
  sync(): Promise<void>;
  memory(): MemoryStats;
  /** Lets `peakBytes` count from now on; or sets it back to what it was before somebody did that. */
  resetPeak(peak?: number): void;
  /** Gives memory back that is kept for tensors to come. */
  freeUnused(): void;
  /** Frees everything. The device and its tensors cannot be used afterwards. */
  destroy(): void;
}

export interface InitOptions {
  /**
   * Which adapter to use: `"gpu"` (a real one or nothing), `"lavapipe"`, `"swiftshader"`, `"cpu"` (the plain
   * TypeScript references), or a part of a device's name such as `"NVIDIA"`. Default: the environment
   * variable `PIXELGRAD_ADAPTER`, else the fastest there is: a GPU, lavapipe, SwiftShader. It never falls
   * back to `"cpu"` by itself, which is a hundred times slower.
   */
  adapter?: AdapterChoice;
  /** Use this WebGPU implementation instead of looking for one (tests pass `backend=null` this way). */
  gpu?: GPU;
  /** Most bytes of unused buffers kept for reuse. Default 1 GiB. */
  poolBytes?: number;
  /**
   * Measured choices of kernels. Default: in Node what `npm run tune` has saved for the adapter, if anything; `false`
   * ignores that.
   */
  tuning?: TuningFile | false;
  /** Element type on the CPU device: `"float64"` is for checking gradients. Default `"float32"`. */
  precision?: "float32" | "float64";
}

let current: Device | undefined;

/** Opens a device and makes it the one that new tensors are created on. Call once, before anything else. */
export async function init(options: InitOptions = {}): Promise<Device> {
  const device = await openDevice(options);
  setDefaultDevice(device);
  return device;
}

/** Opens a device without making it the default; for programs that use several. */
export async function openDevice(options: InitOptions = {}): Promise<Device> {
  // Who passes an implementation has chosen: the environment does not overrule that.
  const adapter = options.adapter ?? (options.gpu ? undefined : environmentAdapter());
  if (adapter === "cpu") return new CpuDevice(options.precision ?? "float32");
  if (options.precision === "float64") {
    throw new Error(
      `init: precision "float64" was asked for on a GPU, and WGSL has no such type. ` +
        `Use it together with adapter: "cpu".`,
    );
  }
  const { gpu, poolBytes, tuning } = options;
  return openGpuDevice({ adapter, gpu, poolBytes, tuning });
}

export function setDefaultDevice(device: Device): void {
  current = device;
}

let opening: Promise<Device> | undefined;

/** The default device; opened first if there is none. For functions that should work without `init`. */
export async function ensureDevice(): Promise<Device> {
  if (current) return current;
  opening ??= init().finally(() => {
    opening = undefined;
  });
  return opening;
}

/** The device that new tensors are created on. */
export function defaultDevice(): Device {
  if (!current) {
    throw new Error(`No device is open. Call "await init()" once before creating tensors or models.`);
  }
  return current;
}

/** What the default device (or the given one) holds; a leak shows as `live` growing from step to step. */
export function memory(device: Device = defaultDevice()): MemoryStats {
  return device.memory();
}

function environmentAdapter(): AdapterChoice | undefined {
  // `process` does not exist in browsers.
  const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  return environment?.PIXELGRAD_ADAPTER || undefined;
}
