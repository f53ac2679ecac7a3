/** Layer and group normalization against their definitions. */
import { describe, expect, test } from "vitest";
import { onDevice } from "../../src/device/open.ts";
import { GroupNorm, groupNorm, LayerNorm, layerNorm } from "../../src/nn/index.ts";
import { ones, randn, zeros } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(7);
const input = (...shape: number[]) => randn(shape, { random, device: f64 });
const values = (x: Tensor) => Array.from(x.cpuStorage.array);

/** Each run of `length` numbers with mean 0 and variance 1, times weight plus bias of its place. */
function standardized(x: number[], length: number, eps: number): number[] {
  return x.map((value, i) => {
    const run = x.slice(i - (i % length), i - (i % length) + length);
    const mean = run.reduce((a, b) => a + b) / length;
    const variance = run.reduce((sum, v) => sum + (v - mean) ** 2, 0) / length;
    return (value - mean) / Math.sqrt(variance + eps);
  });
}

function expectNear(got: Tensor, want: number[]): void {
  for (const [i, value] of values(got).entries()) expect(value).toBeCloseTo(want[i], 10);
}

describe("layerNorm", () => {
  test("normalizes over the last axes", () => {
    const [x, w, b] = [input(2, 3, 4), input(3, 4), input(3, 4)];
    const plain = standardized(values(x), 12, 1e-5);
    expectNear(layerNorm(x, [3, 4]), plain);
    expectNear(layerNorm(x, 4), values(layerNorm(x, [4])));
    expectNear(layerNorm(x, [4], undefined, undefined, { eps: 0.1 }), standardized(values(x), 4, 0.1));
    expectNear(
      layerNorm(x, [3, 4], w, b),
      plain.map((v, i) => v * values(w)[i % 12] + values(b)[i % 12]),
    );
  });

  test("gradients, kernels, errors", async () => {
    gradcheck((x, w, b) => layerNorm(x, [4], w, b), [input(2, 3, 4), input(4), input(4)]);
    await compareWithCpu(devices, "layerNorm", ([x, w, b]) => layerNorm(x, [5, 13], w, b), [
      [3, 5, 13],
      [5, 13],
      [5, 13],
    ]);
    expect(() => layerNorm(input(2, 3), [2])).toThrow(ShapeError);
    expect(() => layerNorm(input(2, 3), [3], input(2))).toThrow(
      "layerNorm: weight has shape [2] and must have [3].",
    );
  });
});

describe("groupNorm", () => {
  test("normalizes over groups of channels of each picture", () => {
    const [x, w, b] = [input(2, 4, 3, 2), input(4), input(4)];
    const plain = standardized(values(x), 12, 1e-5);
    expectNear(groupNorm(x, 2), plain);
    const channel = (i: number) => Math.floor(i / 6) % 4;
    expectNear(
      groupNorm(x, 2, w, b),
      plain.map((v, i) => v * values(w)[channel(i)] + values(b)[channel(i)]),
    );
    expectNear(groupNorm(x, 4), standardized(values(x), 6, 1e-5));
  });

  test("gradients, kernels, errors", async () => {
    gradcheck((x, w, b) => groupNorm(x, 2, w, b), [input(2, 4, 3), input(4), input(4)]);
    await compareWithCpu(devices, "groupNorm", ([x, w, b]) => groupNorm(x, 3, w, b), [
      [2, 6, 5, 7],
      [6],
      [6],
    ]);
    expect(() => groupNorm(input(2, 3), 2)).toThrow(
      "groupNorm: x must be [n, c, …] with channels that 2 groups can",
    );
    expect(() => groupNorm(input(2, 4), 2, input(4), input(3))).toThrow("groupNorm: bias has shape [3]");
  });
});

test("the layers learn a weight and a bias, with PyTorch's names, and leave nothing behind under noGrad", () => {
  onDevice(cpu, () => {
    const [layer, group] = [new LayerNorm([2, 3]), new GroupNorm(2, 4)];
    expect([...layer.namedTensors().keys()]).toEqual(["weight", "bias"]);
    expect(group.parameterCount()).toBe(8);
    expect(new GroupNorm(1, 4, { affine: false }).parameters()).toEqual([]);
    expect(new LayerNorm(3).weight?.shape).toEqual([3]);
    expect(values(layer.forward(ones([1, 2, 3])))).toEqual([0, 0, 0, 0, 0, 0]);
    const x = zeros([1, 4, 2, 3]);
    using _ = scope();
    for (const module of [layer, group, new GroupNorm(4, 4, { affine: false })]) {
      const before = cpu.memory().live;
      const y = noGrad(() => module.forward(x));
      expect(cpu.memory().live).toBe(before + 1);
      expect(y.shape).toEqual(x.shape);
      // A view that nobody disposes is no memory of its own, but keeps the module's.
      const own = [...module.namedTensors().values()];
      for (const { storage } of own) expect(storage.refs).toBe(1);
      module.dispose();
      expect(cpu.memory().live).toBe(before + 1 - own.length);
      expect(x.disposed).toBe(false);
    }
    expect(() => new LayerNorm(3, { elementwise_affine: false } as object)).toThrow(
      'LayerNorm: the option "elementwise_affine" is called affine here.',
    );
    expect(() => new GroupNorm(3, 4)).toThrow("GroupNorm: 3 groups cannot share 4 channels equally.");
  });
});

test("refuse float16 by their own names", () => {
  onDevice(cpu, () => {
    const x = zeros([1, 4, 2, 3], { dtype: "float16" });
    for (const module of [new LayerNorm([2, 3]), new GroupNorm(2, 4)]) {
      const name = module instanceof LayerNorm ? "layerNorm" : "groupNorm";
      const wants = `${name}: takes tensors of float32 alone, and`;
      expect(() => noGrad(() => module.forward(x))).toThrow(`${wants} x is stored as float16`);
      const half = module.half();
      expect(() => noGrad(() => half.forward(zeros(x.shape)))).toThrow(
        `${wants} weight is stored as float16`,
      );
    }
  });
});
