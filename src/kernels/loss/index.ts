/** Distances between a network's result and its target: sums of terms, one for each element. */

import { linearGrid } from "../../device/kernel.ts";
import { checkArguments, checkOptions } from "../../options/arguments.ts";
import { oneOf, positive } from "../../options/kinds.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import { lossGradKernel, lossKernel } from "./loss.wgsl.ts";

/** A function of an element x, that of the target, t, and a constant, as the reference and as WGSL. */
interface Term {
  readonly f: (x: number, t: number, c: number) => number;
  /** An expression in `x`, `t` and their difference `d`, all of them vec4f, and `p.c`. */
  readonly wgsl: string;
}

/** A loss is a sum of terms. */
interface LossRule {
  readonly term: Term;
  /** The term's derivatives. */
  readonly slopes: Readonly<Record<"x" | "target", Term>>;
}

function wgslFunction(name: string, { wgsl }: Term): string {
  return `fn ${name}(x: vec4f, t: vec4f) -> vec4f { let d = x - t; return ${wgsl}; }`;
}

/** A rule whose terms are of the differences d = x - t alone. */
function ofDifferences(rule: {
  readonly term: (d: number, c: number) => number;
  readonly slope: (d: number, c: number) => number;
  readonly wgsl: { readonly term: string; readonly slope: string };
}): LossRule {
  const ofPair = (f: (d: number, c: number) => number, wgsl: string, sign: 1 | -1 = 1): Term => ({
    f: (x, t, c) => sign * f(x - t, c),
    wgsl: sign < 0 ? `-(${wgsl})` : wgsl,
  });
  const { term, slope, wgsl } = rule;
  return {
    term: ofPair(term, wgsl.term),
    slopes: { x: ofPair(slope, wgsl.slope), target: ofPair(slope, wgsl.slope, -1) },
  };
}

export interface LossOptions {
  /** What becomes of the terms. Default "mean". */
  readonly reduction?: "mean" | "sum";
}

export const lossOptions = { reduction: oneOf("mean", "sum") };

export interface CharbonnierOptions extends LossOptions {
  /** The difference at which the curve bends. Default 1e-3, for values in 0..1. */
  readonly eps?: number;
}

export interface HuberOptions extends LossOptions {
  /** The difference at which the square becomes a line. Default 1. */
  readonly delta?: number;
}

export const huberOptions = { ...lossOptions, delta: positive };

export interface SmoothL1Options extends LossOptions {
  /** The difference at which the square becomes a line. Default 1. */
  readonly beta?: number;
}

export const smoothL1Options = { ...lossOptions, beta: positive };

export const charbonnierOptions = { ...lossOptions, eps: positive };

/** More workgroups would only make work for the second launch. */
const MAX_PARTIALS = 1024;

interface Params {
  /** 1, or for the mean 1 / size. */
  readonly scale: number;
  readonly c: number;
}

