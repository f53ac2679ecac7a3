import type { GpuDevice } from "../../device/gpu-device.ts";
import { linearGrid } from "../../device/kernel.ts";
import { checkArguments, checkOptions, trueOrFalse } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { type Axes, broadcastStrides, normalizeAxes, type Shape, stridedIndex } from "../../tensor/shape.ts";
import { aTensor, Tensor } from "../../tensor/tensor.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import { reshape } from "../layout/reshape.ts";
import { reduceByGroupKernel, reduceByThreadKernel } from "./reduce.wgsl.ts";

/** How elements become one, over any axes. */
export interface ReductionRule {
  readonly combine: (a: number, b: number) => number;
  /** The number with which combining begins: it changes no element it is combined with. */
  readonly neutral: number;
  /** WGSL expressions: `combine` in `a` and `b`; `start` may use `v`, one of the elements. */
  readonly wgsl: { readonly start: string; readonly combine: string };
  /** The gradient of x. `dy` and `y` have ones along the reduced axes, so that they broadcast with `x`. */
  readonly backward: (dy: Tensor, x: Tensor, y: Tensor, params: ReduceParams) => Tensor;
}

export interface ReduceOptions {
  /** Leave reduced axes in the shape, with size 1. Default false: drop them. */
  readonly keepdim?: boolean;
}

export interface ReduceParams {
  /** Sorted, positive. */
  readonly axes: readonly number[];
  /** The result's: x's without the reduced axes, or with ones in their place. */
  readonly shape: Shape;
  /** The result is multiplied by this: 1, or 1 / count for a mean. */
  readonly scale: number;
}

/** Checks the axes and computes the shape of the result. */
export function resultOf(op: string, x: Tensor, axes?: Axes, options: ReduceOptions = {}) {
  checkArguments(op, { x: [x, aTensor] });
  checkOptions(op, options, { keepdim: trueOrFalse });
  const { keepdim = false } = options;
  const reduced = normalizeAxes(op, axes, x.shape.length);
  const shape = keepdim ? withOnes(x.shape, reduced) : x.shape.filter((_, axis) => !reduced.includes(axis));
  return { axes: reduced, shape };
}

/** Makes an operation that reduces by the rule. */
export function defineReduction(name: string, rule: ReductionRule) {
  return defineOp<{ x: Tensor }, ReduceParams>({
    name,
    shape: (_, { shape }) => shape,
    cpu({ x }, { axes, scale }, y) {
      // Broadcasting would read x's elements from y; each is combined into the element it would come from.
      const target = stridedIndex(x.shape, broadcastStrides(withOnes(x.shape, axes), x.shape));
      const totals = new Float64Array(y.data.length).fill(rule.neutral);
      for (let i = 0; i < x.data.length; i++) {
        const at = target(i);
        totals[at] = rule.combine(totals[at], x.data[i]);
      }
      for (let i = 0; i < totals.length; i++) y.data[i] = scale * totals[i];
    },
    gpu(device, { x }, { axes, scale }, y) {
      const passes = planPasses(x.shape, axes);
      let from = x;
      for (const [i, pass] of passes.entries()) {
        const last = i === passes.length - 1;
        const to = last ? y : Tensor.empty([pass.keep0, pass.keep1], device);
        runPass(device, rule, pass, from, to, last ? scale : 1);
        if (from !== x) from.dispose();
        from = to;
      }
    },
    backward: (dy, { x, y }, params) => ({
      x: () => {
        const shape = withOnes(x.shape, params.axes);
        return rule.backward(reshape(dy, shape), x, reshape(y, shape), params);
      },
    }),
  });
}

