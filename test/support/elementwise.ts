/**
 * Every operation on single elements, as elementwise*.test.ts and wgsl.test.ts run it. A new one has an entry
 * here; a test fails as long as it has none.
 */
import * as ops from "../../src/kernels/elementwise/index.ts";
import { rand } from "../../src/tensor/create.ts";
import type { Random } from "../../src/tensor/random.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { float64Device } from "./devices.ts";

/** The device of the numbers below. */
export const f64 = float64Device();

interface UnaryCase {
  /** Begins with the operation's name. */
  readonly name: string;
  readonly f: (x: Tensor) => Tensor;
  /** Where it is tested, apart from NaN. */
  readonly domain: "all" | "positive";
  /** Is it defined, with its gradient, for all numbers, however large? Then it is tested there as well. */
  readonly far?: true;
}

const { add, sub, mul, div, pow } = ops;

/** Functions of one tensor, among them those of two operands of which one is a number. */
export const unary: readonly UnaryCase[] = [
  { name: "relu", f: ops.relu, domain: "all", far: true },
  { name: "leakyRelu", f: (x) => ops.leakyRelu(x), domain: "all", far: true },
  { name: "leakyRelu 0.3", f: (x) => ops.leakyRelu(x, 0.3), domain: "all" },
  { name: "sigmoid", f: ops.sigmoid, domain: "all", far: true },
  { name: "tanh", f: ops.tanh, domain: "all", far: true },
  { name: "silu", f: ops.silu, domain: "all", far: true },
  { name: "gelu", f: (x) => ops.gelu(x), domain: "all", far: true },
  { name: "gelu by tanh", f: (x) => ops.gelu(x, { approximate: "tanh" }), domain: "all", far: true },
  { name: "sin", f: ops.sin, domain: "all" },
  { name: "cos", f: ops.cos, domain: "all" },
  { name: "square", f: ops.square, domain: "all", far: true },
  { name: "softplus", f: (x) => ops.softplus(x), domain: "all", far: true },
  { name: "softplus 2.5", f: (x) => ops.softplus(x, 2.5), domain: "all" },
  { name: "elu", f: (x) => ops.elu(x), domain: "all", far: true },
  { name: "elu 0.3", f: (x) => ops.elu(x, 0.3), domain: "all" },
  { name: "exp", f: ops.exp, domain: "all", far: true },
  { name: "log", f: ops.log, domain: "positive" },
  { name: "sqrt", f: ops.sqrt, domain: "positive" },
  { name: "abs", f: ops.abs, domain: "all", far: true },
  { name: "neg", f: ops.neg, domain: "all", far: true },
  { name: "clamp", f: (x) => ops.clamp(x, -0.501, 0.701), domain: "all", far: true },
  { name: "clamp from below", f: (x) => ops.clamp(x, -0.301), domain: "all", far: true },
  { name: "clamp from above", f: (x) => ops.clamp(x, undefined, 0.301), domain: "all", far: true },
  { name: "maximum with 0.301", f: (x) => ops.maximum(x, 0.301), domain: "all", far: true },
  { name: "minimum of 0.301", f: (x) => ops.minimum(0.301, x), domain: "all", far: true },
  { name: "add 2", f: (x) => add(x, 2), domain: "all", far: true },
  { name: "add 3 * 2", f: (x) => add(x, 2, { alpha: 3 }), domain: "all" },
  { name: "add to 2", f: (x) => add(2, x, { alpha: 3 }), domain: "all", far: true },
  { name: "mul of 3", f: (x) => mul(3, x), domain: "all", far: true },
  { name: "sub 2", f: (x) => sub(x, 2), domain: "all", far: true },
  { name: "sub from 2", f: (x) => sub(2, x), domain: "all", far: true },
  { name: "mul by -2", f: (x) => mul(x, -2), domain: "all", far: true },
  { name: "div by 3", f: (x) => div(x, 3), domain: "all", far: true },
  { name: "div of 3", f: (x) => div(3, x), domain: "all" },
  { name: "pow 3", f: (x) => pow(x, 3), domain: "all" },
  { name: "pow -2", f: (x) => pow(x, -2), domain: "all" },
  { name: "pow 0", f: (x) => pow(x, 0), domain: "all" },
  { name: "pow 1.7", f: (x) => pow(x, 1.7), domain: "positive" },
  { name: "pow of 2", f: (x) => pow(2, x), domain: "all" },
];

interface BinaryCase {
  /** Begins with the operation's name. */
  readonly name: string;
  readonly f: (a: Tensor, b: Tensor) => Tensor;
  readonly domain: "all" | "positive";
}

export const binary: readonly BinaryCase[] = [
  { name: "add", f: (a, b) => add(a, b), domain: "all" },
  { name: "add with alpha", f: (a, b) => add(a, b, { alpha: -0.7 }), domain: "all" },
  { name: "sub", f: sub, domain: "all" },
  { name: "mul", f: mul, domain: "all" },
  { name: "div", f: div, domain: "all" },
  { name: "pow", f: pow, domain: "positive" },
  { name: "maximum", f: ops.maximum, domain: "all" },
  { name: "minimum", f: ops.minimum, domain: "all" },
];

/** Those have no gradient. */
export const comparisons = { eq: ops.eq, ne: ops.ne, lt: ops.lt, le: ops.le, gt: ops.gt, ge: ops.ge };

/** Positive and negative, and no closer than 0.1 to 0, where some functions have a kink or a pole. In float64. */
export function signedNumbers(shape: Shape, random: Random): Tensor {
  const x = rand(shape, { random, low: -1, high: 1, device: f64 });
  for (const [i, v] of x.cpuStorage.array.entries()) x.cpuStorage.array[i] = v + (v < 0 ? -0.1 : 0.1);
  return x;
}

export function positiveNumbers(shape: Shape, random: Random): Tensor {
  return rand(shape, { random, low: 0.3, high: 2, device: f64 });
}

/** Either operand repeated along leading, inner and last axes; up to six axes. */
export const shapePairs: [Shape, Shape][] = [
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
