import { kernel } from "../../device/kernel.ts";

/**
 * Luma of RGB pictures, or their chroma (LUMA = 0), in 0..1, for each pixel by itself. The sums begin with the
 * differences from green: where there is no colour they are exactly 0, and so is chroma.
 */
export const fromRgbKernel = kernel(
  "color-from-rgb",
  /* wgsl */ `
struct Params { area: u32, pictures: u32 }
@group(0) @binding(0) var<storage, read> rgb: array<f32>; // [pictures, 3, area]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [pictures, 1 or 2, area]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.y; n < p.pictures; n += groups.y) {
    for (var i = id.x; i < p.area; i += groups.x * 64) {
      let source = 3 * n * p.area + i;
      let green = rgb[source + p.area];
      let red = rgb[source] - green;
      let blue = rgb[source + 2 * p.area] - green;
      // @if LUMA
      y[n * p.area + i] = Y_0 + Y_RED * red + Y_GREY * green + Y_BLUE * blue;
      // @else
      let to = 2 * n * p.area + i;
      y[to] = CB_RED * red + CB_BLUE * blue;
      y[to + p.area] = CR_RED * red + CR_BLUE * blue;
      // @end
    }
  }
}
`,
);

/** The way back. */
export const toRgbKernel = kernel(
  "color-to-rgb",
  /* wgsl */ `
struct Params { area: u32, pictures: u32 }
@group(0) @binding(0) var<storage, read> luma: array<f32>; // [pictures, area]
@group(0) @binding(1) var<storage, read> chroma: array<f32>; // [pictures, 2, area]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [pictures, 3, area]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.y; n < p.pictures; n += groups.y) {
    for (var i = id.x; i < p.area; i += groups.x * 64) {
      let cb = chroma[2 * n * p.area + i];
      let cr = chroma[(2 * n + 1) * p.area + i];
      let grey = GREY_Y * luma[n * p.area + i] + GREY_0;
      let to = 3 * n * p.area + i;
      y[to] = grey + (RED_CB * cb + RED_CR * cr);
      y[to + p.area] = grey + (GREEN_CB * cb + GREEN_CR * cr);
      y[to + 2 * p.area] = grey + (BLUE_CB * cb + BLUE_CR * cr);
    }
  }
}
`,
);
