import { kernel } from "../../device/kernel.ts";

/**
 * One pass of Matlab's imresize over pictures [planes, h, w] of bytes, along one axis, spread over threads as
 * in resample.wgsl.ts.
 *
 * Each pass rounds to bytes, halves upwards, and sums that are exactly a half are common. A sum of f32
 * products would fall on either side of them. So the sums are whole numbers. Row i of `table` has the
 * position of the first sample, then for every tap its weight in fixed point with 36 fractional bits, in two
 * parts:
 *
 *     weight = high / 2^22 + low / 2^36        |low| <= 2^13
 *
 * Neither sum overflows: as |weights| add up to at most 1.25, |sum of high| <= 1.25 * 255 * 2^22 < 2^31, and
 * |sum of low| <= taps * 255 * 2^13 < 2^31 for up to 1000 taps. Rounding adds a half and drops the fraction,
 * which a shift of a signed number does towards minus infinity:
 *
 *     floor(high / 2^22 + low / 2^36 + 1/2) = (high + (low >> 14) + 2^21) >> 22
 *
 * The only error left is the rounding of the weights: at most taps * 255 / 2^37 in a sum, 5e-8 for 24 taps.
 * At scales that are powers of two, down to 1/128 and up to 1024, all weights are multiples of 1/2^36 (of 1/2^16 from
 * 1/8 to 16), and nothing is rounded. At odd ones, n or 1/n, sums are multiples of 1/n^4, an odd number of parts, so
 * none is nearer to a half than half a part (0.006 at 1/3). The error is smaller than that where
 *
 *     taps * 255 / 2^37 < 1 / (2 n^4)
 *
 * which with the 4 n taps of 1/n holds up to n = 35. In all these cases every sample is that of exact arithmetic.
 * (Bilinear weights are multiples of 1/n^2, which is coarser.)
 */
export const imresizeKernel = kernel(
  "imresize",
  /* wgsl */ `
struct Params {
  planes: u32, lines: u32, out: u32, taps: u32,
  x_plane: u32, x_line: u32, x_axis: u32, // how far apart planes, lines and a line's samples lie in x
  y_plane: u32, y_line: u32, y_axis: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<f32>; // [out, 1 + 2 * taps]; whole numbers
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn byte_at(i: u32) -> i32 { return i32(clamp(floor(x[i] + 0.5), 0.0, 255.0)); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let threads = vec2u(groups.x * 64, groups.y);
  let me = select(id.yx, id.xy, ALONG_X == 1); // position and line
  let step = select(threads.yx, threads, ALONG_X == 1);

  for (var plane = id.z; plane < p.planes; plane += groups.z) {
    for (var i = me.x; i < p.out; i += step.x) {
      let row = i * (1 + 2 * p.taps);
      let start = plane * p.x_plane + u32(table[row]) * p.x_axis;
      let end = plane * p.y_plane + i * p.y_axis;

      for (var line = me.y; line < p.lines; line += LINES * step.y) {
        var high = array<i32, LINES>();
        var low = array<i32, LINES>();
        var at = start + line * p.x_line;
        let last = p.lines - 1 - line; // past the last line: that one once more
        for (var tap = 0u; tap < p.taps; tap++) {
          let weight = vec2i(i32(table[row + 2 * tap + 1]), i32(table[row + 2 * tap + 2]));
          for (var l = 0; l < LINES; l++) { // @unroll
            let value = byte_at(at + min(l * step.y, last) * p.x_line);
            high[l] += weight.x * value;
            low[l] += weight.y * value;
          }
          at += p.x_axis;
        }
        for (var l = 0; l < LINES; l++) { // @unroll
          if (line + l * step.y < p.lines) {
            let sum = (high[l] + (low[l] >> 14u) + (1 << 21u)) >> 22u;
            y[end + (line + l * step.y) * p.y_line] = f32(clamp(sum, 0, 255));
          }
        }
      }
    }
  }
}
`,
);
