import { kernel } from "../../device/kernel.ts";

/** y = x, from float32 to float16: four numbers per thread. A conversion in WGSL rounds to the nearest. */
export const narrowKernel = kernel(
  "narrow",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<element4>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i < p.size) { y[i] = element4(x[i]); }
}
`,
);

/** y = x, from float16 to float32, which is exact. */
export const widenKernel = kernel(
  "widen",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> x: array<element4>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i < p.size) { y[i] = vec4f(x[i]); }
}
`,
);
