import { kernel } from "../../device/kernel.ts";

/**
 * Step 3: each thread computes a block of outputs and keeps it in registers.
 *
 * A block is PIXELS neighbours of one output row, in CHANNELS output channels. For each input row under the
 * block, the thread loads the few pixels that the block needs, and uses each of them for every output channel
 * and every column of the window. Each weight that it loads serves PIXELS outputs. With 8 pixels, 16 channels
 * and a window 3 wide, 10 + 48 loads feed 384 multiply-adds.
 *
 * What changed since step 2: registers instead of workgroup memory, hence no barriers; and 6.6 multiply-adds
 * per load instead of about one (0.88; in step 1 it was half of one). The loops marked @unroll are written out
 * before compiling, because arrays stay in registers only if every index is a constant (see kernel.ts).
 *
 * From here on the prelude's `store(n, o, row, column, z)` (epilogue.ts) writes the results. They are still
 * in registers then, so an activation, a skip connection or a pixel shuffle costs next to nothing. `extra` and
 * `y` are bound for `store`; `main` does not mention them.
 *
 * x and y may be tensors with more channels than the convolution reads or writes. It then takes its channels where
 * they lie, and puts its results beside others, without a copy (dense-conv2d).
 *
 * Why it is still slow: all threads load the same weights, each for itself. Real GPUs notice and load them
 * once for many threads; elsewhere every load counts.
 *
 * Constants come from plan.ts. For 3x3 from 64 to 64 channels on a GPU:
 *
 *     CHANNELS 16, PIXELS 8  a block
 *     PIXELS_UNDER 10        pixels of an input row under it
 *     WORKGROUP 64           threads
 */
export const blockedKernel = kernel(
  "conv2d/3-blocked",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
  x_channels: u32,                    // of x; the first c of them are read
  y_channels: u32, y_first: u32,      // of y; the o outputs go to channel y_first and those after it
}
@group(0) @binding(0) var<storage, read> x: array<element>;         // [n, x_channels, h, w]
@group(0) @binding(1) var<storage, read> weight: array<element>;    // [o, c, KH, KW]
@group(0) @binding(2) var<storage, read> bias: array<element>;      // [o]
@group(0) @binding(3) var<storage, read> extra: array<element>;     // [n, o / r^2, oh, ow], [o] or none: ExtraKind
@group(0) @binding(4) var<storage, read_write> y: array<element>;   // [n, y_channels, oh, ow], or pixel-shuffled
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Output rows are cut into strips of PIXELS; id.x counts the strips of the picture.
  let strips = (p.ow + PIXELS - 1) / PIXELS;
  let row = id.x / strips; let column = id.x % strips * PIXELS;
  let first_o = id.y * CHANNELS; let n = id.z;
  if (row >= p.oh) { return; }

  var sums: array<f32, CHANNELS * PIXELS>;
  for (var c = 0u; c < p.c; c++) {
    for (var ky = 0u; ky < KH; ky++) {
      let x_row = i32(row * STRIDE_Y + ky * DILATION_Y) - p.pad_y;
      let x_column = i32(column * STRIDE_X) - p.pad_x;
      var pixels: array<f32, PIXELS_UNDER>;
      for (var i = 0; i < PIXELS_UNDER; i++) { // @unroll
        pixels[i] = x_at(n, c, x_row, x_column + i);
      }
      for (var kx = 0; kx < KW; kx++) { // @unroll
        for (var o = 0; o < CHANNELS; o++) { // @unroll
          // Past the last channel: the last one's weights once more. The stores below drop these sums.
          let w = f32(weight[((min(first_o + o, p.o - 1) * p.c + c) * KH + ky) * KW + kx]);
          for (var i = 0; i < PIXELS; i++) { // @unroll
            sums[o * PIXELS + i] += w * pixels[i * STRIDE_X + kx * DILATION_X];
          }
        }
      }
    }
  }

  // Backwards, from the last value to the first: a value past the end of the row, or of the channels, goes to
  // the last place, whose own value then replaces it. (Branches around stores compile slowly: kernel.ts.)
  for (var back_o = 0; back_o < CHANNELS; back_o++) { // @unroll
    let o = min(first_o + CHANNELS - 1 - back_o, p.o - 1);
    let b = select(0.0, f32(bias[o]), HAS_BIAS == 1);
    for (var back = 0; back < PIXELS; back++) { // @unroll
      let sum = sums[(CHANNELS - 1 - back_o) * PIXELS + PIXELS - 1 - back];
      store(n, o, row, min(column + PIXELS - 1 - back, p.ow - 1), sum + b);
    }
  }
}
`,
);

/**
 * A pixel of the input, zero outside the picture: a function in the preludes of this kernel, of the steps after it and
 * of the weight gradient. Unlike x_at of steps 1 and 2 it has no branch: where the call is written out dozens of
 * times, branches are slow to compile (see kernel.ts).
 */
const xAtOf = (buffer: "x" | "y") => /* wgsl */ `
fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  let inside = (u32(row) < p.h) & (u32(column) < p.w); // as unsigned numbers, negative ones are huge
  let at = ((n * p.x_channels + c) * p.h + u32(row)) * p.w + u32(column);
  return select(0.0, x_value(select(0u, at, inside)), inside); // select evaluates both, so the index must be safe
}
fn x_value(at: u32) -> f32 { return f32(${buffer}[at]); }
`;
export const xAt = xAtOf("x");

/**
 * `xAt` for a convolution that writes into the tensor that it reads, behind the channels that it reads. WebGPU
 * lets no buffer be bound for reading and again for writing, so everything goes through `y`.
 */
export const xAtInPlace = xAtOf("y");
