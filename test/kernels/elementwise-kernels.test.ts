/** Kernels of operations on single elements, against the references. */
import { expect, test } from "vitest";
import * as ops from "../../src/kernels/elementwise/index.ts";
import { detach } from "../../src/kernels/layout/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { numel, type Shape } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { type CompareInput, compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import {
  binary,
  comparisons,
  positiveNumbers,
  shapePairs,
  signedNumbers,
  unary,
} from "../support/elementwise.ts";

const { add, mul, prelu, relu, neg, where } = ops;
const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(5);
const values = (x: Tensor) => Array.from(x.cpuStorage.array);

const signed = (shape: Shape) => signedNumbers(shape, random);
const positive = (shape: Shape) => positiveNumbers(shape, random);

// Kernels work on four elements at a time, 256 per workgroup.
const lengths = [1, 2, 3, 4, 5, 67, 255, 256, 257, 1021];

for (const { name, f, domain } of unary) {
  test(name, async () => {
    for (const length of lengths)
      await compareWithCpu(devices, name, ([x]) => f(x), [fill([length], domain)]);
    await compareWithCpu(devices, name, ([x]) => f(x), [fill([2, 1, 3, 1, 2, 5], domain)]);
  });
}

for (const { name, f, domain } of binary) {
  test(name, async () => {
    const wide: [Shape, Shape][] = [
      [[257], [257]],
      [[3, 85], [85]],
      [
        [3, 5, 17],
        [5, 1],
      ],
      [
        [2, 3, 9, 7],
        [3, 1, 1],
      ],
    ];
    for (const [a, b] of [...shapePairs, ...wide]) {
      const label = `${name} of [${a}] and [${b}]`;
      const inputs = [fill(a, domain), fill(b, domain)];
      await compareWithCpu(devices, label, ([x, y]) => f(x, y), inputs, { absolute: 1e-4 });
    }
  });
}

test("symmetricGate", () =>
  compareWithCpu(devices, "gate", ([z, x]) => ops.symmetricGate(z, x), [
    [2, 3, 7, 5],
    [2, 3, 7, 5],
  ]));

test("prelu", async () => {
  for (const slopes of [[], [1], [5]]) {
    for (const shape of [
      [2, 5, 3, 7],
      [3, 5],
      [1, 5, 9],
    ]) {
      await compareWithCpu(devices, `prelu of [${shape}]`, ([x, w]) => prelu(x, w), [shape, slopes]);
    }
  }
});

test("comparisons", async () => {
  const few = (shape: Shape) => ({
    shape,
    values: Array.from({ length: numel(shape) }, () => random.int(3)),
  });
  const options = { gradients: false, absolute: 0, relative: 0 };
  const row = { shape: [7], values: [Number.NaN, -Infinity, -1, 0, 1, Infinity, Number.NaN] };
  const column = { shape: [7, 1], values: row.values };
  for (const [name, f] of Object.entries(comparisons)) {
    for (const [a, b] of shapePairs)
      await compareWithCpu(devices, name, ([x, y]) => f(x, y), [few(a), few(b)], options);
    await compareWithCpu(devices, `${name} of NaN`, ([x, y]) => f(x, y), [row, column], options);
    await compareWithCpu(devices, `${name} of NaN`, ([x, y]) => f(x, y), [row, row], options);
    await compareWithCpu(devices, `${name} 1`, ([x]) => f(x, 1), [row], options);
  }
});

test("where", async () => {
  const choice = (shape: Shape) => ({
    shape,
    values: Array.from({ length: numel(shape) }, () => random.int(2)),
  });
  for (const [a, b] of shapePairs) {
    for (const c of [a, b]) {
      const inputs = [choice(c), a, b];
      const f = ([c, x, y]: Tensor[]) => where(c, mul(x, 2), mul(y, 3));
      await compareWithCpu(
        devices,
        `where [${c}] [${a}] [${b}]`,
        ([c, ...xy]) => f([detach(c), ...xy]),
        inputs,
        {
          gradients: false,
        },
      );
      const condition = Float32Array.from(choice(c).values);
      await compareWithCpu(
        devices,
        `where [${c}] [${a}] [${b}]`,
        ([x, y]) => where(tensor(condition, c, { device: x.device }), x, y),
        [a, b],
      );
    }
  }
  const odd = { shape: [6], values: [0, -0, Number.NaN, Infinity, -1e-40, 1] };
  const nan = { shape: [6], values: [Number.NaN, 1, 2, Number.NaN, 4, 5] };
  const exact = { gradients: false, absolute: 0, relative: 0 };
  for (const f of [
    ([c, x]: Tensor[]) => where(c, x, 7),
    ([c, x]: Tensor[]) => where(c, 7, x),
    ([c, x]: Tensor[]) => where(c, x, neg(x)),
  ]) {
    await compareWithCpu(devices, "where with numbers", f, [odd, nan], exact);
  }
});

