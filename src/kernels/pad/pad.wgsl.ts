import { kernel } from "../../device/kernel.ts";

/**
 * x [planes, h, w] -> y [planes, out_h, out_w]: every thread looks up where its element of y comes from. The
 * prelude's `source(i, n)` maps a position i in or around an axis of n elements to a position on it, or
 * leaves it outside, where the element is `value`.
 */
export const padKernel = kernel(
  "pad",
  /* wgsl */ `
struct Params { size: u32, h: i32, w: i32, out_h: u32, out_w: u32, top: i32, left: i32, value: f32 }
@group(0) @binding(0) var<storage, read> x: array<element>; // [planes, h, w]
@group(0) @binding(1) var<storage, read_write> y: array<element>; // [planes, out_h, out_w]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let column = source(i32(i % p.out_w) - p.left, p.w);
  let row = source(i32(i / p.out_w % p.out_h) - p.top, p.h);
  let plane = i32(i / (p.out_w * p.out_h));
  if (row < 0 || row >= p.h || column < 0 || column >= p.w) {
    y[i] = element(p.value);
  } else {
    y[i] = x[(plane * p.h + row) * p.w + column];
  }
}
`,
);

/**
 * The adjoint: an element of dx is the sum of dy over all its copies. Every thread collects them for one
 * element; scattering dy instead would have threads add to the same element at once. The prelude's `copies(i,
 * n, before, after)` says how many positions along an axis may be copies of i, and `copy_at(k, i, n, before,
 * after)` where the k-th is, or -1.
 */
export const padGradKernel = kernel(
  "pad-grad",
  /* wgsl */ `
struct Params { size: u32, h: i32, w: i32, top: i32, bottom: i32, left: i32, right: i32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [planes, top + h + bottom, left + w + right]
@group(0) @binding(1) var<storage, read_write> dx: array<f32>; // [planes, h, w]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let column = i32(i) % p.w;
  let row = i32(i) / p.w % p.h;
  let plane = i32(i) / (p.w * p.h);
  let out_h = p.top + p.h + p.bottom;
  let out_w = p.left + p.w + p.right;

  var sum = 0.0;
  for (var j = 0; j < copies(row, p.h, p.top, p.bottom); j++) {
    let y = copy_at(j, row, p.h, p.top, p.bottom);
    if (y < 0) { continue; }
    for (var k = 0; k < copies(column, p.w, p.left, p.right); k++) {
      let x = copy_at(k, column, p.w, p.left, p.right);
      if (x >= 0) { sum += dy[(plane * out_h + y) * out_w + x]; }
    }
  }
  dx[i] = sum;
}
`,
);
