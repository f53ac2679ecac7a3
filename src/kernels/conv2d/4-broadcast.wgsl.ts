import { kernel } from "../../device/kernel.ts";

/**
 * Step 4: threads that run in step load together.
 *
 * The threads of a *subgroup* (4 to 128 of them, called lanes; 8 on lavapipe, 32 on NVIDIA's cards) execute the
 * same instruction at the same time and can hand each other values. Where a processor stands in for the GPU, a
 * subgroup is one vector register and each lane one of its numbers. A load then serves one lane after the other, even
 * if all want the same address, while a value is handed to all lanes in one to three instructions.
 *
 * All lanes of a subgroup work on the same output channels (group.y numbers the blocks of channels and is the
 * same in the whole workgroup), so they need the same weights. Step 3 in a subgroup of 8 loads each of the 48
 * weights of an input row eight times. Here lane 0 loads weight 0, lane 1 weight 1, and so on: six loads
 * fetch all 48. Whenever weight k is needed, the lane that has it hands it to all (`subgroupBroadcast`). With
 * `subgroupShuffle` each lane names the lane that it asks. If all name the same one, it does what a broadcast does.
 * On lavapipe it is cheaper, for a broadcast first finds out which lanes are active: there SHUFFLES is 1, and of
 * what stands between `@if SHUFFLES`, `@else` and `@end` the first piece is kept (device/kernel.ts).
 *
 * Pixels can be shared, too. The strips of neighbouring lanes lie side by side, so what a lane needs beyond its
 * own strip is in the strip of the lane before it or after it (`subgroupShuffle`). Left of the first lane's strip
 * and right of the last lane's, HALO pixels each are missing, and again the lanes load them together. This is
 * done where it pays (SHARES_PIXELS): x and y have the same columns, as with stride 1 and "same" padding, and a shuffle
 * costs less than a load, as on lavapipe. Elsewhere each lane loads all pixels under its strip, as in step
 * 3.
 *
 * What changed since step 3, with a strip of 8 pixels: 10 + 6 loads instead of 10 + 48 for 384 multiply-adds. With
 * a strip of 16, four pixels in one load, and the edges: 4 + 1 + 6 for 768. README.md says what that is worth.
 *
 * Three smaller changes. Each sum is read once for the products of a whole window row, then written back,
 * which helps processors with fewer registers than there are sums. The sums of four neighbouring pixels are
 * one vec4f: the arithmetic is the same, but a text of a quarter of the statements is compiled sooner. And
 * one loop counts both channels and rows.
 *
 * Broadcasts and shuffles need every lane. So a thread below the picture computes the last row again, and stores
 * nothing.
 *
 * Why it is still slow: each lane loads the pixels of its own strip itself, again for each row of the window that they
 * are in, and again for each block of channels.
 *
 * The prelude defines x_at and store, as in step 3, and x_quad.
 *
 * Constants come from plan.ts. For 3x3 from 64 to 64 channels, rows of 64 pixels or more and a subgroup of 8, on
 * lavapipe:
 *
 *     CHANNELS 16, PIXELS 16     a block
 *     QUADS 4                    vec4s of pixels in it
 *     PIXELS_UNDER 18            pixels of an input row under it
 *     SHARES_PIXELS 1            lanes hand each other pixels
 *     HALO 1, EDGES 1            pixels on either side of a strip, and loads for those that no lane has
 *     LANES 8, WORKGROUP 16      threads
 *     SHUFFLES 1                 a shuffle costs less than a broadcast
 *     WEIGHT_SHARE 6             weights that a lane loads for an input row
 *     RESULTS 256, STORES 8      sums of a thread (single numbers), and how many a round of the last loop stores
 */
