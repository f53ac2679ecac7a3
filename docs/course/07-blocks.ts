import { conv2d, type GpuDevice, init, randn, sub, type Tensor, zeros } from "pixelgrad";
import { kernel } from "pixelgrad/kernel";

/** A 3x3 convolution as in chapter 5, but a thread computes PIXELS neighbours in CHANNELS channels. */
const blocked = kernel(
  "course/blocked",
  /* wgsl */ `
struct Params { c: u32, h: u32, w: u32, o: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn x_at(n: u32, c: u32, row: u32, column: u32) -> f32 { // unsigned: -1 is huge, and so outside
  let inside = row < p.h && column < p.w;
  return select(0.0, x[select(0u, ((n * p.c + c) * p.h + row) * p.w + column, inside)], inside);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // Output rows are cut into strips of PIXELS; id.x counts the strips of the picture.
  let strips = (p.w + PIXELS - 1) / PIXELS;
  let row = id.x / strips; let column = id.x % strips * PIXELS;
  let first_o = id.y * CHANNELS; let n = id.z;
  if (row >= p.h) { return; }

  var sums: array<f32, CHANNELS * PIXELS>; // in registers
  for (var c = 0u; c < p.c; c++) {
    for (var ky = 0u; ky < 3; ky++) {
      var pixels: array<f32, PIXELS + 2>; // a window row needs one more on either side
      for (var i = 0u; i < PIXELS + 2; i++) { pixels[i] = x_at(n, c, row + ky - 1, column + i - 1); }
      for (var kx = 0u; kx < 3; kx++) {
        for (var o = 0u; o < CHANNELS; o++) {
          // Loaded once, used for PIXELS sums. (Past the last channel: the last one's, for sums nobody stores.)
          let w = weight[((min(first_o + o, p.o - 1) * p.c + c) * 3 + ky) * 3 + kx];
          for (var i = 0u; i < PIXELS; i++) { sums[o * PIXELS + i] += w * pixels[i + kx]; }
        }
      }
    }
  }
  for (var o = 0u; o < CHANNELS; o++) {
    for (var i = 0u; i < PIXELS; i++) {
      if (first_o + o < p.o && column + i < p.w) {
        y[((n * p.o + first_o + o) * p.h + row) * p.w + column + i] = sums[o * PIXELS + i];
      }
    }
  }
}`,
);

const device = (await init()) as GpuDevice;
const [n, c, h, w, o] = [1, 16, 48, 50, 19];
const x = randn([n, c, h, w]);
const weight = randn([o, c, 3, 3]);

function convolve(PIXELS: number, CHANNELS: number): Tensor {
  const y = zeros([n, o, h, w]);
  const threads = Math.ceil(w / PIXELS) * h;
  device.run(blocked, {
    buffers: { x: x.gpuStorage, weight: weight.gpuStorage, y: y.gpuStorage },
    params: { c, h, w, o },
    constants: { PIXELS, CHANNELS },
    grid: [Math.ceil(threads / 64), Math.ceil(o / CHANNELS), n],
  });
  return y;
}

const expected = conv2d(x, weight, undefined, { padding: 1 });
console.log("block    loads  multiply-adds  per load  right");
for (const size of [1, 2, 4, 8]) {
  const differences = await sub(convolve(size, size), expected).data();
  const right = differences.every((difference) => Math.abs(difference) < 1e-3);
  // For one row of the window, in one input channel:
  const loads = size + 2 + 3 * size;
  const products = 3 * size * size;
  const columns = [`${size} x ${size}`.padEnd(8), `${loads}`.padStart(5), `${products}`.padStart(13)];
  console.log([...columns, (products / loads).toFixed(1).padStart(8), right].join("  "));
}

// What that is worth on your adapter: npx tsx docs/course/07-blocks.ts --time
if (process.argv.includes("--time")) {
  for (const size of [1, 2, 4, 8]) {
    await convolve(size, size).data(); // compiles
    const start = performance.now();
    for (let i = 0; i < 10; i++) await convolve(size, size).data();
    console.log(`${size} x ${size}: ${((performance.now() - start) / 10).toFixed(2)} ms`);
  }
}
