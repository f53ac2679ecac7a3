import { describe, expect, test } from "vitest";
import { type InterpolateOptions, interpolate } from "../../src/kernels/resize/index.ts";
import { AxisTable, axisTable } from "../../src/kernels/resize/weights.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { full, randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { noise } from "../support/drawn.ts";
import { gradcheck, weightedLoss } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const f64 = float64Device();
const cpu = float32Device();
const random = new Random(1);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);

type Filter = Omit<InterpolateOptions, "size" | "scaleFactor">;
const filters: Filter[] = [
  { mode: "nearest" },
  { mode: "bilinear" },
  { mode: "bicubic" },
  { mode: "bilinear", antialias: true },
  { mode: "bicubic", antialias: true },
  { mode: "nearest", convention: "matlab" },
  { mode: "bilinear", convention: "matlab" },
  { mode: "bicubic", convention: "matlab" },
  { mode: "bicubic", convention: "matlab", antialias: false },
];
const nameOf = ({ mode, antialias, convention }: Filter) =>
  [convention ?? "pytorch", mode, antialias === undefined ? "" : `antialias ${antialias}`].join(" ");
const named = filters.map((filter) => [nameOf(filter), filter] as const);

type Target = { size: readonly [number, number] } | { scaleFactor: number };
const resize = (x: Tensor, filter: Filter, target: Target) =>
  interpolate(x, { ...filter, ...target } as InterpolateOptions);

describe("one line, values from PyTorch 2", () => {
  const line = tensor([1, 2, 4, 8, 16], [1, 1, 1, 5], { device: f64 });
  const cases: [Filter, Target, number[]][] = [
    [{ mode: "nearest" }, { size: [1, 8] }, [1, 1, 2, 2, 4, 8, 8, 16]],
    [{ mode: "nearest" }, { size: [1, 3] }, [1, 2, 8]],
    [{ mode: "bilinear" }, { size: [1, 8] }, [1, 1.4375, 2.125, 3.375, 5.25, 7.75, 12.5, 16]],
    [{ mode: "bilinear" }, { size: [1, 3] }, [4 / 3, 4, 40 / 3]],
    [{ mode: "bicubic" }, { size: [1, 3] }, [1.2037037037, 4, 13.7037037037]],
    [{ mode: "bilinear", antialias: true }, { size: [1, 3] }, [1.42857142857, 4.44444444444, 12.5714285714]],
    [{ mode: "bicubic", antialias: true }, { size: [1, 3] }, [1.23076923077, 4.15813953488, 12.8615384615]],
  ];
  test.each(cases)("%o %o", (filter, target, want) => {
    expectClose(values(resize(line, filter, target)), want, { absolute: 1e-9, relative: 0 });
  });

  test("distances follow a factor that does not fit the sides: 1.5, not 7 / 5", () => {
    const tall = tensor([1, 2, 4, 8, 16], [1, 1, 5, 1], { device: f64 });
    const y = resize(tall, { mode: "bilinear" }, { scaleFactor: 1.5 });
    expect(y.shape).toEqual([1, 1, 7, 1]);
    expectClose(values(y), [1, 1.5, 7 / 3, 11 / 3, 6, 28 / 3, 44 / 3], { absolute: 1e-12 });
  });

  test("an axis that keeps its length is copied, except by plain bicubic", () => {
    for (const filter of filters.filter(({ mode }) => mode !== "bicubic").slice(0, 3)) {
      expect(values(resize(line, filter, { scaleFactor: 1.15 }))).toEqual([1, 2, 4, 8, 16]);
    }
    expect(values(resize(line, { mode: "bicubic" }, { scaleFactor: 1.15 }))[4]).not.toBeCloseTo(16, 1);
  });

  test("nearest: in single precision 41 * (2 / 82) is just below 1, and 6 from 3 is doubling", () => {
    const two = tensor([0, 1], [1, 1, 1, 2], { device: cpu });
    expect(values(resize(two, { mode: "nearest" }, { size: [1, 82] })).indexOf(1)).toBe(42);
    const three = tensor([0, 1, 2], [1, 1, 1, 3], { device: cpu });
    const six = resize(
      resize(three, { mode: "nearest" }, { size: [3, 3] }),
      { mode: "nearest" },
      { scaleFactor: 2.3 },
    );
    expect(values(six).slice(0, 6)).toEqual([0, 0, 1, 1, 2, 2]);
  });
});

