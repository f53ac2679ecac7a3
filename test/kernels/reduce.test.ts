import { describe, expect, test } from "vitest";
import { neg } from "../../src/kernels/elementwise/index.ts";
import { argmax, max, mean, min, std, sum, sumTo, variance } from "../../src/kernels/reduce/index.ts";
import { broadcastTo } from "../../src/kernels/reduce/sum.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { numel, type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const f64 = float64Device();
const cpu = float32Device();
const random = new Random(1);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);

/** Every subset of the axes 0 … rank - 1. */
function subsets(rank: number): number[][] {
  return Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, axis) => axis).filter((axis) => bits & (1 << axis)),
  );
}

describe("definition", () => {
  const x = tensor(
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 9],
      ],
    ],
    undefined,
    { device: cpu },
  );

  test("sum", () => {
    expect(values(sum(x))).toEqual([37]);
    expect(sum(x).shape).toEqual([]);
    expect(values(sum(x, 0))).toEqual([6, 8, 10, 13]);
    expect(values(sum(x, -2))).toEqual([4, 6, 12, 15]);
    expect(values(sum(x, [2, 0]))).toEqual([14, 23]);
    expect(sum(x, [2, 0], { keepdim: true }).shape).toEqual([1, 2, 1]);
    expect(values(sum(x, []))).toEqual(values(x));
  });

  test("mean", () => {
    expect(values(mean(x))).toEqual([37 / 8]);
    expect(values(mean(x, [1]))).toEqual([2, 3, 6, 7.5]);
    expect(mean(x, 1, { keepdim: true }).shape).toEqual([2, 1, 2]);
  });

  test("max", () => {
    expect(values(max(x, 2))).toEqual([2, 4, 6, 9]);
    expect(values(max(tensor([-3, -2, -5], undefined, { device: cpu })))).toEqual([-2]);
  });

  test("min", () => {
    expect(values(min(x))).toEqual(
      values(x)
        .sort((a, b) => a - b)
        .slice(0, 1),
    );
    expect(
      values(
        min(
          tensor(
            [
              [3, 2],
              [5, -1],
            ],
            undefined,
            { device: cpu },
          ),
          1,
        ),
      ),
    ).toEqual([2, -1]);
  });

  test("argmax: of equal ones the first, and NaN is the largest", () => {
    const rows = tensor(
      [
        [1, 3, 3],
        [-1, -2, -1],
        [0, Number.NaN, Number.NaN],
        [-Infinity, -Infinity, -Infinity],
        [-0, 0, -1],
      ],
      undefined,
      { device: cpu, requiresGrad: true },
    );
    expect(values(argmax(rows, 1))).toEqual([1, 0, 1, 0, 0]);
    expect(values(argmax(rows, 0))).toEqual([0, 2, 2]);
    expect(values(argmax(rows))).toEqual([7]);
    expect(argmax(rows, -1, { keepdim: true }).shape).toEqual([5, 1]);
    expect(argmax(rows, undefined, { keepdim: true }).shape).toEqual([1, 1]);
    expect(values(argmax(tensor(3, [], { device: cpu })))).toEqual([0]);
    expect(argmax(rows, 1).node).toBeUndefined();
    expect(() => argmax(rows, 2)).toThrow(/argmax: axis 2 does not exist/);
  });

  test("sumTo undoes broadcasting", () => {
    expect(values(sumTo(x, [2, 1]))).toEqual([14, 23]);
    expect(sumTo(x, [1, 2, 1]).shape).toEqual([1, 2, 1]);
    expect(values(sumTo(x, []))).toEqual([37]);
    expect(sumTo(x, x.shape)).toBe(x);
  });

  test("errors", () => {
    expect(() => sum(x, 3)).toThrow(/sum: axis 3 .*3 axes/);
    expect(() => mean(x, [0, -3])).toThrow(/mean: an axis is named twice/);
    expect(() => max(x, 0.5)).toThrow(ShapeError);
    expect(() => sumTo(x, [3, 2])).toThrow(/sumTo: .*\[3, 2\].*\[2, 2, 2\]/);
    expect(() => sumTo(x, [1, 2, 2, 2])).toThrow(/sumTo: .*\[1, 2, 2, 2\].*\[2, 2, 2\]/);
  });
});

