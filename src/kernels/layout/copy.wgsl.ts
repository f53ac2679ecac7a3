import { kernel } from "../../device/kernel.ts";

/**
 * y[…] = x[…] for every index of a box of AXES axes. Axis 0 is the innermost here; a step along axis k
 * moves `xk` elements in x and `yk` in y. The thread's number is split into coordinates from the innermost
 * axis outwards; the outermost takes what is left. AXES comes from the prelude, so that the divisions for
 * absent axes are compiled away: they would cost more than the copy.
 */
export const copyKernel = kernel(
  "strided-copy",
  /* wgsl */ `
struct Params {
  size: u32, x_offset: u32, y_offset: u32,
  n0: u32, n1: u32, n2: u32, n3: u32, n4: u32, // sizes; that of the outermost axis is never needed
  x0: u32, x1: u32, x2: u32, x3: u32, x4: u32, x5: u32,
  y0: u32, y1: u32, y2: u32, y3: u32, y4: u32, y5: u32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;
@group(0) @binding(1) var<storage, read_write> y: array<element>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  var rest = i;
  var source = p.x_offset;
  var destination = p.y_offset;
  if (AXES > 1) { let c = rest % p.n0; rest /= p.n0; source += c * p.x0; destination += c * p.y0; }
  if (AXES > 2) { let c = rest % p.n1; rest /= p.n1; source += c * p.x1; destination += c * p.y1; }
  if (AXES > 3) { let c = rest % p.n2; rest /= p.n2; source += c * p.x2; destination += c * p.y2; }
  if (AXES > 4) { let c = rest % p.n3; rest /= p.n3; source += c * p.x3; destination += c * p.y3; }
  if (AXES > 5) { let c = rest % p.n4; rest /= p.n4; source += c * p.x4; destination += c * p.y4; }
  y[destination + rest * p.y5] = x[source + rest * p.x5];
}
`,
);

/** y = value everywhere. */
export const fillKernel = kernel(
  "fill",
  /* wgsl */ `
struct Params { size: u32, value: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i < p.size) { y[i] = p.value; }
}
`,
);
