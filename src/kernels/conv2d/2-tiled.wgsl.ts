import { kernel } from "../../device/kernel.ts";

/**
 * Step 2: threads share the pixels they load.
 *
 * A workgroup of 16 x 16 threads computes a 16 x 16 tile of one output channel. For each input channel its
 * threads first copy the patch, all pixels under the tile and as far around it as the window reaches, into
 * workgroup memory, which all of them can read quickly. The zeros around the picture are copied too, so the
 * inner loops need no bounds checks.
 *
 * What changed since step 1: a pixel is loaded about once per workgroup instead of kh * kw times. The price
 * is two barriers per channel: all threads wait until the patch is complete, and again before it is
 * overwritten.
 *
 * Why it is still slow: every product still reads a weight, and a pixel, though from nearer by; and for every
 * output channel another workgroup copies the same patch again.
 *
 * Constants come from plan.ts. Under TILE outputs in a row lie (TILE - 1) * stride + (KW - 1) * dilation + 1 pixels.
 * For 3x3: TILE 16, PATCH_H and PATCH_W 18.
 */
export const tiledKernel = kernel(
  "conv2d/2-tiled",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;         // [n, c, h, w]
@group(0) @binding(1) var<storage, read> weight: array<element>;    // [o, c, KH, KW]
@group(0) @binding(2) var<storage, read> bias: array<element>;      // [o]
@group(0) @binding(3) var<storage, read_write> y: array<element>;   // [n, o, oh, ow]
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> patch_pixels: array<f32, PATCH_H * PATCH_W>;

fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  if (row < 0 || column < 0 || row >= i32(p.h) || column >= i32(p.w)) { return 0.0; }
  return f32(x[((n * p.c + c) * p.h + u32(row)) * p.w + u32(column)]);
}

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(workgroup_id) tile_id: vec3u,
        @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let column = tile_id.x * TILE + local.x; let row = tile_id.y * TILE + local.y;
  let n = tile_id.z / p.o; let o = tile_id.z % p.o;
  let top = i32(tile_id.y * TILE * STRIDE_Y) - p.pad_y;
  let left = i32(tile_id.x * TILE * STRIDE_X) - p.pad_x;

  var sum = select(0.0, f32(bias[o]), HAS_BIAS == 1);
  for (var c = 0u; c < p.c; c++) {
    for (var i = thread; i < PATCH_H * PATCH_W; i += TILE * TILE) {
      patch_pixels[i] = x_at(n, c, top + i32(i / PATCH_W), left + i32(i % PATCH_W));
    }
    workgroupBarrier();
    for (var ky = 0u; ky < KH; ky++) {
      for (var kx = 0u; kx < KW; kx++) {
        let patch_row = local.y * STRIDE_Y + ky * DILATION_Y;
        let pixel = patch_pixels[patch_row * PATCH_W + local.x * STRIDE_X + kx * DILATION_X];
        sum += pixel * f32(weight[((o * p.c + c) * KH + ky) * KW + kx]);
      }
    }
    workgroupBarrier();
  }
  // No thread may return before this point: every barrier waits for all threads.
  if (column < p.ow && row < p.oh) {
    y[((n * p.o + o) * p.oh + row) * p.ow + column] = element(sum);
  }
}
`,
);
