import type { GpuDevice } from "../../device/gpu-device.ts";
import { type Kernel, linearGrid } from "../../device/kernel.ts";
import {
  ArgumentError,
  anyNumber,
  checkArguments,
  checkOptions,
  finite,
  isObject,
  optional,
} from "../../options/arguments.ts";
import { oneOf, positive, quote } from "../../options/kinds.ts";
import { defineOp } from "../../tensor/op.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { power, withHelpers } from "./numeric.ts";
import { unaryGradKernel, unaryKernel } from "./unary.wgsl.ts";

/**
 * A function of one number and up to two constants, applied to every element. Each is written twice, as the
 * reference and as WGSL, and so is its derivative, which may use the result `y` where that is cheaper.
 *
 * NaN stays NaN: it is the sign that something went wrong. WGSL's max, min, clamp and sign may turn it into a
 * number, and so may some drivers' exp and tanh, or a `select` that amounts to one of these. `keep_nan`
 * (numeric.ts) does not.
 */
interface UnaryRule {
  readonly f: (x: number, a: number, b: number) => number;
  readonly df: (x: number, y: number, a: number, b: number) => number;
  /** WGSL expressions in `x`, `y` (derivative only), `p.a` and `p.b`. */
  readonly wgsl: { readonly f: string; readonly df: string };
}

/** Constants of a rule, such as the slope of a leaky ReLU. */
export interface Constants {
  readonly a?: number;
  readonly b?: number;
}

/** An operation with its rule, for this library's own use. */
export interface UnaryOp {
  (x: Tensor, constants?: Constants): Tensor;
  readonly rule: UnaryRule;
  /** dy times the derivative at x, where y = f(x). */
  readonly gradient: (inputs: { dy: Tensor; x: Tensor; y: Tensor }, constants?: Constants) => Tensor;
}

function defineUnary(name: string, rule: UnaryRule): UnaryOp {
  const gradient = defineOp<{ dy: Tensor; x: Tensor; y: Tensor }, Constants>({
    name: `${name} gradient`,
    shape: ({ x }) => x.shape,
    cpu({ dy, x, y }, { a = 0, b = 0 }, dx) {
      for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i] * rule.df(x.data[i], y.data[i], a, b);
    },
    gpu(device, { dy, x, y }, constants, dx) {
      const df = `fn df(x: f32, y: f32) -> f32 { return ${rule.wgsl.df}; }`;
      launch(device, unaryGradKernel, df, { dy, x, y, dx }, constants);
    },
  });

  const op = defineOp<{ x: Tensor }, Constants>({
    name,
    float16: true,
    shape: ({ x }) => x.shape,
    cpu({ x }, { a = 0, b = 0 }, y) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = rule.f(x.data[i], a, b);
    },
    gpu(device, { x }, constants, y) {
      launch(device, unaryKernel, `fn f(x: f32) -> f32 { return ${rule.wgsl.f}; }`, { x, y }, constants);
    },
    backward: (dy, { x, y }, constants) => ({ x: () => gradient({ dy, x, y }, constants) }),
  });

  const call = (x: Tensor, constants: Constants = {}) => op({ x }, constants);
  const inputsToGradient: UnaryOp["gradient"] = (inputs, constants = {}) => gradient(inputs, constants);
  return Object.assign(call, { rule, gradient: inputsToGradient });
}

/**
 * An operation that takes a tensor and nothing else: `list.map(relu)` works, though map gives positions, too.
 * (TypeScript refuses options; in JavaScript they would pass unread.)
 */
function withoutConstants(name: string, op: UnaryOp): (x: Tensor) => Tensor {
  const call = (x: Tensor, ...others: unknown[]) => {
    if (others.length === 1 && isObject(others[0]))
      throw new ArgumentError(name, `takes a tensor and no options, got ${quote(others[0])}.`);
    return op(x);
  };
  return Object.defineProperty(call, "name", { value: name }); // errors call it so
}

