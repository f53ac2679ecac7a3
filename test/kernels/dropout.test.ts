import { describe, expect, test } from "vitest";
import { dropout, threefry } from "../../src/kernels/dropout/index.ts";
import { mul } from "../../src/kernels/elementwise/index.ts";
import { mean } from "../../src/kernels/reduce/index.ts";
import { full, ones, randn, tensor } from "../../src/tensor/create.ts";
import { manualSeed, Random } from "../../src/tensor/random.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const values = (x: Tensor) => Array.from(x.cpuStorage.array);

test("Threefry-2x32-20 gives the numbers that its authors publish", () => {
  // kat_vectors of Random123, as words of the counter and of the key. Here the counter's second word is 0.
  expect(threefry([0, 0], 0)).toEqual([0x6b200159, 0x99ba4efe]);
});

describe("definition", () => {
  const x = ones([10_000], { device: cpu });

  test("about p of the elements are 0, the others 1 / (1 - p), without a pattern", () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const y = values(dropout(x, p, { random: new Random(1) }));
      const kept = y.filter((value) => value !== 0);
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - p))]));
      // Four standard deviations of a binomial distribution.
      const room = 4 * Math.sqrt(10_000 * p * (1 - p));
      expect(Math.abs(kept.length - 10_000 * (1 - p))).toBeLessThan(room);
      for (const distance of [1, 2, 4, 64]) {
        const both = y.filter((value, i) => value !== 0 && y[i + distance]).length;
        expect(Math.abs(both - 10_000 * (1 - p) ** 2)).toBeLessThan(room + distance);
      }
    }
  });

  test("the seed decides, and every call draws anew", () => {
    const draw = (random: Random) => [1, 2].map(() => values(dropout(x, 0.5, { random })));
    const [first, second] = draw(new Random(1));
    expect(second).not.toEqual(first);
    expect(draw(new Random(1))).toEqual([first, second]);
    expect(draw(new Random(2))[0]).not.toEqual(first);
    manualSeed(1);
    expect(values(dropout(x))).toEqual(first);
    manualSeed(0);
  });

  test("the edges: p of 0 and 1, no training, NaN", () => {
    expect(dropout(x, 0)).toBe(x);
    expect(dropout(x, 0.5, { training: false })).toBe(x);
    expect(new Set(values(dropout(x, 1)))).toEqual(new Set([0]));
    const nan = full([20], Number.NaN, { device: cpu });
    expect(values(dropout(nan)).every(Number.isNaN)).toBe(true);
    expect(() => dropout(x, 1.5)).toThrow(/dropout: p must be a number from 0 to 1, got 1.5/);
    expect(() => dropout(x, 0.5, { random: 1 as never })).toThrow(/dropout: random must be a Random/);
  });
});

test("gradients against differences", () => {
  for (const shape of [[7], [2, 3, 4]]) {
    gradcheck(
      (x) => dropout(x, 0.4, { random: new Random(5) }),
      [randn(shape, { random: new Random(2), device: f64 })],
    );
  }
});

test("two calls before backward: each gradient has its own mask", () => {
  const x = tensor(new Array(64).fill(1), undefined, { device: cpu, requiresGrad: true });
  const random = new Random(3);
  const [a, b] = [dropout(x, 0.5, { random }), dropout(x, 0.5, { random })];
  expect(values(a)).not.toEqual(values(b));
  const gradients = backward(mean(mul(a, b)));
  const want = values(a).map((v, i) => (2 * v * values(b)[i]) / 64);
  expect(values(gradients.get(x)!)).toEqual(want);
});

describe("kernels against the references: the same elements to the bit", () => {
  test.each([0.1, 0.5, 1])("p = %d", async (p) => {
    for (const shape of [[1], [2], [3], [5], [257], [3, 1021]]) {
      for (const seed of [1, 2 ** 40]) {
        const f = ([x]: Tensor[]) => dropout(x, p, { random: new Random(seed) });
        await compareWithCpu(devices, `dropout of [${shape}]`, f, [shape], { absolute: 0, relative: 2e-7 });
      }
    }
  });

  test("NaN and infinity, as in PyTorch: 0 times them is NaN", async () => {
    const x = { shape: [64], values: Array.from({ length: 64 }, (_, i) => [Number.NaN, Infinity, 1][i % 3]) };
    const f = ([x]: Tensor[]) => dropout(x, 0.5, { random: new Random(1) });
    await compareWithCpu(devices, "dropout of NaN", f, [x]);
  });
});
