/** An operation with two outputs, one of which has no gradient. */
import { init, type Tensor } from "pixelgrad";
import { compareWithCpu, defineOp, gradcheck, kernel, linearGrid } from "pixelgrad/kernel";

const rowMaxKernel = kernel(
  "row-max",
  /* wgsl */ `
struct Params { rows: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(1) var<storage, read_write> values: array<f32>; // [rows]
@group(0) @binding(2) var<storage, read_write> positions: array<f32>; // [rows]
@group(0) @binding(3) var<uniform> p: Params;

// Numbers in order, as whole numbers: NaN is the largest, and all NaNs are equal. -0 is 0.
fn rank_of(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  let size = bits & 0x7fffffff;
  if (size > 0x7f800000) { return 0x7fffffff; }
  return select(size, -size, bits < 0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.x + id.y * groups.x * 64;
  if (row >= p.rows) { return; }
  var best = 0u;
  for (var i = 1u; i < p.columns; i++) {
    if (rank_of(x[row * p.columns + i]) > rank_of(x[row * p.columns + best])) { best = i; }
  }
  values[row] = x[row * p.columns + best];
  positions[row] = f32(best);
}`,
);

const rowMaxGradKernel = kernel(
  "row-max-grad",
  /* wgsl */ `
struct Params { size: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [rows]
@group(0) @binding(1) var<storage, read> positions: array<f32>; // [rows]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [rows, columns]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  let row = i / p.columns;
  dx[i] = select(0.0, dy[row], u32(positions[row]) == i % p.columns);
}`,
);

const rowMax = defineOp<{ x: Tensor }, void, "values" | "positions">({
  name: "rowMax",
  shapes: ({ x }) => ({ values: [x.shape[0]!], positions: [x.shape[0]!] }),
  cpu({ x }, _, { values, positions }) {
    const [rows, columns] = x.shape as [number, number];
    for (let row = 0; row < rows; row++) {
      const numbers = x.data.subarray(row * columns, (row + 1) * columns);
      let best = 0;
      for (const [i, value] of numbers.entries()) {
        const largest = numbers[best]!;
        // The first of equal ones; and NaN is larger than all numbers, as in PyTorch.
        if (value > largest || (Number.isNaN(value) && !Number.isNaN(largest))) best = i;
      }
      values.data[row] = numbers[best]!;
      positions.data[row] = best;
    }
  },
  gpu(device, { x }, _, { values, positions }) {
    const [rows, columns] = x.shape as [number, number];
    device.run(rowMaxKernel, {
      buffers: { x, values, positions },
      params: { rows, columns },
      grid: linearGrid(rows, 64),
    });
  },
  nonDifferentiable: ["positions"],
  backward: ({ values: dy }, { x, positions }) => ({
    x: () => rowMaxGrad({ dy: dy as Tensor, positions }, x.shape[1]!),
  }),
});

const rowMaxGrad = defineOp<{ dy: Tensor; positions: Tensor }, number>({
  name: "rowMax gradient",
  shape: ({ dy }, columns) => [dy.size, columns],
  cpu({ dy, positions }, columns, dx) {
    for (const [row, value] of dy.data.entries()) dx.data[row * columns + positions.data[row]!] = value;
  },
  gpu(device, { dy, positions }, columns, dx) {
    device.run(rowMaxGradKernel, {
      buffers: { dy, positions, dx },
      params: { size: dx.size, columns },
      grid: linearGrid(dx.size, 64),
    });
  },
});

await init();
gradcheck((x) => rowMax({ x }), [[3, 4]]);
await compareWithCpu((x) => rowMax({ x }), [[131, 7]]);
const withNaN = [1, Number.NaN, 5, Number.NaN, 3, Number.NaN, -1, -3, -2, 4, 4, 0];
await compareWithCpu((x) => rowMax({ x }), [{ shape: [4, 3], values: withNaN }]);
