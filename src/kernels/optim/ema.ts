import type { CpuStorage } from "../../tensor/cpu-device.ts";
import type { Device, Storage } from "../../tensor/device.ts";
import { GpuDevice, type GpuStorage } from "../../tensor/gpu-device.ts";
import { kernel, linearGrid } from "../../tensor/kernel.ts";

export interface EmaBuffers<S> {
  readonly average: S;
  readonly values: S;
}

/** average += (1 - decay) * (values - average), in place: torch's `lerp_`. */
export function emaStep(device: Device, buffers: EmaBuffers<Storage>, decay: number): void {
  const size = buffers.average.length;
  const share = 1 - decay;
  if (!(device instanceof GpuDevice)) {
    const { average, values } = buffers as EmaBuffers<CpuStorage>;
    for (let i = 0; i < size; i++) average.array[i] += share * (values.array[i] - average.array[i]);
    return;
  }
  device.run(emaKernel, {
    buffers: { ...(buffers as EmaBuffers<GpuStorage>) },
    params: { size, share },
    transientParams: true, // the share changes while the average is young: see emaDecay
    grid: linearGrid(Math.ceil(size / 4), 64),
  });
}

export const emaKernel = kernel(
  "ema",
  /* wgsl */ `
struct Params { size: u32, share: f32 }
@group(0) @binding(0) var<storage, read_write> average: array<vec4f>;
@group(0) @binding(1) var<storage, read> values: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

// Four elements each. The last vec4 may reach past the end, into room that every buffer has.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let old = average[i];
  average[i] = old + p.share * (values[i] - old);
}
`,
);
