/** An operation of one's own: WGSL, reference, gradient and their checks. */
import { init, mul, type Tensor } from "pixelgrad";
import { compareWithCpu, defineOp, gradcheck, kernel, linearGrid } from "pixelgrad/kernel";

const gaussianKernel = kernel(
  "gaussian",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i < p.size) { y[i] = exp(-x[i] * x[i]); }
}`,
);

const op = defineOp<{ x: Tensor }>({
  name: "gaussian",
  shape: ({ x }) => x.shape,
  cpu({ x }, _, y) {
    for (const [i, value] of x.data.entries()) y.data[i] = Math.exp(-(value ** 2));
  },
  gpu(device, { x }, _, y) {
    device.run(gaussianKernel, { buffers: { x, y }, params: { size: x.size }, grid: linearGrid(x.size, 64) });
  },
  backward: (dy, { x, y }) => ({ x: () => mul(dy, mul(mul(x, y), -2)) }),
});
/** exp(-x²), element by element. */
const gaussian = (x: Tensor) => op({ x });

const device = await init();
gradcheck(gaussian, [[2, 3]]);
for (const shape of [[], [1, 3, 17, 5]]) await compareWithCpu(gaussian, [shape]);
console.log(`gaussian and its gradient are right on ${device.name}`);
