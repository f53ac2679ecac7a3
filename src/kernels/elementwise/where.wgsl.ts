import { kernel } from "../../device/kernel.ts";

/** y = a where the condition is not 0, else b. All have the same shape: four elements per thread. */
export const whereSameShapeKernel = kernel(
  "where-same-shape",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> condition: array<vec4u>; // the bits, for a NaN is not 0
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  y[i] = select(b[i], a[i], (condition[i] & vec4u(0x7fffffffu)) != vec4u());
}
`,
);

/** `where` with broadcasting, as in binary.wgsl.ts. */
export const whereKernel = kernel(
  "where",
  /* wgsl */ `
struct Params {
  size: u32,
  n1: u32, n2: u32, n3: u32, n4: u32, n5: u32,
  c0: u32, c1: u32, c2: u32, c3: u32, c4: u32, c5: u32,
  a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
  b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32,
}
@group(0) @binding(0) var<storage, read> condition: array<u32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = 4 * (id.x + id.y * groups.x * 64);
  for (var i = first; i < min(first + 4, p.size); i++) {
    var rest = i;
    let i5 = rest % p.n5; rest /= p.n5;
    let i4 = rest % p.n4; rest /= p.n4;
    let i3 = rest % p.n3; rest /= p.n3;
    let i2 = rest % p.n2; rest /= p.n2;
    let i1 = rest % p.n1; rest /= p.n1;
    let c_at = rest * p.c0 + i1 * p.c1 + i2 * p.c2 + i3 * p.c3 + i4 * p.c4 + i5 * p.c5;
    let a_at = rest * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3 + i4 * p.a4 + i5 * p.a5;
    let b_at = rest * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3 + i4 * p.b4 + i5 * p.b5;
    if ((condition[c_at] & 0x7fffffffu) != 0) { y[i] = a[a_at]; } else { y[i] = b[b_at]; }
  }
}
`,
);
