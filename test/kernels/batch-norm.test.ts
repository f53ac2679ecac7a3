import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { batchNorm, type RunningStatistics } from "../../src/kernels/batch-norm/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { full, randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { numel, type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(3);

/** Running statistics of c channels, neither 0 nor 1. */
function running(c: number, device: Device, batches = 2): RunningStatistics {
  const of = (f: (i: number) => number) =>
    tensor(
      Array.from({ length: c }, (_, i) => f(i)),
      [c],
      { device },
    );
  return {
    mean: of((i) => i / 7 - 0.3),
    variance: of((i) => 0.5 + i / 5),
    batches: full([], batches, { device }),
  };
}

describe("definition", () => {
  const x = () => tensor([1, 2, 3, 4, 10, 10, 20, 20], [2, 2, 1, 2], { device: cpu });
  const one = () => full([2], 1, { device: cpu });
  const zero = () => full([2], 0, { device: cpu });

  test("a batch gets mean 0 and variance 1 in each channel, and moves the running statistics", async () => {
    const statistics = { mean: zero(), variance: one(), batches: full([], 0, { device: cpu }) };
    const y = batchNorm(x(), statistics, one(), zero(), { training: true, momentum: 0.5 });
    const [a, b] = [Math.sqrt(18.1875), Math.sqrt(68.1875)]; // of 1 2 10 10 and 3 4 20 20
    expectClose(
      await y.data(),
      [-4.75 / a, -3.75 / a, -8.75 / b, -7.75 / b, 4.25 / a, 4.25 / a, 8.25 / b, 8.25 / b],
      { absolute: 1e-6 },
    );
    expectClose(await statistics.mean.data(), [2.875, 5.875]);
    // Unbiased: 4/3 of the batch's own.
    expectClose(await statistics.variance.data(), [0.5 + (18.1875 * 2) / 3, 0.5 + (68.1875 * 2) / 3]);
    expect(await statistics.batches.item()).toBe(1);
  });

  test("momentum null makes plain averages", async () => {
    const statistics = { mean: zero(), variance: one(), batches: full([], 0, { device: cpu }) };
    for (const factor of [1, 2, 6]) {
      const batch = tensor(
        [1, 2, 3, 4, 10, 10, 20, 20].map((v) => v * factor),
        [2, 2, 1, 2],
        { device: cpu },
      );
      batchNorm(batch, statistics, one(), zero(), { training: true, momentum: null });
    }
    expectClose(await statistics.mean.data(), [5.75 * 3, 11.75 * 3]);
    expect(await statistics.batches.item()).toBe(3);
  });

  test("without training the running statistics count, and stay", async () => {
    const statistics = {
      mean: one(),
      variance: full([2], 4, { device: cpu }),
      batches: full([], 0, { device: cpu }),
    };
    const y = batchNorm(x(), statistics, one(), one(), { eps: 1e-12 });
    expectClose(await y.data(), [1, 1.5, 2, 2.5, 5.5, 5.5, 10.5, 10.5]);
    expect(await statistics.mean.data()).toEqual(Float32Array.of(1, 1));
  });

  test("backward refuses running statistics that have moved since", () => {
    const statistics = running(2, cpu);
    const w = full([2], 1, { device: cpu, requiresGrad: true });
    const y = sum(batchNorm(x(), statistics, w, zero()));
    batchNorm(x(), statistics, w, zero(), { training: true });
    expect(() => backward(y)).toThrow("has been overwritten since");
  });

  test("errors", () => {
    const statistics = running(2, cpu);
    expect(() => batchNorm(x(), statistics, full([3], 1, { device: cpu }), zero())).toThrow(
      "batchNorm: w has shape [3], and x [2, 2, 1, 2]. Want x [n, c, …] and w [c].",
    );
    expect(() =>
      batchNorm(tensor([1, 2], [1, 2], { device: cpu }), statistics, one(), zero(), { training: true }),
    ).toThrow(/one value per channel/);
    expect(() => batchNorm(tensor([1, 2], [2], { device: cpu }), statistics, one(), zero())).toThrow(
      ShapeError,
    );
    expect(() => batchNorm(x(), statistics, one(), zero(), { momentum: 2 })).toThrow(
      /momentum must be a number from/,
    );
    expect(() => batchNorm(x(), statistics, one(), zero(), { eps: 0 })).toThrow(
      /eps must be a number above 0/,
    );
  });
});

