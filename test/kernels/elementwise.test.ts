import { describe, expect, test } from "vitest";
import * as ops from "../../src/kernels/elementwise/index.ts";
import { detach } from "../../src/kernels/layout/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { rand, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { numel, type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { type CompareInput, compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { binary, comparisons, unary } from "../support/elementwise.ts";
import { gradcheck } from "../support/gradcheck.ts";

const { add, sub, mul, div, pow, prelu, clamp, leakyRelu, relu, eq, neg, where } = ops;
const devices = await gpuDevices();
const cpu = float32Device();
const f64 = float64Device();
const random = new Random(5);
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
const on = (shape: Shape, flat: number[]) => tensor(flat, shape, { device: cpu });

/** Positive and negative, and no closer than 0.1 to 0, where some functions have a kink or a pole. */
const signed = (shape: Shape) => {
  const x = rand(shape, { random, low: -1, high: 1, device: f64 });
  for (const [i, v] of x.cpuStorage.array.entries()) x.cpuStorage.array[i] = v + (v < 0 ? -0.1 : 0.1);
  return x;
};
const positive = (shape: Shape) => rand(shape, { random, low: 0.3, high: 2, device: f64 });

/** Either operand repeated along leading, inner and last axes; up to six axes. */
const pairs: [Shape, Shape][] = [
  [[], []],
  [[5], []],
  [[], [2, 3]],
  [
    [3, 4],
    [3, 4],
  ],
  [[3, 4], [4]],
  [
    [3, 4],
    [3, 1],
  ],
  [
    [1, 3],
    [4, 1],
  ],
  [
    [2, 1, 3],
    [5, 1],
  ],
  [
    [2, 3, 2, 2],
    [3, 1, 1],
  ],
  [
    [2, 1, 2, 1, 2, 3],
    [1, 2, 1, 3, 2, 1],
  ],
];

test("every operation has an entry in the tables, or a test of its own", () => {
  const own = ["prelu", "symmetricGate", "where"];
  const named = [...unary, ...binary].map(({ name }) => name.split(" ")[0]);
  const missing = Object.keys(ops).filter(
    (name) => !named.includes(name) && !own.includes(name) && !(name in comparisons),
  );
  expect(missing, "Add an entry for each to `unary` or `binary` in test/support/elementwise.ts.").toEqual([]);
});

