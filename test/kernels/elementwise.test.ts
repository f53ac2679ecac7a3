/** Operations on single elements: definition and gradients. elementwise-kernels.test.ts has their kernels. */
import { describe, expect, test } from "vitest";
import * as ops from "../../src/kernels/elementwise/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { numel, type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float32Device } from "../support/devices.ts";
import {
  binary,
  comparisons,
  f64,
  positiveNumbers,
  shapePairs,
  signedNumbers,
  unary,
} from "../support/elementwise.ts";
import { gradcheck } from "../support/gradcheck.ts";

const { add, sub, mul, div, pow, prelu, clamp, leakyRelu, relu, eq, neg, where } = ops;
const cpu = float32Device();
const random = new Random(5);
const values = (x: Tensor) => Array.from(x.cpuStorage.array);
const on = (shape: Shape, flat: number[]) => tensor(flat, shape, { device: cpu });

const signed = (shape: Shape) => signedNumbers(shape, random);
const positive = (shape: Shape) => positiveNumbers(shape, random);

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
      for (const [a, b] of shapePairs) gradcheck(f, [input(a), input(b)]);
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
    for (const [a, b] of shapePairs) {
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

  test("at kinks, PyTorch's choice", () => {
    const at = (x: number[], f: (x: Tensor) => Tensor) => {
      const input = tensor(x, undefined, { device: cpu, requiresGrad: true });
      return values(backward(sum(f(input))).get(input)!);
    };
    expect(at([0], relu)).toEqual([0]);
    expect(at([0], ops.abs)).toEqual([0]);
    expect(at([0], (x) => leakyRelu(x, 0.25))).toEqual([0.25]);
    expect(at([-1, 0, 1], (x) => clamp(x, -1, 1))).toEqual([0, 1, 0]);
    expect(at([-1, 0, 1, Number.NaN], (x) => clamp(x, 0))).toEqual([0, 0, 1, 0]);
    expect(at([-1, 0, 1, Number.NaN], (x) => clamp(x, undefined, 0))).toEqual([1, 0, 0, 0]);
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
