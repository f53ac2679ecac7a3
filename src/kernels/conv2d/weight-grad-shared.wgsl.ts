import { kernel } from "../../device/kernel.ts";

/**
 * The weight gradient for real GPUs: as in weight-grad.wgsl.ts, each thread keeps a block of sums, and the
 * output rows are dealt out to parts, whose partial gradients are added up afterwards. As in step 5 of the
 * forward kernels, the workgroup shares what it loads, and as in step 6 it loads ahead.
 *
 * A workgroup computes the gradient of the weights from TILE_C input channels to TILE_O output channels. It
 * goes along its output rows in chunks of CHUNK columns. For each chunk it copies into workgroup memory dy of
 * the output channels, and of the input channels the pixels that the window saw there. Each thread has one
 * input channel, CHANNELS output channels and all KH x KW weights between them: 8 x 9 sums. For 4 columns it
 * reads 3 x 6 pixels and 4 x 8 values of dy, these four at a time, for 288 multiply-adds.
 *
 * Threads side by side have the same output channels, so one read of dy serves them all. Their input channels
 * differ. The pixels of two neighbouring channels lie PITCH words apart, which is an odd number, so that the
 * threads read them from different banks (5-shared.wgsl.ts).
 *
 * With few channels a workgroup would have few threads. Then it cuts each part once more, into COLUMN_PARTS:
 * threads with the same block and different local.z share the columns of a chunk, and each writes a partial
 * gradient of its own.
 *
 * The prelude defines x_at. Constants come from plan-weight-grad.ts. For 3x3 from 64 to 64 channels and rows
 * of 128 pixels:
 *
 *     TILE_C 32, TILE_O 32, CHUNK 16     the tile's channels, and its columns in a turn
 *     CHANNELS 8, QUADS 2                a thread's output channels, and vec4s of them
 *     TAPS 9                             weights of a window, KH x KW
 *     PIXELS 4, PIXELS_UNDER 6           columns that a thread computes at once, and pixels of an input row under them
 *     PATCH_W 18                         pixels of an input row under a chunk
 *     PITCH 55, GRADIENT_PITCH 9         how far apart channels of x lie, in numbers, and columns of dy, in vec4s
 *     COLUMN_PARTS 1, THREADS 128
 *     PIXEL_SHARE 14, GRADIENT_SHARE 1   what each thread copies in a turn: numbers of x, and vec4s of dy
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
  rows_per_part: u32,  // of the output rows of all pictures
}
@group(0) @binding(0) var<storage, read> x: array<f32>;            // [n, x_channels, h, w]
@group(0) @binding(1) var<storage, read> dy: array<f32>;           // [n, o, oh, ow]
@group(0) @binding(2) var<storage, read_write> partial: array<f32>; // [row parts * COLUMN_PARTS, o, c, KH, KW]
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

@compute @workgroup_size(TILE_C, TILE_O / CHANNELS, COLUMN_PARTS)
fn main(@builtin(workgroup_id) tile_id: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tile_c = tile_id.x * TILE_C; let tile_o = tile_id.y * TILE_O; let part = tile_id.z;
  let first_line = part * p.rows_per_part; // a line is a row of one of the pictures
  let lines = min(p.rows_per_part, p.n * p.oh - first_line);
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
      let line = first_line + turn / chunks; let first_column = turn % chunks * CHUNK;
      let n = line / p.oh; let row = line % p.oh;
      let dy_row = (n * p.o * p.oh + row) * p.ow;
      let top = i32(row * STRIDE_Y) - p.pad_y; let left = i32(first_column * STRIDE_X) - p.pad_x;
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let c = tile_c + i / (KH * PATCH_W); let ky = i / PATCH_W % KH; let column = i % PATCH_W;
        // Past the last channel: zeros, as outside the picture.
        let x_row = select(-1, top + i32(ky * DILATION_Y), c < p.c);
        next_pixels[s] = x_at(n, c, x_row, left + i32(column));
      }
      for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
        let i = thread + s * THREADS;
        let o = tile_o + i / CHUNK * 4; let at = first_column + i % CHUNK;
        next_gradients[s] = vec4f(
          dy_at(dy_row, o, at), dy_at(dy_row, o + 1, at), dy_at(dy_row, o + 2, at), dy_at(dy_row, o + 3, at));
      }
    }

    if (turn > 0) {
      for (var strip = local.z * PIXELS; strip < CHUNK; strip += COLUMN_PARTS * PIXELS) {
        var pixels: array<f32, KH * PIXELS_UNDER>;
        for (var ky = 0; ky < KH; ky++) { // @unroll
          for (var i = 0; i < PIXELS_UNDER; i++) { // @unroll
            pixels[ky * PIXELS_UNDER + i] = patches[local.x * PITCH + ky * PATCH_W + strip * STRIDE_X + i];
          }
        }
        for (var i = 0; i < PIXELS; i++) { // @unroll
          for (var quad = 0; quad < QUADS; quad++) { // @unroll
            let g = gradients[(strip + i) * GRADIENT_PITCH + local.y * QUADS + quad];
            for (var ky = 0; ky < KH; ky++) { // @unroll
              for (var kx = 0; kx < KW; kx++) { // @unroll
                sums[quad * TAPS + ky * KW + kx] += g * pixels[ky * PIXELS_UNDER + i * STRIDE_X + kx * DILATION_X];
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
    let start = (((part * COLUMN_PARTS + local.z) * p.o + o) * p.c + c) * TAPS;
    for (var tap = 0; tap < TAPS; tap++) { // @unroll
      partial[start + tap] = sums[(CHANNELS - 1 - back_o) / 4 * TAPS + tap][(CHANNELS - 1 - back_o) % 4];
    }
  }
}
`,
);
