import { describe, expect, test } from "vitest";
import { pixelShuffle, pixelUnshuffle } from "../../src/kernels/pixel-shuffle/index.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { numel, type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck, weightedLoss } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const f64 = float64Device();
const cpu = float32Device();
const random = new Random(1);
const input = (shape: Shape) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
/** 0, 1, 2, … */
const counting = (shape: Shape, device = cpu) =>
  tensor(
    Float32Array.from({ length: numel(shape) }, (_, i) => i),
    shape,
    { device },
  );

describe("definition", () => {
  test("four channels become blocks of 2 x 2, row by row", () => {
    // Channel k has the values 2k and 2k + 1.
    const y = pixelShuffle(counting([1, 4, 1, 2]), 2);
    expect(y.shape).toEqual([1, 1, 2, 4]);
    expect(values(y)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  test("PyTorch's channel order: the first r * r channels become the first channel, not every c-th", () => {
    const y = pixelShuffle(counting([1, 8, 1, 1]), 2);
    expect(y.shape).toEqual([1, 2, 2, 2]);
    expect(values(y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("unshuffling takes a picture apart", () => {
    const y = pixelUnshuffle(counting([1, 1, 2, 6]), 2);
    expect(y.shape).toEqual([1, 4, 1, 3]);
    expect(values(y)).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
  });

  test("errors", () => {
    expect(() => pixelShuffle(counting([1, 6, 2, 2]), 2)).toThrow(ShapeError);
    expect(() => pixelShuffle(counting([1, 6, 2, 2]), 2)).toThrow(/pixelShuffle: .*\[1, 6, 2, 2\].*2 \* 2/);
    expect(() => pixelShuffle(counting([4, 2, 2]), 2)).toThrow(/\[n, c, h, w\].*\[4, 2, 2\]/);
    expect(() => pixelUnshuffle(counting([1, 1, 4, 6]), 4)).toThrow(/pixelUnshuffle: .*multiples of 4/);
    for (const r of [0, -2, 1.5]) expect(() => pixelShuffle(counting([1, 4, 2, 2]), r)).toThrow(RangeError);
  });
});

test.each([1, 2, 3])("gradients, r = %i", (r) => {
  gradcheck((x) => pixelShuffle(x, r), [input([2, 2 * r * r, 2, 3])]);
  gradcheck((x) => pixelUnshuffle(x, r), [input([2, 2, 2 * r, 3 * r])]);
});

// [n, c, h, w] of the coarse picture over r * r channels for each of the c.
const shapes: Shape[] = [
  [1, 1, 1, 1],
  [2, 3, 5, 7],
  [1, 3, 1, 13],
  [3, 1, 17, 1],
  [1, 2, 31, 33], // fine widths around the workgroup's 64
  [2, 5, 9, 65],
];

describe.each([1, 2, 3, 4])("r = %i", (r) => {
  test.each(shapes)("kernels on [%i, %i, %i, %i]", async (n, c, h, w) => {
    const coarse = [n, c * r * r, h, w];
    const fine = [n, c, h * r, w * r];
    const exact = { absolute: 0, relative: 0 };
    await compareWithCpu(devices, `shuffle ${coarse}`, ([x]) => pixelShuffle(x, r), [coarse], exact);
    await compareWithCpu(devices, `unshuffle ${fine}`, ([x]) => pixelUnshuffle(x, r), [fine], exact);
  });

  test("undo each other", async () => {
    for (const device of [cpu, ...devices]) {
      const x = counting([2, 3 * r * r, 5, 7], device as typeof cpu);
      expect(await pixelUnshuffle(pixelShuffle(x, r), r).data()).toEqual(await x.data());
      const y = counting([2, 3, 5 * r, 7 * r], device as typeof cpu);
      expect(await pixelShuffle(pixelUnshuffle(y, r), r).data()).toEqual(await y.data());
    }
  });

  test("<A x, y> = <x, A' y>", () => {
    const x = input([2, 2 * r * r, 3, 4]);
    const y = values(input([2, 2, 3 * r, 4 * r]));
    x.requiresGrad = true;
    const ax = pixelShuffle(x, r);
    const aty = values(backward(weightedLoss(ax, y)).get(x)!);
    const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);
    expect(dot(values(ax), y)).toBeCloseTo(dot(values(x), aty), 10);
  });
});

test("more planes and rows than a grid has workgroups", async () => {
  const exact = { absolute: 0, relative: 0, gradients: false };
  for (const coarse of [
    [1, 4 * 66000, 1, 1],
    [1, 4, 270000, 1],
  ]) {
    await compareWithCpu(devices, `shuffle ${coarse}`, ([x]) => pixelShuffle(x, 2), [coarse], exact);
  }
});
