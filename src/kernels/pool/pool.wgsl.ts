import { kernel } from "../../device/kernel.ts";

/**
 * x [planes, h, w] -> y [planes, oh, ow]: every thread combines the window of one output, KH x KW elements,
 * of which those beyond the picture's edges count nothing. The prelude's `combine` is a maximum or a sum, and
 * `result` makes the output of it.
 */
export const poolKernel = kernel(
  "pool",
  /* wgsl */ `
struct Params { size: u32, h: u32, w: u32, oh: u32, ow: u32, sh: u32, sw: u32, top: u32, left: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [planes, h, w]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [planes, oh, ow]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  // Rows and columns of the window, in the picture with its padding; then those inside of the picture.
  let row = i / p.ow % p.oh * p.sh;
  let column = i % p.ow * p.sw;
  let rows = vec2u(max(row, p.top) - p.top, min(row + KH - p.top, p.h));
  let columns = vec2u(max(column, p.left) - p.left, min(column + KW - p.left, p.w));
  let plane = i / (p.ow * p.oh) * p.h * p.w;

  var total = start(x[plane + rows.x * p.w + columns.x]);
  for (var r = rows.x; r < rows.y; r++) {
    for (var c = columns.x; c < columns.y; c++) { total = combine(total, x[plane + r * p.w + c]); }
  }
  y[i] = result(total);
}
`,
);

/**
 * The gradient of an average: an element of x gets a share of the gradients of all windows that it is in.
 * Every thread collects them for one element; scattering would have threads add to the same element at once.
 */
export const avgPoolGradKernel = kernel(
  "avg-pool-grad",
  /* wgsl */ `
struct Params { size: u32, h: u32, w: u32, oh: u32, ow: u32, sh: u32, sw: u32, top: u32, left: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [planes, oh, ow]
@group(0) @binding(1) var<storage, read_write> dx: array<f32>; // [planes, h, w]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let rows = windows_over(i / p.w % p.h + p.top, KH, p.sh, p.oh);
  let columns = windows_over(i % p.w + p.left, KW, p.sw, p.ow);
  let plane = i / (p.w * p.h) * p.oh * p.ow;
  var sum = 0.0;
  for (var r = rows.x; r < rows.y; r++) {
    for (var c = columns.x; c < columns.y; c++) { sum += dy[plane + r * p.ow + c]; }
  }
  dx[i] = sum / (KH * KW);
}

// Of the windows along an axis, the first that covers a position, and the first after it that does not.
fn windows_over(position: u32, window: u32, stride: u32, count: u32) -> vec2u {
  let first = (max(position + 1, window) - window + stride - 1) / stride;
  return vec2u(first, min(position / stride + 1, count));
}
`,
);

/**
 * The gradient of a maximum: an element of x gets the gradients of the windows whose maximum it is; where
 * several are equal, the first in reading order. So it must equal y (`same`, in the prelude), and no element
 * before it in the window may equal y.
 */
export const maxPoolGradKernel = kernel(
  "max-pool-grad",
  /* wgsl */ `
struct Params { size: u32, h: u32, w: u32, oh: u32, ow: u32, sh: u32, sw: u32, top: u32, left: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [planes, oh, ow]
@group(0) @binding(1) var<storage, read> x: array<f32>; // [planes, h, w]
@group(0) @binding(2) var<storage, read> y: array<f32>; // [planes, oh, ow]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [planes, h, w]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let row = i / p.w % p.h;
  let column = i % p.w;
  let rows = windows_over(row + p.top, KH, p.sh, p.oh);
  let columns = windows_over(column + p.left, KW, p.sw, p.ow);
  let plane = i / (p.w * p.h);
  let value = x[i];
  var sum = 0.0;
  for (var r = rows.x; r < rows.y; r++) {
    for (var c = columns.x; c < columns.y; c++) {
      let at = (plane * p.oh + r) * p.ow + c;
      let largest = y[at];
      if (!same(value, largest)) { continue; }
      // The window's elements before this one: whole rows above it, and its own row to the left.
      let first_row = max(r * p.sh, p.top) - p.top;
      let first_column = max(c * p.sw, p.left) - p.left;
      let end_column = min(c * p.sw + KW - p.left, p.w);
      var is_first = true;
      for (var v = first_row; v <= row && is_first; v++) {
        let end = select(end_column, column, v == row);
        for (var u = first_column; u < end; u++) {
          if (same(x[(plane * p.h + v) * p.w + u], largest)) { is_first = false; }
        }
      }
      if (is_first) { sum += dy[at]; }
    }
  }
  dx[i] = sum;
}

fn windows_over(position: u32, window: u32, stride: u32, count: u32) -> vec2u {
  let first = (max(position + 1, window) - window + stride - 1) / stride;
  return vec2u(first, min(position / stride + 1, count));
}
`,
);