function defineFunction(name: string, rule: UnaryRule): (x: Tensor) => Tensor {
  return withoutConstants(name, defineUnary(name, rule));
}

function launch(
  device: GpuDevice,
  kernel: Kernel,
  expression: string,
  tensors: Readonly<Record<string, Tensor>>,
  { a = 0, b = 0 }: Constants,
): void {
  const size = tensors.x.size;
  device.run(kernel, {
    functions: withHelpers(expression),
    buffers: Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.gpuStorage])),
    params: { size, a, b },
    grid: linearGrid(Math.ceil(size / 4), 64),
  });
}

export const reluOp = defineUnary("relu", {
  f: (x) => Math.max(x, 0),
  df: (x) => (x <= 0 ? 0 : 1),
  wgsl: { f: "keep_nan(x, max(x, 0.0))", df: "select(1.0, 0.0, x <= 0.0)" },
});

/** max(x, 0). The derivative at 0 is taken as 0, as in PyTorch. */
export const relu = withoutConstants("relu", reluOp);

/** x where positive, a * x elsewhere. */
export const leakyReluOp = defineUnary("leakyRelu", {
  f: (x, a) => (x > 0 ? x : a * x),
  df: (x, _y, a) => (x > 0 ? 1 : a),
  wgsl: { f: "select(p.a * x, x, x > 0.0)", df: "select(p.a, 1.0, x > 0.0)" },
});

/** x where positive, `negativeSlope * x` elsewhere. */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  checkArguments("leakyRelu", { x: [x, aTensor], negativeSlope: [negativeSlope, finite] });
  return leakyReluOp(x, { a: negativeSlope });
}

export const sigmoidOp = defineUnary("sigmoid", {
  f: (x) => 1 / (1 + Math.exp(-x)),
  df: (_x, y) => y * (1 - y),
  wgsl: { f: "logistic(x)", df: "y * (1.0 - y)" },
});

/** 1 / (1 + exp(-x)). */
export const sigmoid = withoutConstants("sigmoid", sigmoidOp);

export const tanhOp = defineUnary("tanh", {
  f: Math.tanh,
  df: (_x, y) => (1 - y) * (1 + y),
  wgsl: { f: "hyperbolic_tangent(x)", df: "(1.0 - y) * (1.0 + y)" },
});

/** The hyperbolic tangent. */
export const tanh = withoutConstants("tanh", tanhOp);

/** e to the power x. */
export const exp = defineFunction("exp", {
  f: Math.exp,
  df: (_x, y) => y,
  wgsl: { f: "keep_nan(x, exp(x))", df: "y" },
});

/** The natural logarithm. */
export const log = defineFunction("log", {
  f: Math.log,
  df: (x) => 1 / x,
  wgsl: { f: "logarithm(x)", df: "1.0 / x" },
});

/** The square root; NaN below 0. */
export const sqrt = defineFunction("sqrt", {
  f: Math.sqrt,
  df: (_x, y) => 0.5 / y,
  wgsl: { f: "sqrt(x)", df: "0.5 / y" },
});

export const siluOp = defineUnary("silu", {
  f: (x) => x / (1 + Math.exp(-x)),
  df(x) {
    const s = 1 / (1 + Math.exp(-x));
    return s * (1 + x * (1 - s));
  },
  wgsl: { f: "x * logistic(x)", df: "logistic(x) * (1.0 + x * (1.0 - logistic(x)))" },
});

/**
 * The sine of x in radians. On GPUs, exact to f32 for |x| up to some thousands; beyond, digits are lost one by
 * one, and the result stays in [-1, 1].
 */
export const sin = defineFunction("sin", {
  f: Math.sin,
  df: Math.cos,
  wgsl: { f: "sine(x, 0)", df: "sine(x, 1)" },
});

/**
 * The cosine of x in radians. On GPUs, exact to f32 for |x| up to some thousands; beyond, digits are lost one by
 * one, and the result stays in [-1, 1].
 */