function withOnes(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** Axes after merging neighbours: [keep0, reduce0, keep1, reduce1] -> [keep0, keep1]. */
interface Pass {
  readonly keep0: number;
  readonly reduce0: number;
  readonly keep1: number;
  readonly reduce1: number;
}

/**
 * Brings any choice of axes into the one form that the kernels take. It drops axes of size 1 and merges
 * neighbours of the same kind. The usual choices then fit one pass, for instance [n, c, h, w] over n, h and
 * w: keep0 = 1, reduce0 = n, keep1 = c, reduce1 = h * w. Others take more, innermost axes first.
 */
function planPasses(shape: Shape, axes: readonly number[]): Pass[] {
  const groups: { size: number; reduced: boolean }[] = [];
  for (const [axis, size] of shape.entries()) {
    const reduced = axes.includes(axis);
    const last = groups.at(-1);
    if (last?.reduced === reduced) last.size *= size;
    else if (size > 1) groups.push({ size, reduced });
  }
  const take = (reduced: boolean) => (groups.at(-1)?.reduced === reduced ? groups.pop()!.size : 1);

  const passes: Pass[] = [];
  do {
    const reduce1 = take(true);
    const keep1 = take(false);
    const reduce0 = take(true);
    const keep0 = groups.reduce((product, { size }) => product * size, 1);
    passes.push({ keep0, reduce0, keep1, reduce1 });
    // What this pass keeps joins the kept axes before it.
    const before = groups.at(-1);
    if (before) before.size *= keep1;
  } while (groups.some(({ reduced }) => reduced));
  return passes;
}

/** Single threads do reductions up to this length. */
const SHORT = 32;
/** So many neighbours are read together by a subgroup's threads, with one request to the memory. */
const MIN_NEIGHBOURS = 32;
/** This many outputs keep the machine busy with a thread for each, if neighbours read neighbours. */
const MANY_OUTPUTS = 4096;
/** Longer reductions are cut into parts of this length. */
const CHUNK = 16384;
/** This many outputs are not cut: a workgroup for each keeps the machine busy. */
const MANY_GROUPS = 512;

function runPass(
  device: GpuDevice,
  rule: ReductionRule,
  pass: Pass,
  x: Tensor,
  y: Tensor,
  scale: number,
): void {
  const { keep0, reduce0, keep1, reduce1 } = pass;
  const outputs = keep0 * keep1;
  const length = reduce0 * reduce1;
  const sizes = { outputs, keep1, reduce1, length };
  const functions =
    `fn start(v: f32) -> f32 { return ${rule.wgsl.start}; }\n` +
    withHelpers(`fn combine(a: f32, b: f32) -> f32 { return ${rule.wgsl.combine}; }`);

  const coalesced = reduce1 === 1 && keep1 >= MIN_NEIGHBOURS;
  if (length <= SHORT || (coalesced && outputs >= MANY_OUTPUTS)) {
    device.run(reduceByThreadKernel, {
      functions,
      buffers: { x: x.gpuStorage, y: y.gpuStorage },
      params: { ...sizes, scale },
      grid: linearGrid(outputs, 64),
    });
    return;
  }

  const parts = outputs < MANY_GROUPS ? Math.ceil(length / CHUNK) : 1;
  // A CPU executes out of order, and so overlaps loads by itself. A thread of a GPU needs several loads in its text.
  const loads = device.profile.separateProcessor ? [8, 4, 2] : [];
  const loadsAtOnce = loads.find((count) => reduce1 % count === 0) ?? 1;
  const partials = parts > 1 ? Tensor.empty([outputs, parts], device) : undefined;
  device.run(reduceByGroupKernel, {
    constants: { THREADS: device.profile.reductionThreads, LOADS_AT_ONCE: loadsAtOnce },
    functions,
    buffers: { x: x.gpuStorage, y: (partials ?? y).gpuStorage },
    params: {
      ...sizes,
      scale: partials ? 1 : scale,
      parts,
      chunk: Math.ceil(length / parts / loadsAtOnce) * loadsAtOnce,
    },
    grid: linearGrid(outputs * parts, 1),
  });
  if (!partials) return;
  runPass(device, rule, { keep0: outputs, reduce0: 1, keep1: 1, reduce1: parts }, partials, y, scale);
  partials.dispose();
}
