import { kernel } from "../../device/kernel.ts";

/**
 * For any stride and dilation: one thread per output pixel. The definition scatters, and threads that add to
 * the same pixel would get into each other's way; so each thread collects what reaches its own pixel. Input i
 * reaches output `row` through weight ky if i * stride + ky * dilation - padding = row, which has a whole
 * solution i only for some ky.
 */
export const gather = kernel(
  "conv-transpose2d/gather",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;           // [n, c, h, w]
@group(0) @binding(1) var<storage, read> weight: array<f32>;      // [c, o, KH, KW]
@group(0) @binding(2) var<storage, read> bias: array<f32>;        // [o]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;     // [n, o, oh, ow]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x; let row = id.y; let n = id.z / p.o; let o = id.z % p.o;
  if (column >= p.ow || row >= p.oh) { return; }

  var sum = select(0.0, bias[o], HAS_BIAS == 1);
  for (var ky = 0; ky < KH; ky++) {
    let i_stride = i32(row) + p.pad_y - ky * DILATION_Y;
    if (i_stride < 0 || i_stride % STRIDE_Y != 0 || i_stride / STRIDE_Y >= i32(p.h)) { continue; }
    for (var kx = 0; kx < KW; kx++) {
      let j_stride = i32(column) + p.pad_x - kx * DILATION_X;
      if (j_stride < 0 || j_stride % STRIDE_X != 0 || j_stride / STRIDE_X >= i32(p.w)) { continue; }
      for (var c = 0u; c < p.c; c++) {
        sum += x[((n * p.c + c) * p.h + u32(i_stride / STRIDE_Y)) * p.w + u32(j_stride / STRIDE_X)]
             * weight[((c * p.o + o) * KH + u32(ky)) * KW + u32(kx)];
      }
    }
  }
  y[((n * p.o + o) * p.oh + row) * p.ow + column] = sum;
}
`,
);
