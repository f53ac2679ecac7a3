import { kernel } from "../../device/kernel.ts";

/**
 * The input gradient by its definition, for any stride: one thread per pixel of x gathers what comes back from every
 * output that saw the pixel. (With one thread per output, several would add to the same pixel at once.) Output i saw
 * the pixel in `row` through weight ky if i * stride + ky * dilation - padding = row. With a stride above 1, the
 * solution i is a whole number only for some ky.
 *
 * Used as a layer, from dy to dx, this is a transposed convolution: conv-transpose2d runs this kernel for the
 * geometries that its faster way (phases.wgsl.ts) does not cover. Only then is there a bias.
 */
export const inputGradGather = kernel(
  "conv2d/input-grad",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
}
@group(0) @binding(0) var<storage, read> dy: array<element>;          // [n, o, oh, ow]
@group(0) @binding(1) var<storage, read> weight: array<element>;      // [o, c, KH, KW]
@group(0) @binding(2) var<storage, read> bias: array<element>;        // [c]
@group(0) @binding(3) var<storage, read_write> dx: array<element>;    // [n, c, h, w]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x; let row = id.y; let n = id.z / p.c; let c = id.z % p.c;
  if (column >= p.w || row >= p.h) { return; }

  var sum = select(0.0, f32(bias[c]), HAS_BIAS == 1);
  for (var ky = 0; ky < KH; ky++) {
    // From the equation above: i * stride = row + padding - ky * dilation, and likewise for the columns.
    let i_stride = i32(row) + p.pad_y - ky * DILATION_Y;
    if (i_stride < 0 || i_stride % STRIDE_Y != 0 || i_stride / STRIDE_Y >= i32(p.oh)) { continue; }
    for (var kx = 0; kx < KW; kx++) {
      let j_stride = i32(column) + p.pad_x - kx * DILATION_X;
      if (j_stride < 0 || j_stride % STRIDE_X != 0 || j_stride / STRIDE_X >= i32(p.ow)) { continue; }
      for (var o = 0u; o < p.o; o++) {
        sum += f32(dy[((n * p.o + o) * p.oh + u32(i_stride / STRIDE_Y)) * p.ow + u32(j_stride / STRIDE_X)])
             * f32(weight[((o * p.c + c) * KH + u32(ky)) * KW + u32(kx)]);
      }
    }
  }
  dx[((n * p.c + c) * p.h + row) * p.w + column] = element(sum);
}
`,
);

/**
 * For stride 1 there is a faster way: with turned weights, the input gradient is itself a convolution.
 *
 * A pixel of x reaches the outputs around it, each through the weight at the opposite offset. So dx is the
 * convolution of dy with weights whose window is turned by 180 degrees and whose channel axes are exchanged:
 *
 *     turned[c, o, ky, kx] = weight[o, c, KH - 1 - ky, KW - 1 - kx]
 *
 * and all the fast forward kernels can compute it. Step 6, which runs on real GPUs, needs no turned copy: its
 * prelude reads weights by `turnedWeightIndex` below. `turnWeights` makes the copy for the other steps.
 */
export const turnWeights = kernel(
  "conv2d/turn-weights",
  /* wgsl */ `
struct Params { o: u32, c: u32 }
@group(0) @binding(0) var<storage, read> weight: array<f32>;          // [o, c, KH, KW]
@group(0) @binding(1) var<storage, read_write> turned: array<f32>;    // [c, o, KH, KW]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.o * p.c * KH * KW) { return; }
  let tap = i % (KH * KW);
  let o = i / (KH * KW) % p.o;
  let c = i / (KH * KW * p.o);
  turned[i] = weight[(o * p.c + c) * KH * KW + (KH * KW - 1 - tap)];
}
`,
);

/**
 * The index of the weight that the turned copy would have at (o, k): in the prelude of step 6 instead of `weightIndex`
 * (5-shared.wgsl.ts). The convolution's channels o are here the layer's input channels: `weight` is [c, o, KH, KW].
 */
export const turnedWeightIndex = /* wgsl */ `
fn weight_index(o: u32, k: u32) -> u32 {
  let c = k / (KH * KW); let tap = KH * KW - 1 - k % (KH * KW);
  return (c * p.o + o) * KH * KW + tap;
}
`;