describe("Matlab's convention", () => {
  test("nearest takes the sample under the centre, the right one of two", () => {
    const line = tensor([1, 2, 3, 4], [1, 1, 1, 4], { device: cpu });
    const nearest: Filter = { mode: "nearest", convention: "matlab" };
    expect(values(resize(line, nearest, { size: [1, 2] }))).toEqual([2, 4]);
    expect(values(resize(line, nearest, { size: [1, 6] }))).toEqual([1, 2, 2, 3, 4, 4]);
  });

  test("sides are rounded up", () => {
    const y = resize(input([1, 1, 5, 7]), { mode: "bicubic", convention: "matlab" }, { scaleFactor: 1 / 2 });
    expect(y.shape).toEqual([1, 1, 3, 4]);
  });

  test.each([1 / 4, 1 / 3, 0.7, 1, 1.6, 3])("scale %f: imresize but for its rounding to bytes", (scale) => {
    const picture = noise(19, 14, 1);
    // Far from 0 and 255, where imresize clamps.
    for (let i = 0; i < picture.data.length; i++) picture.data[i] = 64 + (picture.data[i] >> 1);
    const want = imresize(picture, scale);
    const x = tensor(Float32Array.from(picture.data), [1, 1, 14, 19], { device: f64 });
    const y = resize(x, { mode: "bicubic", convention: "matlab" }, { scaleFactor: scale });
    expect(y.shape).toEqual([1, 1, want.height, want.width]);
    // Half a step for the second rounding; for the first half a step times the sum of |weights| (< 1.4).
    expectClose(values(y), want.data, { absolute: 1.2, relative: 0 });
  });
});

describe("tables", () => {
  const dense = ({ inSize, outSize, taps, first, weights }: AxisTable) => {
    const matrix = Array.from({ length: outSize }, () => new Array<number>(inSize).fill(0));
    for (let k = 0; k < outSize * taps; k++) {
      const i = Math.floor(k / taps);
      matrix[i][first[i] + (k % taps)] += weights[k];
    }
    return matrix;
  };

  test.each(named)("%s: rows add up to 1, the transposed matrix is the transposed matrix", (_, filter) => {
    const options = { antialias: false, convention: "pytorch", ...filter } as const;
    for (const [inSize, outSize] of [
      [1, 1],
      [1, 5],
      [5, 1],
      [7, 3],
      [3, 7],
      [6, 12],
      [12, 6],
      [31, 29],
    ]) {
      const table = axisTable(inSize, outSize, outSize / inSize, options);
      const matrix = dense(table);
      for (const row of matrix) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      const turned = dense(table.transposed);
      expect(turned).toEqual(matrix[0].map((_, j) => matrix.map((row) => row[j])));
      expect(table.transposed.transposed).toBe(table);
    }
  });

  test("samples that no output uses have rows of zeros", () => {
    const table = axisTable(5, 2, 0.4, { mode: "nearest", convention: "pytorch", antialias: false });
    // biome-ignore format: a matrix
    expect(dense(table.transposed)).toEqual([[1, 0], [0, 0], [0, 1], [0, 0], [0, 0]]);
  });

  test("values at the same place add up", () => {
    const table = new AxisTable(3, 1, (visit) => {
      visit(0, 2, 0.5);
      visit(0, 1, 0.25);
      visit(0, 2, 0.25);
    });
    expect(dense(table)).toEqual([[0, 0.25, 0.75]]);
  });
});

const targets: Target[] = [
  { size: [1, 1] },
  { size: [3, 11] },
  { size: [10, 4] },
  { scaleFactor: 2 },
  { scaleFactor: 0.6 },
  { scaleFactor: 1.7 },
];

describe.each(named)("%s", (name, filter) => {
  test.each(targets)("gradients, %o", (target) => {
    gradcheck((x) => resize(x, filter, target), [input([2, 1, 5, 4])]);
  });

  test.each(targets)("a constant stays that constant, %o", (target) => {
    const y = resize(full([1, 2, 7, 6], 0.75, { device: f64 }), filter, target);
    expectClose(values(y), new Array<number>(y.size).fill(0.75), { absolute: 1e-12, relative: 0 });
  });

  test.each(targets)("<A x, y> = <x, A' y>, %o", (target) => {
    const x = input([1, 2, 6, 5]);
    x.requiresGrad = true;
    const ax = resize(x, filter, target);
    const y = values(input(ax.shape));
    const aty = values(backward(weightedLoss(ax, y)).get(x)!);
    const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);
    expect(dot(values(ax), y)).toBeCloseTo(dot(values(x), aty), 10);
  });

  const shapes: Shape[] = [
    [1, 1, 1, 1],
    [2, 3, 5, 7],
    [1, 3, 13, 11],
    [1, 1, 37, 1],
    [2, 1, 3, 67],
  ];
  test("kernels", async () => {
    for (const shape of shapes) {
      for (const target of [
        { scaleFactor: 2 },
        { scaleFactor: 1.3 },
        { size: [2, 3] },
        { size: [17, 5] },
      ] as Target[]) {
        const label = `${name} [${shape}] -> ${JSON.stringify(target)}`;
        // Gradients add up many terms where a pixel was copied often.
        await compareWithCpu(devices, label, ([x]) => resize(x, filter, target), [shape], { absolute: 3e-5 });
      }
    }
  });
});

