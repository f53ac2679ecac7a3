import { kernel } from "../../device/kernel.ts";

/**
 * Samples as in a file, [pixels, CHANNELS], to planes y [CHANNELS, pixels]. A word of 32 bits holds PIXELS
 * samples, four of 8 bits or two of 16. So PIXELS pixels are CHANNELS whole words, and one thread's work.
 */
export const unpackKernel = kernel(
  "unpack-samples",
  /* wgsl */ `
struct Params { pixels: u32 }
@group(0) @binding(0) var<storage, read> samples: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [CHANNELS, pixels]
@group(0) @binding(2) var<uniform> p: Params;

// sample / WHITE, rounded as JavaScript rounds it; WGSL's division may err. The bits of k / 255 after the
// binary point are those of k over and over, since k / 255 = k / 256 + k / 256^2 + ...; likewise for 65535.
fn unit(sample: u32) -> f32 {
  let digits = sample * REPEATED;
  let zeros = countLeadingZeros(digits);
  let turned = (digits << zeros) | ((digits >> 1u) >> (31u - zeros)); // the digits from the first 1 on
  let mantissa = ((turned >> 7u) + 1u) >> 1u; // 24 bits; a carry beyond them belongs to the exponent
  let bits = ((126u - zeros) << 23u) + mantissa - 0x800000u;
  return select(0.0, bitcast<f32>(bits), sample > 0u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i * PIXELS < p.pixels; i += groups.x * 64) {
    // Backwards: samples past the end land on the last pixel, which then gets its own.
    for (var k = 0; k < SAMPLES; k++) { // @unroll
      let word = samples[i * CHANNELS + (SAMPLES - 1 - k) / PIXELS];
      let sample = (word >> ((SAMPLES - 1 - k) % PIXELS * BITS)) & WHITE;
      let pixel = min(i * PIXELS + (SAMPLES - 1 - k) / CHANNELS, p.pixels - 1);
      // @if UNIT
      y[(SAMPLES - 1 - k) % CHANNELS * p.pixels + pixel] = unit(sample);
      // @else
      y[(SAMPLES - 1 - k) % CHANNELS * p.pixels + pixel] = f32(sample);
      // @end
    }
  }
}
`,
);

/**
 * The other way, for a part of planes x [CHANNELS, rows, columns]. Each row of the result is filled up to
 * whole words with its last pixel. The first word, which is 0 before, becomes 1 if any value was NaN or
 * infinite: no sample can say that.
 */
export const packKernel = kernel(
  "pack-samples",
  /* wgsl */ `
struct Params {
  plane: u32, row: u32, first: u32, // elements of a plane and of a row of x, and the part's first
  width: u32, height: u32,          // of the part
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>; // 1 + [height, ceil(width / PIXELS), CHANNELS]
@group(0) @binding(2) var<uniform> p: Params;

// floor(WHITE * v + 1/2), exactly. In f32 the product may be rounded up to a half that it does not reach (not
// down from one: halves are f32 numbers). But (WHITE + 1) * v is exact, and so is its distance from a half near
// by, and v itself is what it has too much.
fn level(value: f32) -> u32 {
  let v = clamp(value, 0.0, 1.0);
  let near = floor(WHITE * v + 0.5);
  let reached = (WHITE + 1.0) * v - (near - 0.5) >= v;
  return u32(select(near - 1.0, near, reached));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let across = (p.width + PIXELS - 1) / PIXELS;
  if (id.x >= across) { return; }
  for (var row = id.y; row < p.height; row += groups.y) {
    var words = array<u32, CHANNELS>();
    var broken = false;
    for (var k = 0; k < SAMPLES; k++) { // @unroll
      let column = min(id.x * PIXELS + k / CHANNELS, p.width - 1);
      let value = x[k % CHANNELS * p.plane + p.first + row * p.row + column];
      broken = broken | ((bitcast<u32>(value) & 0x7fffffffu) >= 0x7f800000u);
      // @if UNIT
      words[k / PIXELS] |= level(value) << (k % PIXELS * BITS);
      // @else
      words[k / PIXELS] |= u32(clamp(value, 0.0, WHITE)) << (k % PIXELS * BITS);
      // @end
    }
    for (var c = 0; c < CHANNELS; c++) { // @unroll
      y[1 + (row * across + id.x) * CHANNELS + c] = words[c];
    }
    if (broken) { y[0] = 1u; }
  }
}
`,
);
