import { kernel } from "../../device/kernel.ts";

/** y = f(a, b) for operands of the same shape: four pairs per thread. */
export const binarySameShapeKernel = kernel(
  "binary-same-shape",
  /* wgsl */ `
struct Params { size: u32, c: f32 }
@group(0) @binding(0) var<storage, read> a: array<element4>;
@group(0) @binding(1) var<storage, read> b: array<element4>;
@group(0) @binding(2) var<storage, read_write> y: array<element4>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let u = vec4f(a[i]);
  let v = vec4f(b[i]);
  y[i] = element4(vec4f(f(u.x, v.x), f(u.y, v.y), f(u.z, v.z), f(u.w, v.w)));
}
`,
);

/**
 * y = f(a, b) with broadcasting. The index of an output element is split into its six coordinates (sizes n1
 * to n5; the outermost needs none), and each operand is read at the sum of coordinate times stride. A stride
 * of 0 repeats the operand along that axis.
 */
export const binaryKernel = kernel(
  "binary",
  /* wgsl */ `
struct Params {
  size: u32, c: f32,
  n1: u32, n2: u32, n3: u32, n4: u32, n5: u32,
  a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
  b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32,
}
@group(0) @binding(0) var<storage, read> a: array<element>;
@group(0) @binding(1) var<storage, read> b: array<element>;
@group(0) @binding(2) var<storage, read_write> y: array<element>;
@group(0) @binding(3) var<uniform> p: Params;

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
    let a_at = rest * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3 + i4 * p.a4 + i5 * p.a5;
    let b_at = rest * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3 + i4 * p.b4 + i5 * p.b5;
    y[i] = element(f(f32(a[a_at]), f32(b[b_at])));
  }
}
`,
);