function defineLoss(name: string, rule: LossRule) {
  const op = defineOp<{ x: Tensor; target: Tensor }, Params>({
    name,
    shape({ x, target }) {
      if (!sameShape(x.shape, target.shape)) {
        throw new ShapeError(
          `${name}: x ${formatShape(x.shape)} and target ${formatShape(target.shape)} must have the ` +
            `same shape.`,
        );
      }
      return [];
    },
    cpu({ x, target }, { scale, c }, y) {
      let sum = 0;
      for (let i = 0; i < x.data.length; i++) sum += rule.term.f(x.data[i], target.data[i], c);
      y.data[0] = scale * sum;
    },
    gpu(device, { x, target }, { scale, c }, y) {
      const { reductionThreads: threads, cheapBarriers } = device.profile;
      // How many elements each thread sums before the workgroup's barriers, which may cost as much as
      // thousands.
      const perThread = cheapBarriers ? 32 : 1024;
      const groups = Math.min(MAX_PARTIALS, Math.ceil(x.size / (threads * perThread)));
      const partials = device.allocate(groups);
      device.run(lossKernel, {
        constants: { THREADS: threads },
        functions: withHelpers(
          `${wgslFunction("term", rule.term)}\n` +
            "fn terms_at(i: u32) -> vec4f { return term(x[i], t[i]); }",
        ),
        buffers: { x: x.gpuStorage, t: target.gpuStorage, sums: partials },
        params: { size: x.size, scale: 1, c },
        grid: [groups],
      });
      device.run(lossKernel, {
        constants: { THREADS: threads },
        functions: "fn terms_at(i: u32) -> vec4f { return x[i]; }",
        buffers: { x: partials, t: partials, sums: y.gpuStorage },
        params: { size: groups, scale, c },
        grid: [1],
      });
      device.release(partials);
    },
    backward: (dy, { x, target }, { scale, c }) => ({
      x: () => gradient({ dy, x, target }, { scale, c, of: "x" }),
      target: () => gradient({ dy, x, target }, { scale, c, of: "target" }),
    }),
  });

  const gradient = defineOp<{ dy: Tensor; x: Tensor; target: Tensor }, Params & { of: "x" | "target" }>({
    name: `${name} gradient`,
    shape: ({ x }) => x.shape,
    cpu({ dy, x, target }, { scale, c, of }, dx) {
      const { f } = rule.slopes[of];
      for (let i = 0; i < dx.data.length; i++)
        dx.data[i] = dy.data[0] * scale * f(x.data[i], target.data[i], c);
    },
    gpu(device, { dy, x, target }, { scale, c, of }, dx) {
      device.run(lossGradKernel, {
        functions: withHelpers(wgslFunction("slope", rule.slopes[of])),
        buffers: { dy: dy.gpuStorage, x: x.gpuStorage, t: target.gpuStorage, dx: dx.gpuStorage },
        params: { size: x.size, scale, c },
        grid: linearGrid(Math.ceil(x.size / 4), 64),
      });
    },
  });

  return (x: Tensor, target: Tensor, { reduction = "mean" }: LossOptions, c = 0) => {
    checkArguments(name, { x: [x, aTensor], target: [target, aTensor] });
    return op({ x, target }, { scale: reduction === "mean" ? 1 / x.size : 1, c });
  };
}

const l1 = defineLoss(
  "l1Loss",
  ofDifferences({
    term: Math.abs,
    slope: Math.sign,
    wgsl: { term: "abs(d)", slope: "keep_nans(d, sign(d))" },
  }),
);
const mse = defineLoss(
  "mseLoss",
  ofDifferences({
    term: (d) => d * d,
    slope: (d) => 2 * d,
    wgsl: { term: "d * d", slope: "2.0 * d" },
  }),
);
const charbonnier = defineLoss(
  "charbonnierLoss",
  ofDifferences({
    term: (d, eps) => Math.sqrt(d * d + eps * eps),
    slope: (d, eps) => d / Math.sqrt(d * d + eps * eps),
    wgsl: { term: "sqrt(d * d + p.c * p.c)", slope: "d / sqrt(d * d + p.c * p.c)" },
  }),
);

// Where |d| is small the square, elsewhere the line that continues it: m (|d| - m / 2) with m = min(|d|, c).
const huber = defineLoss(
  "huberLoss",
  ofDifferences({
    term: (d, delta) => Math.min(Math.abs(d), delta) * (Math.abs(d) - 0.5 * Math.min(Math.abs(d), delta)),
    slope: (d, delta) => Math.min(Math.max(d, -delta), delta),
    wgsl: {
      term: "min(abs(d), vec4f(p.c)) * (abs(d) - 0.5 * min(abs(d), vec4f(p.c)))",
      slope: "keep_nans(d, clamp(d, vec4f(-p.c), vec4f(p.c)))",
    },
  }),
);
const smoothL1 = defineLoss(
  "smoothL1Loss",
  ofDifferences({
    term: (d, beta) =>
      (Math.min(Math.abs(d), beta) * (Math.abs(d) - 0.5 * Math.min(Math.abs(d), beta))) / beta,
    slope: (d, beta) => Math.min(Math.max(d / beta, -1), 1),
    wgsl: {
      term: "min(abs(d), vec4f(p.c)) * (abs(d) - 0.5 * min(abs(d), vec4f(p.c))) / p.c",
      slope: "keep_nans(d, clamp(d / p.c, vec4f(-1.0), vec4f(1.0)))",
    },
  }),
);

