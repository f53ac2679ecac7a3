/** Creating, reading and disposing tensors; and the arithmetic of shapes. */
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openDevice } from "../../src/device/open.ts";
import { arange, full, type NestedArray, ones, rand, randn, tensor, zeros } from "../../src/tensor/create.ts";
import { manualSeed, Random } from "../../src/tensor/random.ts";
import * as shapes from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test.each<[string, NestedArray, shapes.Shape | undefined, shapes.Shape, number[]]>([
    ["a number", 3, undefined, [], [3]],
    ["a list", [1, 2, 3], undefined, [3], [1, 2, 3]],
    ["a list of one", [4], undefined, [1], [4]],
    ["nested lists", [[[1, 2]], [[3, 4]]], undefined, [2, 1, 2], [1, 2, 3, 4]],
    [
      "typed arrays in a list",
      [Float32Array.of(1, 2), Float32Array.of(3, 4)],
      undefined,
      [2, 2],
      [1, 2, 3, 4],
    ],
    ["floats and a shape", Float32Array.of(1, 2, 3, 4), [2, 2], [2, 2], [1, 2, 3, 4]],
    ["doubles", Float64Array.of(0.1, 2), undefined, [2], [Math.fround(0.1), 2]],
    ["bytes", Uint8Array.of(255, 0), [1, 2], [1, 2], [255, 0]],
    [
      "nested lists and another shape",
      [
        [1, 2],
        [3, 4],
      ],
      [4],
      [4],
      [1, 2, 3, 4],
    ],
  ])("tensor from %s", async (_, values, shape, wantShape, want) => {
    const x = tensor(values, shape, { device });
    expect(x.shape).toEqual(wantShape);
    expect(x.requiresGrad).toBe(false);
    expect([...(await x.data())]).toEqual(want);
    x.dispose();
  });

  test("zeros, ones, full, rand and randn", async () => {
    const [a, b, c] = [zeros([2, 3], { device }), ones([3], { device }), full([], -2.5, { device })];
    expect([...(await a.data())]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...(await b.data())]).toEqual([1, 1, 1]);
    expect(await c.item()).toBe(-2.5);
    const u = rand([1000], { random: new Random(1), low: -2, high: 3, device, requiresGrad: true });
    expect(u.requiresGrad).toBe(true);
    const uniform = await u.data();
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...uniform)).toBeLessThan(3);
    expect(uniform.reduce((sum, v) => sum + v) / 1000).toBeCloseTo(0.5, 0);
    expect([...(await rand([1000], { random: new Random(1), low: -2, high: 3, device }).data())]).toEqual([
      ...uniform,
    ]);
    const normal = await randn([1000], { random: new Random(1), device }).data();
    expect(normal.reduce((sum, v) => sum + v * v) / 1000).toBeCloseTo(1, 0);
  });

  test("rand never gives `high`, even where rounding would make it of the largest draws", async () => {
    class Largest extends Random {
      override uniform() {
        return 1 - 2 ** -24;
      }
    }
    const largest = async (options: Parameters<typeof rand>[1]) => {
      const [value] = await rand([1], { random: new Largest(1), device, ...options }).data();
      return value;
    };
    expect(await largest({})).toBe(1 - 2 ** -24);
    expect(await largest({ low: 1, high: 2 })).toBe(1);
    expect(await largest({ low: -0.1, high: 0.1 })).toBeLessThan(Math.fround(0.1));
    expect(await largest({ low: 3, high: 3 })).toBe(3);
    if (!device.profile.float16) return;
    expect(await largest({ dtype: "float16" })).toBe(0);
    expect(await largest({ dtype: "float16", low: 0.5, high: 2 })).toBe(0.5);
    const halves = await rand([20_000], { random: new Random(1), dtype: "float16", device }).data();
    expect(Math.max(...halves)).toBeLessThan(1);
  });

  test("random numbers come from the generator of manualSeed, or from that of the options", async () => {
    manualSeed(7);
    const values = [await rand([3], { device }).data(), await randn([2], { device }).data()];
    const random = new Random(7);
    expect(values).toEqual([
      Float32Array.from({ length: 3 }, () => random.uniform()),
      Float32Array.from({ length: 2 }, () => random.normal()),
    ]);
    expect(await rand([3], { random: new Random(7), device }).data()).toEqual(values[0]);
  });

  test("options may follow the values", async () => {
    const x = tensor([[1, 2]], { device, requiresGrad: true });
    expect([x.shape, x.requiresGrad, x.device]).toEqual([[1, 2], true, device]);
  });

  test("a number in place of a shape, or options twice, are refused with what to write instead", () => {
    const twice = tensor as (values: number[], options: object, more: object) => Tensor;
    expect(() => twice([1, 2], { requiresGrad: true }, {})).toThrow(
      "tensor: after the values come a shape, a list such as [1, 3, 48, 48], and options, or one of both; got " +
        '{"requiresGrad":true} for a shape.',
    );
    expect(() => (zeros as (shape: number | shapes.Shape, options?: unknown) => Tensor)(2, 3)).toThrow(
      "zeros: a shape is a list of sizes such as [2, 3], got 2.",
    );
    const positional = rand as (...args: unknown[]) => Tensor;
    expect(() => positional([2], new Random(1), -1, 1)).toThrow(
      "rand: takes a shape and options, such as { random, low: -1, high: 1 }, got 4 arguments.",
    );
  });

  test("the values are a copy", async () => {
    const values = Float32Array.of(1, 2, 3);
    const x = tensor(values, [3], { device });
    values[0] = 9;
    const read = await x.data();
    expect([...read]).toEqual([1, 2, 3]);
    read[1] = 9;
    expect([...(await x.data())]).toEqual([1, 2, 3]);
  });

  test("assign overwrites the values, and refuses another number of them", async () => {
    const x = tensor([1, 2, 3], undefined, { device });
    x.assign([4, 5, 6]);
    expect([...(await x.data())]).toEqual([4, 5, 6]);
    expect(() => x.assign([1, 2])).toThrow("assign: 2 values do not fill a tensor of shape [3].");
    expect([...(await x.data())]).toEqual([4, 5, 6]);
  });

  test("arange has its start and not its end", async () => {
    const read = async (x: Tensor) => [...(await x.data())];
    expect(await read(arange(1, 2, 0.25, { device }))).toEqual([1, 1.25, 1.5, 1.75]);
    expect(await read(arange(3, 0, -2, { device }))).toEqual([3, 1]);
    expect(await read(arange(0, 1, 0.3, { device }))).toEqual([0, 0.3, 0.6, 3 * 0.3].map(Math.fround));
    expect(await read(arange(1, 1.3, 0.1, { device }))).toEqual([1, 1.1, 1.2, 1.3].map(Math.fround)); // as torch
    expect(() => arange(2, 2)).toThrow("arange: there is no number from 2 by steps of 1 before 2.");
    expect(() => arange(0, 1, 0)).toThrow("arange: step must be a finite number other than 0, got 0.");
    expect(() => arange(2, 1)).toThrow("arange: there is no number");
    for (const x of [
      arange(2, { device, requiresGrad: true }),
      arange(0, 2, { device, requiresGrad: true }),
    ]) {
      expect(await read(x)).toEqual([0, 1]);
      expect([x.device, x.requiresGrad]).toEqual([device, true]);
    }
    expect(() => arange(2, { steps: 1 } as object)).toThrow('arange: there is no option "steps"');
    expect(() => (arange as (...args: unknown[]) => void)(2, { device }, 1)).toThrow(
      "arange: end must be a finite number",
    );
  });

  test("assign copies a tensor on the device, and later changes of that do not show", async () => {
    const x = tensor([[1, 2, 3]], { device, requiresGrad: true });
    const other = tensor([[4, 5, 6]], { device });
    x.assign(other);
    other.assign([[7, 8, 9]].flat());
    x.assign(x);
    expect([...(await x.data())]).toEqual([4, 5, 6]);
    expect([x.requiresGrad, x.node]).toEqual([true, undefined]);
    const shares = x.alias([3]);
    x.assign(shares.alias([1, 3]));
    expect([...(await x.data())]).toEqual([4, 5, 6]);
  });

  test("assign refuses a tensor of another shape, device or dtype, and says which", () => {
    const x = tensor([1, 2, 3], { device });
    expect(() => x.assign(tensor([[1, 2, 3]], { device }))).toThrow(
      "assign: a tensor of shape [1, 3] does not fit one of shape [3].",
    );
    expect(() => x.assign(tensor([1, 2, 3], { device: float64Device() }))).toThrow(
      `assign: the given tensor is on cpu and this one on ${device.name}.`,
    );
    if (!device.profile.float16) return;
    expect(() => x.assign(tensor([1, 2, 3], { device, dtype: "float16" }))).toThrow(
      "assign: a tensor of dtype float16 does not fit one of dtype float32.",
    );
  });

  test("JSON refuses a tensor", () => {
    expect(() => JSON.stringify({ x: tensor([1, 2], { device }) })).toThrow("[...(await x.data())]");
  });

  test("item wants one element", async () => {
    expect(await tensor([[7]], undefined, { device }).item()).toBe(7);
    await expect(tensor([1, 2], undefined, { device }).item()).rejects.toThrow(
      "item: wants a tensor with one element, got shape [2]; use data().",
    );
  });

  test("using a disposed tensor throws, and the message names its shape", async () => {
    const x = tensor([[1, 2, 3]], undefined, { device });
    expect(x.disposed).toBe(false);
    x.dispose();
    x.dispose(); // harmless
    expect(x.disposed).toBe(true);
    const message = "A tensor of shape [1, 3] was used after it had been disposed.";
    await expect(x.data()).rejects.toThrow(message);
    expect(() => x.assign([1, 2, 3])).toThrow(message);
    expect(() => x.alias([3])).toThrow(message);
    expect(String(x)).toBe(`Tensor[1, 3] on ${device.name}, disposed`);
  });

  test("an alias has as many elements as its tensor", () => {
    const x = tensor([1, 2, 3, 4], undefined, { device });
    expect(() => x.alias([100])).toThrow(
      "alias: shape [100] has 100 elements, and the tensor of shape [4] has 4 elements. Give a shape with as many.",
    );
    expect(() => x.alias([1])).toThrow(shapes.ShapeError);
  });

  test("views share memory, which goes with the last of them", async () => {
    const before = device.memory().live;
    const x = tensor([1, 2, 3, 4], undefined, { device });
    const alias = x.alias([2, 2]);
    expect(device.memory().live).toBe(before + 1);
    x.dispose();
    expect(device.memory().live).toBe(before + 1);
    expect([...(await alias.data())]).toEqual([1, 2, 3, 4]);
    alias.dispose();
    expect(device.memory().live).toBe(before);
  });

  test.each<[string, NestedArray, shapes.Shape | undefined, string]>([
    ["too few values", [1, 2, 3], [2, 2], "tensor: 3 values do not fill shape [2, 2], which holds 4."],
    ["ragged lists", [[1, 2], [3]], undefined, "tensor: the nested lists have different lengths."],
    ["a number beside a list", [1, [2, 3]], undefined, "tensor: the nested lists have different lengths."],
    ["no values", [], undefined, "tensor: every size must be a positive whole number, got [0]."],
    ["empty lists", [[], []], undefined, "tensor: every size must be a positive whole number, got [2, 0]."],
    ["a fraction as size", [1, 2], [0.5, 4], "every size must be a positive whole number, got [0.5, 4]."],
    ["seven axes", 1, [1, 1, 1, 1, 1, 1, 1], "has 7 axes; at most 6 are supported"],
  ])("refuses %s", (_, values, shape, message) => {
    const { live } = device.memory();
    const make = () => tensor(values, shape, { device });
    expect(make).toThrow(shapes.ShapeError);
    expect(make).toThrow(message);
    expect(device.memory().live).toBe(live);
  });
});