test("clamp: infinity is not at a bound that is left out", async () => {
  const numbers = [-Infinity, -1, 0, 1, Infinity, Number.NaN];
  for (const device of [cpu, ...devices]) {
    using _ = scope();
    const x = tensor(numbers, undefined, { device, requiresGrad: true });
    const gradient = async (y: Tensor) => [...(await backward(sum(y)).get(x)!.data())];
    // As PyTorch has it.
    expect(await gradient(ops.clamp(x, 0)), device.name).toEqual([0, 0, 0, 1, 1, 0]);
    expect(await gradient(ops.clamp(x, undefined, 0)), device.name).toEqual([1, 1, 0, 0, 0, 0]);
    expect(await gradient(ops.clamp(x, -2, Infinity)), device.name).toEqual([0, 1, 1, 1, 0, 0]);
    expect([...(await ops.clamp(x, 0).data())]).toEqual([0, 0, 0, 1, Infinity, Number.NaN]);
    expect([...(await ops.clamp(x, undefined, 0).data())]).toEqual([-Infinity, -1, 0, 0, 0, Number.NaN]);
  }
});

test("where functions saturate or overflow", async () => {
  const far = [
    -1e30, -1000, -200, -100, -89, -30, -16, -1e-30, 0, 1e-30, 16, 30, 88, 89, 100, 200, 1000, 1e30,
  ];
  for (const { name, f, far: isDefined } of unary) {
    // At ±16, 1 - tanh² is 0 in one rounding and 2e-7 in another.
    if (isDefined) await compareAt(far, `${name}, far`, f, { absolute: 3e-7 });
  }
  const ends = [-1, 0, 1e-30, 1, 1e30];
  await compareAt(ends, "log", ops.log);
  await compareAt(ends, "sqrt", ops.sqrt, { gradients: false });
});

test("small results, to as many digits as large ones", async () => {
  const sizes = [1e-20, 1e-10, 1e-6, 1e-3, 0.01, 2, 5, 8, 10, 15, 30, 60, 80, 1e4, 1e8];
  const numbers = [...sizes.map((size) => -size), ...sizes];
  let small = 0;
  for (const { name, f, domain } of unary) {
    const results = values(f(tensor(numbers, undefined, { device: f64 }))).map(Math.abs);
    // Below 1e-35 a GPU may take numbers for 0.
    const at = numbers.filter(
      (x, i) => results[i] > 1e-35 && results[i] < 1e-2 && (x > 0 || domain === "all"),
    );
    if (at.length === 0) continue;
    small += at.length;
    // WGSL lets exp(-80) be off by 163 of its last binary digit.
    await compareAt(at, `${name}, small`, f, { absolute: 0, relative: 1e-4, gradients: false });
  }
  expect(small).toBeGreaterThan(50);
});

test("numbers from 1e-8 to 100, with a small relative error, and gradients", async () => {
  const sizes = Array.from({ length: 101 }, (_, i) => 10 ** (-8 + i / 10));
  const signed = [...sizes.map((size) => -size), ...sizes];
  const near = { absolute: 0, relative: 3e-6 };
  // WGSL's exp and pow lose with the size of the exponent, in either direction.
  const close = { absolute: 0, relative: 2e-5 };
  for (const { name, f, domain } of unary) {
    const all = domain === "all" ? signed : sizes;
    // Farther out, some gradients are differences of nearly equal numbers.
    await compareAt(
      all.filter((x) => Math.abs(x) < 0.5),
      `${name}, near 0`,
      f,
      close,
    );
    const results = values(f(tensor(all, undefined, { device: f64 }))).map(Math.abs);
    const at = all.filter((_, i) => results[i] > 1e-35);
    await compareAt(at, name, f, { ...close, gradients: false });
  }
  const row = { shape: [signed.length], values: signed };
  const noGradients = { ...near, gradients: false };
  const inputs = [row, { shape: [signed.length], values: signed.map(() => 1.5) }];
  await compareWithCpu(devices, "gate", ([z, x]) => ops.symmetricGate(z, x), inputs, noGradients);
  await compareWithCpu(devices, "gate", ([z, x]) => ops.symmetricGate(z, neg(x)), inputs, noGradients);
  const small = { shape: [sizes.length], values: sizes.map((size) => Math.min(size, 0.5)) };
  await compareWithCpu(devices, "gate", ([z, x]) => ops.symmetricGate(z, x), [small, small], near);
  const near1 = sizes.filter((size) => size < 0.9).flatMap((size) => [1 + size, 1 - size]);
  await compareAt(near1.filter((x) => Math.fround(x) !== 1).map(Math.fround), "log near 1", ops.log, near);
});

