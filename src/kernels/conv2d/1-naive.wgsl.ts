import { kernel } from "../../device/kernel.ts";

/**
 * Step 1: one thread per output value.
 *
 * The *prelude* is what the device puts in front of this text: the constants KH, KW, STRIDE_*, DILATION_* and
 * HAS_BIAS, in lines like `const KH = 3;`, and `element`, the type of numbers in memory, f32 or f16.
 *
 * Four of the seven loops of reference.ts run over the outputs (n, o, i, j; the last two are called row and
 * column here). They become threads: the GPU computes all output values at once. The other three
 * (c, ky, kx) stay loops.
 *
 * Why it is slow: every product costs two loads, one of a pixel and one of a weight. Neighbouring threads
 * load nearly the same pixels, and all threads of an output channel the same weights, each for itself.
 */
export const naiveKernel = kernel(
  "conv2d/1-naive",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,             // input channels, rows, columns
  o: u32, oh: u32, ow: u32,           // output channels, rows, columns
  pad_y: i32, pad_x: i32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;         // [n, c, h, w]
@group(0) @binding(1) var<storage, read> weight: array<element>;    // [o, c, KH, KW]
@group(0) @binding(2) var<storage, read> bias: array<element>;      // [o]
@group(0) @binding(3) var<storage, read_write> y: array<element>;   // [n, o, oh, ow]
@group(0) @binding(4) var<uniform> p: Params;

// A pixel of the input; zero outside the picture.
fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  if (row < 0 || column < 0 || row >= i32(p.h) || column >= i32(p.w)) { return 0.0; }
  return f32(x[((n * p.c + c) * p.h + u32(row)) * p.w + u32(column)]);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x; let row = id.y; let n = id.z / p.o; let o = id.z % p.o;
  if (column >= p.ow || row >= p.oh) { return; }

  var sum = select(0.0, f32(bias[o]), HAS_BIAS == 1); // select(a, b, t) is b where t holds, else a
  for (var c = 0u; c < p.c; c++) {
    for (var ky = 0u; ky < KH; ky++) {
      for (var kx = 0u; kx < KW; kx++) {
        let pixel = x_at(n, c, i32(row * STRIDE_Y + ky * DILATION_Y) - p.pad_y,
                               i32(column * STRIDE_X + kx * DILATION_X) - p.pad_x);
        sum += pixel * f32(weight[((o * p.c + c) * KH + ky) * KW + kx]);
      }
    }
  }
  y[((n * p.o + o) * p.oh + row) * p.ow + column] = element(sum);
}
`,
);
