import { kernel } from "../../device/kernel.ts";

/**
 * Resizes pictures [planes, h, w] along one axis: once vertically, once horizontally. Two passes of `taps`
 * samples per output are far less work than one pass of taps * taps. Row i of `table` says which samples make
 * output i: the position of the first, then `taps` weights.
 *
 * A "line" is a run of samples along the axis: a column in the vertical pass, a row in the other. All lines
 * have the same weights. So at an output position i each thread takes LINES lines at once, for which it reads
 * row i of the table once, then LINES others, and so on, and then perhaps another position. (On software
 * adapters it is the starting of threads and the reading of tables that costs.)
 *
 * In both passes neighbouring threads write neighbouring elements. Along rows they take neighbouring
 * positions i (ALONG_X = 1). Along columns they take neighbouring lines, and all threads of a workgroup read
 * the same row of the table.
 */
export const resampleKernel = kernel(
  "resample",
  /* wgsl */ `
struct Params {
  planes: u32, lines: u32, out: u32, taps: u32,
  x_plane: u32, x_line: u32, x_axis: u32, // how far apart planes, lines and a line's samples lie in x
  y_plane: u32, y_line: u32, y_axis: u32,
}
@group(0) @binding(0) var<storage, read> x: array<element>;
@group(0) @binding(1) var<storage, read> table: array<f32>; // [out, 1 + taps]
@group(0) @binding(2) var<storage, read_write> y: array<element>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let threads = vec2u(groups.x * 64, groups.y);
  let me = select(id.yx, id.xy, ALONG_X == 1); // position and line
  let step = select(threads.yx, threads, ALONG_X == 1);

  for (var plane = id.z; plane < p.planes; plane += groups.z) {
    for (var i = me.x; i < p.out; i += step.x) {
      let row = i * (1 + p.taps);
      let start = plane * p.x_plane + u32(table[row]) * p.x_axis;
      let end = plane * p.y_plane + i * p.y_axis;

      for (var line = me.y; line < p.lines; line += LINES * step.y) {
        // Zeros spelt out: Dawn does not clear a variable without an initializer again in the next round.
        var sums = array<f32, LINES>();
        var at = start + line * p.x_line;
        let last = p.lines - 1 - line; // past the last line: that one once more
        for (var tap = 1u; tap <= p.taps; tap++) {
          let weight = table[row + tap];
          for (var l = 0; l < LINES; l++) { // @unroll
            sums[l] += weight * f32(x[at + min(l * step.y, last) * p.x_line]);
          }
          at += p.x_axis;
        }
        for (var l = 0; l < LINES; l++) { // @unroll
          if (line + l * step.y < p.lines) { y[end + (line + l * step.y) * p.y_line] = element(sums[l]); }
        }
      }
    }
  }
}
`,
);
