import { GpuDevice } from "./gpu-device.ts";
import { kernel, linearGrid } from "./kernel.ts";
import type { Tensor } from "./tensor.ts";

/**
 * `sum += term`, in place: the one kernel the engine itself needs, for tensors that are used more than once.
 * By the chain rule their gradient is the sum of what arrives from every use.
 */
export function accumulate(sum: Tensor, term: Tensor): void {
  if (!(sum.device instanceof GpuDevice)) {
    const target = sum.cpuStorage.array;
    const source = term.cpuStorage.array;
    for (let i = 0; i < target.length; i++) target[i] += source[i];
    return;
  }
  sum.device.run(accumulateKernel, {
    buffers: { sum: sum.gpuStorage, term: term.gpuStorage },
    params: { size: sum.size },
    grid: linearGrid(Math.ceil(sum.size / 4), 64),
  });
}

export const accumulateKernel = kernel(
  "accumulate",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(1) var<storage, read> term: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

// Four elements each. The last vec4 may reach past the tensor's end, into room that every buffer has.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  sum[i] += term[i];
}
`,
);
