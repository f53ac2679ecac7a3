import { kernel } from "../../device/kernel.ts";

/**
 * Sums over the channels of x [n, channels, plane], each cut into `parts` of `chunk` elements with a
 * workgroup for each: sums[c, part] = scale * the sum of factor * (x - mean[c]). With `factor` from the
 * prelude, x - mean or a gradient, it is a part of the variance or of the weight's gradient. Threads read neighbouring
 * elements; then their totals are added pairwise, as a tree.
 */
export const channelSumsKernel = kernel(
  "batch-norm-sums",
  /* wgsl */ `
struct Params { channels: u32, plane: u32, length: u32, parts: u32, chunk: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [n, channels, plane]
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [n, channels, plane]
@group(0) @binding(2) var<storage, read> mean: array<f32>; // [channels]
@group(0) @binding(3) var<storage, read_write> sums: array<f32>; // [channels, parts]
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> totals: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group_id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = group_id.x + group_id.y * groups.x;
  if (group >= p.channels * p.parts) { return; }
  let c = group / p.parts;
  let first = (group % p.parts) * p.chunk;
  let end = min(first + p.chunk, p.length);
  var total = 0.0;
  for (var i = first + thread; i < end; i += THREADS) {
    let at = ((i / p.plane) * p.channels + c) * p.plane + i % p.plane;
    let d = x[at] - mean[c];
    total += factor(at, d) * d;
  }
  totals[thread] = total;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0; half /= 2) {
    if (thread < half) { totals[thread] += totals[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0) { sums[group] = p.scale * totals[0]; }
}
`,
);

/** y = (x - mean) / sqrt(variance + eps) * w + b, in every channel. */
export const batchNormKernel = kernel(
  "batch-norm",
  /* wgsl */ `
struct Params { size: u32, channels: u32, plane: u32, eps: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [n, channels, plane]
@group(0) @binding(1) var<storage, read> mean: array<f32>; // [channels], and so are the next three
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> b: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let c = i / p.plane % p.channels;
  y[i] = (x[i] - mean[c]) / sqrt(variance[c] + p.eps) * w[c] + b[c];
}
`,
);

/**
 * dx where mean and variance are those of the batch, which depend on x as well. With d = x - mean, s = 1 /
 * sqrt(variance + eps) and means over the batch,
 *
 *     dx = w s (dy - mean(dy) - d s² mean(dy d))
 *
 * The second term is what reaches x through the mean, the third through the variance: dy loses its constant
 * part and the part along d, for y does not change with either.
 */
export const batchNormGradKernel = kernel(
  "batch-norm-grad",
  /* wgsl */ `
struct Params { size: u32, channels: u32, plane: u32, eps: f32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [n, channels, plane]
@group(0) @binding(1) var<storage, read> x: array<f32>; // [n, channels, plane]
@group(0) @binding(2) var<storage, read> mean: array<f32>; // [channels], and so are the next four
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> w: array<f32>;
@group(0) @binding(5) var<storage, read> mean_dy: array<f32>;
@group(0) @binding(6) var<storage, read> mean_dy_d: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<f32>;
@group(0) @binding(8) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let c = i / p.plane % p.channels;
  let v = variance[c] + p.eps;
  dx[i] = w[c] / sqrt(v) * (dy[i] - mean_dy[c] - (x[i] - mean[c]) / v * mean_dy_d[c]);
}
`,
);

/**
 * Moves the running statistics towards those of a batch, by the share `momentum`; if that is negative, by one
 * over the number of batches so far, which makes them plain averages. The count is on the device, so that a
 * replay of the step counts on, too.
 */
export const runningKernel = kernel(
  "batch-norm-running",
  /* wgsl */ `
struct Params { size: u32, momentum: f32, unbiased: f32 }
@group(0) @binding(0) var<storage, read_write> running_mean: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> running_variance: array<vec4f>;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read> variance: array<vec4f>;
@group(0) @binding(4) var<storage, read> batches: array<f32>; // one element
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  let share = select(p.momentum, 1.0 / batches[0], p.momentum < 0.0);
  running_mean[i] = (1.0 - share) * running_mean[i] + share * mean[i];
  running_variance[i] = (1.0 - share) * running_variance[i] + share * p.unbiased * variance[i];
}
`,
);

export const countKernel = kernel(
  "batch-norm-count",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read_write> batches: array<vec4f>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (4 * id.x < p.size) { batches[id.x] += 1.0; }
}
`,
);
