/** softmax, logSoftmax, and crossEntropy, which is made of the latter. */
import { describe, expect, test } from "vitest";
import { crossEntropy } from "../../src/kernels/cross-entropy/index.ts";
import { logSoftmax, softmax } from "../../src/kernels/softmax/index.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(3);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
const functions = { softmax, logSoftmax };

describe("definition", () => {
  const x = () => tensor([Math.log(1), Math.log(2), Math.log(5), 0, 0, 0], [2, 3], { device: f64 });

  test("values", () => {
    const want = [0.125, 0.25, 0.625, 1 / 3, 1 / 3, 1 / 3];
    for (const [i, v] of values(softmax(x(), 1)).entries()) expect(v).toBeCloseTo(want[i], 14);
    for (const [i, v] of values(logSoftmax(x(), -1)).entries()) expect(v).toBeCloseTo(Math.log(want[i]), 14);
    expect(values(softmax(x(), 0))[3]).toBeCloseTo(0.5, 14);
    expect(crossEntropy(x(), [2, 0]).shape).toEqual([]);
    expect(values(crossEntropy(x(), [2, 0]))[0]).toBeCloseTo(-(Math.log(0.625) + Math.log(1 / 3)) / 2, 14);
    expect(values(crossEntropy(x(), [2, 0], { reduction: "sum" }))[0]).toBeCloseTo(-Math.log(0.625 / 3), 14);
  });

  test("targets: a list, a typed array, a tensor, for pictures and for one example", () => {
    const pictures = input([2, 3, 2, 2]);
    const classes = [0, 1, 2, 0, 1, 1, 2, 2];
    const want = values(crossEntropy(pictures, classes));
    expect(values(crossEntropy(pictures, Uint8Array.from(classes)))).toEqual(want);
    expect(values(crossEntropy(pictures, tensor(classes, [2, 2, 2], { device: f64 })))).toEqual(want);
    expect(values(crossEntropy(input([4]), [3]))[0]).toBeGreaterThan(0);
  });

  test("errors", () => {
    expect(() => crossEntropy(x(), [0])).toThrow(
      /crossEntropy: got 1 class indices for x \[2, 3\], which wants 2/,
    );
    for (const wrong of [3, -1, 0.5]) {
      expect(() => crossEntropy(x(), [0, wrong])).toThrow(
        `must be a whole number from 0 to 2, got ${wrong}.`,
      );
    }
    expect(() => crossEntropy(x(), x())).toThrow(ShapeError);
    expect(() => crossEntropy(x(), "01" as never)).toThrow(
      /target must be class indices, as a tensor or a list/,
    );
    expect(() => softmax(x(), 2)).toThrow(/softmax: axis 2 does not exist/);
  });
});

describe("gradients against differences", () => {
  test.each(Object.entries(functions))("%s", (_, f) => {
    for (const [shape, axis] of [
      [[5], 0],
      [[3, 4], 1],
      [[2, 3, 4], 1],
    ] as [Shape, number][]) {
      gradcheck((x) => f(x, axis), [input(shape)]);
    }
  });

  test("crossEntropy", () => {
    for (const reduction of ["mean", "sum"] as const) {
      gradcheck((x) => crossEntropy(x, [1, 0, 3], { reduction }), [input([3, 4])]);
      gradcheck((x) => crossEntropy(x, [1, 0, 2, 1], { reduction }), [input([1, 3, 2, 2])]);
    }
  });
});

describe("kernels against the references", () => {
  // Rows for one thread and for 64, few and many of them; neighbours along the axis and far apart.
  const cases: [Shape, number][] = [
    [[1], 0],
    [[3, 1], 1],
    [[7, 32], 1],
    [[7, 33], 1],
    [[5, 1000], 1],
    [[2, 65, 3, 5], 1],
    [[2, 5, 9, 7], 1],
    [[100, 6], 0],
    [[4097, 40], 1],
  ];
  test.each(Object.entries(functions))("%s", async (name, f) => {
    for (const [shape, axis] of cases) {
      await compareWithCpu(devices, `${name} of [${shape}] along ${axis}`, ([x]) => f(x, axis), [shape], {
        absolute: 1e-5,
      });
    }
  });

  test.each(Object.entries(functions))("%s of large numbers, of infinity and NaN", async (name, f) => {
    for (const length of [3, 50]) {
      const rows = [
        [1000, -1000, 999],
        [-1e30, -1e30, 0],
        [Number.NEGATIVE_INFINITY, 0, 1],
        [Number.NaN, 0, 1],
        [0, Number.NaN, Number.POSITIVE_INFINITY],
        [Number.POSITIVE_INFINITY, 0, 0],
        [-1e30, 1e30, 0],
      ];
      const flat = rows.flatMap((row) => [...row, ...new Array(length - 3).fill(row[1])]);
      const x = { shape: [rows.length, length], values: flat };
      await compareWithCpu(devices, name, ([x]) => f(x, 1), [x], { gradients: false, relative: 1e-4 });
    }
  });

  test("crossEntropy", async () => {
    for (const [shape, classes] of [
      [
        [3, 5],
        [4, 0, 2],
      ],
      [
        [2, 100],
        [99, 50],
      ],
      [
        [1, 3, 2, 2],
        [0, 1, 2, 1],
      ],
    ] as [Shape, number[]][]) {
      for (const reduction of ["mean", "sum"] as const) {
        await compareWithCpu(devices, "crossEntropy", ([x]) => crossEntropy(x, classes, { reduction }), [
          shape,
        ]);
      }
    }
  });

  test("a tensor's index that is no class makes the loss and that row's gradient NaN", async () => {
    for (const wrong of [3, -1, 0.5, Number.NaN, Infinity, 1e30, -100]) {
      const f = ([x]: Tensor[]) => crossEntropy(x, tensor([0, wrong], undefined, { device: x.device }));
      await compareWithCpu(devices, `class ${wrong}`, f, [[2, 3]]);
      const y = f([tensor([1, 2, 3, 4, 5, 6], [2, 3], { device: cpu })]);
      expect(values(y)).toEqual([Number.NaN]);
    }
  });
});
