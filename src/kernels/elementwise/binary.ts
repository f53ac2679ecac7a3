import { linearGrid } from "../../device/kernel.ts";
import { ArgumentError, checkArguments, checkOptions, finite } from "../../options/arguments.ts";
import { disposeUnderNoGrad, noGrad } from "../../tensor/no-grad.ts";
import { defineOp } from "../../tensor/op.ts";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  MAX_RANK,
  padRank,
  type Shape,
  ShapeError,
  sameShape,
  stridedIndex,
} from "../../tensor/shape.ts";
import { aTensor, Tensor } from "../../tensor/tensor.ts";
import { reshape } from "../layout/reshape.ts";
import { sumTo } from "../reduce/sum.ts";
import { binaryKernel, binarySameShapeKernel } from "./binary.wgsl.ts";
import { power, withHelpers } from "./numeric.ts";
import { operand, scalar, withOperand } from "./operand.ts";
import { affine, divideBy, divideInto, neg, raiseTo, relu } from "./unary.ts";

/** A function of two numbers and a constant, applied to every pair of elements after broadcasting. */
interface BinaryRule {
  readonly f: (a: number, b: number, c: number) => number;
  /** `f` as a WGSL expression in `a`, `b` and `p.c`. */
  readonly wgsl: string;
  /**
   * Gradients before they are summed back to the operands' shapes. Absent where the result does not change
   * with the operands, or only in jumps: it then has no gradient, and none flows back from it.
   */
  backward?(dy: Tensor, a: Tensor, b: Tensor, y: Tensor, c: number): Record<"a" | "b", () => Tensor>;
}

function defineBinary(name: string, rule: BinaryRule): (a: Tensor, b: Tensor, c?: number) => Tensor {
  const op = defineOp<{ a: Tensor; b: Tensor }, { c: number }>({
    name,
    float16: true,
    shape: ({ a, b }) => broadcastShapes(name, a.shape, b.shape),
    cpu({ a, b }, { c }, y) {
      const aIndex = indexer(a.shape, y.shape);
      const bIndex = indexer(b.shape, y.shape);
      for (let i = 0; i < y.data.length; i++) y.data[i] = rule.f(a.data[aIndex(i)], b.data[bIndex(i)], c);
    },
    gpu(device, { a, b }, { c }, y) {
      const same = sameShape(a.shape, b.shape);
      device.run(same ? binarySameShapeKernel : binaryKernel, {
        functions: withHelpers(`fn f(a: f32, b: f32) -> f32 { return ${rule.wgsl}; }`),
        buffers: { a: a.gpuStorage, b: b.gpuStorage, y: y.gpuStorage },
        params: { size: y.size, c, ...(!same && broadcastParams(a.shape, b.shape, y.shape)) },
        grid: linearGrid(Math.ceil(y.size / 4), 64),
      });
    },
    backward:
      rule.backward &&
      ((dy, { a, b, y }, { c }) => {
        const gradients = rule.backward!(dy, a, b, y, c);
        // Where broadcasting repeated an operand, its gradient is the sum over the copies.
        return { a: () => sumTo(gradients.a(), a.shape), b: () => sumTo(gradients.b(), b.shape) };
      }),
  });
  return (a, b, c = 0) => (rule.backward ? op({ a, b }, { c }) : noGrad(() => op({ a, b }, { c })));
}

/** Sizes of the output and both operands' strides (0 where one is repeated), always for six axes. */
function broadcastParams(a: Shape, b: Shape, y: Shape): Record<string, number> {
  const sizes = padRank(y, MAX_RANK, 1);
  const aStrides = padRank(broadcastStrides(a, y), MAX_RANK, 0);
  const bStrides = padRank(broadcastStrides(b, y), MAX_RANK, 0);
  const params: Record<string, number> = {};
  for (let axis = 0; axis < MAX_RANK; axis++) {
    if (axis > 0) params[`n${axis}`] = sizes[axis]; // the outermost size is never needed to split an index
    params[`a${axis}`] = aStrides[axis];
    params[`b${axis}`] = bStrides[axis];
  }
  return params;
}

