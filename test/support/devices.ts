import { afterAll } from "vitest";
import { evenly } from "../../bench/evenly.ts";
import { CpuDevice } from "../../src/device/cpu-device.ts";
import type { Device } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { isQuick } from "./tier.ts";

/**
 * GPU adapters to test on: those of PIXELGRAD_TEST_ADAPTERS (a comma-separated list of names as for init()),
 * else every kind that is present, software adapters as well: results must be right on each. The quick tier
 * tests on the first of these kinds alone.
 */
export async function gpuDevices(): Promise<GpuDevice[]> {
  const names = process.env.PIXELGRAD_TEST_ADAPTERS?.split(",") ?? ["gpu", "lavapipe", "swiftshader"];
  const isEnough = () => isQuick && !process.env.PIXELGRAD_TEST_ADAPTERS && devices.length > 0;
  const devices: GpuDevice[] = [];
  for (const adapter of names) {
    if (isEnough()) break;
    const device = await openDevice({ adapter }).catch((error: Error) => {
      if (process.env.PIXELGRAD_TEST_ADAPTERS) throw error;
      return undefined;
    });
    if (device) devices.push(device as GpuDevice);
  }
  if (devices.length === 0) throw new Error("No WebGPU adapter is present, so no kernel can be tested.");
  afterAll(() => {
    for (const device of devices) device.destroy();
  });
  return devices;
}

/**
 * The devices for a test of a program's logic: the first of `devices`, or all that PIXELGRAD_TEST_ADAPTERS names.
 * What differs between adapters is how kernels are compiled and rounded, so tests of kernels, of networks against
 * golden values, and of limits take all devices. Those of what JavaScript does around kernels (runs that are stopped
 * and resumed, networks that stay loaded, progress, files) take these. Where the driver has a part in it, as in a
 * lost device or in memory, the long test is for these devices, and a short one is for all:
 *
 *     describe.each(devices)("on %s", (device) => {
 *       test("a lost device is told", …);
 *       test.runIf(logicDevices(devices).includes(device))("the same picture, whenever it is lost", …);
 *     });
 */
export function logicDevices(devices: readonly GpuDevice[]): readonly GpuDevice[] {
  return process.env.PIXELGRAD_TEST_ADAPTERS ? devices : devices.slice(0, 1);
}

/**
 * The cases in which a device runs a kernel that lavapipe would not choose for itself, such as those that are made
 * for cards: all of them; but lavapipe, if another device has them all, only `count`. It compiles loops that are
 * written out, above all around barriers, 5 to 10 times as long as SwiftShader.
 */
export function foreignCases<T>(
  device: GpuDevice,
  devices: readonly GpuDevice[],
  cases: readonly T[],
  count: number,
): readonly T[] {
  const isSlow = ({ adapterClass }: GpuDevice) => adapterClass === "lavapipe";
  return isSlow(device) && !devices.every(isSlow) ? evenly(cases, count) : cases;
}

/** The float64 CPU device, for gradient checks. */
export function float64Device(): CpuDevice {
  return new CpuDevice("float64");
}

export function float32Device(): CpuDevice {
  return new CpuDevice("float32");
}

/** Runs `body` with `device` as the one new tensors are created on. */
export async function on<T>(device: Device, body: () => T | Promise<T>): Promise<T> {
  setDefaultDevice(device);
  return await body();
}
