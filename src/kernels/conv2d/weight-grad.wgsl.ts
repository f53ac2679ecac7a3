import { kernel } from "../../device/kernel.ts";

/**
 * The weight gradient: dw[o, c, ky, kx] is the sum over all pictures and all output positions of dy times the
 * pixel that this weight saw there. There are few results, each a very long sum. With one thread per weight,
 * dy and x would be read over and over. So
 *
 *  - a thread computes a block: the weights from one input channel to CHANNELS output channels. Of each window
 *    it has all rows if the window has at most 9 weights, and else one row: KY rows of KW weights. Like step
 *    3, it keeps the sums in registers, and takes the output rows in strips of PIXELS;
 *  - as blocks leave few threads, each sum is cut into *parts*: the output rows of all pictures are dealt out
 *    to them, each part is summed by threads of its own, which write a *partial gradient*, and `sumPartials`
 *    adds these up, always in the same order, so that results repeat exactly.
 *
 * The lanes of a subgroup have the same output channels and positions but different (c, ky). So all of them
 * need the same values of dy, and each its own pixels of x: only dy can be broadcast. Where the device shares
 * such loads by itself, or cannot broadcast, each lane loads what it needs (LANES = 0). Elsewhere a lane
 * loads its share of a strip's CHANNELS x PIXELS values and hands it to the others, by broadcasts or shuffles as
 * in step 4. (`@if NAME` keeps the first of two pieces, or the second where NAME is 0: device/kernel.ts.) The prelude
 * defines x_at (3-blocked.wgsl.ts).
 *
 * Constants come from plan-weight-grad.ts. For 3x3 from 64 to 64 channels on a GPU:
 *
 *     CHANNELS 16, KY 3, KY_KW 9    a block: output channels, window rows, and weights in those rows
 *     RESULTS 144                   sums of a thread (single numbers)
 *     PIXELS 2                      a strip
 *     PIXELS_UNDER 4                pixels of an input row under it:
 *     OLD_COLUMNS 2, NEW_COLUMNS 2  those that the strip before has seen, too, and the others
 *     WORKGROUP 32, LANES 0         threads; LANES is 8 where a lane shares what it loads with 8, and there
 *                                   GRADIENT_SHARE 4 values of dy are each lane's share
 *     SHUFFLES 0                    1 where a shuffle costs less than a broadcast
 */
