import { kernel } from "../../device/kernel.ts";

/**
 * Carries every element between its place in the coarse tensor [planes, R, R, h, w] and its place in the fine
 * one [planes, h * R, w * R]. The prelude's `carry` says which way: from coarse to fine for pixelShuffle,
 * back for pixelUnshuffle.
 *
 * Nothing is computed, so memory sets the speed, and only the order of the threads is open: neighbouring
 * threads take neighbouring FINE columns, whichever side is the output. On the fine side they then touch one
 * unbroken run. On the coarse side they touch R runs, one for each of the R channels of a fine row, and use
 * every byte of each. With the coarse index fastest, neighbours would lie R elements apart on the fine side,
 * and other workgroups would load or write the gaps again.
 *
 * What costs most here is dividing by a number that the compiler does not know: hence the width is an axis of
 * the grid and R a constant. Each thread stays in its column and takes several rows, which spreads the cost
 * of starting it (large on software adapters).
 */
export const pixelShuffleKernel = kernel(
  "pixel-shuffle",
  /* wgsl */ `
struct Params { planes: u32, h: u32, w: u32 }
@group(0) @binding(0) var<storage, read> x: array<element>;
@group(0) @binding(1) var<storage, read_write> y: array<element>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let column = id.x;
  if (column >= p.w * R) { return; }
  for (var plane = id.z; plane < p.planes; plane += groups.z) {
    for (var row = id.y; row < p.h * R; row += groups.y) {
      let channel = (plane * R + row % R) * R + column % R;
      let coarse = (channel * p.h + row / R) * p.w + column / R;
      let fine = (plane * p.h * R + row) * p.w * R + column;
      carry(coarse, fine);
    }
  }
}
`,
);
