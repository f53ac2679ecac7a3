import { backward, conv2d, init, mul, randn, sum, type Tensor, tensor } from "pixelgrad";
import { compareWithCpu, defineOp, kernel, linearGrid } from "pixelgrad/kernel";

const [n, c, h, w, o] = [2, 3, 6, 5, 4];

/** Calls `each` for every product that a 3x3 convolution with a margin of zeros sums. */
function visit(each: (atX: number, atW: number, atY: number) => void): void {
  for (let i = 0; i < n; i++)
    for (let oc = 0; oc < o; oc++)
      for (let ic = 0; ic < c; ic++)
        for (let k = 0; k < 9; k++)
          for (let row = 0; row < h; row++)
            for (let column = 0; column < w; column++) {
              const [y, x] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1];
              if (y < 0 || x < 0 || y >= h || x >= w) continue;
              each(
                ((i * c + ic) * h + y) * w + x,
                (oc * c + ic) * 9 + k,
                ((i * o + oc) * h + row) * w + column,
              );
            }
}

await init();
const x = randn([n, c, h, w], { requiresGrad: true });
const weight = randn([o, c, 3, 3], { requiresGrad: true });
const dy = randn([n, o, h, w]); // what comes from the layers above
const gradients = backward(sum(mul(conv2d(x, weight, undefined, { padding: 1 }), dy)));

// 1. By the definition: forward says y += x * w, so backward says dx += dy * w and dw += dy * x.
const [xs, ws, dys] = [await x.data(), await weight.data(), await dy.data()];
const [dx, dw] = [new Float64Array(x.size), new Float64Array(weight.size)];
visit((atX, atW, atY) => {
  dx[atX] += dys[atY] * ws[atW];
  dw[atW] += dys[atY] * xs[atX];
});
const same = async (a: ArrayLike<number>, b: Tensor) =>
  (await b.data()).every((value, i) => Math.abs(value - a[i]) < 1e-4);
console.log(`dx as pixelgrad has it: ${await same(dx, gradients.get(x)!)}`);
console.log(`dw as pixelgrad has it: ${await same(dw, gradients.get(weight)!)}`);

// 2. dx is itself a convolution: of dy, with the window turned by 180 degrees, and c and o exchanged.
const turned = Array.from({ length: weight.size }, (_, i) => {
  const [ic, oc, k] = [Math.floor(i / (o * 9)), Math.floor(i / 9) % o, i % 9];
  return ws[(oc * c + ic) * 9 + 8 - k];
});
const dxAgain = conv2d(dy, tensor(turned, [c, o, 3, 3]), undefined, { padding: 1 });
console.log(`dx as a convolution of dy: ${await same(dx, dxAgain)}`);

// 3. dw has few elements and long sums. One thread per weight collects its own.
const weightGradKernel = kernel(
  "course/weight-grad",
  /* wgsl */ `
struct Params { n: u32, c: u32, h: u32, w: u32, o: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [n, c, h, w]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [n, o, h, w]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [o, c, 3, 3]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.o * p.c * 9) { return; }
  let o = id.x / (p.c * 9); let c = id.x / 9 % p.c; let ky = id.x / 3 % 3; let kx = id.x % 3;
  var sum = 0.0;
  for (var n = 0u; n < p.n; n++) {
    for (var row = 0u; row < p.h; row++) {
      for (var column = 0u; column < p.w; column++) {
        let y_in = row + ky - 1; let x_in = column + kx - 1; // unsigned: -1 is huge, and so outside
        if (y_in < p.h && x_in < p.w) {
          sum += dy[((n * p.o + o) * p.h + row) * p.w + column]
               * x[((n * p.c + c) * p.h + y_in) * p.w + x_in];
        }
      }
    }
  }
  dw[id.x] = sum;
}`,
);
const weightGrad = defineOp<{ x: Tensor; dy: Tensor }>({
  name: "weight gradient",
  shape: () => [o, c, 3, 3],
  cpu({ x, dy }, _, dw) {
    visit((atX, atW, atY) => {
      dw.data[atW] += dy.data[atY] * x.data[atX];
    });
  },
  gpu(device, { x, dy }, _, dw) {
    const buffers = { x: x.gpuStorage, dy: dy.gpuStorage, dw: dw.gpuStorage };
    device.run(weightGradKernel, { buffers, params: { n, c, h, w, o }, grid: linearGrid(dw.size, 64) });
  },
});
await compareWithCpu((x, dy) => weightGrad({ x, dy }), [x.shape, dy.shape], { gradients: false });
console.log("the weight gradient's kernel is right");
