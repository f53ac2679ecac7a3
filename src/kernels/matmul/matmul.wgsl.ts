import { kernel } from "../../device/kernel.ts";

/**
 * y [batch, m, n] = a [batch, m, k] b [batch, k, n]. Each thread computes a block of R x R elements of y in
 * registers: for each k it reads R elements of a and R of b and multiplies each with each, so it uses every
 * element R times. R comes from the prelude: 1 for small matrices, so that there are enough threads. The
 * block's rows lie next to each other and its columns `across` apart, so that neighbouring threads read
 * neighbouring elements of b.
 *
 * Both operands are read through strides, so either may be transposed. A batch index is split into up to four
 * coordinates (sizes n1 to n3), each with a stride that is 0 where an operand is repeated.
 *
 * Why it is still slow on a GPU: all threads of a row of blocks read the same elements of a, each for itself.
 */
export const matmulByThreadKernel = kernel(
  "matmul-by-thread",
  /* wgsl */ `
struct Params {
  batch: u32, m: u32, n: u32, k: u32,
  a_row: u32, a_column: u32, b_row: u32, b_column: u32,
  n1: u32, n2: u32, n3: u32,
  a0: u32, a1: u32, a2: u32, a3: u32,
  b0: u32, b1: u32, b2: u32, b3: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [batch, m, n]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  let across = (p.n + R - 1) / R;
  let down = (p.m + R - 1) / R;
  let batch = i / (across * down);
  if (batch >= p.batch) { return; }
  let row = i / across % down * R;
  let column = i % across;

  var rest = batch;
  let i3 = rest % p.n3; rest /= p.n3;
  let i2 = rest % p.n2; rest /= p.n2;
  let i1 = rest % p.n1; rest /= p.n1;
  let a_start = rest * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3;
  let b_start = rest * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3;

  // Rows and columns past the end read the last one; their sums are not stored.
  var a_at: array<u32, R>;
  var b_at: array<u32, R>;
  for (var j = 0; j < R; j++) { // @unroll
    a_at[j] = a_start + min(row + j, p.m - 1) * p.a_row;
    b_at[j] = b_start + min(column + across * j, p.n - 1) * p.b_column;
  }

  var sums: array<f32, R * R>;
  for (var k = 0u; k < p.k; k++) {
    var b_values: array<f32, R>;
    for (var c = 0; c < R; c++) { // @unroll
      b_values[c] = b[b_at[c] + k * p.b_row];
    }
    for (var r = 0; r < R; r++) { // @unroll
      let a_value = a[a_at[r] + k * p.a_column];
      for (var c = 0; c < R; c++) { // @unroll
        sums[r * R + c] += a_value * b_values[c];
      }
    }
  }

  for (var r = 0; r < R; r++) { // @unroll
    for (var c = 0; c < R; c++) { // @unroll
      if (row + r < p.m && column + across * c < p.n) {
        y[(batch * p.m + row + r) * p.n + column + across * c] = sums[r * R + c];
      }
    }
  }
}
`,
);

/**
 * The product for real GPUs, whose workgroups have fast memory of their own. A workgroup computes a tile of y,
 * TILE_M rows x TILE_N columns, and goes along k in rounds of DEPTH: all its threads together copy a slice of a
 * and a slice of b into workgroup memory, then each multiplies what it needs from there. So an element of a is
 * loaded from memory once for TILE_N columns, and one of b once for TILE_M rows.
 *
 * **Blocks of vec4s.** A thread owns ROW_QUADS x COLUMN_QUADS blocks of 4 x 4 elements of y. Workgroup memory holds
 * quads: vec4s of four rows of a, or of four columns of b, with the same k. So with 2 x 2 blocks, four reads
 * feed 64 multiply-adds, where a thread with a single element of y would need two reads for each.
 *
 * **What a quad is.** Its four rows are not neighbours, but a quarter of the tile apart. Then threads side by
 * side, which have neighbouring quads, load and store neighbouring columns, which are one request to memory.
 *
 * **Loads run ahead**, as in step 6 of the convolution: each thread loads its share of the next round into
 * registers (`next_a`, `next_b`) and then computes the current round, while the loads are on their way.
 *
 * On software adapters, whose workgroup memory is ordinary memory, all this is slower.
 *
 * For the largest tile, 128 x 128: THREADS_X and THREADS_Y 16, ROW_QUADS and COLUMN_QUADS 2, DEPTH 8, THREADS 256,
 * A_SHARE and B_SHARE 1 (the quads that a thread copies in each round), ROWS 8, SUMS 16.
 */
