import { kernel } from "../../device/kernel.ts";

/**
 * Rearranges the weights so that a transposed convolution becomes an ordinary one, whose kernels are fast.
 *
 * With stride 3 the output's rows have three phases: weights 0, 3, 6, … make one row, weights 1, 4, 7, …
 * the next, and weights 2, 5, 8, … the one after. Where row + padding = 3 q + phase, output `row` is
 *
 *     w[phase] x[q] + w[phase + 3] x[q - 1] + w[phase + 6] x[q - 2] + …
 *
 * For each phase that is an ordinary convolution of the input with a third of the window, turned round.
 * Columns behave alike, so one convolution from c to o * S * S channels computes every phase of S rows and S
 * columns, and its pixel shuffle, on the way to memory, puts them side by side:
 *
 *     phases[(o * S + phase_y) * S + phase_x, c, u, v] =
 *         weight[c, o, phase_y + S * (TAPS_Y - 1 - u), phase_x + S * (TAPS_X - 1 - v)]
 *
 * or 0 beyond the window.
 */
export const phaseWeights = kernel(
  "conv-transpose2d/phase-weights",
  /* wgsl */ `
struct Params { c: u32, o: u32 }
@group(0) @binding(0) var<storage, read> weight: array<element>;         // [c, o, KH, KW]
@group(0) @binding(1) var<storage, read_write> phases: array<element>;   // [o * S * S, c, TAPS_Y, TAPS_X]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.x + id.y * groups.x * 64;
  if (at >= p.o * S * S * p.c * TAPS_Y * TAPS_X) { return; }
  let v = at % TAPS_X;
  let u = at / TAPS_X % TAPS_Y;
  let c = at / (TAPS_X * TAPS_Y) % p.c;
  let phase = at / (TAPS_X * TAPS_Y * p.c) % (S * S);
  let o = at / (TAPS_X * TAPS_Y * p.c * S * S);

  let ky = phase / S + S * (TAPS_Y - 1 - u);
  let kx = phase % S + S * (TAPS_X - 1 - v);
  var value = element(0);
  if (ky < KH && kx < KW) { value = weight[((c * p.o + o) * KH + ky) * KW + kx]; }
  phases[at] = value;
}
`,
);