test("gradients against differences", () => {
  const input = (shape: Shape) => randn(shape, { random, device: f64 });
  for (const training of [true, false]) {
    for (const shape of [
      [4, 3],
      [2, 3, 2],
      [2, 2, 3, 2],
      [1, 1, 2, 3],
    ]) {
      const c = shape[1];
      const f = (x: Tensor, w: Tensor, b: Tensor) => batchNorm(x, running(c, f64), w, b, { training });
      gradcheck(f, [input(shape), input([c]), input([c])]);
    }
  }
});

describe("kernels against the references", () => {
  // Around the length at which several workgroups share a channel.
  const shapes: Shape[] = [
    [2, 1],
    [5, 3],
    [3, 5, 7],
    [2, 7, 5, 9],
    [1, 1, 64, 64],
    [1, 2, 64, 65],
    [3, 2, 71, 67],
    [2, 66, 9, 8],
  ];
  test.each([true, false])("training %s", async (training) => {
    for (const shape of shapes) {
      const [, c] = shape;
      const f = ([x, w, b]: Tensor[]) => batchNorm(x, running(c, x.device), w, b, { training });
      for (const adapterClass of [undefined, "gpu"] as const) {
        const options = { absolute: 1e-4, relative: 1e-5, adapterClass };
        await compareWithCpu(devices, `batchNorm of [${shape}]`, f, [shape, [c], [c]], options);
      }
    }
  });

  test("running statistics, by momentum and as averages", async () => {
    for (const momentum of [0.1, null]) {
      for (const which of ["mean", "variance", "batches"] as const) {
        const f = ([x]: Tensor[]) => {
          const statistics = running(3, x.device);
          const one = full([3], 1, { device: x.device });
          for (let i = 0; i < 3; i++) batchNorm(x, statistics, one, one, { training: true, momentum });
          return statistics[which];
        };
        await compareWithCpu(devices, `running ${which}`, f, [[4, 3, 5, 6]], { gradients: false });
      }
    }
  });

  test("far from 0, the variance keeps its digits; and the last of several parts ends with the channel", async () => {
    for (const shape of [
      [64, 1, 8, 8],
      [1, 1, 131_041],
    ]) {
      const length = numel(shape);
      const x = { shape, values: Float32Array.from({ length }, (_, i) => 1000 + (i % 2)) };
      const ones = x.values.reduce((sum, value) => sum + value - 1000, 0) / length;
      for (const device of devices) {
        using _ = scope();
        const [zero, one] = [0, 1].map((value) => full([1], value, { device }));
        const statistics = {
          mean: zero,
          variance: full([1], 0, { device }),
          batches: full([], 0, { device }),
        };
        batchNorm(tensor(x.values, shape, { device }), statistics, one, one, { training: true, momentum: 1 });
        const want = ((ones - ones ** 2) * length) / (length - 1);
        expectClose(await statistics.variance.data(), [want], { relative: 2e-6 });
      }
    }
  });

  test("NaN makes its channel NaN, and no other", async () => {
    const values = Array.from({ length: 24 }, (_, i) => (i === 7 ? Number.NaN : i));
    const f = ([x, w, b]: Tensor[]) => batchNorm(x, running(3, x.device), w, b, { training: true });
    await compareWithCpu(devices, "NaN", f, [{ shape: [2, 3, 4], values }, [3], [3]], { absolute: 1e-4 });
  });
});