/** Finds the index that output element i has in an operand of `shape`. */
function indexer(shape: Shape, target: Shape): (i: number) => number {
  return sameShape(shape, target) ? (i) => i : stridedIndex(target, broadcastStrides(shape, target));
}

const addOp = defineBinary("add", {
  f: (a, b, alpha) => a + alpha * b,
  wgsl: "a + p.c * b",
  backward: (dy, _a, _b, _y, alpha) => ({
    a: () => dy,
    b: () => (alpha === 1 ? dy : affine(dy, { a: alpha })),
  }),
});
const subOp = defineBinary("sub", {
  f: (a, b) => a - b,
  wgsl: "a - b",
  backward: (dy) => ({ a: () => dy, b: () => neg(dy) }),
});
const mulOp = defineBinary("mul", {
  f: (a, b) => a * b,
  wgsl: "a * b",
  backward: (dy, a, b) => ({ a: () => mulOp(dy, b), b: () => mulOp(dy, a) }),
});
const divOp = defineBinary("div", {
  f: (a, b) => a / b,
  wgsl: "a / b",
  backward: (dy, _a, b, y) => ({ a: () => divOp(dy, b), b: () => neg(divOp(mulOp(dy, y), b)) }),
});
const powOp = defineBinary("pow", {
  f: power,
  wgsl: "power(a, b)",
  backward: (dy, a, b) => ({
    a: () => mulOp(dy, powerByBase(a, b)),
    b: () => mulOp(dy, powerByExponent(a, b)),
  }),
});
const powerByBase = defineBinary("pow gradient", {
  f: (a, b) => (b === 0 ? 0 : b * power(a, b - 1)),
  wgsl: "select(b * power(a, b - 1.0), 0.0, b == 0.0)",
});
const powerByExponent = defineBinary("pow gradient", {
  // A base of 0 or below has no logarithm. PyTorch gives 0 for 0 (to the power 0 or more) and NaN below; here all
  // get 0.
  f: (a, b) => (a > 0 ? power(a, b) * Math.log(a) : 0),
  wgsl: "select(0.0, power(a, b) * natural_log(max(a, 1e-38)), a > 0.0)",
});

/** The comparison that holds with the operands exchanged, of those that are not their own. */
const mirrorComparison: Readonly<Record<string, string>> = { lt: "gt", gt: "lt", le: "ge", ge: "le" };

function defineComparison(name: string, holds: (a: number, b: number) => boolean, operator: string) {
  // NaN is not equal to anything, and neither below nor above it.
  const wgsl =
    operator === "!="
      ? "select(1.0, select(0.0, 1.0, a != b), ordered(a, b))"
      : `select(0.0, 1.0, ordered(a, b) & (a ${operator} b))`;
  const compare = defineBinary(name, { f: (a, b) => (holds(a, b) ? 1 : 0), wgsl });
  return (a: Tensor, b: Tensor | number) => {
    if (typeof a === "number" && b instanceof Tensor) {
      throw new ArgumentError(
        name,
        `the tensor comes first. Write ${mirrorComparison[name] ?? name}(x, ${a}).`,
      );
    }
    checkArguments(name, { a: [a, aTensor], b: [b, operand] });
    return withOperand(b, a, (b) => compare(a, b));
  };
}

/** The larger or the smaller one. Where both are equal each gets half of the gradient. */
const extremum = (name: string, f: (a: number, b: number) => number, wgsl: string) => {
  const share = defineBinary(`${name} gradient`, {
    f: (a, b) => (a === b ? 0.5 : Number.isNaN(a) || Number.isNaN(b) || f(a, b) === a ? 1 : 0),
    wgsl: `select(1.0, select(0.0, select(1.0, 0.5, a == b), ${wgsl} == a), ordered(a, b))`,
  });
  return defineBinary(name, {
    f,
    wgsl: `keep_nan(a, keep_nan(b, ${wgsl}))`,
    backward: (dy, a, b) => ({ a: () => mulOp(dy, share(a, b)), b: () => mulOp(dy, share(b, a)) }),
  });
};
const maximumOp = extremum("maximum", (a, b) => Math.max(a, b), "max(a, b)");
const minimumOp = extremum("minimum", (a, b) => Math.min(a, b), "min(a, b)");
const preluOp = defineBinary("prelu", {
  f: (x, w) => (x > 0 ? x : w * x),
  wgsl: "select(b * a, a, a > 0.0)",
  backward: (dy, x, w) => ({ a: () => mulOp(dy, preluSlope(x, w)), b: () => mulOp(dy, neg(relu(neg(x)))) }),
});
const preluSlope = defineBinary("prelu gradient", {
  f: (x, w) => (x > 0 ? 1 : w),
  wgsl: "select(b, 1.0, a > 0.0)",
});

