/** Launches on their way to the device: to look at them, or to change them. */
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { type GpuStorage, storageOf } from "../../src/device/gpu-storage.ts";
import type { Kernel } from "../../src/device/kernel.ts";
import type { Launch } from "../../src/device/launch.ts";

/** Does `body`, which is not asynchronous, and gives each of its launches to `instead`. `run` launches. */
export function withLaunches<T>(
  device: GpuDevice,
  instead: (kernel: Kernel, launch: Launch, run: (kernel: Kernel, launch: Launch) => void) => void,
  body: () => T,
): T {
  const original = device.run;
  const run = original.bind(device);
  device.run = (kernel, launch) => instead(kernel, launch, run);
  try {
    return body();
  } finally {
    device.run = original;
  }
}

/**
 * Does `body` with NaN in all that its kernels write, scratch memory included, before the first of them writes there:
 * what no kernel computes is then no number, rather than what the kernel before has left.
 */
export function withNaNs<T>(device: GpuDevice, body: () => T): T {
  const filled = new Set<GpuStorage>();
  return withLaunches(
    device,
    (kernel, launch, run) => {
      for (const { name, kind } of kernel.bindings) {
        const storage = storageOf(launch.buffers[name]);
        if (kind !== "read_write" || filled.has(storage)) continue;
        device.write(storage, new Float32Array(storage.length).fill(Number.NaN));
        filled.add(storage);
      }
      run(kernel, launch);
    },
    body,
  );
}
