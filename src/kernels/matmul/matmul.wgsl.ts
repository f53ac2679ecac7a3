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
  a_row: u32, a_col: u32, b_row: u32, b_col: u32,
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
  let col = i % across;

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
    b_at[j] = b_start + min(col + across * j, p.n - 1) * p.b_col;
  }

  var sums: array<f32, R * R>;
  for (var k = 0u; k < p.k; k++) {
    var b_values: array<f32, R>;
    for (var c = 0; c < R; c++) { // @unroll
      b_values[c] = b[b_at[c] + k * p.b_row];
    }
    for (var r = 0; r < R; r++) { // @unroll
      let a_value = a[a_at[r] + k * p.a_col];
      for (var c = 0; c < R; c++) { // @unroll
        sums[r * R + c] += a_value * b_values[c];
      }
    }
  }

  for (var r = 0; r < R; r++) { // @unroll
    for (var c = 0; c < R; c++) { // @unroll
      if (row + r < p.m && col + across * c < p.n) {
        y[(batch * p.m + row + r) * p.n + col + across * c] = sums[r * R + c];
      }
    }
  }
}
`,
);

/**
 * The same for real GPUs, whose workgroups have fast memory of their own. A workgroup of 16 x 16 threads
 * computes a square tile of y, SIDE = 16 * R wide, and goes along k in steps of DEPTH: all threads together
 * load a strip of a and a strip of b into workgroup memory, then each multiplies what it needs from there. So
 * an element is loaded from memory once per tile and used SIDE times. Each thread owns R x R elements of y,
 * 16 apart in both directions. On software adapters, whose workgroup memory is ordinary memory, this is
 * slower.
 */
export const matmulByTileKernel = kernel(
  "matmul-by-tile",
  /* wgsl */ `
struct Params {
  batch: u32, m: u32, n: u32, k: u32,
  a_row: u32, a_col: u32, b_row: u32, b_col: u32,
  n1: u32, n2: u32, n3: u32,
  a0: u32, a1: u32, a2: u32, a3: u32,
  b0: u32, b1: u32, b2: u32, b3: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [batch, m, n]
@group(0) @binding(3) var<uniform> p: Params;

const DEPTH = 16u;
const SIDE = 16u * R;
var<workgroup> a_strip: array<f32, DEPTH * SIDE>; // [k, row]
var<workgroup> b_strip: array<f32, DEPTH * SIDE>; // [k, column]

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group_id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // The grid is a folded line of tiles: columns first, then rows, then the batch.
  let tile = group_id.x + group_id.y * groups.x;
  let tiles_across = (p.n + SIDE - 1) / SIDE;
  let tiles_down = (p.m + SIDE - 1) / SIDE;
  let batch = tile / (tiles_across * tiles_down);
  if (batch >= p.batch) { return; }
  let first_col = tile % tiles_across * SIDE;
  let first_row = tile / tiles_across % tiles_down * SIDE;

  var rest = batch;
  let i3 = rest % p.n3; rest /= p.n3;
  let i2 = rest % p.n2; rest /= p.n2;
  let i1 = rest % p.n1; rest /= p.n1;
  let a_start = rest * p.a0 + i1 * p.a1 + i2 * p.a2 + i3 * p.a3;
  let b_start = rest * p.b0 + i1 * p.b1 + i2 * p.b2 + i3 * p.b3;

  var sums: array<f32, R * R>;
  for (var start = 0u; start < p.k; start += DEPTH) {
    for (var i = lane; i < DEPTH * SIDE; i += 256) {
      // Neighbouring lanes should read neighbouring addresses: which way that is depends on the strides.
      let a_at = select(vec2u(i / SIDE, i % SIDE), vec2u(i % DEPTH, i / DEPTH), p.a_col == 1); // (k, row)
      let a_k = start + a_at.x;
      let row = first_row + a_at.y;
      var v = 0.0;
      if (a_k < p.k && row < p.m) { v = a[a_start + row * p.a_row + a_k * p.a_col]; }
      a_strip[a_at.x * SIDE + a_at.y] = v;

      let b_at = select(vec2u(i % DEPTH, i / DEPTH), vec2u(i / SIDE, i % SIDE), p.b_col == 1); // (k, column)
      let b_k = start + b_at.x;
      let col = first_col + b_at.y;
      var w = 0.0;
      if (b_k < p.k && col < p.n) { w = b[b_start + b_k * p.b_row + col * p.b_col]; }
      b_strip[b_at.x * SIDE + b_at.y] = w;
    }
    workgroupBarrier();

    for (var k = 0u; k < DEPTH; k++) {
      var b_values: array<f32, R>;
      for (var c = 0; c < R; c++) { // @unroll
        b_values[c] = b_strip[k * SIDE + local.x + 16 * c];
      }
      for (var r = 0; r < R; r++) { // @unroll
        let a_value = a_strip[k * SIDE + local.y + 16 * r];
        for (var c = 0; c < R; c++) { // @unroll
          sums[r * R + c] += a_value * b_values[c];
        }
      }
    }
    workgroupBarrier();
  }

  for (var r = 0; r < R; r++) { // @unroll
    for (var c = 0; c < R; c++) { // @unroll
      let row = first_row + local.y + 16 * r;
      let col = first_col + local.x + 16 * c;
      if (row < p.m && col < p.n) { y[(batch * p.m + row) * p.n + col] = sums[r * R + c]; }
    }
  }
}
`,
);