export const broadcastKernel = kernel(
  "conv2d/4-broadcast",
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
@group(0) @binding(6) var<storage, read> x_quads: array<element4>;  // x again, in fours

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let strips = (p.ow + PIXELS - 1) / PIXELS;
  let last_row = p.oh - 1;
  let row = min(id.x / strips, last_row); let column = id.x % strips * PIXELS;
  let first_o = group.y * CHANNELS; let n = group.z;

  // Where this lane's share of the weights of one input row lies; they are numbered kx * CHANNELS + o.
  var share_at: array<u32, WEIGHT_SHARE>;
  for (var i = 0; i < WEIGHT_SHARE; i++) { // @unroll
    let k = min(i * LANES + lane, KW * CHANNELS - 1);
    share_at[i] = min(first_o + k % CHANNELS, p.o - 1) * p.c * KH * KW + k / CHANNELS;
  }

  // @if HALO
  // The places left of the first lane's strip and right of the last lane's, of which each lane loads its share.
  let first_lane = vec2i(vec2u(subgroupShuffle(row, 0u), subgroupShuffle(column, 0u)));
  let last_lane = vec2i(vec2u(subgroupShuffle(row, LANES - 1), subgroupShuffle(column, LANES - 1)));
  var edge_at: array<vec2i, EDGES>; // row of y, column of x
  for (var i = 0; i < EDGES; i++) { // @unroll
    let k = i32(lane) + i * LANES;
    edge_at[i] = select(last_lane + vec2i(0, PIXELS + k - HALO), first_lane + vec2i(0, k - HALO), k < HALO);
  }
  // @end

  var sums: array<vec4f, CHANNELS * QUADS>; // [CHANNELS, PIXELS]
  // One loop over the rows of the window in all input channels: counting a loop costs time, too.
  for (var window_row = 0u; window_row < p.c * KH; window_row++) {
    let c = window_row / KH; let ky = window_row % KH;
    let x_row = i32(row * STRIDE_Y + ky * DILATION_Y) - p.pad_y;
    var pixels: array<f32, PIXELS_UNDER>;
    // @if SHARES_PIXELS
    for (var quad = 0; quad < QUADS; quad++) { // @unroll
      let four = x_quad(n, c, x_row, column + 4 * quad);
      pixels[HALO + 4 * quad] = four.x;
      pixels[HALO + 4 * quad + 1] = four.y;
      pixels[HALO + 4 * quad + 2] = four.z;
      pixels[HALO + 4 * quad + 3] = four.w;
    }
    // @else
    let x_column = i32(column * STRIDE_X) - p.pad_x;
    for (var i = 0; i < PIXELS_UNDER; i++) { // @unroll
      pixels[i] = x_at(n, c, x_row, x_column + i);
    }
    // @end
    // @if HALO
    var edges: array<f32, EDGES>;
    for (var i = 0; i < EDGES; i++) { // @unroll
      edges[i] = x_at(n, c, edge_at[i].x * STRIDE_Y + i32(ky * DILATION_Y) - p.pad_y, edge_at[i].y);
    }
    for (var i = 0; i < HALO; i++) { // @unroll
      let before = subgroupShuffle(pixels[PIXELS + i], (lane + LANES - 1) % LANES);
      let left = select(before, subgroupShuffle(edges[i / LANES], i % LANES), lane == 0);
      pixels[i] = select(left, 0.0, column == 0); // beyond the first column is the padding
      let after = subgroupShuffle(pixels[HALO + i], (lane + 1) % LANES);
      let right = select(after, subgroupShuffle(edges[(HALO + i) / LANES], (HALO + i) % LANES), lane == LANES - 1);
      pixels[HALO + PIXELS + i] = select(right, 0.0, column + PIXELS >= p.w);
    }
    // @end
    var weights: array<f32, WEIGHT_SHARE>;
    for (var i = 0; i < WEIGHT_SHARE; i++) { // @unroll
      weights[i] = f32(weight[share_at[i] + window_row * KW]);
    }
    for (var o = 0; o < CHANNELS; o++) { // @unroll
      var w: array<f32, KW>;
      for (var kx = 0; kx < KW; kx++) { // @unroll
        // @if SHUFFLES
        w[kx] = subgroupShuffle(weights[(kx * CHANNELS + o) / LANES], (kx * CHANNELS + o) % LANES);
        // @else
        w[kx] = subgroupBroadcast(weights[(kx * CHANNELS + o) / LANES], (kx * CHANNELS + o) % LANES);
        // @end
      }
      for (var quad = 0; quad < QUADS; quad++) { // @unroll
        var sum = sums[o * QUADS + quad];
        for (var kx = 0; kx < KW; kx++) { // @unroll
          sum += w[kx] * vec4f(
            pixels[(4 * quad + 0) * STRIDE_X + kx * DILATION_X],
            pixels[(4 * quad + 1) * STRIDE_X + kx * DILATION_X],
            pixels[(4 * quad + 2) * STRIDE_X + kx * DILATION_X],
            pixels[(4 * quad + 3) * STRIDE_X + kx * DILATION_X]);
        }
        sums[o * QUADS + quad] = sum;
      }
    }
  }

  if (id.x / strips > last_row) { return; }
  // A store in a hundred copies would take compilers longer than all the rest, so this is a loop; and as a
  // loop's index would put the sums into memory, it works on a copy. As in step 3, the last results go first.
  var results: array<f32, RESULTS>;
  for (var i = 0; i < RESULTS; i++) { // @unroll
    results[i] = sums[i / 4][i % 4];
  }
  for (var end = u32(RESULTS); end > 0; end -= STORES) {
    let begin = end - STORES;
    let o = min(first_o + begin / PIXELS, p.o - 1);
    let b = select(0.0, f32(bias[o]), HAS_BIAS == 1);
    for (var back = 0; back < STORES; back++) { // @unroll
      let i = end - 1 - back;
      store(n, o, row, min(column + i % PIXELS, p.ow - 1), results[i] + b);
    }
  }
}
`,
);

/**
 * Four neighbours of an input row, from a column that 4 divides: in the prelude where lanes share pixels. In rows
 * whose width 4 divides, that is one load, whose place is computed and checked once. Others take four loads.
 */
export const xQuad = /* wgsl */ `
fn x_quad(n: u32, c: u32, row: i32, column: u32) -> vec4f {
  let inside = (u32(row) < p.h) & (column < p.w);
  let at = ((n * p.x_channels + c) * p.h + u32(row)) * p.w + column;
  return select(vec4f(), vec4f(x_quads[select(0u, at / 4, inside)]), inside);
}
`;
export const xQuadOfFour = /* wgsl */ `
fn x_quad(n: u32, c: u32, row: i32, column: u32) -> vec4f {
  let first = i32(column);
  return vec4f(
    x_at(n, c, row, first), x_at(n, c, row, first + 1), x_at(n, c, row, first + 2), x_at(n, c, row, first + 3));
}
`;
