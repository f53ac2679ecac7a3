/** Operations with several outputs, updates in place, and the device that computes nothing. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { isGpu } from "../../src/device/gpu-device.ts";
import { kernel, linearGrid } from "../../src/device/kernel.ts";
import { MetaDevice } from "../../src/device/meta-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { add, mul } from "../../src/kernels/elementwise/index.ts";
import { broadcastTo, concat, copyInto, reshape, slice } from "../../src/kernels/layout/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { capture } from "../../src/tensor/capture.ts";
import { randn, tensor, zeros } from "../../src/tensor/create.ts";
import { defineOp } from "../../src/tensor/op.ts";
import { recordOps } from "../../src/tensor/record-ops.ts";
import { scope } from "../../src/tensor/scope.ts";
import { backward } from "../../src/tensor/tape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { defineUpdate } from "../../src/tensor/update.ts";
import { compareWithCpu } from "../../src/testing/compare.ts";
import { gradcheck } from "../../src/testing/gradcheck.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const gpus = await gpuDevices();
const devices: Device[] = [float32Device(), ...gpus];

const pairsKernel = kernel(
  "pairs",
  /* wgsl */ `
struct Params { size: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec2f>; // [n, 2]
@group(0) @binding(1) var<storage, read_write> sums: array<f32>; // [n, 1]
@group(0) @binding(2) var<storage, read_write> products: array<f32>; // [n, 1]
@group(0) @binding(3) var<storage, read_write> larger: array<f32>; // [n, 1]: which of the two is, 0 or 1
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (i >= p.size) { return; }
  sums[i] = x[i].x + x[i].y;
  products[i] = x[i].x * x[i].y;
  larger[i] = select(0.0, 1.0, x[i].y > x[i].x);
}
`,
);

/** The gradients that the rule got, at each of its calls. */
const calls: string[] = [];

/** Of the two numbers in each row: the sum, the product, and which is larger. */
const pairs = defineOp<{ x: Tensor }, void, "sums" | "products" | "larger">({
  name: "pairs",
  shapes({ x: { shape } }) {
    const column = [shape[0], 1];
    return { sums: column, products: column, larger: column };
  },
  cpu({ x: { data: x } }, _, { sums, products, larger }) {
    for (let i = 0; i < sums.data.length; i++) {
      const [a, b] = x.subarray(2 * i, 2 * i + 2);
      sums.data[i] = a + b;
      products.data[i] = a * b;
      larger.data[i] = b > a ? 1 : 0;
    }
  },
  gpu(device, { x }, _, outputs) {
    const buffers = Object.fromEntries(
      Object.entries({ x, ...outputs }).map(([name, tensor]) => [name, tensor.gpuStorage]),
    );
    const { size } = outputs.sums;
    device.run(pairsKernel, { buffers, params: { size }, grid: linearGrid(size, 64) });
  },
  nonDifferentiable: ["larger"],
  backward({ sums, products, larger }, { x, products: ab }) {
    calls.push(
      Object.entries({ sums, products, larger })
        .flatMap(([name, dy]) => (dy ? [name] : []))
        .join(),
    );
    const [n] = ab.shape;
    const others = () => concat([slice(x, [0, 1], [n, 2]), slice(x, [0, 0], [n, 1])], 1);
    return {
      x() {
        if (!products) return broadcastTo(sums!, x.shape);
        const dx = mul(products, others());
        return sums ? add(dx, sums) : dx;
      },
    };
  },
});

