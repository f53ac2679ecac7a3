import { kernel } from "../../device/kernel.ts";

/**
 * x [outer, length, inner] -> y [outputs, parts], outputs = outer * inner: every thread looks through its
 * share of the candidates of one output, and gives the place of the largest. The shares of a row's threads
 * are interleaved, so that neighbours read neighbouring elements. The prelude's `candidate(output, i)` is a
 * place along `length`: i itself, and in a second launch what the threads of the first have found.
 */
export const argmaxKernel = kernel(
  "argmax",
  /* wgsl */ `
struct Params { outputs: u32, inner: u32, length: u32, candidate_count: u32, parts: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [outer, length, inner]
@group(0) @binding(1) var<storage, read> candidates: array<f32>; // [outputs, candidate_count]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [outputs, parts]
@group(0) @binding(3) var<uniform> p: Params;

// Numbers in order, as whole numbers: NaN is the largest, and all NaNs are equal. -0 is 0.
fn rank_of(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  let size = bits & 0x7fffffff;
  if (size > 0x7f800000) { return 0x7fffffff; }
  return select(size, -size, bits < 0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = id.x + id.y * groups.x * 64;
  if (thread >= p.outputs * p.parts) { return; }
  let output = thread / p.parts;
  let origin = (output / p.inner) * p.length * p.inner + output % p.inner;
  var best = candidate(output, thread % p.parts);
  var best_rank = rank_of(x[origin + best * p.inner]);
  for (var i = thread % p.parts + p.parts; i < p.candidate_count; i += p.parts) {
    let place = candidate(output, i);
    let rank = rank_of(x[origin + place * p.inner]);
    // Of equal ones the first, although a later thread may have found it.
    if (rank > best_rank || (rank == best_rank && place < best)) {
      best = place;
      best_rank = rank;
    }
  }
  y[thread] = f32(best);
}
`,
);
