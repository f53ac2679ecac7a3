import type { GpuDevice } from "../../src/device/gpu-device.ts";

/** Destroys the GPU behind the library's back, before or after it submits commands for the n-th time. */
export function loseAt(device: GpuDevice, n: number, when: "before" | "after"): { readonly count: number } {
  const { queue } = device.gpu;
  const submit = queue.submit.bind(queue);
  const calls = { count: 0 };
  queue.submit = (commands) => {
    calls.count++;
    if (calls.count === n && when === "before") device.gpu.destroy();
    submit(commands);
    if (calls.count === n && when === "after") device.gpu.destroy();
  };
  return calls;
}