export const cos = defineFunction("cos", {
  f: Math.cos,
  df: (x) => -Math.sin(x),
  wgsl: { f: "sine(x, 1)", df: "-sine(x, 0)" },
});

/** x times x. */
export const square = defineFunction("square", {
  f: (x) => x * x,
  df: (x) => 2 * x,
  wgsl: { f: "x * x", df: "2.0 * x" },
});

const softplusOp = defineUnary("softplus", {
  f: (x, beta) => (Math.max(beta * x, 0) + Math.log1p(Math.exp(-Math.abs(beta * x)))) / beta,
  df: (x, _y, beta) => 1 / (1 + Math.exp(-beta * x)),
  wgsl: { f: "softplus(p.a * x) / p.a", df: "logistic(p.a * x)" },
});

/** log(1 + exp(beta * x)) / beta: a smooth ReLU, above 0 everywhere (Dugas et al. 2001). */
export function softplus(x: Tensor, beta = 1): Tensor {
  checkArguments("softplus", { x: [x, aTensor], beta: [beta, positive] });
  return softplusOp(x, { a: beta });
}

const eluOp = defineUnary("elu", {
  f: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  df: (x, _y, alpha) => (x > 0 ? 1 : alpha * Math.exp(x)),
  wgsl: {
    f: "select(p.a * exp_minus_1(x), x, x > 0.0)",
    df: "select(keep_nan(x, p.a * exp(x)), 1.0, x > 0.0)",
  },
});

/** x where positive, alpha * (exp(x) - 1) elsewhere (Clevert, Unterthiner, Hochreiter 2016). */
export function elu(x: Tensor, alpha = 1): Tensor {
  checkArguments("elu", { x: [x, aTensor], alpha: [alpha, finite] });
  return eluOp(x, { a: alpha });
}

/** x * sigmoid(x), also called Swish (Elfwing, Uchibe, Doya 2018): a smooth ReLU that dips below 0. */
export const silu = withoutConstants("silu", siluOp);

const geluOp = defineUnary("gelu", {
  f: (x) => x * normalCdf(x),
  df: (x) => normalCdf(x) + x * normalDensity(x),
  wgsl: { f: "x * normal_cdf(x)", df: "normal_cdf(x) + x * normal_density(x)" },
});

// Φ(x) ≈ sigmoid(2 u), u = sqrt(2 / π) (x + 0.044715 x³). Beyond ±13 the sigmoid is 0 or 1 and its slope 0;
// the clamp keeps x³ from overflowing, after which infinity times 0 would be NaN.
const geluTanhOp = defineUnary("gelu", {
  f: (x) => x * tanhCdf(x).value,
  df(x) {
    const { value, slope } = tanhCdf(x);
    return value + x * slope;
  },
  wgsl: { f: "x * tanh_cdf(x)", df: "tanh_cdf(x) + x * tanh_cdf_slope(x)" },
});

/**
 * The probability of a normally distributed number below x: around 0 Marsaglia's series (2004), farther out
 * Laplace's continued fraction of the tail, so that small results have all their digits, too.
 */
