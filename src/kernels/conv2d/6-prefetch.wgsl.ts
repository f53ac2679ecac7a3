import { kernel } from "../../device/kernel.ts";

/**
 * Step 6: the same tiles and sums as in step 5, with fewer instructions beside the multiply-adds, and shorter waits
 * for memory.
 *
 * **Loads run ahead.** In step 5 all threads of a workgroup load, wait, compute, and wait again. A load from
 * memory takes hundreds of cycles, and all that hides it are other workgroups on the same core. A GPU does not
 * wait at a load, though, but where its value is first used. So here each thread loads its share of the next
 * round into registers (`next_…`), computes the current round from workgroup memory, and only then stores what
 * it has loaded. What is left of the wait is what lasts longer than a round's multiply-adds.
 *
 * **Addresses are found once.** Which pixels a thread copies, and which of them lie outside the picture, is the
 * same in every round, but for the input channel. So the divisions that find it are done before the first round,
 * and then each load adds a channel's size to an index.
 *
 * **Pixels come in pairs.** A thread's block is ROWS rows of two neighbouring columns. Workgroup memory holds
 * pixels as vec2s of neighbours, so one read brings two. For 3x3 and blocks of 4 channels x 4 x 2 pixels, 12 reads
 * of pixels and 9 of weights (vec4s of 4 channels) feed 288 multiply-adds.
 *
 * Three marks steer how the text is rewritten before it is compiled (device/kernel.ts): `@unroll` writes out a loop,
 * `@registers` turns an array into variables, and `@if NAME` keeps the first of two pieces, or the second where NAME is
 * 0.
 *
 * Wide windows are taken in SPANS spans of SPAN columns, so that the pixels under a span stay in registers.
 *
 * The prelude is that of step 5, with other constants. For 3x3 and the largest tile by rule:
 *
 *     TILE_O 32, TILE_H 8, TILE_W 16        the tile
 *     CHANNELS 4, ROWS 4                    a thread's block, whose rows are a pair wide
 *     DEPTH 4, PARTIAL_ROUND 0              input channels of a round; 1 if they do not divide those of x
 *     PATCH_H 10, PATCH_PAIRS 9, PITCH 10   pairs under the tile, and how far apart their rows lie
 *     WEIGHT_PITCH 9                        how far apart the weights of neighbouring k lie, in vec4s
 *     SPAN 3, SPANS 1                       columns of a span
 *     ROWS_UNDER 6, PAIRS 2, SPAN_PAIRS 12  pairs under a block and a span: their rows, columns and number
 *     PIXEL_SHARE 1, PIXEL_LOADS 4          pairs that a thread copies, of a channel and in a round
 *     WEIGHT_SHARE 3                        vec4s of weights that it copies in a round
 *     QUADS 1, SUMS 8                       vec4s of channels in a block, and vec4s of sums
 *     THREADS 128
 */