describe("definition", () => {
  const x = on([4], [-2, -0.5, 0, 3]);

  test("one tensor", () => {
    expect(values(relu(x))).toEqual([0, 0, 0, 3]);
    expect(values(leakyRelu(x, 0.5))).toEqual([-1, -0.25, 0, 3]);
    expect(values(clamp(x, -1, 2))).toEqual([-1, -0.5, 0, 2]);
    expect(values(clamp(x, 0))).toEqual([0, 0, 0, 3]);
    expect(values(clamp(x, undefined, 0))).toEqual([-2, -0.5, 0, 0]);
    expect(values(ops.maximum(x, -1))).toEqual([-1, -0.5, 0, 3]);
    expect(values(ops.minimum(1, x))).toEqual([-2, -0.5, 0, 1]);
    expect([x, neg(x)].map(relu).map(values)).toEqual([
      [0, 0, 0, 3],
      [2, 0.5, 0, 0],
    ]);
    expect(relu.name).toBe("relu");
    expect(values(ops.abs(x))).toEqual([2, 0.5, 0, 3]);
    expect(values(ops.sqrt(on([2], [4, 9])))).toEqual([2, 3]);
    expect(values(ops.sigmoid(on([1], [0])))).toEqual([0.5]);
    expect(values(ops.silu(on([3], [0, 40, -200])))).toEqual([0, 40, -0]);
    expect(values(ops.exp(ops.log(on([2], [1, 4]))))[1]).toBeCloseTo(4, 5);
  });

  test("numbers as operands", () => {
    expect(values(add(x, 2))).toEqual([0, 1.5, 2, 5]);
    expect(values(add(x, 2, { alpha: 3 }))).toEqual([4, 5.5, 6, 9]);
    expect(values(add(2, x, { alpha: 3 }))).toEqual([-4, 0.5, 2, 11]);
    expect(values(sub(x, 1))).toEqual([-3, -1.5, -1, 2]);
    expect(values(sub(1, x))).toEqual([3, 1.5, 1, -2]);
    expect(values(mul(x, 2))).toEqual([-4, -1, 0, 6]);
    expect(values(mul(2, x))).toEqual([-4, -1, 0, 6]);
    expect(values(div(x, 2))).toEqual([-1, -0.25, 0, 1.5]);
    expect(values(div(6, on([2], [-2, 3])))).toEqual([-3, 2]);
    expect(values(pow(x, 2))).toEqual([4, 0.25, 0, 9]);
    expect(values(pow(2, x))).toEqual([0.25, Math.fround(2 ** -0.5), 1, 8]);
  });

  test("two tensors", () => {
    const column = on([2, 1], [10, 20]);
    const row = on([3], [1, 2, 4]);
    expect(add(column, row).shape).toEqual([2, 3]);
    expect(values(add(column, row))).toEqual([11, 12, 14, 21, 22, 24]);
    expect(values(add(column, row, { alpha: 2 }))).toEqual([12, 14, 18, 22, 24, 28]);
    expect(values(sub(row, column))).toEqual([-9, -8, -6, -19, -18, -16]);
    expect(values(mul(column, row))).toEqual([10, 20, 40, 20, 40, 80]);
    expect(values(div(column, row))).toEqual([10, 5, 2.5, 20, 10, 5]);
    expect(values(pow(row, on([3], [3, 2, 0.5])))).toEqual([1, 4, 2]);
    expect(values(eq(row, on([2, 1], [2, 4])))).toEqual([0, 1, 0, 0, 0, 1]);
  });

  test("comparisons, as in PyTorch: NaN is not equal to, below or above anything", () => {
    const row = on([4], [1, 2, 3, Number.NaN]);
    expect(values(ops.lt(row, 2))).toEqual([1, 0, 0, 0]);
    expect(values(ops.le(row, 2))).toEqual([1, 1, 0, 0]);
    expect(values(ops.gt(row, 2))).toEqual([0, 0, 1, 0]);
    expect(values(ops.ge(row, 2))).toEqual([0, 1, 1, 0]);
    expect(values(ops.eq(row, row))).toEqual([1, 1, 1, 0]);
    expect(values(ops.ne(row, row))).toEqual([0, 0, 0, 1]);
    expect(ops.lt(row, on([2, 1], [2, 3])).shape).toEqual([2, 4]);
  });

  test("maximum, minimum and where", () => {
    const [a, b] = [on([3], [1, Number.NaN, 5]), on([3], [2, 0, 4])];
    expect(values(ops.maximum(a, b))).toEqual([2, Number.NaN, 5]);
    expect(values(ops.minimum(a, b))).toEqual([1, Number.NaN, 4]);
    expect(values(where(on([3], [0, Number.NaN, -1]), a, b))).toEqual([2, Number.NaN, 5]);
    expect(values(where(ops.gt(x, 0), x, 9))).toEqual([9, 9, 9, 3]);
    expect(where(on([2, 1], [0, 1]), a, 1).shape).toEqual([2, 3]);
  });

  test("gelu and silu at known places", () => {
    // Tables of the normal distribution; sigmoid(1).
    const known = [-3, -1, 0, 0.5, 1, 2];
    const cdf = [
      0.0013498980316301, 0.1586552539314571, 0.5, 0.6914624612740131, 0.8413447460685429, 0.9772498680518208,
    ];
    const f64x = tensor(known, undefined, { device: f64 });
    for (const [i, v] of values(ops.gelu(f64x)).entries()) expect(v).toBeCloseTo(known[i] * cdf[i], 14);
    for (const [i, v] of values(ops.gelu(f64x, { approximate: "tanh" })).entries()) {
      expect(Math.abs(v - known[i] * cdf[i])).toBeLessThan(5e-4);
    }
    expect(values(ops.silu(tensor([1], undefined, { device: f64 })))[0]).toBeCloseTo(0.7310585786300049, 14);
  });

  test("the gate is odd in its first operand where the second is 0", () => {
    const [z, x] = [on([3], [0, 2, -2]), on([3], [5, 1, 1])];
    const gate = 1 / (1 + Math.exp(-2)) - 0.5;
    const [none, up, down] = values(ops.symmetricGate(z, x));
    expect(none).toBe(0);
    expect(up).toBeCloseTo(3 * gate, 6);
    expect(down).toBeCloseTo(gate, 6);
    expect(() => ops.symmetricGate(z, on([1], [1]))).toThrow(/symmetricGate: z \[3\] and x \[1\] must have/);
  });

  test("prelu takes one slope, or one per channel", () => {
    const picture = on([1, 2, 1, 2], [-1, 2, -3, -4]);
    expect(values(prelu(picture, on([], [0.5])))).toEqual([-0.5, 2, -1.5, -2]);
    expect(values(prelu(picture, on([2], [0.5, 2])))).toEqual([-0.5, 2, -6, -8]);
  });

  test("errors", () => {
    expect(() => add(on([2, 1], [1, 2]), on([3, 3], Array(9).fill(1)))).toThrow(
      /add: shapes \[2, 1\] and \[3, 3\]/,
    );
    expect(() => mul(x, on([2], [1, 2]))).toThrow(ShapeError);
    expect(() => sub(1, 2)).toThrow(/sub: .*two numbers/);
    expect(() => div(1, 2)).toThrow(RangeError);
    expect(() => add(1, 2)).toThrow(/add: .*two numbers/);
    expect(() => mul(1, 2)).toThrow(/mul: .*two numbers/);
    expect(() => ops.lt(0 as never, x)).toThrow("lt: the tensor comes first. Write gt(x, 0).");
    expect(() => ops.ge(0 as never, x)).toThrow("ge: the tensor comes first. Write le(x, 0).");
    expect(() => eq(2 as never, x)).toThrow("eq: the tensor comes first. Write eq(x, 2).");
    expect(() => pow(1, 2)).toThrow(/pow: .*two numbers/);
    expect(() => clamp(x, 1, 0)).toThrow(/clamp: .*1 and 0/);
    expect(() => clamp(x, Number.NaN, 0)).toThrow(RangeError);
    expect(() => prelu(on([1, 3], [1, 2, 3]), on([2], [1, 2]))).toThrow(/prelu: .*\[2\].*\[1, 3\].*\[3\]/);
    expect(() => prelu(x, on([2], [1, 2]))).toThrow(
      "prelu: the slopes have shape [2]; for x [4] they must be one number, as x has no axis of channels.",
    );
    expect(() => add(x, tensor([1], undefined, { device: f64 }))).toThrow(/add: b is on cpu and a on /);
    expect(() => ops.lt(x, "1" as never)).toThrow(/lt: b must be a tensor or a number, got "1"/);
    expect(() => ops.maximum(x, "0" as never)).toThrow(/maximum: b must be a tensor or a number, got "0"/);
    expect(() => ops.minimum(1, 2)).toThrow(/minimum: .*two numbers/);
    expect(() => clamp(x)).toThrow("clamp: give low or high or both");
    expect(() => (relu as (x: Tensor, options: object) => Tensor)(x, { inplace: true })).toThrow(
      'relu: takes a tensor and no options, got {"inplace":true}.',
    );
    expect(() => where(x, true as never, x)).toThrow(/where: a must be a tensor or a number, got true/);
    expect(() => where(on([3], [1, 2, 3]), x, x)).toThrow(ShapeError);
    expect(() => ops.gelu(x, { approximate: "sigmoid" as never })).toThrow(
      /gelu: approximate must be none or tanh/,
    );
  });
});

