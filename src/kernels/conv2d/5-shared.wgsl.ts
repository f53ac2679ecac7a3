import { kernel } from "../../device/kernel.ts";

/**
 * Step 5, for real GPUs: steps 2 and 3 together. The workgroup shares what it loads, and each thread keeps a
 * block of sums in registers.
 *
 * A workgroup computes a tile of TILE_O channels x TILE_H rows x TILE_W columns. Round by round, its threads
 * copy the next DEPTH input channels into workgroup memory: the pixels under the tile and around it, and the
 * weights from these channels to those of the tile. Then each thread adds to the sums of its block: CHANNELS
 * channels x ROWS pixels, one above the other. With 8 x 8 sums and a window 3 high it reads 10 pixels and
 * 3 x 8 weights for 192 multiply-adds, all from workgroup memory, and weights four at a time.
 *
 * Why the block is a column of pixels: the threads of a subgroup lie side by side along x, so at every step
 * they read neighbouring words of workgroup memory, and in the end write neighbouring results. Workgroup
 * memory consists of banks (32 on NVIDIA) that answer one word each at a time; neighbouring words lie in
 * different banks. A block in a row would make the threads read every 8th word, from few banks. All threads
 * side by side have the same channels: when they ask for the same weights, one read serves all.
 *
 * What changed since step 3: a pixel comes from memory once for TILE_O channels, and a weight once for TILE_H
 * x TILE_W pixels. What it takes: cheap barriers and quick workgroup memory, which software adapters lack.
 *
 * Why it is still slow: in each round all threads wait until its values are there, and compute anew where each value
 * comes from and goes to. Step 6 waits less, and computes that once.
 *
 * The prelude defines x_at and store, as in step 3, and weight_index. Constants come from plan-tiles.ts. For 3x3
 * and the largest tile by rule:
 *
 *     TILE_O 32, TILE_H 16, TILE_W 16   the tile
 *     CHANNELS 8, ROWS 8                a thread's block
 *     DEPTH 4                           input channels of a round
 *     PATCH_H 18, PATCH_W 18, PITCH 18  pixels under the tile, and how far apart their rows lie
 *     WEIGHT_PITCH 9                    how far apart the weights of neighbouring k lie, in vec4s
 *     ROWS_UNDER 10                     rows of pixels under a block
 *     QUADS 2, SUMS 16                  vec4s of channels in a block, and vec4s of sums
 *     THREADS 128
 */
export const sharedKernel = kernel(
  "conv2d/5-shared",
  /* wgsl */ `
struct Params {
  c: u32, h: u32, w: u32,
  o: u32, oh: u32, ow: u32,
  pad_y: i32, pad_x: i32,
  x_channels: u32, y_channels: u32, y_first: u32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;         // [n, x_channels, h, w]
@group(0) @binding(1) var<storage, read> weight: array<element>;    // [o, c, KH, KW]
@group(0) @binding(2) var<storage, read> bias: array<element>;      // [o]
@group(0) @binding(3) var<storage, read> extra: array<element>;     // [n, o / r^2, oh, ow], [o] or none: ExtraKind
@group(0) @binding(4) var<storage, read_write> y: array<element>;   // [n, y_channels, oh, ow], or pixel-shuffled
@group(0) @binding(5) var<uniform> p: Params;

// Rows of the patch lie PITCH apart, and the weights of neighbouring k WEIGHT_PITCH: both may be a little
// more than their length, so that threads side by side meet different banks (plan-tiles.ts).
var<workgroup> pixels: array<f32, DEPTH * PATCH_H * PITCH>;
var<workgroup> weights: array<vec4f, DEPTH * KH * KW * WEIGHT_PITCH>; // of 4 output channels each

// Zero past the last channel, of the result or of x.
fn weight_at(o: u32, k: u32) -> f32 {
  let inside = (o < p.o) & (k < p.c * KH * KW);
  return select(0.0, f32(weight[select(0u, weight_index(o, k), inside)]), inside);
}

@compute @workgroup_size(TILE_W, TILE_H / ROWS, TILE_O / CHANNELS)
fn main(@builtin(workgroup_id) tile_id: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tiles = (p.o + TILE_O - 1) / TILE_O;
  let n = tile_id.z / tiles; let tile_o = tile_id.z % tiles * TILE_O;
  let top = i32(tile_id.y * TILE_H * STRIDE_Y) - p.pad_y;
  let left = i32(tile_id.x * TILE_W * STRIDE_X) - p.pad_x;

  var sums: array<vec4f, SUMS>;
  for (var first_c = 0u; first_c < p.c; first_c += DEPTH) {
    for (var i = thread; i < DEPTH * PATCH_H * PATCH_W; i += THREADS) {
      let c = i / (PATCH_H * PATCH_W); let row = i / PATCH_W % PATCH_H; let column = i % PATCH_W;
      // Past the last channel: zeros, as outside the picture.
      let x_row = select(-1, top + i32(row), first_c + c < p.c);
      pixels[(c * PATCH_H + row) * PITCH + column] = x_at(n, first_c + c, x_row, left + i32(column));
    }
    for (var i = thread; i < DEPTH * KH * KW * (TILE_O / 4); i += THREADS) {
      // Threads side by side read neighbouring weights of one output channel.
      let k = i % (DEPTH * KH * KW); let quad = i / (DEPTH * KH * KW);
      let o = tile_o + quad * 4; let at = first_c * KH * KW + k;
      weights[k * WEIGHT_PITCH + quad] = vec4f(
        weight_at(o, at), weight_at(o + 1, at), weight_at(o + 2, at), weight_at(o + 3, at));
    }
    workgroupBarrier();

    for (var i = 0u; i < DEPTH * KW; i++) {
      let c = i / KW; let kx = i % KW;
      let at = (c * PATCH_H + local.y * ROWS * STRIDE_Y) * PITCH + local.x * STRIDE_X + kx * DILATION_X;
      var under: array<f32, ROWS_UNDER>; // the pixels under column kx of the windows of the block
      for (var row = 0; row < ROWS_UNDER; row++) { // @unroll
        under[row] = pixels[at + row * PITCH];
      }
      for (var ky = 0; ky < KH; ky++) { // @unroll
        for (var quad = 0; quad < QUADS; quad++) { // @unroll
          let w = weights[((c * KH + ky) * KW + kx) * WEIGHT_PITCH + local.z * QUADS + quad];
          for (var row = 0; row < ROWS; row++) { // @unroll
            sums[quad * ROWS + row] += w * under[row * STRIDE_Y + ky * DILATION_Y];
          }
        }
      }
    }
    workgroupBarrier(); // before the next round overwrites what others still read
  }

  let column = tile_id.x * TILE_W + local.x;
  let first_row = tile_id.y * TILE_H + local.y * ROWS;
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

/**
 * The index of a weight, from its output channel and k, which counts that channel's weights through all input
 * channels: (c, ky, kx). In the preludes of steps 5 and 6. Step 6 has another one for the input gradient
 * (input-grad.wgsl.ts).
 */
export const weightIndex = /* wgsl */ `
fn weight_index(o: u32, k: u32) -> u32 { return o * p.c * KH * KW + k; }
`;
