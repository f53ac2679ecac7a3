/** Do the checks of operations find what is wrong? */
import { describe, expect, test } from "vitest";
import { kernel, linearGrid } from "../../src/device/kernel.ts";
import { mul, relu } from "../../src/kernels/elementwise/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { defineOp } from "../../src/tensor/op.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { assertClose } from "../../src/testing/close.ts";
import { compareWithCpu } from "../../src/testing/compare.ts";
import { gradcheck } from "../../src/testing/gradcheck.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices = await gpuDevices();

const squareKernel = kernel(
  "square",
  /* wgsl */ `
struct Params { size: u32, factor: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i < p.size) { y[i] = p.factor * x[i] * x[i]; }
}
`,
);

/** x², whose kernel multiplies by `kernel`, and whose gradient rule by `slope`: right are 1 and 2. */
function square(x: Tensor, { kernel = 1, slope = 2, tail = 0 } = {}): Tensor {
  const op = defineOp<{ x: Tensor }>({
    name: "square",
    shape: ({ x }) => x.shape,
    cpu({ x }, _, y) {
      for (let i = 0; i < x.data.length; i++) y.data[i] = x.data[i] ** 2;
    },
    gpu(device, { x }, _, y) {
      const size = x.size - tail;
      const buffers = { x: x.gpuStorage, y: y.gpuStorage };
      device.run(squareKernel, { buffers, params: { size, factor: kernel }, grid: linearGrid(size, 64) });
    },
    backward: (dy, { x }) => ({ x: () => mul(dy, mul(x, slope)) }),
  });
  return op({ x });
}

describe("gradcheck", () => {
  test("finds a wrong rule, and names input and element", () => {
    gradcheck((x) => square(x), [[2, 3]]);
    expect(() => gradcheck((x) => square(x, { slope: 2.01 }), [[2, 3]])).toThrow(
      /^gradcheck: gradient of input 0, element 0: the rule gives .*, differences give/,
    );
    expect(() => gradcheck((a, b) => mul(a, square(b, { slope: 1 })), [[2], [2]])).toThrow(
      "input 1, element 0",
    );
  });

  test("finds a rule that is wrong for one of several results", () => {
    const results = (slope: number) => (x: Tensor) => ({ good: square(x), other: square(x, { slope }) });
    gradcheck(results(2), [[3]]);
    expect(() => gradcheck(results(3), [[3]])).toThrow("input 0, element 0");
  });

  test("takes shapes, values and tensors of the float64 device", () => {
    gradcheck((x) => relu(x), [{ shape: [2, 2], values: [1, -1, 0.5, -2] }]);
    // At its kink relu has a slope for differences, and none for the rule.
    expect(() => gradcheck((x) => relu(x), [{ shape: [1], values: [0] }])).toThrow(
      "the rule gives 0, differences give",
    );
    expect(() => gradcheck((x) => square(x), [tensor([1], undefined, { device: float32Device() })])).toThrow(
      "gradcheck: wants shapes, values, or tensors of a float64 device",
    );
    // A tensor that the function makes itself is on the same device.
    gradcheck((x) => mul(x, tensor([3, 4])), [[2]]);
  });

  test("refuses what cannot be checked", () => {
    expect(() => gradcheck((x) => x, [])).toThrow("gradcheck: there is no input");
    expect(() => gradcheck(() => tensor([1]), [[1]])).toThrow(
      "no result of the function depends on its inputs",
    );
    expect(() => gradcheck((() => 3) as never, [[1]])).toThrow(
      "gradcheck: the function must return a tensor",
    );
    expect(() => gradcheck((x) => x, [3 as never])).toThrow("gradcheck: inputs must be a list");
  });
});

describe("compareWithCpu", () => {
  const options = { devices, label: "square" };

  test("finds a wrong kernel, and names the element and the device", async () => {
    await compareWithCpu((x) => square(x), [[5, 13]], options);
    const wrong = compareWithCpu((x) => square(x, { kernel: 1.001 }), [[5, 13]], options);
    await expect(wrong).rejects.toThrow(/^square, result, on .*: element \d+ of 65: got .*, want/);
    const loose = { ...options, relative: 0.01 };
    await compareWithCpu((x) => square(x, { kernel: 1.001 }), [[5, 13]], loose);
  });

  test("finds a last element that no thread computes", async () => {
    const values = Array.from({ length: 65 }, () => 1);
    const input = { shape: [65], values };
    const wrong = compareWithCpu((x) => square(mul(x, 3), { tail: 1 }), [input], options);
    await expect(wrong).rejects.toThrow("element 64 of 65");
  });

  test("finds a gradient that differs", async () => {
    // The slope depends on the device, as a gradient kernel with a mistake would.
    const f = (x: Tensor) => square(x, { slope: x.device.profile.reference ? 2 : 2.1 });
    await expect(compareWithCpu(f, [[3]], options)).rejects.toThrow("square, gradient of input 0, on");
    await compareWithCpu(f, [[3]], { ...options, gradients: false });
  });

  test("finds another shape", async () => {
    const f = (x: Tensor) => (x.device.profile.reference ? x : sum(x));
    await expect(compareWithCpu(f, [[3]], { ...options, gradients: false })).rejects.toThrow(
      "got [], want shape [3]",
    );
  });

  test("facts of the profile hold while the function runs", async () => {
    const own = devices[0].profile;
    const seen: number[] = [];
    const f = (x: Tensor) => {
      if (!x.device.profile.reference) seen.push(x.device.profile.workgroup);
      return square(x);
    };
    await compareWithCpu(f, [[3]], { devices: [devices[0]], profile: { workgroup: 128 } });
    expect(seen).toEqual([128]);
    expect(devices[0].profile).toBe(own);
  });

  test("refuses a device that runs no kernels", async () => {
    const promise = compareWithCpu((x) => square(x), [[3]], { devices: [float32Device()] });
    await expect(promise).rejects.toThrow("got the CPU device, which runs the references");
  });
});

test("assertClose names the worst element, and knows NaN and infinity", () => {
  assertClose([1, Number.NaN, Infinity], [1 + 1e-6, Number.NaN, Infinity]);
  expect(() => assertClose([1, 2.1, 3.3], [1, 2, 3])).toThrow("element 2 of 3: got 3.3, want 3");
  expect(() => assertClose([1, Number.NaN], [1, 2])).toThrow("element 1 of 2: got NaN, want 2");
  expect(() => assertClose([1], [1, 2], { label: "halves:" })).toThrow("halves: got 1 values, want 2");
});
