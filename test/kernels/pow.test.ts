/** pow, whose results depend on the kinds of both numbers. elementwise.test.ts has what it shares with others. */
import { expect, test } from "vitest";
import { pow } from "../../src/kernels/elementwise/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type CompareInput, compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();

test("gradients of negative bases with whole exponents", () => {
  for (const exponent of [-3, -1, 0, 1, 2, 5])
    gradcheck((x) => pow(x, exponent), [tensor([-1.1, -0.7, -0.2, 0.3, 0.6, 1], { device: f64 })]);
  const exponents = tensor([2, 3, -1, 0], undefined, { device: f64 });
  gradcheck((x) => pow(x, exponents), [tensor([-0.9, 0.4, -0.5, 0.8], { device: f64 })]);
});

test("pow of every kind of base and exponent", async () => {
  const bases = [-2, -1.5, -1, 0, 0.5, 1, 3];
  const exponents = [-2, -1, -0.5, 0, 0.5, 1, 2, 3, 7];
  const column: CompareInput = { shape: [bases.length, 1], values: bases };
  for (const exponent of exponents) {
    await compareWithCpu(devices, `x ** ${exponent}`, ([x]) => pow(x, exponent), [column], {
      relative: 1e-5,
    });
  }
  const row = { shape: [exponents.length], values: exponents };
  await compareWithCpu(devices, "pow", ([a, b]) => pow(a, b), [column, row], { gradients: false });
  // Without the infinite slopes, which swallow the other terms of a sum.
  const finite = { shape: [bases.length - 1, 1], values: bases.filter((base) => base !== 0) };
  const whole = { shape: [6], values: exponents.filter(Number.isInteger).slice(0, 6) };
  await compareWithCpu(devices, "pow", ([a, b]) => pow(a, b), [finite, whole], { absolute: 1e-4 });
});

test("pow of infinite exponents", async () => {
  const bases = [-Infinity, -2, -1, -0.5, 0, 0.5, 1, 2, Infinity];
  const upwards = [Infinity, Infinity, 1, 0, 0, 0, 1, Infinity, Infinity];
  const downwards = [0, 0, 1, Infinity, Infinity, Infinity, 1, 0, 0];
  for (const device of [cpu, f64, ...devices]) {
    for (const [exponent, results] of [
      [Infinity, upwards],
      [-Infinity, downwards],
    ] as const) {
      using _ = scope();
      const x = tensor(bases, undefined, { device });
      const e = tensor([exponent], undefined, { device });
      expect(Array.from(await pow(x, exponent).data()), `${device.name} ${exponent}`).toEqual(results);
      expect(Array.from(await pow(x, e).data()), `${device.name} ${exponent}`).toEqual(results);
    }
  }
});

test("pow as IEEE 754 has it: the signs of zeros, powers of -Infinity, and NaN", async () => {
  const { NaN: nan } = Number;
  const cases = [
    [-0, [-Infinity, Infinity, Infinity, Infinity, Infinity, 1, 0, 0, 0, 0, -0, -0, nan]],
    [0, [Infinity, Infinity, Infinity, Infinity, Infinity, 1, 0, 0, 0, 0, 0, 0, nan]],
    [-Infinity, [-0, 0, 0, 0, 0, 1, Infinity, Infinity, Infinity, Infinity, -Infinity, -Infinity, nan]],
    [-8, [-1 / 8, 1 / 64, nan, nan, 0, 1, nan, nan, Infinity, 64, -8, -512, nan]],
    [1, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ] as const;
  const exponents = [-1, -2, -0.5, -1.5, -Infinity, 0, 0.5, 1.5, Infinity, 2, 1, 3, nan];
  for (const device of [cpu, f64, ...devices]) {
    using _ = scope();
    const e = tensor(exponents, undefined, { device });
    for (const [base, results] of cases) {
      const y = await pow(tensor([base], undefined, { device }), e).data();
      for (const [i, result] of results.entries()) {
        const label = `${device.name}: ${base} ** ${exponents[i]}`;
        if (Number.isFinite(result) && result !== 0) expect(y[i], label).toBeCloseTo(result, 2);
        else expect(y[i], label).toBe(result); // which tells -0 from 0
      }
      const byNumber = await pow(tensor([base], undefined, { device }), -1).data();
      expect(byNumber[0], `${device.name}: ${base} ** -1`).toBe(results[0]);
    }
  }
});
