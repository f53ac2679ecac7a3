import { kernel } from "../../device/kernel.ts";

/**
 * y = f(x), element by element; the prelude defines `f`. Threads have nothing to share, so memory sets the
 * speed: four elements per thread, read and written at once.
 *
 * `element4` is four numbers as tensors store them, f32 or f16; the device puts that type into the prelude. All
 * arithmetic is in f32: `vec4f(x[i])` widens f16, `element4(…)` rounds to it, and with f32 neither does
 * anything.
 */
export const unaryKernel = kernel(
  "unary",
  /* wgsl */ `
struct Params { size: u32, a: f32, b: f32 }
@group(0) @binding(0) var<storage, read> x: array<element4>;
@group(0) @binding(1) var<storage, read_write> y: array<element4>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // The thread's number. An axis of the grid holds 65535 workgroups; linearGrid folds longer grids into rows.
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; } // the last vec4 may reach past the end, for which every buffer has room
  let v = vec4f(x[i]);
  y[i] = element4(vec4f(f(v.x), f(v.y), f(v.z), f(v.w)));
}
`,
);

/** dx = dy * df(x, y): the chain rule, with the derivative from the prelude. */
export const unaryGradKernel = kernel(
  "unary-grad",
  /* wgsl */ `
struct Params { size: u32, a: f32, b: f32 }
@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let u = x[i];
  let v = y[i];
  dx[i] = dy[i] * vec4f(df(u.x, v.x), df(u.y, v.y), df(u.z, v.z), df(u.w, v.w));
}
`,
);
