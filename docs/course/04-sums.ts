import { broadcastTo, init, type Tensor, tensor } from "pixelgrad";
import { compareWithCpu, defineOp, gradcheck, kernel } from "pixelgrad/kernel";

const sumKernel = kernel(
  "course/sum",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // one number
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> totals: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) thread: u32) {
  // Each of the 64 threads adds up its share: elements thread, thread + 64, thread + 128, ...
  var total = 0.0;
  for (var i = thread; i < p.size; i += 64) { total += x[i]; }
  totals[thread] = total;
  // Then half of them add the totals of the other half, and half of those again: a tree.
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { totals[thread] += totals[thread + half]; }
  }
  if (thread == 0) { y[0] = totals[0]; }
}`,
);

const sumOp = defineOp<{ x: Tensor }>({
  name: "sum of all",
  shape: () => [],
  cpu({ x }, _, y) {
    for (const value of x.data) y.data[0] += value;
  },
  gpu(device, { x }, _, y) {
    const buffers = { x: x.gpuStorage, y: y.gpuStorage };
    device.run(sumKernel, { buffers, params: { size: x.size }, grid: [1] });
  },
  // y = x0 + x1 + x2 + ...: every element moves the sum as much as it moves itself.
  backward: (dy, { x }) => ({ x: () => broadcastTo(dy, x.shape) }),
});
const sumAll = (x: Tensor) => sumOp({ x });

await init();
gradcheck(sumAll, [[3, 5]]);
await compareWithCpu(sumAll, [[1]]);
await compareWithCpu(sumAll, [[7, 131]]);
console.log("the sum and its gradient are right");

// The order of additions matters: float32 has 24 binary digits.
const count = 2 ** 20;
const tenths = new Float32Array(count).fill(0.1);
const oneByOne = tenths.reduce((sum, value) => Math.fround(sum + value), 0);
console.log(`a million tenths: ${(count * 0.1).toFixed(1)}`);
console.log(`one after the other, in float32: ${oneByOne.toFixed(1)}`);
console.log(`by 64 threads and a tree, in float32: ${(await sumAll(tensor(tenths)).item()).toFixed(1)}`);
