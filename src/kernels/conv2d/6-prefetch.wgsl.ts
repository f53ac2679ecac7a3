import { kernel } from "../../device/kernel.ts";

/**
 * Step 6: step 5, but while the threads compute one round, the values of the next are already on their way.
 *
 * In step 5 all threads of a workgroup load, wait, compute, and wait again. A load from memory takes hundreds
 * of cycles, and all that hides it are other workgroups on the same core. A GPU does not wait at a load,
 * though, but where its value is first used. So here each thread loads its share of the next round into
 * registers (`next_…`), computes the current round from workgroup memory, and only then stores what it has
 * loaded. Everything else is as in step 5, and all sums add up in the same order.
 *
 * A share is every THREADS-th value. The loops over it are unrolled, so that it stays in registers.
 *
 * The prelude is that of step 5, with PIXEL_SHARE and WEIGHT_SHARE: for the tile named there, 11 pixels and 3
 * vec4s.
 */
export const prefetch = kernel(
  "conv2d/6-prefetch",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
  x_channels: u32, y_channels: u32, y_first: u32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;         // [n, c, h, w]
@group(0) @binding(1) var<storage, read> weight: array<element>;    // [o, c, KH, KW], or turned
@group(0) @binding(2) var<storage, read> bias: array<element>;      // [o]
@group(0) @binding(3) var<storage, read> skip: array<element>;      // [n, o, oh, ow]
@group(0) @binding(4) var<storage, read_write> y: array<element>;   // [n, o, oh, ow]
@group(0) @binding(5) var<uniform> p: Params;

const PIXEL_COUNT = DEPTH * PATCH_H * PATCH_W;
const WEIGHT_COUNT = DEPTH * KH * KW * TILE_O / 4;

var<workgroup> pixels: array<f32, DEPTH * PATCH_H * PITCH>;
var<workgroup> weights: array<vec4f, DEPTH * KH * KW * WEIGHT_PITCH>; // of 4 output channels each

@compute @workgroup_size(TILE_W, TILE_H / ROWS, TILE_O / CHANNELS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tiles = (p.o + TILE_O - 1) / TILE_O;
  let n = tile.z / tiles; let tile_o = tile.z % tiles * TILE_O;
  let top = i32(tile.y * TILE_H * STRIDE_Y) - p.pad_y;
  let left = i32(tile.x * TILE_W * STRIDE_X) - p.pad_x;

  var sums: array<vec4f, QUADS * ROWS>;
  var next_pixels: array<f32, PIXEL_SHARE>;
  var next_weights: array<vec4f, WEIGHT_SHARE>;
  // The first turn only loads, the last only computes.
  for (var turn = 0u; turn * DEPTH < p.c + DEPTH; turn++) {
    if (turn > 0) {
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        if (i < PIXEL_COUNT) { pixels[i / PATCH_W * PITCH + i % PATCH_W] = next_pixels[s]; }
      }
      for (var s = 0; s < WEIGHT_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let k = i % (DEPTH * KH * KW); let quad = i / (DEPTH * KH * KW);
        if (i < WEIGHT_COUNT) { weights[k * WEIGHT_PITCH + quad] = next_weights[s]; }
      }
    }
    workgroupBarrier();

    let first_c = turn * DEPTH;
    if (first_c < p.c) {
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let c = i / (PATCH_H * PATCH_W); let row = i / PATCH_W % PATCH_H; let column = i % PATCH_W;
        let x_row = select(-1, top + i32(row), first_c + c < p.c);
        next_pixels[s] = x_at(n, first_c + c, x_row, left + i32(column));
      }
      for (var s = 0; s < WEIGHT_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let k = i % (DEPTH * KH * KW); let quad = i / (DEPTH * KH * KW);
        let o = tile_o + quad * 4; let at = first_c * KH * KW + k;
        next_weights[s] = vec4f(
          weight_at(o, at), weight_at(o + 1, at), weight_at(o + 2, at), weight_at(o + 3, at));
      }
    }

    if (turn > 0) {
      for (var i = 0u; i < DEPTH * KW; i++) {
        let c = i / KW; let kx = i % KW;
        let at = (c * PATCH_H + local.y * ROWS * STRIDE_Y) * PITCH + local.x * STRIDE_X + kx * DILATION_X;
        var strip: array<f32, WINDOW>;
        for (var row = 0; row < WINDOW; row++) { // @unroll
          strip[row] = pixels[at + row * PITCH];
        }
        for (var ky = 0; ky < KH; ky++) { // @unroll
          for (var quad = 0; quad < QUADS; quad++) { // @unroll
            let k = weights[((c * KH + ky) * KW + kx) * WEIGHT_PITCH + local.z * QUADS + quad];
            for (var row = 0; row < ROWS; row++) { // @unroll
              sums[quad * ROWS + row] += k * strip[row * STRIDE_Y + ky * DILATION_Y];
            }
          }
        }
      }
    }
    workgroupBarrier();
  }

  let column = tile.x * TILE_W + local.x;
  let first_row = tile.y * TILE_H + local.y * ROWS;
  let first_o = tile_o + local.z * CHANNELS;
  if (column >= p.ow || first_row >= p.oh || first_o >= p.o) { return; }
  // Backwards, as in step 3.
  for (var back_o = 0; back_o < CHANNELS; back_o++) { // @unroll
    let o = min(first_o + CHANNELS - 1 - back_o, p.o - 1);
    let b = select(0.0, f32(bias[o]), HAS_BIAS == 1);
    for (var back = 0; back < ROWS; back++) { // @unroll
      let sum = sums[(CHANNELS - 1 - back_o) / 4 * ROWS + ROWS - 1 - back][(CHANNELS - 1 - back_o) % 4];
      store(n, o, min(first_row + ROWS - 1 - back, p.oh - 1), column, sum + b);
    }
  }
}
`,
);
