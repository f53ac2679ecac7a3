import { kernel } from "../../device/kernel.ts";

/**
 * The sum of a loss's terms over all elements, in two launches of this kernel. In the first, each workgroup
 * sums a share: every thread several elements, then the workgroup's threads pairwise, as a tree. In the
 * second, a single workgroup sums those sums. The prelude's `terms_at(i)` is four terms in the first launch
 * and four sums in the second.
 *
 * Fused: the terms never go to memory, so the cost is that of reading x and t once. The order of
 * the additions depends on the size only (atomics would make it vary), so every run gives the same result.
 */
export const lossKernel = kernel(
  "loss",
  /* wgsl */ `
struct Params { size: u32, scale: f32, c: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> t: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // one per workgroup
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> totals: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  // Four sums per thread, one for each component. Neighbouring threads read neighbouring vec4s.
  var total = vec4f();
  for (var i = group.x * THREADS + thread; 4 * i < p.size; i += groups.x * THREADS) {
    // Beyond the last element a vec4 may hold anything that other tensors have left there.
    let inside = 4 * i + vec4u(0, 1, 2, 3) < vec4u(p.size);
    total += select(vec4f(), terms_at(i), inside);
  }

  totals[thread] = total.x + total.y + total.z + total.w;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0; half /= 2) {
    if (thread < half) { totals[thread] += totals[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0) { sums[group.x] = p.scale * totals[0]; }
}
`,
);

/** dx = dy * scale * slope(x, t), element by element; the prelude defines the derivative `slope`, by x or by t. */
export const lossGradKernel = kernel(
  "loss-grad",
  /* wgsl */ `
struct Params { size: u32, scale: f32, c: f32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // one element
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> t: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  dx[i] = dy[0] * p.scale * slope(x[i], t[i]);
}
`,
);