export const matmulByTileKernel = kernel(
  "matmul-by-tile",
  /* wgsl */ `
struct Params {
  batch: u32, m: u32, n: u32, k: u32,
  a_row: u32, a_column: u32, b_row: u32, b_column: u32,
  n1: u32, n2: u32, n3: u32,
  a0: u32, a1: u32, a2: u32, a3: u32,
  b0: u32, b1: u32, b2: u32, b3: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [batch, m, n]
@group(0) @binding(3) var<uniform> p: Params;

const A_QUADS = THREADS_Y * ROW_QUADS; // of the tile's rows
const B_QUADS = THREADS_X * COLUMN_QUADS; // of its columns
const TILE_M = 4u * A_QUADS;
const TILE_N = 4u * B_QUADS;
// Threads side by side write quads of consecutive k, which an odd distance spreads over the banks.
const A_PITCH = A_QUADS + 1;
const B_PITCH = B_QUADS + 1;

var<workgroup> a_slice: array<vec4f, DEPTH * A_PITCH>; // [k, quad of rows]
var<workgroup> b_slice: array<vec4f, DEPTH * B_PITCH>; // [k, quad of columns]

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) group_id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  // The grid is a folded line of tiles: columns first, then rows, then the batch.
  let tile = group_id.x + group_id.y * groups.x;
  let tiles_across = (p.n + TILE_N - 1) / TILE_N;
  let tiles_down = (p.m + TILE_M - 1) / TILE_M;
  let batch = tile / (tiles_across * tiles_down);
  if (batch >= p.batch) { return; }
  let first_column = tile % tiles_across * TILE_N;
  let first_row = tile / tiles_across % tiles_down * TILE_M;

  var rest = batch;
  let i3 = rest % p.n3; rest /= p.n3;
  let i2 = rest % p.n2; rest /= p.n2;
  let i1 = rest % p.n1; rest /= p.n1;
  let a_start = rest * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3;
  let b_start = rest * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3;

  // The thread's share of a round: every THREADS-th quad of either slice. Here is where its first element lies
  // in the first round, and where the quad goes. Threads side by side take consecutive k where that is how a
  // matrix lies in memory, else neighbouring quads.
  var a_at: array<u32, A_SHARE>; // @registers
  var a_k: array<u32, A_SHARE>; // @registers
  var a_to: array<u32, A_SHARE>; // @registers
  for (var s = 0; s < A_SHARE; s++) { // @unroll
    let i = thread + s * THREADS;
    let at = select(vec2u(i / A_QUADS, i % A_QUADS), vec2u(i % DEPTH, i / DEPTH), p.a_column == 1); // (k, quad)
    a_at[s] = a_start + (first_row + at.y) * p.a_row + at.x * p.a_column;
    a_k[s] = at.x; a_to[s] = at.x * A_PITCH + at.y;
  }
  var b_at: array<u32, B_SHARE>; // @registers
  var b_k: array<u32, B_SHARE>; // @registers
  var b_to: array<u32, B_SHARE>; // @registers
  for (var s = 0; s < B_SHARE; s++) { // @unroll
    let i = thread + s * THREADS;
    let at = select(vec2u(i / B_QUADS, i % B_QUADS), vec2u(i % DEPTH, i / DEPTH), p.b_row == 1); // (k, quad)
    b_at[s] = b_start + (first_column + at.y) * p.b_column + at.x * p.b_row;
    b_k[s] = at.x; b_to[s] = at.x * B_PITCH + at.y;
  }
  let a_next = vec4u(0, 1, 2, 3) * A_QUADS * p.a_row;
  let b_next = vec4u(0, 1, 2, 3) * B_QUADS * p.b_column;
  let a_last = a_start + (p.m - 1) * p.a_row + (p.k - 1) * p.a_column;
  let b_last = b_start + (p.n - 1) * p.b_column + (p.k - 1) * p.b_row;

  var sums: array<vec4f, SUMS>; // @registers
  var next_a: array<vec4f, A_SHARE>; // @registers
  var next_b: array<vec4f, B_SHARE>; // @registers
  // The first turn only loads. The last one loads, too, but nobody uses what it has loaded.
  for (var turn = 0u; turn * DEPTH < p.k + DEPTH; turn++) {
    if (turn > 0) {
      for (var s = 0; s < A_SHARE; s++) { // @unroll
        a_slice[a_to[s]] = next_a[s];
      }
      for (var s = 0; s < B_SHARE; s++) { // @unroll
        b_slice[b_to[s]] = next_b[s];
      }
    }
    workgroupBarrier();

    // Past the last k: zeros. Past the last row or column: any element, since such sums are not stored.
    let first_k = turn * DEPTH;
    for (var s = 0; s < A_SHARE; s++) { // @unroll
      let at = min(a_at[s] + first_k * p.a_column + a_next, vec4u(a_last));
      next_a[s] = select(vec4f(), vec4f(a[at.x], a[at.y], a[at.z], a[at.w]), first_k + a_k[s] < p.k);
    }
    for (var s = 0; s < B_SHARE; s++) { // @unroll
      let at = min(b_at[s] + first_k * p.b_row + b_next, vec4u(b_last));
      next_b[s] = select(vec4f(), vec4f(b[at.x], b[at.y], b[at.z], b[at.w]), first_k + b_k[s] < p.k);
    }

    if (turn > 0) {
      for (var k = 0u; k < DEPTH; k++) {
        var columns: array<vec4f, COLUMN_QUADS>; // @registers
        for (var c = 0; c < COLUMN_QUADS; c++) { // @unroll
          columns[c] = b_slice[k * B_PITCH + local.x + c * THREADS_X];
        }
        for (var r = 0; r < ROW_QUADS; r++) { // @unroll
          let rows = a_slice[k * A_PITCH + local.y + r * THREADS_Y];
          for (var j = 0; j < 4; j++) { // @unroll
            for (var c = 0; c < COLUMN_QUADS; c++) { // @unroll
              sums[(r * 4 + j) * COLUMN_QUADS + c] =
                fma(vec4f(rows[j]), columns[c], sums[(r * 4 + j) * COLUMN_QUADS + c]);
            }
          }
        }
      }
    }
    workgroupBarrier();
  }

  let row = first_row + local.y;
  let column = first_column + local.x;
  if (row >= p.m || column >= p.n) { return; }
  let own = (batch * p.m + row) * p.n + column;
  // Backwards: sums past the end are written to the place of the thread's first sum, which is written last. (Branches
  // around stores compile slowly: kernel.ts.)
  for (var back_row = 0; back_row < ROWS; back_row++) { // @unroll
    let r: u32 = (ROWS - 1 - back_row) / 4 * THREADS_Y + (ROWS - 1 - back_row) % 4 * A_QUADS;
    for (var back_quad = 0; back_quad < COLUMN_QUADS; back_quad++) { // @unroll
      for (var back = 0; back < 4; back++) { // @unroll
        let c: u32 = (COLUMN_QUADS - 1 - back_quad) * THREADS_X + (3 - back) * B_QUADS;
        let there = (row + r < p.m) & (column + c < p.n);
        y[select(own, own + r * p.n + c, there)] =
          sums[(ROWS - 1 - back_row) * COLUMN_QUADS + COLUMN_QUADS - 1 - back_quad][3 - back];
      }
    }
  }
}
`,
);
