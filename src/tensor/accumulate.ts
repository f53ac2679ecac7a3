import { kernel } from "../device/kernel.ts";
import type { Tensor } from "./tensor.ts";
import { defineUpdate } from "./update.ts";

/**
 * `sum += term`, in place: the one kernel that backpropagation itself needs. By the chain rule, the gradient
 * of a tensor that is used more than once is the sum of the gradients from all its uses.
 */
export function accumulate(sum: Tensor, term: Tensor): void {
  update(sum.device, { sum, term });
}

const accumulateKernel = kernel(
  "accumulate",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(1) var<storage, read> term: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  sum[i] += term[i];
}
`,
);

const update = defineUpdate<"sum" | "term">({
  cpu({ sum, term }) {
    for (let i = 0; i < sum.length; i++) sum[i] += term[i];
  },
  kernel: accumulateKernel,
});
