import { describe, expect, test } from "vitest";
import { avgPool2d, maxPool2d } from "../../src/kernels/pool/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { numel, type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(3);
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
const pools = { maxPool2d, avgPool2d };

type Arguments = [
  shape: Shape,
  ...rest: Parameters<typeof maxPool2d> extends [Tensor, ...infer R] ? R : never,
];

/**
 * Windows side by side, overlapping, with gaps; in margins; as large as the picture; larger than half of it.
 */
const cases: Arguments[] = [
  [[1, 1, 1, 1], 1],
  [[2, 3, 4, 6], 2],
  [[1, 2, 5, 7], 3, { stride: 2, padding: 1 }],
  [[2, 2, 5, 4], [2, 3], { stride: [1, 2], padding: [1, 0] }],
  [[1, 1, 4, 5], 3, { stride: 1, padding: 1 }],
  [[1, 2, 7, 7], 2, { stride: 3 }],
  [
    [3, 6, 5],
    [6, 5],
  ],
  [[1, 1, 2, 2], 4, { padding: 2 }],
  [[5, 4], [1, 4], { stride: 1, padding: [0, 2] }],
];

describe("definition", () => {
  const x = tensor([1, 5, 2, 0, 3, 4, 9, 7, 8, 6, -1, -2], [1, 1, 3, 4], { device: cpu });

  test("values", () => {
    expect(values(maxPool2d(x, 2))).toEqual([5, 9]);
    expect(values(avgPool2d(x, 2))).toEqual([13 / 4, 18 / 4]);
    expect(maxPool2d(x, 2, { stride: 1 }).shape).toEqual([1, 1, 2, 3]);
    // Padding is never the largest, but counts in the mean.
    const negative = tensor([-1, -2, -3, -4], [1, 2, 2], { device: cpu });
    expect(values(maxPool2d(negative, 2, { padding: 1 }))).toEqual([-1, -2, -3, -4]);
    expect(values(avgPool2d(negative, 2, { padding: 1 }))).toEqual([-0.25, -0.5, -0.75, -1]);
  });

  test("errors", () => {
    expect(() => maxPool2d(x, 4)).toThrow(/maxPool2d: a window of 4x4 does not fit into x \[1, 1, 3, 4\]/);
    expect(() => maxPool2d(tensor([1], undefined, { device: cpu }), 1)).toThrow(ShapeError);
    expect(() => avgPool2d(x, 2, { padding: 2 })).toThrow(
      /avgPool2d: a padding of 2 and 2 is more than half of/,
    );
    expect(() => avgPool2d(x, 0)).toThrow(/avgPool2d: the window must be a whole number of at least 1/);
    expect(() => avgPool2d(x, 2, { strides: 2 } as never)).toThrow(
      /no option "strides"; there are stride, padding/,
    );
  });
});

describe("gradients", () => {
  for (const [name, pool] of Object.entries(pools)) {
    test(`${name} against differences`, () => {
      for (const [shape, ...rest] of cases) {
        gradcheck((x) => pool(x, ...rest), [randn(shape, { random, device: f64 })]);
      }
    });
  }

  test("of equal elements, the first gets all, as in PyTorch", () => {
    const x = tensor([2, 2, 2, 2, 2, 2], [1, 2, 3], { device: cpu, requiresGrad: true });
    expect(values(backward(sum(maxPool2d(x, 2, { stride: 1 }))).get(x)!)).toEqual([1, 1, 0, 0, 0, 0]);
  });
});

describe("kernels against the references", () => {
  const large: Arguments[] = [
    [[2, 3, 33, 31], 2],
    [[2, 3, 33, 31], 3, { stride: 2, padding: 1 }],
    [[4, 65, 9, 8], [3, 2], { stride: [2, 1], padding: [1, 1] }],
  ];
  for (const [name, pool] of Object.entries(pools)) {
    test(name, async () => {
      for (const [shape, ...rest] of [...cases, ...large]) {
        const label = `${name}(${JSON.stringify(rest)}) of [${shape}]`;
        await compareWithCpu(devices, label, ([x]) => pool(x, ...rest), [shape]);
      }
    });

    test(`${name} of equal elements, and of infinities`, async () => {
      const few = (choices: number[], shape: Shape) => ({
        shape,
        values: Array.from({ length: numel(shape) }, () => choices[random.int(choices.length)]),
      });
      for (const [shape, ...rest] of cases) {
        await compareWithCpu(devices, name, ([x]) => pool(x, ...rest), [few([0, 1], shape)]);
        const infinite = few([-Infinity, -1e30], shape);
        await compareWithCpu(devices, name, ([x]) => pool(x, ...rest), [infinite], {
          gradients: name[0] === "m",
        });
      }
    });

    test(`${name}: NaN stays NaN, and gets the gradient`, async () => {
      for (const [shape, ...rest] of cases) {
        const flat = Array.from({ length: numel(shape) }, (_, i) => (i % 5 === 2 ? Number.NaN : -i));
        await compareWithCpu(devices, name, ([x]) => pool(x, ...rest), [{ shape, values: flat }]);
      }
    });
  }
});
