import { kernel } from "../../device/kernel.ts";

/**
 * The weight gradient for real GPUs: as in weight-grad.wgsl.ts, each thread keeps a block of sums, and the
 * output rows are dealt out to splits, whose partial gradients are added up afterwards. As in step 5 of the
 * forward kernels, the workgroup shares what it loads, and as in step 6 it loads ahead.
 *
 * A workgroup computes the gradient of the weights from TILE_C input channels to TILE_O output channels. Step
 * by step along its output rows, it copies CHUNK columns into workgroup memory: dy of the output channels,
 * and the pixels that the window saw there of the input channels. Each thread has one input channel,
 * CHANNELS output channels and all KH x KW weights between them: 8 x 9 sums. For 4 columns it reads 3 x 6
 * pixels and 4 x 8 values of dy, these four at a time, for 288 multiply-adds.
 *
 * Threads side by side have different input channels and the same output channels. So one read of dy serves
 * all, and their pixels lie PITCH words apart: an odd number, for different banks (5-shared.wgsl.ts).
 *
 * With few channels that would be few threads. Then several deal the columns of a chunk out among themselves,
 * by local.z: each sums its own, and writes a partial gradient of its own.
 *
 * The prelude defines x_at.
 */
export const weightGradShared = kernel(
  "conv2d/weight-grad-shared",
  /* wgsl */ `
struct Params {
  n: u32,
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
  x_channels: u32,     // of x; the first c of them are read
  rows_per_split: u32, // of the output rows of all pictures
}
@group(0) @binding(0) var<storage, read> x: array<f32>;            // [n, c, h, w]
@group(0) @binding(1) var<storage, read> dy: array<f32>;           // [n, o, oh, ow]
@group(0) @binding(2) var<storage, read_write> partial: array<f32>; // [splits * DEALT, o, c, KH, KW]
@group(0) @binding(3) var<uniform> p: Params;

const PIXEL_COUNT = TILE_C * KH * PATCH_W;
const GRADIENT_COUNT = CHUNK * TILE_O / 4;

var<workgroup> patches: array<f32, TILE_C * PITCH>; // [TILE_C, KH, PATCH_W]
var<workgroup> gradients: array<vec4f, CHUNK * GRADIENT_PITCH>; // [CHUNK, TILE_O / 4], of 4 channels each

// dy of output channel o in column; zero past the last of either. dy_row is where channel 0's row begins.
fn dy_at(dy_row: u32, o: u32, column: u32) -> f32 {
  let inside = (o < p.o) & (column < p.ow);
  return select(0.0, dy[select(0u, dy_row + o * p.oh * p.ow + column, inside)], inside);
}

@compute @workgroup_size(TILE_C, TILE_O / CHANNELS, DEALT)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tile_c = tile.x * TILE_C; let tile_o = tile.y * TILE_O; let split = tile.z;
  let first_line = split * p.rows_per_split;
  let lines = min(p.rows_per_split, p.n * p.oh - first_line);
  let chunks = (p.ow + CHUNK - 1) / CHUNK; // of a row

  var sums: array<vec4f, QUADS * TAPS>;
  var next_pixels: array<f32, PIXEL_SHARE>;
  var next_gradients: array<vec4f, GRADIENT_SHARE>;
  // As in step 6: the first turn only loads, the last only computes.
  for (var turn = 0u; turn <= lines * chunks; turn++) {
    if (turn > 0) {
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        if (i < PIXEL_COUNT) { patches[i / (KH * PATCH_W) * PITCH + i % (KH * PATCH_W)] = next_pixels[s]; }
      }
      for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        if (i < GRADIENT_COUNT) { gradients[i % CHUNK * GRADIENT_PITCH + i / CHUNK] = next_gradients[s]; }
      }
    }
    workgroupBarrier();

    if (turn < lines * chunks) {
      let line = first_line + turn / chunks; let first = turn % chunks * CHUNK;
      let n = line / p.oh; let row = line % p.oh;
      let dy_row = (n * p.o * p.oh + row) * p.ow;
      let top = i32(row * STRIDE_Y) - p.pad_y; let left = i32(first * STRIDE_X) - p.pad_x;
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let c = tile_c + i / (KH * PATCH_W); let ky = i / PATCH_W % KH; let column = i % PATCH_W;
        // Past the last channel: zeros, as outside the picture.
        let x_row = select(-1, top + i32(ky * DILATION_Y), c < p.c);
        next_pixels[s] = x_at(n, c, x_row, left + i32(column));
      }
      for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let o = tile_o + i / CHUNK * 4; let at = first + i % CHUNK;
        next_gradients[s] = vec4f(
          dy_at(dy_row, o, at), dy_at(dy_row, o + 1, at), dy_at(dy_row, o + 2, at), dy_at(dy_row, o + 3, at));
      }
    }

    if (turn > 0) {
      for (var strip = local.z * PIXELS; strip < CHUNK; strip += DEALT * PIXELS) {
        var pixels: array<f32, KH * WINDOW>;
        for (var ky = 0; ky < KH; ky++) { // @unroll
          for (var i = 0; i < WINDOW; i++) { // @unroll
            pixels[ky * WINDOW + i] = patches[local.x * PITCH + ky * PATCH_W + strip * STRIDE_X + i];
          }
        }
        for (var i = 0; i < PIXELS; i++) { // @unroll
          for (var quad = 0; quad < QUADS; quad++) { // @unroll
            let g = gradients[(strip + i) * GRADIENT_PITCH + local.y * QUADS + quad];
            for (var ky = 0; ky < KH; ky++) { // @unroll
              for (var kx = 0; kx < KW; kx++) { // @unroll
                sums[quad * TAPS + ky * KW + kx] += g * pixels[ky * WINDOW + i * STRIDE_X + kx * DILATION_X];
              }
            }
          }
        }
      }
    }
    workgroupBarrier();
  }

  let c = tile_c + local.x; let first_o = tile_o + local.y * CHANNELS;
  if (c >= p.c || first_o >= p.o) { return; }
  // Backwards, as in step 3: the last channel's own sums replace those of channels past the end.
  for (var back_o = 0; back_o < CHANNELS; back_o++) { // @unroll
    let o = min(first_o + CHANNELS - 1 - back_o, p.o - 1);
    let start = (((split * DEALT + local.z) * p.o + o) * p.c + c) * TAPS;
    for (var tap = 0; tap < TAPS; tap++) { // @unroll
      partial[start + tap] = sums[(CHANNELS - 1 - back_o) / 4 * TAPS + tap][(CHANNELS - 1 - back_o) % 4];
    }
  }
}
`,
);
