import { kernel } from "../../device/kernel.ts";

/**
 * The work of resample.wgsl.ts (read that file first) for enlarging, where neighbouring outputs need almost the same
 * samples: at twice the size, four bilinear outputs look at four samples, not at eight. So a thread computes BLOCK
 * neighbours at once from the BLOCK_SAMPLES samples that they see, and loads each sample once. That halves the loads,
 * which are what resizing costs.
 *
 * Row b of `table` is for outputs b * BLOCK to b * BLOCK + BLOCK - 1: where their samples begin, then
 * BLOCK_SAMPLES weights for each of them, zero for samples that do not count. They stay in registers from line to line.
 *
 * BLOCK_WEIGHTS is BLOCK * BLOCK_SAMPLES. For bilinear interpolation at twice the size, BLOCK and BLOCK_SAMPLES are 4.
 */
export const enlargeKernel = kernel(
  "enlarge",
  /* wgsl */ `
struct Params {
  planes: u32, lines: u32, out: u32,
  x_plane: u32, x_line: u32, x_axis: u32, // how far apart planes, lines and a line's samples lie in x
  y_plane: u32, y_line: u32, y_axis: u32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;
@group(0) @binding(1) var<storage, read> table: array<f32>; // [blocks, 1 + BLOCK * BLOCK_SAMPLES]
@group(0) @binding(2) var<storage, read_write> y: array<element>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let threads = vec2u(groups.x * 64, groups.y);
  let me = select(id.yx, id.xy, ALONG_X == 1); // block and line
  let step = select(threads.yx, threads, ALONG_X == 1);

  for (var block = me.x; block * BLOCK < p.out; block += step.x) {
    let row = block * (1 + BLOCK_WEIGHTS);
    let first = u32(table[row]) * p.x_axis;
    var weights: array<f32, BLOCK_WEIGHTS>;
    for (var k = 0; k < BLOCK_WEIGHTS; k++) { // @unroll
      weights[k] = table[row + 1 + k];
    }

    for (var plane = id.z; plane < p.planes; plane += groups.z) {
      for (var line = me.y; line < p.lines; line += step.y) {
        let start = plane * p.x_plane + line * p.x_line + first;
        var samples: array<f32, BLOCK_SAMPLES>;
        for (var t = 0; t < BLOCK_SAMPLES; t++) { // @unroll
          samples[t] = f32(x[start + t * p.x_axis]);
        }
        let end = plane * p.y_plane + line * p.y_line;
        // Backwards: outputs past the end land on the last one, which then gets its own value.
        for (var back = 0; back < BLOCK; back++) { // @unroll
          var sum = 0.0;
          for (var t = 0; t < BLOCK_SAMPLES; t++) { // @unroll
            sum += weights[(BLOCK - 1 - back) * BLOCK_SAMPLES + t] * samples[t];
          }
          y[end + min(block * BLOCK + BLOCK - 1 - back, p.out - 1) * p.y_axis] = element(sum);
        }
      }
    }
  }
}
`,
);
