import { kernel } from "../../device/kernel.ts";

/**
 * Colours divided by enlarged alpha, which is kept within bounds; index.ts says which and why. One thread
 * takes a pixel of the small picture, looks at the alpha around it once, and then fills its SCALE x SCALE
 * pixels of the result.
 */
export const unpremultiplyKernel = kernel(
  "unpremultiply",
  /* wgsl */ `
struct Params { channels: u32, height: u32, width: u32 } // colours, and size of the small picture
@group(0) @binding(0) var<storage, read> colors: array<f32>; // [channels, height * SCALE, width * SCALE]
@group(0) @binding(1) var<storage, read> large: array<f32>; // [height * SCALE, width * SCALE]
@group(0) @binding(2) var<storage, read> alpha: array<f32>; // [height, width]
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [channels + 1, height * SCALE, width * SCALE]
@group(0) @binding(4) var<uniform> p: Params;

// Minimum and maximum of alpha up to so many pixels away.
fn around(row: u32, column: u32, far: u32) -> vec2f {
  var bounds = vec2f(2.0, -1.0);
  for (var v = max(row, far) - far; v <= min(row + far, p.height - 1); v++) {
    for (var u = max(column, far) - far; u <= min(column + far, p.width - 1); u++) {
      let value = alpha[v * p.width + u];
      bounds = vec2f(min(bounds.x, value), max(bounds.y, value));
    }
  }
  return bounds;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let column = id.x;
  if (column >= p.width) { return; }
  let row_length = p.width * SCALE;
  let area = row_length * p.height * SCALE;
  for (var row = id.y; row < p.height; row += groups.y) {
    let bounds = around(row, column, 1);
    let wider = around(row, column, 2);
    let uniform_around = wider.x == wider.y;
    for (var k = 0u; k < SCALE * SCALE; k++) {
      let at = (row * SCALE + k / SCALE) * row_length + column * SCALE + k % SCALE;
      let value = large[at];
      // Both comparisons are false for NaN, which stays and is noticed later.
      var kept = value;
      if (value < bounds.x) { kept = bounds.x; } else if (value > bounds.y) { kept = bounds.y; }
      var divisor = value;
      if (uniform_around || value <= 0.0) { divisor = kept; }
      // Where alpha is 0, nothing is seen. A division by 1 must change nothing, and WGSL's may.
      let divides = divisor > 0.0 && divisor != 1.0;
      for (var c = 0u; c < p.channels; c++) {
        let color = colors[c * area + at];
        if (divides) { y[c * area + at] = color / divisor; } else { y[c * area + at] = color; }
      }
      y[p.channels * area + at] = kept;
    }
  }
}
`,
);