test("NaN stays NaN", async () => {
  const x: CompareInput = { shape: [5], values: [1, Number.NaN, -1, 0, Number.NaN] };
  const options = { absolute: 1e-5, gradients: false };
  for (const { name, f } of unary)
    await compareWithCpu(devices, `${name} of NaN`, ([x]) => f(x), [x], options);
  const y: CompareInput = { shape: [5], values: [Number.NaN, 2, 3, 4, Number.NaN] };
  for (const { name, f } of binary) {
    await compareWithCpu(devices, `${name} of NaN`, ([x, y]) => f(x, y), [x, y], options);
  }
  // The gradient is NaN wherever it depends on one.
  for (const { name, f, far } of unary) {
    if (far) await compareWithCpu(devices, `gradient of ${name} at NaN`, ([x]) => f(x), [x]);
  }
});

test("sin and cos stay in [-1, 1] wherever they are, and infinity has none", async () => {
  for (const device of devices) {
    using _ = scope();
    const far = [1e4, 1e6, 1e8, 1e10, 2 ** 31, 1e15, 1e30, 3.4e38].flatMap((x) => [x, -x]);
    const ends = [Infinity, -Infinity, Number.NaN];
    for (const f of [ops.sin, ops.cos]) {
      const x = tensor([...far, ...ends], undefined, { device, requiresGrad: true });
      const y = f(x);
      for (const results of [await y.data(), await backward(sum(y)).get(x)!.data()]) {
        const label = `${device.name}: ${results}`;
        expect(
          results.slice(0, far.length).every((v) => Math.abs(v) <= 1),
          label,
        ).toBe(true);
        expect(results.slice(far.length), label).toEqual(Float32Array.of(Number.NaN, Number.NaN, Number.NaN));
      }
    }
  }
});

test("grids that fold", async () => {
  const size = 65536 * 64 * 4 + 5;
  const ramp = Float32Array.from({ length: size }, (_, i) => (i % 4099) - 2000);
  for (const device of devices) {
    using _ = scope();
    const x = tensor(ramp, undefined, { device });
    const half = tensor([0.5], undefined, { device });
    const cases: [Tensor, (v: number) => number][] = [
      [relu(x), (v) => Math.max(v, 0)],
      [add(x, x), (v) => 2 * v],
      [add(x, half), (v) => v + 0.5],
    ];
    for (const [y, want] of cases) {
      const got = await y.data();
      const wrong = got.findIndex((value, i) => value !== want(ramp[i]));
      expect(wrong, `first wrong element on ${device.name}`).toBe(-1);
    }
  }
});

/** Compares a function of one number with its reference at each of these; an error says at which it is wrong. */
async function compareAt(
  numbers: readonly number[],
  label: string,
  f: (x: Tensor) => Tensor,
  options: Parameters<typeof compareWithCpu>[4] = {},
): Promise<void> {
  try {
    await compareWithCpu(
      devices,
      label,
      ([x]) => f(x),
      [{ shape: [numbers.length], values: numbers }],
      options,
    );
  } catch (error) {
    const element = /element (\d+) of/.exec((error as Error).message)?.[1];
    if (element) (error as Error).message += ` (at x = ${numbers[Number(element)]})`;
    throw error;
  }
}

/** signed() and positive() for comparisons. */
function fill(shape: Shape, domain: "all" | "positive"): CompareInput {
  const source = domain === "positive" ? positive(shape) : signed(shape);
  return { shape, values: Float32Array.from(source.cpuStorage.array) };
}
