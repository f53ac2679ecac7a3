import { conv2d, type GpuDevice, init, randn, sub, zeros } from "pixelgrad";
import { kernel } from "pixelgrad/kernel";

/** A workgroup computes TILE_O channels x TILE_H rows x TILE_W columns; each thread CHANNELS x ROWS of them. */
const shared = kernel(
  "course/shared",
  /* wgsl */ `
struct Params { c: u32, h: u32, w: u32, o: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

const PATCH_H = TILE_H + 2; const PATCH_W = TILE_W + 2;
var<workgroup> pixels: array<f32, PATCH_H * PATCH_W>;
var<workgroup> weights: array<f32, TILE_O * 9>;

@compute @workgroup_size(TILE_W, TILE_H / ROWS, TILE_O / CHANNELS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let tiles = (p.o + TILE_O - 1) / TILE_O;
  let n = tile.z / tiles; let tile_o = tile.z % tiles * TILE_O;

  var sums: array<f32, CHANNELS * ROWS>; // in registers
  for (var c = 0u; c < p.c; c++) {
    // 1. Together the threads copy what the tile needs of this channel: each value comes from memory once.
    for (var i = thread; i < PATCH_H * PATCH_W; i += THREADS) {
      let row = tile.y * TILE_H + i / PATCH_W - 1; let column = tile.x * TILE_W + i % PATCH_W - 1;
      let inside = row < p.h && column < p.w;
      pixels[i] = select(0.0, x[select(0u, ((n * p.c + c) * p.h + row) * p.w + column, inside)], inside);
    }
    for (var i = thread; i < TILE_O * 9; i += THREADS) {
      weights[i] = weight[(min(tile_o + i / 9, p.o - 1) * p.c + c) * 9 + i % 9];
    }
    workgroupBarrier(); // until all of it is there
    // 2. Each thread multiplies, as in chapter 7; its values come from workgroup memory.
    for (var kx = 0u; kx < 3; kx++) {
      var under: array<f32, ROWS + 2>;
      for (var i = 0u; i < ROWS + 2; i++) {
        under[i] = pixels[(local.y * ROWS + i) * PATCH_W + local.x + kx];
      }
      for (var ky = 0u; ky < 3; ky++) {
        for (var o = 0u; o < CHANNELS; o++) {
          let w = weights[(local.z * CHANNELS + o) * 9 + ky * 3 + kx];
          for (var i = 0u; i < ROWS; i++) { sums[o * ROWS + i] += w * under[i + ky]; }
        }
      }
    }
    workgroupBarrier(); // until nobody reads it any more
  }
  // No thread returns before this point: every barrier waits for all of them.
  for (var o = 0u; o < CHANNELS; o++) {
    for (var i = 0u; i < ROWS; i++) {
      let out_o = tile_o + local.z * CHANNELS + o;
      let row = tile.y * TILE_H + local.y * ROWS + i; let column = tile.x * TILE_W + local.x;
      if (out_o < p.o && row < p.h && column < p.w) {
        y[((n * p.o + out_o) * p.h + row) * p.w + column] = sums[o * ROWS + i];
      }
    }
  }
}`,
);

const device = (await init()) as GpuDevice;
const [n, c, h, w, o] = [2, 16, 33, 50, 19];
const [x, weight, y] = [randn([n, c, h, w]), randn([o, c, 3, 3]), zeros([n, o, h, w])];
const [TILE_W, TILE_H, TILE_O, ROWS, CHANNELS] = [16, 16, 16, 4, 8];
const THREADS = (TILE_W * TILE_H * TILE_O) / (ROWS * CHANNELS);
device.run(shared, {
  buffers: { x: x.gpuStorage, weight: weight.gpuStorage, y: y.gpuStorage },
  params: { c, h, w, o },
  constants: { TILE_W, TILE_H, TILE_O, ROWS, CHANNELS, THREADS },
  grid: [Math.ceil(w / TILE_W), Math.ceil(h / TILE_H), n * Math.ceil(o / TILE_O)],
});
const differences = await sub(y, conv2d(x, weight, undefined, { padding: 1 })).data();
console.log(`right: ${differences.every((difference) => Math.abs(difference) < 1e-3)}`);

// Multiply-adds for each value that comes from memory, and for each one read from workgroup memory.
const row = (name: string, products: number, loads: number, reads: number) =>
  console.log(
    name.padEnd(26),
    (products / loads).toFixed(1).padStart(6),
    reads ? (products / reads).toFixed(1).padStart(6) : "     -",
  );
console.log("per value from             memory  workgroup memory");
row("one output per thread", 1, 2, 0);
row("tiles", 16 * 16 * 9, 18 * 18 + 16 * 16 * 9, 16 * 16 * 9);
row("blocks of 8 x 4", 3 * 32, 6 + 24, 0);
const products = TILE_W * TILE_H * TILE_O * 9;
row(
  "tiles and blocks",
  products,
  (TILE_H + 2) * (TILE_W + 2) + TILE_O * 9,
  THREADS * (3 * (ROWS + 2) + 9 * CHANNELS),
);