describe("several outputs", () => {
  test("gradients of each and of all, against differences", () => {
    gradcheck((x) => pairs({ x }), [[5, 2]]);
    gradcheck((x) => pairs({ x }).sums, [[5, 2]]);
    gradcheck((x) => pairs({ x }).products, [[5, 2]]);
    // One output is computed from another, so their gradients are complete at different times.
    gradcheck(
      (x) => {
        const { sums, products } = pairs({ x });
        const again = pairs({ x: concat([sums, mul(products, sums)], 1) });
        return [mul(again.products, sums), again.sums, products];
      },
      [[3, 2]],
    );
  });

  test("every kernel against its reference", async () => {
    await compareWithCpu((x) => pairs({ x }), [[131, 2]], { devices: gpus });
  });

  test("the rule runs once, with the gradients that there are", () => {
    setDefaultDevice(float32Device());
    const x = randn([3, 2], { requiresGrad: true });
    const rulesOf = (loss: () => Tensor) => {
      calls.length = 0;
      backward(loss());
      return calls;
    };
    expect(rulesOf(() => sum(pairs({ x }).products))).toEqual(["products"]);
    const both = () => {
      const { sums, products } = pairs({ x });
      return sum(mul(sums, products));
    };
    expect(rulesOf(both)).toEqual(["sums,products"]);
  });

  test("no gradient flows through an output that has none", () => {
    setDefaultDevice(float32Device());
    const x = randn([3, 2], { requiresGrad: true });
    expect(() => backward(sum(pairs({ x }).larger))).toThrow("the loss depends on no tensor");
  });

  test("an output whose values have changed since is refused", () => {
    setDefaultDevice(float32Device());
    const { sums, products } = pairs({ x: randn([3, 2], { requiresGrad: true }) });
    products.assign([1, 2, 3]);
    expect(() => backward(sum(sums))).toThrow(
      "backward: the result of pairs (shape [3, 1]) has been overwritten",
    );
  });

  test("an output may be disposed", async () => {
    setDefaultDevice(float32Device());
    const x = tensor([[2, 3]], undefined, { requiresGrad: true });
    const { sums, products, larger } = pairs({ x });
    sums.dispose();
    larger.dispose();
    expect([...(await backward(products).get(x)!.data())]).toEqual([3, 2]);
  });

  test.each(devices)("a shape that is none is refused, and harms nothing, on $name", async (device) => {
    setDefaultDevice(device);
    using _ = scope();
    const x = tensor([1, 2]);
    const of = (shape: unknown) => {
      const rule = { cpu() {}, gpu() {}, name: "bad" };
      const one = defineOp<{ x: Tensor }>({ ...rule, shape: () => shape as number[] });
      const two = defineOp<{ x: Tensor }, void, "y" | "z">({
        ...rule,
        shapes: () => ({ y: [1], z: shape as number[] }),
      });
      return [() => one({ x }), () => two({ x }), () => Tensor.empty(shape as number[], device, "bad")];
    };
    for (const shape of [[-1], [0], [1.5], [2, Number.NaN], "2", undefined, [1, 1, 1, 1, 1, 1, 1]])
      for (const make of of(shape)) expect(make, String(shape)).toThrow(/^bad: /);
    expect([...(await add(x, 1).data())]).toEqual([2, 3]);
  });

  test("an input with the name of an output is refused", () => {
    const bad = defineOp<{ x: Tensor }, void, "x" | "y">({
      name: "bad",
      shapes: ({ x }) => ({ x: x.shape, y: x.shape }),
      cpu() {},
      gpu() {},
    });
    setDefaultDevice(float32Device());
    expect(() => bad({ x: tensor([1]) })).toThrow('bad: an input and an output are both called "x"');
  });
});

const fadeKernel = kernel(
  "fade",
  /* wgsl */ `
struct Params { size: u32, share: f32 }
@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(1) var<storage, read> target_values: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64;
  if (4 * i >= p.size) { return; }
  values[i] += p.share * (target_values[i] - values[i]);
}
`,
);

/** Moves values towards others. */
const fade = defineUpdate<"values" | "target_values">({
  cpu({ values, target_values }, { share }) {
    for (let i = 0; i < values.length; i++) values[i] += share * (target_values[i] - values[i]);
  },
  kernel: fadeKernel,
});