/** The gate as a WGSL expression in two others; conv2d writes it on the way to memory. */
export const symmetricGateWgsl = (z: string, g: string): string => `(${z} + ${g}) * centered_logistic(${z})`;

/** The gate as the reference computes it. */
export const symmetricGateOf = (z: number, x: number): number => (z + x) * centeredSigmoid(z);

/** σ(z) - 1/2, which is odd: its sign is that of z. */
const centeredSigmoid = (z: number) => 0.5 * Math.tanh(0.5 * z);

const sigmoidOf = (z: number) => 1 / (1 + Math.exp(-z));

const gateOp = defineBinary("symmetricGate", {
  f: symmetricGateOf,
  wgsl: symmetricGateWgsl("a", "b"),
  backward: (dy, z, x) => ({
    a: () => mulOp(dy, gateByFeatures(z, x)),
    b: () => mulOp(dy, gateBySkip(z, x)),
  }),
});
const gateByFeatures = defineBinary("symmetricGate gradient", {
  // The derivative of σ is σ(z) σ(-z).
  f: (z, x) => centeredSigmoid(z) + (z + x) * sigmoidOf(z) * sigmoidOf(-z),
  wgsl: "centered_logistic(a) + (a + b) * logistic(a) * logistic(-a)",
});
const gateBySkip = defineBinary("symmetricGate gradient", {
  f: centeredSigmoid,
  wgsl: "centered_logistic(a)",
});

/** a + alpha * b (alpha is 1 by default), with NumPy's broadcasting; one of the two may be a number. */
export function add(
  a: Tensor | number,
  b: Tensor | number,
  options: { readonly alpha?: number } = {},
): Tensor {
  checkOptions("add", options, { alpha: finite });
  const { alpha = 1 } = options;
  checkOperands("add", a, b);
  if (typeof b === "number") return affine(a as Tensor, { a: 1, b: alpha * b });
  return typeof a === "number" ? affine(b, { a: alpha, b: a }) : addOp(a, b, alpha);
}

/** a - b, with NumPy's broadcasting; one of the two may be a number. */
export function sub(a: Tensor | number, b: Tensor | number): Tensor {
  checkOperands("sub", a, b);
  if (typeof b === "number") return affine(a as Tensor, { a: 1, b: -b });
  return typeof a === "number" ? affine(b, { a: -1, b: a }) : subOp(a, b);
}

/** a * b, element by element, with NumPy's broadcasting; one of the two may be a number. */
export function mul(a: Tensor | number, b: Tensor | number): Tensor {
  checkOperands("mul", a, b);
  if (typeof b === "number") return affine(a as Tensor, { a: b });
  return typeof a === "number" ? affine(b, { a }) : mulOp(a, b);
}

/** a / b, element by element, with NumPy's broadcasting; one of the two may be a number. */
export function div(a: Tensor | number, b: Tensor | number): Tensor {
  checkOperands("div", a, b);
  if (typeof b === "number") return divideBy(a as Tensor, { a: b });
  return typeof a === "number" ? divideInto(b, { a }) : divOp(a, b);
}

/**
 * a to the power b, with NumPy's broadcasting; one of the two may be a number. Negative bases are allowed with whole
 * and infinite exponents; other powers of negative numbers are NaN. For bases of at most 0, the gradient with respect
 * to the exponent is 0.
 */
export function pow(a: Tensor | number, b: Tensor | number): Tensor {
  checkOperands("pow", a, b);
  if (typeof b === "number") return raiseTo(a as Tensor, { a: b });
  return powOp(typeof a === "number" ? scalar(a, b) : a, b);
}