describe("kernels", () => {
  const bicubic: Filter = { mode: "bicubic" };

  // One, two and four lines per thread; several rounds of them.
  test.each([64, 65, 128, 129, 300, 1500])("widths and heights of %i", async (side) => {
    for (const shape of [
      [1, 1, 3, side],
      [1, 2, side, 3],
    ]) {
      // biome-ignore format: pairs
      for (const size of [[5, side + 1], [side - 3, 2]] as const) {
        const label = `[${shape}] -> ${size}`;
        await compareWithCpu(devices, label, ([x]) => resize(x, bicubic, { size }), [shape]);
      }
    }
  });

  test("more planes, rows or columns than a grid has workgroups", async () => {
    for (const [shape, size] of [
      [
        [1, 66000, 1, 1],
        [2, 1],
      ],
      [
        [1, 1, 66000, 1],
        [66001, 1],
      ],
      [
        [1, 1, 1, 66000],
        [1, 66001],
      ],
    ] as const) {
      await compareWithCpu(
        devices,
        `[${shape}] -> ${size}`,
        ([x]) => resize(x, { mode: "bilinear" }, { size }),
        [shape],
        // Positions near 66000 cost no precision: weights are computed in f64.
        { absolute: 1e-5 },
      );
    }
  });

  test("the device caches tables, outside every scope, and at most 64 of them", async () => {
    for (const device of devices) {
      const x = randn([1, 1, 9, 9], { random: new Random(2), device });
      const run = async (side: number) => {
        using _ = scope();
        return resize(x, bicubic, { size: [side, side] }).data();
      };
      const first = await run(18);
      const { live } = device.memory();
      expect(await run(18)).toEqual(first);
      expect(device.memory().live).toBe(live);

      for (let side = 19; side < 19 + 70; side++) await run(side);
      const later = device.memory().live;
      for (let side = 100; side < 110; side++) await run(side);
      expect(device.memory().live).toBe(later);
      // By now the first table has been dropped; it is computed again.
      expect(await run(18)).toEqual(first);
    }
  });

  test("nothing but the result outlives a call", async () => {
    for (const device of devices) {
      const x = randn([1, 1, 9, 9], { random: new Random(2), device });
      resize(x, bicubic, { scaleFactor: 2 }).dispose();
      const { live } = device.memory();
      const y = resize(x, bicubic, { scaleFactor: 2 });
      expect(device.memory().live).toBe(live + 1);
      y.dispose();
    }
  });
});

test("errors", () => {
  const x = full([1, 1, 4, 4], 0, { device: cpu });
  const call =
    (options: object, shaped = x) =>
    () =>
      interpolate(shaped, options as InterpolateOptions);
  expect(call({ mode: "bilinear" })).toThrow(/either size or scaleFactor/);
  expect(call({ mode: "bilinear", size: [2, 2], scaleFactor: 2 })).toThrow(/either size or scaleFactor/);
  expect(call({ mode: "area", scaleFactor: 2 })).toThrow(/mode must be nearest, .*area/);
  expect(call({ mode: "bicubic", scaleFactor: 2, convention: "pil" })).toThrow(/convention .*pil/);
  expect(call({ mode: "nearest", scaleFactor: 2, antialias: true })).toThrow(/antialias/);
  for (const scaleFactor of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(call({ mode: "bilinear", scaleFactor })).toThrow(RangeError);
  }
  expect(call({ mode: "bilinear", scaleFactor: 0.2 })).toThrow(/0.2 makes it \[0, 0\]/);
  expect(call({ mode: "bilinear", size: [2, 0] })).toThrow(ShapeError);
  expect(call({ mode: "bilinear", size: [2.5, 2] })).toThrow(/size is \[2.5, 2\]/);
  expect(call({ mode: "bilinear", scaleFactor: 2 }, full([4, 4], 0, { device: cpu }))).toThrow(
    /\[n, c, h, w\]/,
  );
});
