import { kernel } from "../../device/kernel.ts";

/**
 * y = -x at the classes of the target. An index that is no class gives NaN: a wrong label must not train a
 * network without a word, and a kernel has no other way to say so. The prelude has `class_of` and `no_class`.
 */
export const pickKernel = kernel(
  "cross-entropy-pick",
  /* wgsl */ `
struct Params { size: u32, classes: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [outer, classes, inner]
@group(0) @binding(1) var<storage, read> t: array<f32>; // [outer, inner]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [outer, inner]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let index = class_of(t[i], p.classes);
  if (index < p.classes) {
    y[i] = -x[((i / p.inner) * p.classes + index) * p.inner + i % p.inner];
  } else {
    y[i] = no_class();
  }
}
`,
);

/** dx = -dy at the classes of the target. Elsewhere dx has zeros already. */
export const pickGradKernel = kernel(
  "cross-entropy-pick-grad",
  /* wgsl */ `
struct Params { size: u32, classes: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [outer, inner]
@group(0) @binding(1) var<storage, read> t: array<f32>; // [outer, inner]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [outer, classes, inner]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let first = (i / p.inner) * p.classes * p.inner + i % p.inner;
  let index = class_of(t[i], p.classes);
  if (index < p.classes) {
    dx[first + index * p.inner] = -dy[i];
  } else {
    for (var k = 0u; k < p.classes; k++) { dx[first + k * p.inner] = no_class(); }
  }
}
`,
);