describe("gradients against differences", () => {
  for (const { name, f, domain } of unary) {
    test(name, () => {
      for (const shape of [[], [7], [2, 3, 2]])
        gradcheck(f, [domain === "positive" ? positive(shape) : signed(shape)]);
    });
  }

  for (const { name, f, domain } of binary) {
    test(name, () => {
      const input = domain === "positive" ? positive : signed;
      for (const [a, b] of pairs) gradcheck(f, [input(a), input(b)]);
      gradcheck((x) => f(x, x), [input([3])]);
    });
  }

  test("symmetricGate", () => gradcheck(ops.symmetricGate, [signed([2, 3, 4]), signed([2, 3, 4])]));

  test("prelu", () => {
    for (const slopes of [[], [1], [3]]) gradcheck(prelu, [signed([2, 3, 2, 2]), positive(slopes)]);
    gradcheck(prelu, [signed([4, 3]), positive([3])]);
    gradcheck(prelu, [signed([4]), positive([1])]);
  });

  test("where", () => {
    const condition = (shape: Shape) =>
      tensor(
        Array.from({ length: numel(shape) }, (_, i) => (i * 7) % 3),
        shape,
        { device: f64 },
      );
    for (const [a, b] of pairs) {
      for (const c of [a, b]) gradcheck((x, y) => where(condition(c), x, y), [signed(a), signed(b)]);
    }
    gradcheck((x) => where(condition([4]), x, 2), [signed([3, 4])]);
    gradcheck((x) => where(condition([4]), 2, x), [signed([4])]);
  });

  test("no gradient flows through comparisons and conditions, nor to what was not chosen", () => {
    const x = on([3], [-1, 2, 0]);
    x.requiresGrad = true;
    expect(ops.gt(x, 0).node).toBeUndefined();
    expect(values(backward(sum(mul(ops.gt(x, 0), x))).get(x)!)).toEqual([0, 1, 0]);
    expect(values(backward(sum(where(mul(x, 2), ops.log(x), x))).get(x)!)).toEqual([-1, 0.5, Number.NaN]);
    expect(values(backward(sum(where(ops.gt(x, 0), mul(x, 3), on([], [Number.NaN])))).get(x)!)).toEqual([
      0, 3, 0,
    ]);
  });

  test("negative bases with whole exponents", () => {
    for (const exponent of [-3, -1, 0, 1, 2, 5]) gradcheck((x) => pow(x, exponent), [signed([6])]);
    const exponents = tensor([2, 3, -1, 0], undefined, { device: f64 });
    gradcheck((x) => pow(x, exponents), [signed([4])]);
  });

  test("at kinks, PyTorch's choice", () => {
    const at = (x: number[], f: (x: Tensor) => Tensor) => {
      const input = tensor(x, undefined, { device: cpu, requiresGrad: true });
      return values(backward(sum(f(input))).get(input)!);
    };
    expect(at([0], relu)).toEqual([0]);
    expect(at([0], ops.abs)).toEqual([0]);
    expect(at([0], (x) => leakyRelu(x, 0.25))).toEqual([0.25]);
    expect(at([-1, 0, 1], (x) => clamp(x, -1, 1))).toEqual([0, 1, 0]);
    expect(at([0], (x) => pow(x, 0))).toEqual([0]);
    const both = (f: typeof ops.maximum) => {
      const [a, b] = [
        [1, 2, 3],
        [2, 2, 2],
      ].map((v) => tensor(v, undefined, { device: cpu, requiresGrad: true }));
      const gradients = backward(sum(f(a, b)));
      return [values(gradients.get(a)!), values(gradients.get(b)!)];
    };
    expect(both(ops.maximum)).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
    expect(both(ops.minimum)).toEqual([
      [1, 0.5, 0],
      [0, 0.5, 1],
    ]);
  });
});

describe("kernels against the references", () => {
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
      for (const [a, b] of [...pairs, ...wide]) {
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
      for (const [a, b] of pairs)
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
    for (const [a, b] of pairs) {
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
          expect(results.slice(far.length), label).toEqual(
            Float32Array.of(Number.NaN, Number.NaN, Number.NaN),
          );
        }
      }
    }
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
