import { describe, expect, test } from "vitest";
import { mul } from "../../src/kernels/elementwise/index.ts";
import {
  broadcastTo,
  concat,
  copyInto,
  detach,
  flatten,
  flip,
  permute,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
} from "../../src/kernels/layout/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(2);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
/** 0, 1, 2, … in this shape. */
const ramp = (shape: Shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => i),
    shape,
    { device: cpu },
  );
};

describe("definition", () => {
  test("reshape", () => {
    const x = ramp([2, 6]);
    expect(reshape(x, [3, -1]).shape).toEqual([3, 4]);
    expect(values(reshape(x, [4, 3]))).toEqual(values(x));
    expect(() => reshape(x, [5, -1])).toThrow(/reshape: \[2, 6\] has 12 elements.*\[5, -1\]/);
    expect(() => reshape(x, [-1, -1])).toThrow(ShapeError);
    expect(() => reshape(x, [2, 6, 1, 1, 1, 1, 1])).toThrow(/reshape: .*at most 6/);
  });

  test("permute", () => {
    expect(values(permute(ramp([2, 3]), [1, 0]))).toEqual([0, 3, 1, 4, 2, 5]);
    const y = permute(ramp([2, 3, 4]), [-1, 0, 1]);
    expect(y.shape).toEqual([4, 2, 3]);
    for (let k = 0; k < 4; k++) {
      for (let i = 0; i < 2; i++) {
        for (let j = 0; j < 3; j++) expect(values(y)[(k * 2 + i) * 3 + j]).toBe((i * 3 + j) * 4 + k);
      }
    }
  });

  test("flip", () => {
    expect(values(flip(ramp([2, 3]), [1]))).toEqual([2, 1, 0, 5, 4, 3]);
    expect(values(flip(ramp([2, 3]), [0, -1]))).toEqual([5, 4, 3, 2, 1, 0]);
    expect(values(flip(ramp([2, 3]), []))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(values(flip(ramp([2, 3]), -1))).toEqual([2, 1, 0, 5, 4, 3]);
    expect(() => flip(ramp([2, 3]), undefined as never)).toThrow(
      "flip: name the axes to reverse, such as flip(x, 3).",
    );
    expect(() => flip(ramp([2, 3]), [2])).toThrow(/flip: axis 2/);
    expect(() => flip(ramp([2, 3]), [1, -1])).toThrow("flip: an axis is named twice in [1, 1].");
  });

  test("copyInto", async () => {
    for (const device of [cpu, ...devices]) {
      const whole = tensor(new Float32Array(12), [3, 4], { device });
      const part = tensor([1, 2, 3, 4, 5, 6], [2, 3], { device });
      copyInto(whole, part, { sizes: [2, 2], from: [0, 1], to: [1, 2] });
      expect([...(await whole.data())]).toEqual([0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 5, 6]);
    }
  });

  test("slice", () => {
    const x = ramp([3, 4]);
    expect(values(slice(x, [1, 1], [3, 3]))).toEqual([5, 6, 9, 10]);
    expect(values(slice(x, [-1], [Number.POSITIVE_INFINITY]))).toEqual([8, 9, 10, 11]);
    expect(values(slice(x, [0, -3], [1, -1]))).toEqual([1, 2]);
    expect(values(slice(x, [-100, 3], [100, 100]))).toEqual([3, 7, 11]);
    expect(slice(x, [], []).shape).toEqual([3, 4]);
  });

  test("concat", () => {
    const y = concat([ramp([2, 1]), ramp([2, 3]), ramp([2, 2])], -1);
    expect(y.shape).toEqual([2, 6]);
    expect(values(y)).toEqual([0, 0, 1, 2, 0, 1, 1, 3, 4, 5, 2, 3]);
    expect(values(concat([ramp([2]), ramp([1])]))).toEqual([0, 1, 0]);
  });

  test("transpose", () => {
    expect(values(transpose(ramp([2, 3]), 0, 1))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(transpose(ramp([2, 3, 4]), 0, -1).shape).toEqual([4, 3, 2]);
  });

  test("squeeze, unsqueeze and flatten share the memory", () => {
    const x = ramp([1, 2, 1]);
    expect([squeeze(x), squeeze(x, 0), squeeze(x, -1), squeeze(x, 1)].map(({ shape }) => shape)).toEqual([
      [2],
      [2, 1],
      [1, 2],
      [1, 2, 1],
    ]);
    const ones = ramp([1, 3, 1, 2, 1]);
    expect([[0, -1], [0, 1], []].map((axes) => squeeze(ones, axes).shape)).toEqual([
      [3, 1, 2],
      [3, 1, 2, 1],
      [1, 3, 1, 2, 1],
    ]);
    expect(() => squeeze(ones, [0, -5])).toThrow("squeeze: an axis is named twice in [0, 0].");
    expect([0, 1, -1].map((axis) => unsqueeze(ramp([2, 3]), axis).shape)).toEqual([
      [1, 2, 3],
      [2, 1, 3],
      [2, 3, 1],
    ]);
    expect(flatten(ramp([2, 3, 4])).shape).toEqual([24]);
    expect(flatten(ramp([2, 3, 4]), 1).shape).toEqual([2, 12]);
    expect(flatten(ramp([2, 3, 4]), 0, 1).shape).toEqual([6, 4]);
    expect(flatten(ramp([])).shape).toEqual([1]);
    for (const y of [squeeze(x), unsqueeze(x, 0), flatten(x)]) expect(y.storage).toBe(x.storage);
  });

  test("stack", () => {
    expect(values(stack([ramp([2]), ramp([2])], 1))).toEqual([0, 0, 1, 1]);
    expect(stack([ramp([2, 3]), ramp([2, 3])]).shape).toEqual([2, 2, 3]);
    expect(values(stack([ramp([]), ramp([])]))).toEqual([0, 0]);
  });

  test("detach: the same memory, and no gradient", () => {
    const x = tensor([3], undefined, { device: cpu, requiresGrad: true });
    const y = detach(mul(x, 2));
    expect([values(y), y.node, y.requiresGrad]).toEqual([[6], undefined, false]);
    expect(values(backward(sum(mul(x, detach(x)))).get(x)!)).toEqual([3]);
  });

  test("broadcastTo", () => {
    expect(values(broadcastTo(ramp([3]), [2, 3]))).toEqual([0, 1, 2, 0, 1, 2]);
    expect(values(broadcastTo(ramp([2, 1]), [2, 3]))).toEqual([0, 0, 0, 1, 1, 1]);
    const x = ramp([2]);
    expect(broadcastTo(x, [2])).toBe(x);
  });

  test("errors", () => {
    const x = ramp([2, 3]);
    expect(() => permute(x, [0])).toThrow(/permute: .*\[0\].*\[2, 3\].*2 axes once/);
    expect(() => permute(x, [0, -2])).toThrow(/permute: .*\[0, -2\]/);
    expect(() => permute(x, [0, 2])).toThrow(/permute: axis 2/);
    expect(() => slice(x, [0, 2], [2, 2])).toThrow(/slice: \[0:2, 2:2\] .*\[2, 3\] is empty/);
    expect(() => slice(x, [0], [])).toThrow(/slice: got 1 starts and 0 ends .*\[2, 3\]/);
    expect(() => slice(x, [0, 0, 0], [1, 1, 1])).toThrow(ShapeError);
    expect(() => slice(x, [0.5], [1])).toThrow(/slice: \[0.5:1\].*whole numbers/);
    expect(() => slice(x, [0], [Number.NaN])).toThrow(ShapeError);
    expect(() => concat([])).toThrow(/concat: got no tensors/);
    expect(() => concat([x, ramp([3, 3])], 1)).toThrow(
      /concat: tensor 1 has shape \[3, 3\], the first \[2, 3\]/,
    );
    expect(() => concat([x, ramp([3])])).toThrow(ShapeError);
    expect(() => concat([x, x], 2)).toThrow(/concat: axis 2/);
    expect(() => transpose(x, 0, 2)).toThrow(/transpose: axis 2/);
    expect(() => squeeze(x, 2)).toThrow(/squeeze: axis 2/);
    expect(() => unsqueeze(x, 3)).toThrow(/unsqueeze: axis 3/);
    expect(() => unsqueeze(x, [0, 1] as never)).toThrow("unsqueeze: takes one axis, a number, got [0,1].");
    expect(() => flatten(x, 1, 0)).toThrow(/flatten: the axes 1 to 0 of x \[2, 3\] are none/);
    expect(() => stack([])).toThrow(/stack: got no tensors/);
    expect(() => stack([x, ramp([3, 2])])).toThrow(
      /stack: tensor 1 has shape \[3, 2\], the first \[2, 3\].*concat/,
    );
    expect(() => broadcastTo(x, [3, 3])).toThrow(/broadcastTo: .*\[2, 3\].*\[3, 3\]/);
    expect(() => broadcastTo(x, [3])).toThrow(ShapeError);
    expect(() => broadcastTo(x, [1, 1, 1, 1, 1, 2, 3])).toThrow(/broadcastTo: .*at most 6/);
  });
});

/** Every order of the first n whole numbers. */
function orders(n: number): number[][] {
  if (n === 0) return [[]];
  const insert = (order: number[], at: number) => [...order.slice(0, at), n - 1, ...order.slice(at)];
  return orders(n - 1).flatMap((order) => Array.from({ length: n }, (_, at) => insert(order, at)));
}

describe("gradients against differences", () => {
  test("reshape", () => gradcheck((x) => reshape(x, [3, 4]), [input([2, 6])]));

  test("flip", () => {
    for (const axes of [[0], [1, 2], [0, 1, 2]]) gradcheck((x) => flip(x, axes), [input([2, 3, 4])]);
  });

  test("permute", () => {
    for (const order of orders(3)) gradcheck((x) => permute(x, order), [input([2, 3, 4])]);
  });

  test("transpose, squeeze, unsqueeze, flatten, stack", () => {
    gradcheck((x) => transpose(x, 0, 2), [input([2, 3, 4])]);
    gradcheck((x) => squeeze(x), [input([1, 3, 1])]);
    gradcheck((x) => unsqueeze(x, 1), [input([2, 3])]);
    gradcheck((x) => flatten(x, 1), [input([2, 3, 2])]);
    gradcheck((...x) => stack(x, 1), [input([2, 3]), input([2, 3]), input([2, 3])]);
  });

  test("slice", () => {
    gradcheck((x) => slice(x, [1, 0, -2], [3, 1, 4]), [input([3, 2, 4])]);
    gradcheck((x) => slice(x, [0], [1]), [input([3, 2])]);
  });

  test("concat, also of a tensor with itself", () => {
    for (const axis of [0, 1, 2]) {
      const shapes = [1, 3, 2].map((n) => [2, 2, 2].map((size, k) => (k === axis ? n : size)));
      gradcheck((...parts) => concat(parts, axis), shapes.map(input));
    }
    gradcheck((x) => concat([x, x, x], 1), [input([2, 3])]);
  });

  test("broadcastTo", () => {
    for (const shape of [[], [4], [3, 1], [1, 3, 1], [2, 1, 4]]) {
      gradcheck((x) => broadcastTo(x, [2, 3, 4]), [input(shape)]);
    }
  });

  test("permuting back gives x again, and so does joining after cutting", () => {
    const x = input([2, 3, 4]);
    for (const order of orders(3)) {
      const inverse = order.map((_, axis) => order.indexOf(axis));
      expect(values(permute(permute(x, order), inverse))).toEqual(values(x));
    }
    for (const [axis, size] of x.shape.entries()) {
      const before = x.shape.map(() => 0);
      const cut = x.shape.map((_, k) => (k === axis ? size - 1 : 0));
      const first = slice(
        x,
        before,
        x.shape.map((n, k) => (k === axis ? size - 1 : n)),
      );
      expect(values(concat([first, slice(x, cut, x.shape)], axis))).toEqual(values(x));
    }
  });
});

describe("kernels against the references", () => {
  const exact = { absolute: 0, relative: 0 };

  test("flip: along some of the axes of all sizes", async () => {
    const exact = { absolute: 0, relative: 0 };
    for (const [shape, axes] of [
      [[5], [0]],
      [
        [3, 7, 9],
        [0, 2],
      ],
      [[1, 3, 33, 65], [3]],
      [
        [1, 3, 33, 65],
        [2, 3],
      ],
      [
        [2, 1, 4, 3, 2, 5],
        [0, 3, 5],
      ],
    ]) {
      await compareWithCpu(devices, `flip [${shape}] along ${axes}`, ([x]) => flip(x, axes), [shape], exact);
    }
  });

  test("permute: every order of up to four axes, some of six", async () => {
    for (const shape of [[7], [5, 3], [64, 65], [3, 1, 5], [2, 3, 4, 5], [1, 17, 1, 31]]) {
      for (const order of orders(shape.length)) {
        await compareWithCpu(
          devices,
          `permute [${shape}] to ${order}`,
          ([x]) => permute(x, order),
          [shape],
          exact,
        );
      }
    }
    for (const order of [
      [5, 4, 3, 2, 1, 0],
      [1, 0, 3, 2, 5, 4],
      [0, 3, 1, 4, 2, 5],
      [2, 5, 1, 4, 0, 3],
    ]) {
      await compareWithCpu(
        devices,
        `permute to ${order}`,
        ([x]) => permute(x, order),
        [[2, 3, 2, 5, 3, 2]],
        exact,
      );
    }
  });

  test("slice", async () => {
    const cases: [Shape, number[], number[]][] = [
      [[5], [2], [3]],
      [[65], [1], [65]],
      [
        [7, 11],
        [2, 3],
        [5, -1],
      ],
      [
        [3, 4, 5],
        [0, 1],
        [3, 3],
      ],
      [
        [2, 3, 13, 17],
        [0, 1, 2, 3],
        [2, 3, -2, -3],
      ],
      [
        [3, 3, 3, 3, 3, 3],
        [1, 0, 1, 1, 0, 2],
        [3, 2, 3, 2, 3, 3],
      ],
      [
        [3, 3, 3, 3, 3, 3],
        [0, 1, 0, 1, 0, 1],
        [2, 3, 2, 3, 2, 3],
      ],
    ];
    for (const [shape, starts, ends] of cases) {
      const label = `slice ${starts}:${ends} of [${shape}]`;
      await compareWithCpu(devices, label, ([x]) => slice(x, starts, ends), [shape], {
        ...exact,
        absolute: 1e-6,
      });
    }
  });

  test("concat", async () => {
    for (const shape of [[2], [3, 5], [2, 3, 7, 11], [2, 1, 3, 1, 2, 5]]) {
      for (let axis = 0; axis < shape.length; axis++) {
        const shapes = [1, 3, 2].map((n) => shape.map((size, k) => (k === axis ? n * 7 : size)));
        await compareWithCpu(devices, `concat along ${axis}`, (parts) => concat(parts, axis), shapes, exact);
      }
    }
    await compareWithCpu(devices, "concat of one", (parts) => concat(parts), [[3, 2]], exact);
  });

  test("broadcastTo", async () => {
    const cases: [Shape, Shape][] = [
      [[], [129]],
      [[1], [3, 2]],
      [[7], [65, 7]],
      [
        [5, 1],
        [5, 67],
      ],
      [
        [3, 1, 1],
        [2, 3, 5, 7],
      ],
      [
        [2, 1, 3, 1, 2, 1],
        [2, 3, 3, 2, 2, 5],
      ],
    ];
    for (const [from, to] of cases) {
      await compareWithCpu(devices, `[${from}] to [${to}]`, ([x]) => broadcastTo(x, to), [from], {
        absolute: 1e-4,
      });
    }
  });

  test("grids that fold", async () => {
    const many = 65536 * 64 + 3;
    const long = { shape: [many], values: Float32Array.from({ length: many }, (_, i) => i % 4099) };
    const ends = ([x]: Tensor[]) => concat([slice(x, [0], [5]), slice(x, [-5], [many])]);
    const shifted = ([x]: Tensor[]) => ends([concat([x, slice(x, [0], [1])])]);
    await compareWithCpu(devices, "copy and fill", shifted, [long], exact);
  });
});

describe("split", () => {
  test("cuts into parts of one size, of which the last may be smaller, or of given sizes", () => {
    const x = ramp([2, 5]);
    expect(split(x, 2, 1).map(values)).toEqual([
      [0, 1, 5, 6],
      [2, 3, 7, 8],
      [4, 9],
    ]);
    expect(split(x, [1, 4], -1).map(({ shape }) => shape)).toEqual([
      [2, 1],
      [2, 4],
    ]);
    expect(values(concat(split(x, [2, 2, 1], 1), 1))).toEqual(values(x));
    expect(split(x, 9).map(values)).toEqual([values(x)]);
  });

  test("gradients and kernels", async () => {
    const joined = (x: Tensor, sizes: number | number[]) =>
      concat(
        split(x, sizes, 1).map((part, i) => mul(part, i + 1)),
        1,
      );
    gradcheck((x) => joined(x, [1, 3]), [input([2, 4, 3])]);
    await compareWithCpu(devices, "split", ([x]) => joined(x, 3), [[5, 7, 9]]);
  });

  test("errors", () => {
    expect(() => split(ramp([2, 5]), [2, 2], 1)).toThrow(
      "split: the sizes [2, 2] do not add up to the 5 of axis 1 of a tensor of shape [2, 5].",
    );
    expect(() => split(ramp([2, 5]), 0)).toThrow(
      "split: sizes must be a size of at least 1 or a list of such sizes",
    );
  });
});
