import { kernel } from "../../device/kernel.ts";

/**
 * x [outer, length, inner] -> y, softmax or its logarithm along `length`. ROW_THREADS threads share a row: each
 * finds the largest of its elements, then they combine theirs pairwise, as a tree; and the same with the sum
 * of exponentials. A workgroup of 64 threads takes 64 / ROW_THREADS rows: with one thread, rows of a few classes, or
 * of the channels of a picture, have a thread each.
 *
 * Subtracting the largest element changes nothing, for e^(x - m) / sum e^(x - m) = e^x / sum e^x, but keeps
 * e^x from overflowing. The prelude's `result(d, sum)` is the element of y, where d = x - m; `larger` and
 * `power_of_e` keep NaN.
 */
export const softmaxKernel = kernel(
  "softmax",
  /* wgsl */ `
struct Params { rows: u32, length: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [outer, length, inner]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> shared_values: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let thread = local % ROW_THREADS;
  let own_row = (group.x + group.y * groups.x) * (64 / ROW_THREADS) + local / ROW_THREADS;
  let row = min(own_row, p.rows - 1); // those beyond the end go along to the barriers
  let origin = (row / p.inner) * p.length * p.inner + row % p.inner;

  var largest = x[origin];
  for (var i = thread; i < p.length; i += ROW_THREADS) {
    largest = larger(largest, x[origin + i * p.inner]);
  }
  shared_values[local] = largest;
  workgroupBarrier();
  for (var half = ROW_THREADS / 2u; half > 0; half /= 2) {
    if (thread < half) { shared_values[local] = larger(shared_values[local], shared_values[local + half]); }
    workgroupBarrier();
  }
  largest = shared_values[local - thread];
  workgroupBarrier();

  var sum = 0.0;
  for (var i = thread; i < p.length; i += ROW_THREADS) { sum += power_of_e(x[origin + i * p.inner] - largest); }
  shared_values[local] = sum;
  workgroupBarrier();
  for (var half = ROW_THREADS / 2u; half > 0; half /= 2) {
    if (thread < half) { shared_values[local] += shared_values[local + half]; }
    workgroupBarrier();
  }
  sum = shared_values[local - thread];

  if (own_row >= p.rows) { return; }
  for (var i = thread; i < p.length; i += ROW_THREADS) {
    let at = origin + i * p.inner;
    y[at] = result(x[at] - largest, sum);
  }
}
`,
);

/**
 * dx from dy and y. Every element of y depends on its whole row, but dx needs only one number of that:
 * dx = `result(dy, y, sum)`, where the sum is that of `term(dy, y)` along the row; both are in the prelude.
 */
export const softmaxGradKernel = kernel(
  "softmax-grad",
  /* wgsl */ `
struct Params { rows: u32, length: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [outer, length, inner]
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let thread = local % ROW_THREADS;
  let own_row = (group.x + group.y * groups.x) * (64 / ROW_THREADS) + local / ROW_THREADS;
  let row = min(own_row, p.rows - 1);
  let origin = (row / p.inner) * p.length * p.inner + row % p.inner;

  var sum = 0.0;
  for (var i = thread; i < p.length; i += ROW_THREADS) {
    let at = origin + i * p.inner;
    sum += term(dy[at], y[at]);
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var half = ROW_THREADS / 2u; half > 0; half /= 2) {
    if (thread < half) { sums[local] += sums[local + half]; }
    workgroupBarrier();
  }
  sum = sums[local - thread];

  if (own_row >= p.rows) { return; }
  for (var i = thread; i < p.length; i += ROW_THREADS) {
    let at = origin + i * p.inner;
    dx[at] = result(dy[at], y[at], sum);
  }
}
`,
);
