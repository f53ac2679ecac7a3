import { kernel } from "../../device/kernel.ts";

/**
 * x [keep0, reduce0, keep1, reduce1] -> y [keep0, keep1]: one thread per output walks through its `length` =
 * reduce0 * reduce1 elements. Good for short reductions, and for long ones if reduce1 = 1, where neighbouring
 * threads read neighbouring elements. With few outputs most of the machine would idle: see the next kernel.
 * The prelude defines `start` and `combine`, which make it a sum or a maximum.
 */
export const reduceByThreadKernel = kernel(
  "reduce-by-thread",
  /* wgsl */ `
struct Params { outputs: u32, keep1: u32, reduce1: u32, length: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [keep0, reduce0, keep1, reduce1]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [keep0, keep1]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let output = id.x + id.y * groups.x * 64;
  if (output >= p.outputs) { return; }
  var at = (output / p.keep1) * p.length * p.keep1 + (output % p.keep1) * p.reduce1;
  var total = start(x[at]);
  var inner = 0u; // coordinate along reduce1
  for (var i = 0u; i < p.length; i++) {
    total = combine(total, x[at]);
    at++;
    inner++;
    if (inner == p.reduce1) { // on to the next index of reduce0
      inner = 0;
      at += (p.keep1 - 1) * p.reduce1;
    }
  }
  y[output] = p.scale * total;
}
`,
);

/**
 * A reduction with a workgroup of THREADS threads per output. In each round of the loop the threads read one stretch of
 * THREADS * LOADS_AT_ONCE elements, of which each takes LOADS_AT_ONCE neighbours, a *run*. Then their totals are
 * combined pairwise, as a tree. The loads of a run do not wait for each other: on a GPU, one at a time would mean a
 * wait of hundreds of cycles for each.
 *
 * Very long reductions are cut into `parts` of `chunk` elements, with a workgroup for each: y is then [keep0,
 * keep1, parts], and a second launch reduces the parts. The order of the additions depends on the sizes only,
 * so every run gives the same result. LOADS_AT_ONCE divides reduce1 and chunk.
 */
export const reduceByGroupKernel = kernel(
  "reduce-by-group",
  /* wgsl */ `
struct Params {
  outputs: u32, keep1: u32, reduce1: u32, length: u32, scale: f32,
  parts: u32, chunk: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>; // [keep0, reduce0, keep1, reduce1]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [keep0, keep1, parts]
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> totals: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group_id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = group_id.x + group_id.y * groups.x;
  if (group >= p.outputs * p.parts) { return; }
  let output = group / p.parts;
  let first = (group % p.parts) * p.chunk;
  let end = min(first + p.chunk, p.length);
  let origin = (output / p.keep1) * p.length * p.keep1 + (output % p.keep1) * p.reduce1;

  // The position moves by THREADS runs at a time, that is, by row_steps rows (of reduce1 elements, and "row"
  // apart) and inner_steps elements. So the loop needs no division.
  let row = p.keep1 * p.reduce1;
  let row_steps = THREADS * LOADS_AT_ONCE / p.reduce1;
  let inner_steps = THREADS * LOADS_AT_ONCE % p.reduce1;
  let begin = first + thread * LOADS_AT_ONCE;
  var inner = begin % p.reduce1;
  var at = origin + (begin / p.reduce1) * row + inner;
  var total = start(x[origin]);
  for (var i = begin; i < end; i += THREADS * LOADS_AT_ONCE) {
    var run: array<f32, LOADS_AT_ONCE>;
    for (var k = 0; k < LOADS_AT_ONCE; k++) { // @unroll
      run[k] = x[at + k];
    }
    for (var k = 0; k < LOADS_AT_ONCE; k++) { // @unroll
      total = combine(total, run[k]);
    }
    inner += inner_steps;
    at += row_steps * row + inner_steps;
    if (inner >= p.reduce1) {
      inner -= p.reduce1;
      at += row - p.reduce1;
    }
  }

  totals[thread] = total;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0; half /= 2) {
    if (thread < half) { totals[thread] = combine(totals[thread], totals[thread + half]); }
    workgroupBarrier();
  }
  if (thread == 0) { y[group] = p.scale * totals[0]; }
}
`,
);