export const weightGrad = kernel(
  "conv2d/weight-grad",
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
@group(0) @binding(2) var<storage, read_write> partial: array<f32>; // [parts, o, c, KH, KW]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  // @if LANES
  @builtin(subgroup_invocation_id) lane: u32,
  // @end
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
) {
  // id.x counts blocks: the input channels, and in each the groups of KY window rows. group.y counts groups
  // of CHANNELS output channels, group.z the parts. Threads beyond the last block go on, for the broadcasts,
  // and store nothing.
  let block = min(id.x, p.c * KH / KY - 1);
  let c = block * KY / KH; let first_ky = block * KY % KH;
  let first_o = group.y * CHANNELS; let part = group.z;

  // @if LANES
  // This lane's share of a strip's values of dy, which are numbered o * PIXELS + i: share_at is where channel
  // o begins, counted from dy_row, and share_i is i.
  var share_at: array<u32, GRADIENT_SHARE>;
  var share_i: array<u32, GRADIENT_SHARE>;
  for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
    let k = min(s * LANES + lane, CHANNELS * PIXELS - 1);
    share_i[s] = k % PIXELS;
    share_at[s] = min(first_o + k / PIXELS, p.o - 1) * p.oh * p.ow;
  }
  // @end

  var sums: array<f32, CHANNELS * KY * KW>;
  // A line is a row of one of the pictures.
  for (var line = part * p.rows_per_part; line < min((part + 1) * p.rows_per_part, p.n * p.oh); line++) {
    let n = line / p.oh; let row = line % p.oh;
    let x_row = i32(row * STRIDE_Y + first_ky * DILATION_Y) - p.pad_y;
    let dy_row = (n * p.o * p.oh + row) * p.ow;
    // What two strips side by side see overlaps in OLD_COLUMNS: those of the first strip are loaded here, and every
    // strip loads its NEW_COLUMNS and hands its last columns on.
    var pixels: array<f32, KY * PIXELS_UNDER>;
    for (var ky = 0; ky < KY; ky++) { // @unroll
      for (var i = 0; i < OLD_COLUMNS; i++) { // @unroll
        pixels[ky * PIXELS_UNDER + i] = x_at(n, c, x_row + ky * DILATION_Y, i - p.pad_x);
      }
    }
    for (var column = 0u; column < p.ow; column += PIXELS) {
      let x_column = i32(column * STRIDE_X) - p.pad_x;
      for (var ky = 0; ky < KY; ky++) { // @unroll
        for (var i = 0; i < NEW_COLUMNS; i++) { // @unroll
          pixels[ky * PIXELS_UNDER + OLD_COLUMNS + i] = x_at(n, c, x_row + ky * DILATION_Y, x_column + OLD_COLUMNS + i);
        }
      }
      // Past the end of the row there is no output, hence no gradient: 0.
      // @if LANES
      var gradients: array<f32, GRADIENT_SHARE>;
      for (var s = 0; s < GRADIENT_SHARE; s++) { // @unroll
        let at = column + share_i[s];
        gradients[s] = select(0.0, dy[dy_row + share_at[s] + min(at, p.ow - 1)], at < p.ow);
      }
      // @end
      for (var o = 0; o < CHANNELS; o++) { // @unroll
        for (var i = 0; i < PIXELS; i++) { // @unroll
          // @if LANES
          // @if SHUFFLES
          let g = subgroupShuffle(gradients[(o * PIXELS + i) / LANES], (o * PIXELS + i) % LANES);
          // @else
          let g = subgroupBroadcast(gradients[(o * PIXELS + i) / LANES], (o * PIXELS + i) % LANES);
          // @end
          // @else
          let start = dy_row + min(first_o + o, p.o - 1) * p.oh * p.ow;
          let g = select(0.0, dy[start + min(column + i, p.ow - 1)], column + i < p.ow);
          // @end
          for (var ky = 0; ky < KY; ky++) { // @unroll
            for (var kx = 0; kx < KW; kx++) { // @unroll
              sums[(o * KY + ky) * KW + kx] += g * pixels[ky * PIXELS_UNDER + i * STRIDE_X + kx * DILATION_X];
            }
          }
        }
      }
      for (var ky = 0; ky < KY; ky++) { // @unroll
        for (var i = 0; i < OLD_COLUMNS; i++) { // @unroll
          pixels[ky * PIXELS_UNDER + i] = pixels[ky * PIXELS_UNDER + NEW_COLUMNS + i];
        }
      }
    }
  }

  if (id.x > block) { return; }
  // A loop over a copy, and backwards, as in step 4: the last channel's own sums replace those of channels
  // past the end.
  var results: array<f32, RESULTS>;
  for (var i = 0; i < RESULTS; i++) { // @unroll
    results[i] = sums[i];
  }
  for (var end = u32(CHANNELS); end > 0; end--) {
    let o = min(first_o + end - 1, p.o - 1);
    let start = (((part * p.o + o) * p.c + c) * KH + first_ky) * KW;
    for (var k = 0; k < KY_KW; k++) { // @unroll
      partial[start + k] = results[(end - 1) * KY_KW + k];
    }
  }
}
`,
);

/**
 * dw = the sum of the partial gradients, and db that of the bias's, which lie behind the weights'. On a GPU, eight
 * threads (ADDERS) work on each number. Each of them adds up every eighth partial gradient, and the first one then
 * adds their sums: one thread alone would wait for many loads, one after the other. The four loads of a round
 * (LOADS_AT_ONCE) do not wait for each other.
 */
export const sumPartials = kernel(
  "conv2d/sum-partials",
  /* wgsl */ `
struct Params { size: u32, weights: u32, partials: u32 }
@group(0) @binding(0) var<storage, read> partial: array<f32>;     // [partials, size]
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;    // [weights]
@group(0) @binding(2) var<storage, read_write> db: array<f32>;    // [size - weights]
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> sums: array<f32, 32 * ADDERS>;

@compute @workgroup_size(32, ADDERS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) local: vec3u) {
  let i = (group.x + group.y * groups.x) * 32 + local.x;
  var sum = 0.0;
  for (var k = local.y; k < p.partials; k += ADDERS * LOADS_AT_ONCE) {
    for (var t = 0; t < LOADS_AT_ONCE; t++) { // @unroll
      let at = min(k + t * ADDERS, p.partials - 1) * p.size + min(i, p.size - 1);
      sum += select(0.0, partial[at], k + t * ADDERS < p.partials);
    }
  }
  if (ADDERS > 1) {
    sums[local.y * 32 + local.x] = sum;
    workgroupBarrier();
    if (local.y > 0) { return; }
    for (var adder = 1u; adder < ADDERS; adder++) { sum += sums[adder * 32 + local.x]; }
  }
  if (i < p.weights) {
    dw[i] = sum;
  } else if (i < p.size) {
    db[i - p.weights] = sum;
  }
}
`,
);