// Comparisons give 1 where they hold, else 0, and no gradient flows through them. (torch.equal asks whether
// all elements are equal; that is a number to read, and no operation.)

/** 1 where a and b are equal, else 0, with NumPy's broadcasting; b may be a number. */
export const eq = defineComparison("eq", (a, b) => a === b, "==");

/** 1 where a and b differ, else 0, with NumPy's broadcasting; b may be a number. NaN differs from itself. */
export const ne = defineComparison("ne", (a, b) => a !== b, "!=");

/** 1 where a < b, else 0, with NumPy's broadcasting; b may be a number. */
export const lt = defineComparison("lt", (a, b) => a < b, "<");

/** 1 where a <= b, else 0, with NumPy's broadcasting; b may be a number. */
export const le = defineComparison("le", (a, b) => a <= b, "<=");

/** 1 where a > b, else 0, with NumPy's broadcasting; b may be a number. */
export const gt = defineComparison("gt", (a, b) => a > b, ">");

/** 1 where a >= b, else 0, with NumPy's broadcasting; b may be a number. */
export const ge = defineComparison("ge", (a, b) => a >= b, ">=");

/** The larger of a and b, with NumPy's broadcasting; one of the two may be a number. Equal ones share the gradient. */
export function maximum(a: Tensor | number, b: Tensor | number): Tensor {
  return maximumOp(...twoTensors("maximum", a, b));
}

/** The smaller of a and b, with NumPy's broadcasting; one of the two may be a number. Equal ones share the gradient. */
export function minimum(a: Tensor | number, b: Tensor | number): Tensor {
  return minimumOp(...twoTensors("minimum", a, b));
}

/** x where positive, else w * x (He et al. 2015); w is one number or one per channel of x [n, c, ...]. */
export function prelu(x: Tensor, w: Tensor): Tensor {
  checkArguments("prelu", { x: [x, aTensor], w: [w, aTensor] });
  const channels = x.shape[1];
  if (w.shape.length > 1 || (w.size !== 1 && w.size !== channels)) {
    throw new ShapeError(
      `prelu: the slopes have shape ${formatShape(w.shape)}; for x ${formatShape(x.shape)} they must be ` +
        `one number${channels === undefined ? ", as x has no axis of channels" : ` or [${channels}]`}.`,
    );
  }
  if (w.size === 1) return preluOp(x, w);
  // [c] -> [c, 1, 1]: broadcasting aligns it with the channel axis.
  const perChannel = reshape(w, [w.size, ...x.shape.slice(2).map(() => 1)]);
  const result = preluOp(x, perChannel);
  disposeUnderNoGrad(perChannel);
  return result;
}

/**
 * (z + x) * (sigmoid(z) - 1/2), for z and x of one shape: the attention of SPAN (Wan et al. 2024), which has no
 * weights of its own. Features z near 0 are suppressed together with what they are added to.
 */
export function symmetricGate(z: Tensor, x: Tensor): Tensor {
  checkArguments("symmetricGate", { z: [z, aTensor], x: [x, aTensor] });
  if (!sameShape(z.shape, x.shape)) {
    throw new ShapeError(
      `symmetricGate: z ${formatShape(z.shape)} and x ${formatShape(x.shape)} must have the same shape.`,
    );
  }
  return gateOp(z, x);
}

/** Two operands, a number among them as a tensor, for rules whose gradient reads both. */
function twoTensors(op: string, a: Tensor | number, b: Tensor | number): [Tensor, Tensor] {
  checkOperands(op, a, b);
  return [
    typeof a === "number" ? scalar(a, b as Tensor) : a,
    typeof b === "number" ? scalar(b, a as Tensor) : b,
  ];
}

function checkOperands(op: string, a: Tensor | number, b: Tensor | number): void {
  checkArguments(op, { a: [a, operand], b: [b, operand] });
  if (typeof a === "number" && typeof b === "number")
    throw new ArgumentError(op, `at least one operand must be a tensor, got two numbers.`);
}
