import { init, type Tensor, tensor } from "pixelgrad";
import { compareWithCpu, defineOp, kernel, ShapeError } from "pixelgrad/kernel";

/** A 3x3 convolution with a margin of zeros: x [n, c, h, w], weight [o, c, 3, 3] -> y [n, o, h, w]. */
const convKernel = kernel(
  "course/conv3x3",
  /* wgsl */ `
struct Params { n: u32, c: u32, h: u32, w: u32, o: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

// A pixel; zero outside the picture.
fn x_at(n: u32, c: u32, row: i32, column: i32) -> f32 {
  if (row < 0 || column < 0 || row >= i32(p.h) || column >= i32(p.w)) { return 0.0; }
  return x[((n * p.c + c) * p.h + u32(row)) * p.w + u32(column)];
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x; let row = id.y; let n = id.z / p.o; let o = id.z % p.o;
  if (column >= p.w || row >= p.h) { return; }
  var sum = 0.0;
  for (var c = 0u; c < p.c; c++) {
    for (var ky = 0u; ky < 3; ky++) {
      for (var kx = 0u; kx < 3; kx++) {
        let pixel = x_at(n, c, i32(row + ky) - 1, i32(column + kx) - 1);
        sum += pixel * weight[((o * p.c + c) * 3 + ky) * 3 + kx];
      }
    }
  }
  y[((n * p.o + o) * p.h + row) * p.w + column] = sum;
}`,
);

const conv = defineOp<{ x: Tensor; weight: Tensor }>({
  name: "conv3x3",
  shape({ x, weight }) {
    const [n, c, h, w] = x.shape;
    if (weight.shape[1] !== c) throw new ShapeError(`conv3x3: ${c} channels, weights [${weight.shape}].`);
    return [n, weight.shape[0], h, w];
  },
  cpu({ x, weight }, _, y) {
    const [[, c, h, w], [n, outputs]] = [x.shape, y.shape];
    for (let i = 0; i < n; i++)
      for (let o = 0; o < outputs; o++)
        for (let k = 0; k < c; k++)
          for (let ky = 0; ky < 3; ky++)
            for (let kx = 0; kx < 3; kx++)
              for (let row = 0; row < h; row++)
                for (let column = 0; column < w; column++) {
                  const [at, left] = [row + ky - 1, column + kx - 1];
                  if (at < 0 || left < 0 || at >= h || left >= w) continue;
                  y.data[((i * outputs + o) * h + row) * w + column] +=
                    x.data[((i * c + k) * h + at) * w + left] * weight.data[((o * c + k) * 3 + ky) * 3 + kx];
                }
  },
  gpu(device, { x, weight }, _, y) {
    const [n, c, h, w] = x.shape;
    const o = weight.shape[0];
    const buffers = { x: x.gpuStorage, weight: weight.gpuStorage, y: y.gpuStorage };
    const grid = [Math.ceil(w / 8), Math.ceil(h / 8), n * o] as const;
    device.run(convKernel, { buffers, params: { n, c, h, w, o }, grid });
  },
});

await init();
await compareWithCpu(
  (x, weight) => conv({ x, weight }),
  [
    [2, 3, 17, 9],
    [4, 3, 3, 3],
  ],
  { gradients: false },
);
console.log("the kernel computes what the seven loops define");

// A picture of a bright square, and weights that find its left and right edges.
const side = 10;
const picture = Array.from({ length: side * side }, (_, i) =>
  [Math.floor(i / side), i % side].every((at) => at >= 3 && at < 7) ? 1 : 0,
);
const edges = conv({
  x: tensor(picture, [1, 1, side, side]),
  weight: tensor([-1, 0, 1, -2, 0, 2, -1, 0, 1], [1, 1, 3, 3]),
});
const values = await edges.data();
for (let row = 1; row < side - 1; row++) {
  const line = [...values.slice(row * side, (row + 1) * side)].map((value) => String(value).padStart(3));
  console.log(line.join(""));
}