// Where x > 0, p = sigmoid(x) is nearly 1, and log(1 - p) = -x + log(p). All parts are at least 0, so none loses the
// digits of another; and so in the slope, where 1 - p is the sigmoid of -x.
const binaryCrossEntropy = defineLoss("binaryCrossEntropyWithLogits", {
  term: {
    f: (x, t) => (x > 0 ? (1 - t) * x : -t * x) + Math.log1p(Math.exp(-Math.abs(x))),
    wgsl: `select(-t * x, (1.0 - t) * x, x > vec4f()) + ${eachOf("softplus", "-abs(x)")}`,
  },
  slopes: {
    x: {
      f: (x, t) => (1 - t) / (1 + Math.exp(-x)) - t / (1 + Math.exp(x)),
      wgsl: `(1.0 - t) * ${eachOf("logistic", "x")} - t * ${eachOf("logistic", "-x")}`,
    },
    target: { f: (x) => -x, wgsl: "-x" },
  },
});

/** A WGSL function of one number, applied to each of a vec4f. */
function eachOf(f: string, x: string): string {
  return `vec4f(${[..."xyzw"].map((component) => `${f}((${x}).${component})`).join(", ")})`;
}

/**
 * The mean (or sum) of |x - target|, as a tensor of shape []; x and target have the same shape. Where they
 * are equal the gradient is 0, as in PyTorch.
 */
export function l1Loss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions("l1Loss", options, lossOptions);
  return l1(x, target, options);
}

/** The mean (or sum) of (x - target)², as a tensor of shape []; x and target have the same shape. */
export function mseLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions("mseLoss", options, lossOptions);
  return mse(x, target, options);
}

/**
 * The mean (or sum) of sqrt((x - target)² + eps²), as a tensor of shape []; x and target have the same shape.
 * |x - target| with its kink rounded off, so that the gradient fades where the two are nearly equal
 * (Charbonnier et al. 1994; for super-resolution Lai et al. 2017).
 */
export function charbonnierLoss(x: Tensor, target: Tensor, options: CharbonnierOptions = {}): Tensor {
  checkOptions("charbonnierLoss", options, charbonnierOptions);
  return charbonnier(x, target, options, options.eps ?? 1e-3);
}

/**
 * The mean (or sum) of (x - target)² / 2 where that difference is at most delta, and of
 * delta * (|x - target| - delta / 2) elsewhere, as a tensor of shape []: outliers count linearly (Huber 1964).
 */
export function huberLoss(x: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  checkOptions("huberLoss", options, huberOptions);
  const { delta = 1, ...rest } = options;
  return huber(x, target, rest, delta);
}

/** `huberLoss` with a delta of beta, divided by beta: far from the target its slope is ±1, that of `l1Loss`. */
export function smoothL1Loss(x: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  checkOptions("smoothL1Loss", options, smoothL1Options);
  const { beta = 1, ...rest } = options;
  return smoothL1(x, target, rest, beta);
}

/**
 * The mean (or sum) of -t log(p) - (1 - t) log(1 - p) with p = sigmoid(x), as a tensor of shape []: for answers of
 * yes or no, whose probabilities are the targets t in 0..1, of x's shape. Computed from x, no p is rounded to 0 or 1.
 */
export function binaryCrossEntropyWithLogits(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions("binaryCrossEntropyWithLogits", options, lossOptions);
  return binaryCrossEntropy(x, target, options);
}
