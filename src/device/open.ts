import { type GpuOptions, openGpuDevice } from "./adapter.ts";
import { CpuDevice } from "./cpu-device.ts";
import type { Device, MemoryStats } from "./device.ts";
import { environment } from "./environment.ts";

export interface InitOptions extends GpuOptions {
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
  // The environment does not overrule a program that brings its own implementation.
  const adapter = options.adapter ?? (options.gpu ? undefined : environment("PIXELGRAD_ADAPTER"));
  if (adapter === "cpu") return new CpuDevice(options.precision ?? "float32");
  if (options.precision === "float64") {
    throw new RangeError(
      `init: WGSL has no type for precision "float64". Use it together with adapter: "cpu".`,
    );
  }
  return openGpuDevice({ ...options, adapter });
}

export function setDefaultDevice(device: Device): void {
  current = device;
}

/** Runs a function whose new tensors are created on `device`. It must not be async. */
export function onDevice<T>(device: Device, body: () => T): T {
  const before = current;
  current = device;
  try {
    return body();
  } finally {
    current = before;
  }
}

let opening: Promise<Device> | undefined;

/** The default device, which is opened if there is none. For functions that should work without `init`. */
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

/** What a device holds (by default, the default device). In a leak, `live` grows from step to step. */
export function memory(device: Device = defaultDevice()): MemoryStats {
  return device.memory();
}