function normalCdf(x: number): number {
  const z = Math.abs(x);
  if (z > 13) return x > 0 ? 1 : 0;
  if (z > 3) {
    let fraction = z;
    for (let n = 40; n > 0; n--) fraction = z + n / fraction;
    const tail = normalDensity(z) / fraction;
    return x > 0 ? 1 - tail : tail;
  }
  let [term, sum] = [x, x];
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

function tanhCdf(x: number): { value: number; slope: number } {
  const z = Math.min(Math.max(x, -13), 13);
  const value = 1 / (1 + Math.exp(-2 * SQRT_2_OVER_PI * (z + 0.044715 * z ** 3)));
  return { value, slope: 2 * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * z * z) * value * (1 - value) };
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

export interface GeluOptions {
  /** "tanh" is the older formula, with a tanh in place of the normal distribution. Default "none". */
  readonly approximate?: "none" | "tanh";
}

export const geluOptions = { approximate: oneOf("none", "tanh") };

/**
 * x times the probability that a normally distributed number is below x (Hendrycks and Gimpel 2016), as
 * torch.nn.functional.gelu. With `approximate: "tanh"` results differ by at most 5e-4; networks were trained
 * with one or the other.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkOptions("gelu", options, geluOptions);
  return options.approximate === "tanh" ? geluTanhOp(x) : geluOp(x);
}

/** |x|. The derivative at 0 is taken as 0, as in PyTorch. */
export const abs = defineFunction("abs", {
  f: Math.abs,
  df: (x) => Math.sign(x),
  wgsl: { f: "abs(x)", df: "keep_nan(x, sign(x))" },
});

/** -x. */
export const neg = defineFunction("neg", {
  f: (x) => -x,
  df: () => -1,
  wgsl: { f: "-x", df: "-1.0" },
});

const clampOp = defineUnary("clamp", {
  f: (x, low, high) => Math.min(Math.max(x, low), high),
  df: (x, _y, low, high) => (x > low && x < high ? 1 : 0),
  wgsl: { f: "keep_nan(x, clamp(x, p.a, p.b))", df: "select(0.0, 1.0, x > p.a && x < p.b)" },
});

// Where a bound is left out, infinity is not at it: the gradient there is 1.
const clampLowOp = defineUnary("clamp", {
  f: (x, low) => Math.max(x, low),
  df: (x, _y, low) => (x > low ? 1 : 0),
  wgsl: { f: "keep_nan(x, max(x, p.a))", df: "select(0.0, 1.0, x > p.a)" },
});

const clampHighOp = defineUnary("clamp", {
  f: (x, _low, high) => Math.min(x, high),
  df: (x, _y, _low, high) => (x < high ? 1 : 0),
  wgsl: { f: "keep_nan(x, min(x, p.b))", df: "select(0.0, 1.0, x < p.b)" },
});

/**
 * x limited to [low, high]; the gradient is 0 outside and at the bounds. One of the two may be left out:
 * `clamp(x, 0)`, `clamp(x, undefined, 1)`. Throws if both are, or if low > high.
 */
export function clamp(x: Tensor, low?: number, high?: number): Tensor {
  const bound = optional(anyNumber);
  checkArguments("clamp", { x: [x, aTensor], low: [low, bound], high: [high, bound] });
  if (low === undefined && high === undefined) {
    throw new ArgumentError(
      "clamp",
      "give low or high or both: clamp(x, 0), clamp(x, undefined, 1), clamp(x, 0, 1).",
    );
  }
  const [a, b] = [low ?? -Infinity, high ?? Infinity];
  if (a > b) throw new ArgumentError("clamp", `low must not be above high, got ${a} and ${b}.`);
  const op = high === undefined ? clampLowOp : low === undefined ? clampHighOp : clampOp;
  return op(x, { a, b });
}

// Arithmetic and pow with a plain number as the other operand are functions of one tensor. Their names are verbs, for
// they stand behind operations of two tensors that have the names.

/** a * x + b. */
export const affine = defineUnary("affine", {
  f: (x, a, b) => a * x + b,
  df: (_x, _y, a) => a,
  wgsl: { f: "p.a * x + p.b", df: "p.a" },
});

/** x / a. */
export const divideBy = defineUnary("div", {
  f: (x, a) => x / a,
  df: (_x, _y, a) => 1 / a,
  wgsl: { f: "x / p.a", df: "1.0 / p.a" },
});

/** a / x. */
export const divideInto = defineUnary("div into", {
  f: (x, a) => a / x,
  df: (x, y) => -y / x,
  wgsl: { f: "p.a / x", df: "-y / x" },
});

/** x to the power a. */
export const raiseTo = defineUnary("pow", {
  f: power,
  df: (x, _y, a) => (a === 0 ? 0 : a * power(x, a - 1)),
  wgsl: { f: "power(x, p.a)", df: "select(p.a * power(x, p.a - 1.0), 0.0, p.a == 0.0)" },
});
