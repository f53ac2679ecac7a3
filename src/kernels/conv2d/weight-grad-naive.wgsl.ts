import { kernel } from "../../device/kernel.ts";

/**
 * The weight gradient by its definition, to begin the ladder with: one thread per weight, which adds up dy times
 * the pixel that its weight saw there, over all pictures and output positions.
 *
 * Why it is slow: there are few weights, hence few threads, and each sum is thousands of terms long. Every
 * product costs two loads, and all weights of an output channel read the same dy, each for itself.
 *
 * The result is called `partial` because every kernel of this ladder writes into a buffer of that name. In the others
 * it may be one of several *partial gradients*, sums over a part of the outputs (weight-grad.wgsl.ts).
 */
export const weightGradNaive = kernel(
  "conv2d/weight-grad-naive",
  /* wgsl */ `
struct Params {
  n: u32,
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;             // [n, c, h, w]
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, o, oh, ow]
@group(0) @binding(2) var<storage, read_write> partial: array<f32>; // dw: [o, c, KH, KW], whole here
@group(0) @binding(3) var<uniform> p: Params;

fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  if (row < 0 || column < 0 || row >= i32(p.h) || column >= i32(p.w)) { return 0.0; }
  return x[((n * p.c + c) * p.h + u32(row)) * p.w + u32(column)];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.o * p.c * KH * KW) { return; }
  let kx = i % KW; let ky = i / KW % KH; let c = i / (KH * KW) % p.c; let o = i / (KH * KW) / p.c;

  var sum = 0.0;
  for (var n = 0u; n < p.n; n++) {
    for (var row = 0u; row < p.oh; row++) {
      for (var column = 0u; column < p.ow; column++) {
        let pixel = x_at(n, c, i32(row * STRIDE_Y + ky * DILATION_Y) - p.pad_y,
                               i32(column * STRIDE_X + kx * DILATION_X) - p.pad_x);
        sum += pixel * dy[((n * p.o + o) * p.oh + row) * p.ow + column];
      }
    }
  }
  partial[i] = sum;
}
`,
);