export const prefetchKernel = kernel(
  "conv2d/6-prefetch",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
  x_channels: u32, y_channels: u32, y_first: u32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;         // [n, x_channels, h, w]
@group(0) @binding(1) var<storage, read> weight: array<element>;    // [o, c, KH, KW], or turned
@group(0) @binding(2) var<storage, read> bias: array<element>;      // [o]
@group(0) @binding(3) var<storage, read> extra: array<element>;     // [n, o / r^2, oh, ow], [o] or none: ExtraKind
@group(0) @binding(4) var<storage, read_write> y: array<element>;   // [n, y_channels, oh, ow], or pixel-shuffled
@group(0) @binding(5) var<uniform> p: Params;

const PIXEL_PAIRS = PATCH_H * PATCH_PAIRS;   // of one channel, under the tile
const CHANNEL_TAPS = DEPTH * KH * KW;        // weights of one output channel in a round
const WEIGHT_COUNT = CHANNEL_TAPS * TILE_O / 4;

var<workgroup> pixels: array<vec2f, DEPTH * PATCH_H * PITCH>;       // neighbours in a row
var<workgroup> weights: array<vec4f, CHANNEL_TAPS * WEIGHT_PITCH>;  // of 4 output channels each

@compute @workgroup_size(TILE_W / 2, TILE_H / ROWS, TILE_O / CHANNELS)
fn main(@builtin(workgroup_id) tile_id: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tiles = (p.o + TILE_O - 1) / TILE_O;
  let n = tile_id.z / tiles; let tile_o = tile_id.z % tiles * TILE_O;
  let top = i32(tile_id.y * TILE_H * STRIDE_Y) - p.pad_y;
  let left = i32(tile_id.x * TILE_W * STRIDE_X) - p.pad_x;

  // The thread's share of a round: every THREADS-th pair of pixels, in each of DEPTH channels, and every
  // THREADS-th vec4 of weights. Here is where they lie in the first round, and where they go.
  let area = p.h * p.w;
  var pixel_at: array<vec2u, PIXEL_SHARE>; // @registers
  var inside: array<vec2<bool>, PIXEL_SHARE>; // @registers
  var pixel_to: array<u32, PIXEL_SHARE>; // @registers
  for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
    let i = thread + s * THREADS;
    pixel_to[s] = i / PATCH_PAIRS * PITCH + i % PATCH_PAIRS;
    // As unsigned numbers, a row above the picture and a column left of it are huge.
    let row = u32(top + i32(i / PATCH_PAIRS));
    let columns = vec2u(u32(left + i32(i % PATCH_PAIRS * 2))) + vec2u(0, 1);
    inside[s] = (columns < vec2u(p.w)) & vec2<bool>(row < p.h);
    // Outside the picture any of its pixels is loaded, and not used.
    pixel_at[s] = n * p.x_channels * area + select(vec2u(), row * p.w + columns, inside[s]);
  }
  var weight_at: array<u32, WEIGHT_SHARE>; // @registers
  var weight_to: array<u32, WEIGHT_SHARE>; // @registers
  for (var s = 0; s < WEIGHT_SHARE; s++) { // @unroll
    // Threads side by side read neighbouring weights of one output channel.
    let i = thread + s * THREADS; let k = i % CHANNEL_TAPS; let quad = i / CHANNEL_TAPS;
    weight_at[s] = weight_index(tile_o + quad * 4, k);
    weight_to[s] = k * WEIGHT_PITCH + quad;
  }
  let next_o = weight_index(1, 0) - weight_index(0, 0);
  let next_round = weight_index(0, CHANNEL_TAPS) - weight_index(0, 0);
  let last_weight = p.o * p.c * KH * KW - 1;

  var sums: array<vec4f, SUMS>; // @registers
  var next_pixels: array<vec2f, PIXEL_LOADS>; // @registers
  var next_weights: array<vec4f, WEIGHT_SHARE>; // @registers
  var pixels_from = 0u; var weights_from = 0u;
  // The first turn only loads, the last only computes.
  for (var turn = 0u; turn * DEPTH < p.c + DEPTH; turn++) {
    if (turn > 0) {
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        if (thread + s * THREADS < PIXEL_PAIRS) {
          for (var c = 0; c < DEPTH; c++) { // @unroll
            pixels[c * PATCH_H * PITCH + pixel_to[s]] = next_pixels[s * DEPTH + c];
          }
        }
      }
      for (var s = 0; s < WEIGHT_SHARE; s++) { // @unroll
        if (thread + s * THREADS < WEIGHT_COUNT) { weights[weight_to[s]] = next_weights[s]; }
      }
    }
    workgroupBarrier();

    let first_c = turn * DEPTH;
    if (first_c < p.c) {
      for (var s = 0; s < PIXEL_SHARE; s++) { // @unroll
        for (var c = 0; c < DEPTH; c++) { // @unroll
          // @if PARTIAL_ROUND
          // Past the last channel: zeros, as outside the picture.
          let there = inside[s] & vec2<bool>(first_c + c < p.c);
          let at = select(vec2u(), pixel_at[s] + pixels_from + c * area, there);
          // @else
          let there = inside[s];
          let at = pixel_at[s] + pixels_from + c * area;
          // @end
          next_pixels[s * DEPTH + c] = select(vec2f(), vec2f(x_value(at.x), x_value(at.y)), there);
        }
      }
      for (var s = 0; s < WEIGHT_SHARE; s++) { // @unroll
        // Past the last output channel: any weights, since their sums are not stored.
        let at = min(weight_at[s] + weights_from + vec4u(0, 1, 2, 3) * next_o, vec4u(last_weight));
        let four = vec4f(f32(weight[at.x]), f32(weight[at.y]), f32(weight[at.z]), f32(weight[at.w]));
        // @if PARTIAL_ROUND
        let k = first_c * KH * KW + (thread + s * THREADS) % CHANNEL_TAPS;
        next_weights[s] = select(vec4f(), four, k < p.c * KH * KW);
        // @else
        next_weights[s] = four;
        // @end
      }
      pixels_from += DEPTH * area; weights_from += next_round;
    }

    if (turn > 0) {
      for (var c = 0u; c < DEPTH; c++) {
        for (var span = 0u; span < SPANS; span++) {
          let at = (c * PATCH_H + local.y * ROWS * STRIDE_Y) * PITCH
            + local.x * STRIDE_X + span * SPAN * DILATION_X / 2;
          var under: array<vec2f, SPAN_PAIRS>; // @registers
          for (var row = 0; row < ROWS_UNDER; row++) { // @unroll
            for (var pair = 0; pair < PAIRS; pair++) { // @unroll
              under[row * PAIRS + pair] = pixels[at + row * PITCH + pair];
            }
          }
          for (var kx = 0; kx < SPAN; kx++) { // @unroll
            if (span * SPAN + kx < KW) { // the last span may be narrower
              for (var ky = 0; ky < KH; ky++) { // @unroll
                for (var quad = 0; quad < QUADS; quad++) { // @unroll
                  let tap = (c * KH + ky) * KW + span * SPAN + kx;
                  let w = weights[tap * WEIGHT_PITCH + local.z * QUADS + quad];
                  // fma() is one instruction everywhere; of += a compiler may make two.
                  for (var row = 0; row < ROWS; row++) { // @unroll
                    for (var column = 0; column < 2; column++) { // @unroll
                      let pixel = under[(row * STRIDE_Y + ky * DILATION_Y) * PAIRS + (column * STRIDE_X + kx * DILATION_X) / 2]
                                    [(column * STRIDE_X + kx * DILATION_X) % 2];
                      sums[(quad * ROWS + row) * 2 + column] = fma(w, vec4f(pixel), sums[(quad * ROWS + row) * 2 + column]);
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    workgroupBarrier();
  }

  let first_column = tile_id.x * TILE_W + local.x * 2;
  let first_row = tile_id.y * TILE_H + local.y * ROWS;
  let first_o = tile_o + local.z * CHANNELS;
  if (first_column >= p.ow || first_row >= p.oh || first_o >= p.o) { return; }
  // Backwards, as in step 3.
  for (var back_o = 0; back_o < CHANNELS; back_o++) { // @unroll
    let o = min(first_o + CHANNELS - 1 - back_o, p.o - 1);
    let b = select(0.0, f32(bias[o]), HAS_BIAS == 1);
    for (var back = 0; back < ROWS; back++) { // @unroll
      for (var back_column = 0; back_column < 2; back_column++) { // @unroll
        let sum = sums[((CHANNELS - 1 - back_o) / 4 * ROWS + ROWS - 1 - back) * 2 + 1 - back_column]
                      [(CHANNELS - 1 - back_o) % 4];
        let row = min(first_row + ROWS - 1 - back, p.oh - 1);
        store(n, o, row, min(first_column + 1 - back_column, p.ow - 1), sum + b);
      }
    }
  }
}
`,
);