describe.each(devices.map((device) => [device.name, device] as const))("updates on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  test("change tensors, and backward refuses the old values", async () => {
    using _ = scope();
    const values = tensor([0, 2, 4], undefined, { requiresGrad: true });
    const target_values = tensor([1, 2, 3]);
    const before = sum(mul(values, values));
    const unchanged = sum(mul(target_values, mul(values, 1)));
    fade(device, { values, target_values }, { share: 0.5 });
    expect([...(await values.data())]).toEqual([0.5, 2, 3.5]);
    expect(() => backward(before)).toThrow("input a of mul (shape [3]) has been overwritten");
    expect(() => backward(unchanged)).toThrow("overwritten"); // by the multiplication with 1
    const after = backward(sum(mul(values, target_values)));
    expect([...(await after.get(values)!.data())]).toEqual([1, 2, 3]);
  });

  test("parameters given as a function are read at each replay", async () => {
    using _ = scope();
    const values = tensor([8, 8]);
    let share = 0.5;
    const step = capture((target_values: Tensor) => {
      fade(device, { values, target_values }, () => ({ share }));
      return mul(values, 1);
    });
    const target = tensor([0, 0]);
    const results: number[] = [];
    for (const next of [0.5, 0.75, 1]) {
      results.push((await step(target).data())[0]);
      share = next;
    }
    expect(results).toEqual([4, 2, 0.5]);
    if (device !== devices[0]) expect(step.whyBuilt).toBeUndefined();
    step.dispose();
  });

  test("read the values from before, of a tensor that they change, too; but do not change one twice", async () => {
    using _ = scope();
    const w = tensor([4, 8, 1]);
    fade(device, { values: w, target_values: w }, { share: 0.5 });
    expect([...(await w.data())]).toEqual([4, 8, 1]);
    const swap = defineUpdate<"a" | "b">({
      cpu({ a, b }) {
        for (const [i, value] of a.entries()) [a[i], b[i]] = [b[i], value];
      },
      kernel: kernel(
        "swap",
        `struct Params { size: u32 }
@group(0) @binding(0) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (4 * id.x >= p.size) { return; }
  let old = a[id.x];
  a[id.x] = b[id.x];
  b[id.x] = old;
}`,
      ),
    });
    const v = tensor([1, 2, 3]);
    swap(device, { a: v, b: w });
    expect([...(await v.data()), ...(await w.data())]).toEqual([4, 8, 1, 1, 2, 3]);
    expect(() => swap(device, { a: w, b: w })).toThrow(
      "swap: b is also another block, and the update changes both.",
    );
  });

  test("may be of blocks with one element alone, which have no more", async () => {
    using _ = scope();
    const fadeOne = defineUpdate<"values" | "target_values">({
      cpu({ values, target_values }, { share }) {
        values[0] += share * (target_values[0] - values[0]);
      },
      kernel: fadeKernel,
      single: ["values", "target_values"],
    });
    const values = tensor([4]);
    fadeOne(device, { values, target_values: tensor([8]) }, { share: 0.25 });
    expect([...(await values.data())]).toEqual([5]);
    expect(() => fadeOne(device, { values, target_values: tensor([8, 9]) }, { share: 0.25 })).toThrow(
      /: target_values has 2 elements\. Give one: it applies to all elements of the others\./,
    );
  });

  test("read the values from before also of memory that an earlier element has changed", async () => {
    using _ = scope();
    const shift = defineUpdate<"a" | "b">({
      cpu({ a, b }) {
        for (let i = 1; i < a.length; i++) a[i] = b[i - 1];
      },
      kernel: kernel(
        "shift",
        `struct Params { size: u32 }
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = max(4 * id.x, 1); i < min(4 * id.x + 4, p.size); i++) { a[i] = b[i - 1]; }
}`,
      ),
    });
    const a = tensor([1, 2, 3, 4, 5]);
    shift(device, { a, b: a });
    expect([...(await a.data())]).toEqual([1, 1, 2, 3, 4]);
    shift(device, { a, b: tensor([9, 8, 7, 6, 5]) });
    expect([...(await a.data())]).toEqual([1, 9, 8, 7, 6]);
  });

  test("a block that is missing is named", () => {
    using _ = scope();
    const values = tensor([1, 2]);
    expect(() => fade(device, { values } as never)).toThrow(
      "fade: the block target_values is missing. Give values and target_values.",
    );
    expect(() => fade(device, { values: undefined, target_values: values } as never)).toThrow(
      "fade: the block values is missing.",
    );
  });

  test("a launch that fails leaves no copy behind", () => {
    using _ = scope();
    const values = tensor([1, 2]);
    const { live } = device.memory();
    const launch = () => fade(device, { values, target_values: values });
    if (isGpu(device)) expect(launch).toThrow("parameter share is missing");
    else launch();
    expect(device.memory().live).toBe(live);
  });

  test("tensors of different sizes or devices are refused", () => {
    using _ = scope();
    const [values, target_values] = [tensor([1, 2]), tensor([1])];
    expect(() => fade(device, { values, target_values })).toThrow(
      "fade: values has 2 elements and target_values has 1.",
    );
    const elsewhere = tensor([1, 2], undefined, { device: float32Device() });
    expect(() => fade(device, { values, target_values: elsewhere })).toThrow(
      `fade: target_values is on cpu and the update on ${device.name}. `,
    );
  });
});

describe("on the device meta", () => {
  const room = { tensors: 20, elements: 1000 };
  const shapes = () => {
    const device = new MetaDevice(room);
    return { device, a: zeros([2, 3], { device }), b: zeros([2, 3], { device }) };
  };
  const sentence = "cannot run on the device meta, whose tensors have shapes and no values.";

  test("nothing is computed, and the error says why", () => {
    using _ = scope();
    const { device, a, b } = shapes();
    expect(() => add(a, b)).toThrow(`add: an operation ${sentence}`);
    expect(() => fade(device, { values: a, target_values: b })).toThrow(`fade: an update ${sentence}`);
    expect(() => copyInto(a, b, { sizes: [2, 3], from: [0, 0], to: [0, 0] })).toThrow(`copyInto ${sentence}`);
  });

  test("views and notes of operations need no values", () => {
    using _ = scope();
    const { a, b } = shapes();
    expect(reshape(a, [6]).shape).toEqual([6]);
    const [op] = recordOps(() => void add(a, b));
    expect([op.name, op.y.shape]).toEqual(["add", [2, 3]]);
  });
});
