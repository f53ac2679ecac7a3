import { kernel } from "../../device/kernel.ts";

/**
 * The weight gradient for real GPUs and windows that move by one pixel: as in weight-grad-shared.wgsl.ts, a
 * workgroup shares what it loads, each thread keeps a block of sums, and parts write partial gradients. But
 * there every output row loads all rows of x under its window, so that each row of x is loaded KH times. Here
 * the workgroup walks down a *piece*: CHUNK columns of one picture, rows_per_piece rows of them. The rows of x
 * that the window sees stay in workgroup memory, and each step down adds one row of x and one of dy.
 *
 *  - The rows lie in a ring of RING = KH + 1 places: a new row replaces one that was last read two steps ago.
 *    With one place more than the window needs, one barrier a row is enough: threads that are through it fill
 *    that place while slower ones still read the other KH. So there are two places for rows of dy, too.
 *  - Addresses are computed once for a piece. From row to row they grow by the width, and a row is loaded while
 *    the threads compute the one before.
 *  - Workgroup memory is read four values at a time. A strip is four columns. Of dy, a vec4 holds four output
 *    channels of a column, as in weight-grad-shared; of x, it holds four columns of a channel. For 3x3 a thread
 *    reads 4 vec4s of dy and 3 x 2 of x for 4 columns, which make 4 x 4 x 9 = 144 multiply-adds.
 *
 * Each thread has one input channel, CHANNELS output channels and all weights between them. Threads side by
 * side have neighbouring output channels, so that they read neighbouring vec4s of dy, and the same pixels.
 * GRADIENT_PITCH and PITCH are odd, so that neighbours in the other direction lie in different banks
 * (5-shared.wgsl.ts).
 *
 * The gradient of the bias is the sum of dy over all pictures and pixels, as if the bias were one more weight,
 * under which every pixel is 1. With BIAS 1, the threads of the tile's first input channel sum it, too, since
 * they have dy at hand; a launch of its own would read all of dy again.
 *
 * With few channels a workgroup would have few threads. Then it cuts each part once more, into COLUMN_PARTS:
 * threads with the same block and different local.z share the strips of a row, and each writes a partial
 * gradient of its own.
 *
 * `@if BIAS` keeps a piece only where BIAS is 1 (device/kernel.ts). Constants come from plan-weight-grad.ts. For 3x3
 * from 64 to 64 channels and rows of 128 pixels:
 *
 *     TILE_C 16, TILE_O 32, CHUNK 16    the tile's channels, and the columns of a piece
 *     CHANNELS 4, QUADS 1               a thread's output channels, and vec4s of them
 *     BLOCKS_O 8                        threads with different output channels
 *     TAPS 9, BIAS 0                    weights of a window, KH x KW; 1 with the bias's gradient
 *     RING 4, ROWS_KEPT 2               rows of x in workgroup memory, and those that the next row sees, too
 *     ROW_QUADS 5, PITCH 5              vec4s of a row of x under a chunk, and how far apart channels lie
 *     GRADIENT_PITCH 9                  how far apart the columns of dy lie, in vec4s
 *     STRIPS 4, STRIP_QUADS 2           strips of a chunk, and vec4s of a row of x under one
 *     COLUMN_PARTS 1, THREADS 128
 *     PIXEL_SHARE 1, GRADIENT_SHARE 1   vec4s that each thread copies of a row
 */
