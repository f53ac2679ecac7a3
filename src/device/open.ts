import { type AdapterChoice, openGpuDevice } from "./adapter.ts";
import { CpuDevice } from "./cpu-device.ts";
import type { Device, MemoryStats } from "./device.ts";
import type { TuningFile } from "./tuning.ts";

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
   * Measured choices of kernels. Default: in Node what a tuner has saved for the adapter, if anything;
   * `false` ignores that.
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