describe("gradients against differences", () => {
  for (const axes of subsets(3)) {
    for (const keepdim of [false, true]) {
      test(`axes ${axes}, keepdim ${keepdim}`, () => {
        gradcheck((x) => sum(x, axes, { keepdim }), [input([2, 3, 2])]);
        gradcheck((x) => mean(x, axes, { keepdim }), [input([2, 3, 2])]);
        gradcheck((x) => max(x, axes, { keepdim }), [input([2, 3, 2])]);
        gradcheck((x) => min(x, axes, { keepdim }), [input([2, 3, 2])]);
      });
    }
  }

  test("sumTo", () => {
    for (const shape of [[], [1], [4], [3, 1], [1, 3, 1], [2, 1, 4]]) {
      gradcheck((x) => sumTo(x, shape), [input([2, 3, 4])]);
    }
  });

  test("equal maxima and minima share the gradient", () => {
    const x = tensor(
      [
        [1, 3, 3, 2],
        [3, 0, 0, 3],
      ],
      undefined,
      { device: cpu, requiresGrad: true },
    );
    const byRow = backward(sum(max(x, 1))).get(x)!;
    expect(values(byRow)).toEqual([0, 0.5, 0.5, 0, 0.5, 0, 0, 0.5]);
    expect(values(backward(sum(min(x, 1))).get(x)!)).toEqual([1, 0, 0, 0, 0, 0.5, 0.5, 0]);
    const overall = backward(max(x)).get(x)!;
    expect(values(overall)).toEqual([0, 0.25, 0.25, 0, 0.25, 0, 0, 0.25]);
  });

  test("summing is the adjoint of repeating: <sumTo(x), y> = <x, broadcastTo(y)>", () => {
    const x = input([3, 2, 5]);
    for (const shape of [[], [5], [2, 1], [3, 1, 5]]) {
      const y = input(shape);
      expect(dot(sumTo(x, shape), y)).toBeCloseTo(dot(x, broadcastTo(y, x.shape)), 12);
    }
  });
});

describe("kernels against the references", () => {
  const ops = { sum, mean, max, min };

  test("every choice of axes", async () => {
    // The pattern of kept and reduced axes decides how many passes there are; [2, 3, 2, 3, 2, 3] has the
    // most.
    for (const shape of [[2, 3, 2, 3, 2, 3], [1, 7, 1, 5, 2], []]) {
      for (const axes of subsets(shape.length)) {
        for (const [name, op] of Object.entries({ sum, max, min })) {
          await compareWithCpu(devices, `${name} of [${shape}] over [${axes}]`, ([x]) => op(x, axes), [
            shape,
          ]);
        }
      }
    }
  });

  // Around the lengths at which the kernel changes: 32 (thread or workgroup), the lanes, and 16384 (parts).
  for (const length of [1, 31, 32, 33, 63, 64, 65, 127, 257, 1009, 16384, 16385, 33000]) {
    test(`length ${length}`, async () => {
      const tolerance = { absolute: 2e-7 * length ** 0.5 * 10 };
      for (const [name, op] of Object.entries(ops)) {
        await compareWithCpu(devices, `${name} of rows`, ([x]) => op(x, 1), [[3, length]], tolerance);
        await compareWithCpu(devices, `${name} of columns`, ([x]) => op(x, 0), [[length, 2]], tolerance);
        const onGpu = { ...tolerance, adapterClass: "gpu" } as const;
        await compareWithCpu(devices, `${name} of columns`, ([x]) => op(x, 0), [[length, 3]], onGpu);
      }
    });
  }

  test("NaN stays NaN", async () => {
    for (const length of [3, 100, 40000]) {
      for (const place of [0, 1, length - 1]) {
        const values = Float32Array.from({ length }, (_, i) => (i === place ? Number.NaN : -i));
        for (const [name, op] of Object.entries(ops)) {
          const x = { shape: [1, length], values };
          await compareWithCpu(devices, `${name} with NaN`, ([x]) => op(x, 1), [x], { gradients: false });
        }
      }
    }
  });

  test("two reduced groups around a kept one, as for the gradient of a bias", async () => {
    for (const shape of [
      [5, 3, 7, 11],
      [2, 3, 8, 8],
      [3, 2, 1, 127],
      [129, 2, 131, 1],
    ]) {
      await compareWithCpu(devices, `sum of [${shape}]`, ([x]) => sum(x, [0, 2, 3]), [shape], {
        absolute: 1e-4,
      });
    }
  });

  test("long columns, many of them", async () => {
    await compareWithCpu(devices, "sum", ([x]) => sum(x, 0), [[33, 4099]], { gradients: false });
    await compareWithCpu(devices, "max", ([x]) => max(x, 1), [[2, 35, 2053]], { gradients: false });
  });

  test("grids that fold", async () => {
    const many = 65536 * 64 + 3;
    const ramp = Float32Array.from({ length: many }, (_, i) => i % 4099);
    const options = { gradients: false };
    await compareWithCpu(
      devices,
      "by thread",
      ([x]) => sum(x, []),
      [{ shape: [many], values: ramp }],
      options,
    );
    const rows = { shape: [65537, 33], values: ramp.subarray(0, 65537 * 33) };
    await compareWithCpu(devices, "by group", ([x]) => sum(x, 1), [rows], options);
  });

  test("large sums are accurate, and the same in every run", async () => {
    const count = 2 ** 20;
    for (const device of devices) {
      using _ = scope();
      const x = tensor(new Float32Array(count).fill(0.1), undefined, { device });
      const first = await sum(x).item();
      expect(Math.abs(first / (count * Math.fround(0.1)) - 1)).toBeLessThan(5e-6);
      expect(await sum(x).item()).toBe(first);
      expect(await mean(x).item()).toBeCloseTo(0.1, 6);
    }
  });

  test("infinities", async () => {
    const row = { shape: [3], values: [-Infinity, -Infinity, -Infinity] };
    await compareWithCpu(devices, "max", ([x]) => max(x), [row], { gradients: false });
    await compareWithCpu(devices, "min", ([x]) => min(neg(x)), [row], { gradients: false });
    const long = { shape: [100], values: new Float32Array(100).fill(-Infinity) };
    await compareWithCpu(devices, "max", ([x]) => max(x), [long], { gradients: false });
  });

  test("argmax", async () => {
    const exact = { gradients: false, absolute: 0, relative: 0 };
    // Long rows go to several threads, short ones to one.
    for (const [shape, axis] of [
      [[7], 0],
      [[3, 10], 1],
      [[10, 3], 0],
      [[2, 1024], 1],
      [[2, 1025], 1],
      [[3, 5000, 2], 1],
      [[100_003], 0],
    ] as [Shape, number][]) {
      await compareWithCpu(devices, `argmax of [${shape}]`, ([x]) => argmax(x, axis), [shape], exact);
      const few = { shape, values: Float32Array.from({ length: numel(shape) }, () => random.int(3) - 2) };
      await compareWithCpu(devices, `argmax of [${shape}]`, ([x]) => argmax(x, axis), [few], exact);
      few.values[few.values.length - 2] = Number.NaN;
      await compareWithCpu(devices, `argmax of [${shape}]`, ([x]) => argmax(x, axis), [few], exact);
    }
  });

  test("nothing but the result stays in memory", () => {
    for (const device of devices) {
      const x = tensor(new Float32Array(2 * 2 * 2 * 2 * 40000), [2, 2, 2, 2, 40000], { device });
      const before = device.memory().live;
      const y = sum(x, [0, 2, 4]); // two passes, the first in parts
      expect(device.memory().live).toBe(before + 1);
      y.dispose();
      x.dispose();
    }
  });
});

