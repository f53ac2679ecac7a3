import { kernel } from "../../device/kernel.ts";

/**
 * The epilogue as a launch of its own, after steps 1 and 2: it reads what the convolution wrote and writes it
 * again. Steps 3 to 6 save this: they call the same `store` (epilogue.ts) with sums still in registers.
 */
export const epilogueKernel = kernel(
  "conv2d/epilogue",
  /* wgsl */ `
struct Params { o: u32, oh: u32, ow: u32, y_channels: u32, y_first: u32 }
@group(0) @binding(0) var<storage, read> z: array<element>;         // [n, o, oh, ow]
@group(0) @binding(1) var<storage, read> extra: array<element>;     // [n, o / r^2, oh, ow], [o] or none: ExtraKind
@group(0) @binding(2) var<storage, read_write> y: array<element>;   // [n, o, oh, ow], or pixel-shuffled
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x; let row = id.y; let n = id.z / p.o; let o = id.z % p.o;
  if (column >= p.ow || row >= p.oh) { return; }
  store(n, o, row, column, f32(z[((n * p.o + o) * p.oh + row) * p.ow + column]));
}
`,
);