test("the float64 device keeps all digits", () => {
  expect(tensor(0.1, [], { device: float64Device() }).cpuStorage.array[0]).toBe(0.1);
});

test("float64 on a GPU is refused, and an unknown adapter, too", async () => {
  await expect(openDevice({ adapter: "lavapipe", precision: "float64" })).rejects.toThrow(
    `openDevice: WGSL has no type for precision "float64".`,
  );
  await expect(openDevice({ adapter: "no such adapter" })).rejects.toThrow(
    /^No WebGPU adapter fits "no such adapter"\. .*PIXELGRAD_ADAPTER=cpu/,
  );
});

describe("shapes", () => {
  test("sizes and strides", () => {
    expect([shapes.numel([]), shapes.numel([2, 3, 4])]).toEqual([1, 24]);
    expect(shapes.stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(shapes.stridesOf([])).toEqual([]);
    expect(shapes.padRank([3, 4], 4, 1)).toEqual([1, 1, 3, 4]);
    expect(shapes.sameShape([2, 3], [2, 3])).toBe(true);
    expect(shapes.sameShape([2, 3], [3, 2])).toBe(false);
    expect(shapes.sameShape([1, 3], [3])).toBe(false);
  });

  test("broadcasting", () => {
    expect(shapes.broadcastShapes("op", [2, 1, 4], [3, 1])).toEqual([2, 3, 4]);
    expect(shapes.broadcastShapes("op", [], [5])).toEqual([5]);
    expect(shapes.broadcastStrides([3, 1], [2, 3, 4])).toEqual([0, 1, 0]);
    expect(() => shapes.broadcastShapes("add", [2, 3], [4, 3])).toThrow(
      "add: shapes [2, 3] and [4, 3] do not broadcast: counted from the last, axis 2 has 2 and 4",
    );
    const at = shapes.stridedIndex([2, 3, 4], [0, 1, 0]);
    expect([0, 3, 4, 11, 12, 23].map(at)).toEqual([0, 0, 1, 2, 0, 2]);
  });

  test("axes", () => {
    expect(shapes.normalizeAxes("sum", undefined, 3)).toEqual([0, 1, 2]);
    expect(shapes.normalizeAxes("sum", [-1, 0], 3)).toEqual([0, 2]);
    expect(shapes.normalizeAxes("sum", -2, 3)).toEqual([1]);
    expect(() => shapes.normalizeAxes("sum", 3, 3)).toThrow(
      "sum: axis 3 does not exist in a tensor of 3 axes",
    );
    for (const call of [() => shapes.normalizeAxes("sum", 0, 0), () => shapes.normalizeAxis("sum", -1, 0)]) {
      expect(call).toThrow(
        /^sum: a tensor of shape \[\] is a single number and has no axes, got axis (0|-1)\./,
      );
    }
    expect(() => shapes.normalizeAxes("sum", 0.5, 3)).toThrow("axis 0.5 does not exist");
    expect(() => shapes.normalizeAxes("sum", [0, -3], 3)).toThrow("sum: an axis is named twice in [0, 0].");
  });
});