export const weightGradRolling = kernel(
  "conv2d/weight-grad-rolling",
  /* wgsl */ `
struct Params {
  n: u32,
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
  x_channels: u32,      // of x; the first c of them are read
  rows_per_piece: u32,  // output rows
  pieces_per_part: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;            // [n, x_channels, h, w]
@group(0) @binding(1) var<storage, read> dy: array<f32>;           // [n, o, oh, ow]
@group(0) @binding(2) var<storage, read_write> partial: array<f32>; // [parts * COLUMN_PARTS, gradients]: of the
// weights [o, c, KH, KW], and of the bias [o] behind them
@group(0) @binding(3) var<uniform> p: Params;

const PIXEL_COUNT = TILE_C * ROW_QUADS;       // vec4s of a row of x
const GRADIENT_COUNT = CHUNK * TILE_O / 4;    // and of dy
const PIXEL_ROW = TILE_C * PITCH;             // their places in workgroup memory
const GRADIENT_ROW = CHUNK * GRADIENT_PITCH;

var<workgroup> pixels: array<vec4f, RING * PIXEL_ROW>;        // [RING, TILE_C, ROW_QUADS], of 4 columns each
var<workgroup> gradients: array<vec4f, 2 * GRADIENT_ROW>;     // [2, CHUNK, TILE_O / 4], of 4 channels each

// Four values side by side in a row of x, zero outside. start is where they would lie in row 0.
fn x_four(start: u32, row: i32, inside: vec4<bool>) -> vec4f {
  let there = inside & vec4<bool>((row >= 0) & (row < i32(p.h)));
  let at = select(vec4u(), start + u32(row) * p.w + vec4u(0, 1, 2, 3), there);
  return select(vec4f(), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), there);
}

// dy of four channels in one place, zero outside.
fn dy_four(start: u32, row: u32, inside: vec4<bool>) -> vec4f {
  let at = select(vec4u(), start + row * p.ow + vec4u(0, 1, 2, 3) * (p.oh * p.ow), inside);
  return select(vec4f(), vec4f(dy[at.x], dy[at.y], dy[at.z], dy[at.w]), inside);
}

@compute @workgroup_size(BLOCKS_O, TILE_C, COLUMN_PARTS)
fn main(@builtin(workgroup_id) tile_id: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tile_c = tile_id.x * TILE_C; let tile_o = tile_id.y * TILE_O; let part = tile_id.z;
  let chunks = (p.ow + CHUNK - 1) / CHUNK;                         // side by side in a picture
  let pieces_down = (p.oh + p.rows_per_piece - 1) / p.rows_per_piece;  // pieces one below the other
  let end_piece = min((part + 1) * p.pieces_per_part, p.n * chunks * pieces_down);

  // Where this thread's copies of a row go.
  var x_to: array<u32, PIXEL_SHARE>; var dy_to: array<u32, GRADIENT_SHARE>;
  for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
    let i = thread + s * THREADS;
    x_to[s] = i / ROW_QUADS * PITCH + i % ROW_QUADS;
  }
  for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
    let i = thread + s * THREADS;
    dy_to[s] = i % CHUNK * GRADIENT_PITCH + i / CHUNK;
  }

  var sums: array<vec4f, QUADS * TAPS>;
  // @if BIAS
  let sums_bias = tile_id.x == 0 && local.y == 0;
  var bias_sums: array<vec4f, QUADS>;
  // @end
  for (var piece = part * p.pieces_per_part; piece < end_piece; piece++) {
    let first_column = piece % chunks * CHUNK; let n = piece / (chunks * pieces_down);
    let first_row = piece / chunks % pieces_down * p.rows_per_piece;
    let rows = min(p.rows_per_piece, p.oh - first_row);
    let top = i32(first_row) - p.pad_y; // the window's first row of x

    // What this thread copies of each row: from where, and which of it is inside the picture.
    var x_start: array<u32, PIXEL_SHARE>; var x_inside: array<vec4<bool>, PIXEL_SHARE>;
    var dy_start: array<u32, GRADIENT_SHARE>; var dy_inside: array<vec4<bool>, GRADIENT_SHARE>;
    for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
      let i = thread + s * THREADS;
      let c = tile_c + i / ROW_QUADS; let column = i32(first_column + i % ROW_QUADS * 4) - p.pad_x;
      let columns = column + vec4i(0, 1, 2, 3);
      x_inside[s] = (columns >= vec4i()) & (columns < vec4i(i32(p.w))) & vec4<bool>((i < PIXEL_COUNT) & (c < p.c));
      // Left of the picture this wraps round; the columns that are inside come out right all the same.
      x_start[s] = (n * p.x_channels + c) * p.h * p.w + u32(column);
    }
    for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
      let i = thread + s * THREADS;
      let o = tile_o + i / CHUNK * 4; let column = first_column + i % CHUNK;
      dy_inside[s] = (o + vec4u(0, 1, 2, 3) < vec4u(p.o)) & vec4<bool>((i < GRADIENT_COUNT) & (column < p.ow));
      dy_start[s] = (n * p.o + o) * p.oh * p.ow + column;
    }

    workgroupBarrier(); // all threads are through with the piece before
    for (var row = 0; row < ROWS_KEPT; row++) { // @unroll
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let quad = x_four(x_start[s], top + row, x_inside[s]);
        if (thread + s * THREADS < PIXEL_COUNT) { pixels[row * PIXEL_ROW + x_to[s]] = quad; }
      }
    }
    var next_pixels: array<vec4f, PIXEL_SHARE>;
    var next_gradients: array<vec4f, GRADIENT_SHARE>;
    for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
      next_pixels[s] = x_four(x_start[s], top + ROWS_KEPT, x_inside[s]);
    }
    for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
      next_gradients[s] = dy_four(dy_start[s], first_row, dy_inside[s]);
    }

    for (var row = 0u; row < rows; row++) {
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        let to = (row + ROWS_KEPT) % RING * PIXEL_ROW + x_to[s];
        if (thread + s * THREADS < PIXEL_COUNT) { pixels[to] = next_pixels[s]; }
      }
      for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
        let to = row % 2 * GRADIENT_ROW + dy_to[s];
        if (thread + s * THREADS < GRADIENT_COUNT) { gradients[to] = next_gradients[s]; }
      }
      workgroupBarrier();

      if (row + 1 < rows) {
        for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
          next_pixels[s] = x_four(x_start[s], top + i32(row) + ROWS_KEPT + 1, x_inside[s]);
        }
        for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
          next_gradients[s] = dy_four(dy_start[s], first_row + row + 1, dy_inside[s]);
        }
      }

      for (var s = 0u; s < STRIPS / COLUMN_PARTS; s++) {
        let strip = s * COLUMN_PARTS + local.z;
        let dy_from = row % 2 * GRADIENT_ROW + strip * 4 * GRADIENT_PITCH + local.x;
        var g: array<vec4f, 4 * QUADS>;
        for (var i = 0; i < 4; i++) { // @unroll
          for (var quad = 0; quad < QUADS; quad++) { // @unroll
            g[i * QUADS + quad] = gradients[dy_from + i * GRADIENT_PITCH + quad * BLOCKS_O];
          }
        }
        // @if BIAS
        if (sums_bias) {
          for (var quad = 0; quad < QUADS; quad++) { // @unroll
            bias_sums[quad] += g[quad] + g[QUADS + quad] + g[2 * QUADS + quad] + g[3 * QUADS + quad];
          }
        }
        // @end
        for (var ky = 0; ky < KH; ky++) { // @unroll
          let x_from = (row + ky) % RING * PIXEL_ROW + local.y * PITCH + strip;
          var under: array<vec4f, STRIP_QUADS>; // the strip's pixels in this row
          for (var i = 0; i < STRIP_QUADS; i++) { // @unroll
            under[i] = pixels[x_from + i];
          }
          for (var i = 0; i < 4; i++) { // @unroll
            for (var kx = 0; kx < KW; kx++) { // @unroll
              for (var quad = 0; quad < QUADS; quad++) { // @unroll
                sums[quad * TAPS + ky * KW + kx] += g[i * QUADS + quad] * under[(i + kx) / 4][(i + kx) % 4];
              }
            }
          }
        }
      }
    }
  }

  let c = tile_c + local.y;
  if (c >= p.c) { return; }
  let weights = p.o * p.c * TAPS;
  let gradient_start = (part * COLUMN_PARTS + local.z) * (weights + BIAS * p.o); // where this partial gradient begins
  for (var quad = 0; quad < QUADS; quad++) { // @unroll
    let first_o = tile_o + (quad * BLOCKS_O + local.x) * 4;
    if (first_o < p.o) {
      // Backwards, as in step 3: the last channel's own sums replace those of channels past the end.
      for (var back_o = 0; back_o < 4; back_o++) { // @unroll
        let o = min(first_o + 3 - back_o, p.o - 1);
        let start = gradient_start + (o * p.c + c) * TAPS;
        for (var tap = 0; tap < TAPS; tap++) { // @unroll
          partial[start + tap] = sums[quad * TAPS + tap][3 - back_o];
        }
      }
      // @if BIAS
      if (sums_bias) {
        for (var back_o = 0; back_o < 4; back_o++) { // @unroll
          partial[gradient_start + weights + min(first_o + 3 - back_o, p.o - 1)] = bias_sums[quad][3 - back_o];
        }
      }
      // @end
    }
  }
}
`,
);