function dot(a: Tensor, b: Tensor): number {
  const other = values(b);
  return values(a).reduce((total, value, i) => total + value * other[i], 0);
}

describe("variance and std", () => {
  const rows = [
    [1, 2, 3, 4],
    [5, 5, 5, 5],
  ];
  const x = tensor(rows, { device: cpu });

  test("are those of a sample, or with correction 0 of a population", () => {
    expect(values(variance(x, 1))).toEqual([5 / 3, 0].map(Math.fround));
    expect(values(variance(x, 1, { correction: 0 }))).toEqual([1.25, 0]);
    expect(values(std(x, 1, { correction: 0 }))).toEqual([Math.fround(Math.sqrt(1.25)), 0]);
    expect(variance(x).shape).toEqual([]);
    expect(std(x, 0, { keepdim: true }).shape).toEqual([1, 4]);
    expect(values(std(tensor([1, Number.NaN], { device: cpu })))).toEqual([Number.NaN]);
  });

  test("keep their digits far from 0", () => {
    const far = tensor([10001, 10002, 10003], { device: cpu });
    expect(values(variance(far))).toEqual([1]);
  });

  test("gradients, also of std where nothing varies", () => {
    for (const axes of [undefined, 1, [0, 2]]) {
      for (const options of [{}, { correction: 0 }, { keepdim: true }]) {
        gradcheck((x) => variance(x, axes, options), [input([2, 3, 4])]);
        gradcheck((x) => std(x, axes, options), [input([2, 3, 4])]);
      }
    }
    const same = tensor([2, 2, 2], { device: cpu, requiresGrad: true });
    expect(values(backward(std(same)).get(same)!)).toEqual([0, 0, 0]);
  });

  test("kernels, and errors", async () => {
    for (const axes of [undefined, 0, [1, 2]]) {
      await compareWithCpu(devices, `variance over ${axes}`, ([x]) => variance(x, axes), [[3, 5, 67]]);
      await compareWithCpu(devices, `std over ${axes}`, ([x]) => std(x, axes), [[3, 5, 67]]);
    }
    expect(() => variance(tensor([[1], [2]], { device: cpu }), 1)).toThrow(
      "variance: of 1 element nothing is left to divide by with a correction of 1. Take more elements, or",
    );
    expect(() => std(x, 2)).toThrow(ShapeError);
  });
});
