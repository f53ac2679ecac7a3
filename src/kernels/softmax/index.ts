/** Numbers of any size into probabilities, and their logarithms. */

import type { GpuDevice } from "../../device/gpu-device.ts";
import { type Kernel, linearGrid } from "../../device/kernel.ts";
import { checkArguments } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { normalizeAxis, numel, type Shape } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import { softmaxGradKernel, softmaxKernel } from "./softmax.wgsl.ts";

/** A softmax and its gradient along one axis, with d = x - max(x), which leaves the result as it is. */
interface SoftmaxRule {
  /** An element of y, where `sum` is that of all e^d. */
  readonly result: (d: number, sum: number) => number;
  /** An element of dx, where `sum` is that of all `term`. */
  readonly slope: (dy: number, y: number, sum: number) => number;
  readonly term: (dy: number, y: number) => number;
  /** These functions as WGSL expressions. */
  readonly wgsl: { readonly result: string; readonly slope: string; readonly term: string };
}

function defineSoftmax(name: string, rule: SoftmaxRule) {
  const op = defineOp<{ x: Tensor }, { axis: number }>({
    name,
    shape: ({ x }) => x.shape,
    cpu({ x }, { axis }, y) {
      forEachRow(x.shape, axis, (at, length) => {
        let largest = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < length; i++) largest = Math.max(largest, x.data[at(i)]);
        let sum = 0;
        for (let i = 0; i < length; i++) sum += Math.exp(x.data[at(i)] - largest);
        for (let i = 0; i < length; i++) y.data[at(i)] = rule.result(x.data[at(i)] - largest, sum);
      });
    },
    gpu(device, { x }, { axis }, y) {
      const functions = `${ROW_FUNCTIONS}fn result(d: f32, sum: f32) -> f32 { return ${rule.wgsl.result}; }`;
      launch(device, softmaxKernel, functions, { x, y }, axis);
    },
    backward: (dy, { y }, { axis }) => ({ x: () => gradient({ dy, y }, { axis }) }),
  });

  const gradient = defineOp<{ dy: Tensor; y: Tensor }, { axis: number }>({
    name: `${name} gradient`,
    shape: ({ y }) => y.shape,
    cpu({ dy, y }, { axis }, dx) {
      forEachRow(y.shape, axis, (at, length) => {
        let sum = 0;
        for (let i = 0; i < length; i++) sum += rule.term(dy.data[at(i)], y.data[at(i)]);
        for (let i = 0; i < length; i++) dx.data[at(i)] = rule.slope(dy.data[at(i)], y.data[at(i)], sum);
      });
    },
    gpu(device, { dy, y }, { axis }, dx) {
      const functions =
        `fn term(dy: f32, y: f32) -> f32 { return ${rule.wgsl.term}; }\n` +
        `fn result(dy: f32, y: f32, sum: f32) -> f32 { return ${rule.wgsl.slope}; }`;
      launch(device, softmaxGradKernel, functions, { dy, y, dx }, axis);
    },
  });

  return (x: Tensor, axis: number) => {
    checkArguments(name, { x: [x, aTensor] });
    return op({ x }, { axis: normalizeAxis(name, axis, x.shape.length) });
  };
}

const ROW_FUNCTIONS = /* wgsl */ `
fn larger(a: f32, b: f32) -> f32 { return keep_nan(a, keep_nan(b, max(a, b))); }
fn power_of_e(x: f32) -> f32 { return keep_nan(x, exp(x)); }
`;

/** Visits every row along the axis with a function from the place in it to the place in memory. */
function forEachRow(shape: Shape, axis: number, visit: (at: (i: number) => number, length: number) => void) {
  const length = shape[axis];
  const inner = numel(shape.slice(axis + 1));
  for (let row = 0; row < numel(shape) / length; row++) {
    const origin = Math.floor(row / inner) * length * inner + (row % inner);
    visit((i) => origin + i * inner, length);
  }
}

/** A single thread does rows up to this length. */
const SHORT = 32;
/** So many rows keep the machine busy with a thread for each. */
const MANY_ROWS = 4096;

function launch(
  device: GpuDevice,
  kernel: Kernel,
  functions: string,
  tensors: Readonly<Record<string, Tensor>>,
  axis: number,
): void {
  const { shape } = tensors.y;
  const length = shape[axis];
  const rows = numel(shape) / length;
  const threads = length <= SHORT || rows >= MANY_ROWS ? 1 : 64;
  device.run(kernel, {
    constants: { ROW_THREADS: threads },
    functions: withHelpers(functions),
    buffers: Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.gpuStorage])),
    params: { rows, length, inner: numel(shape.slice(axis + 1)) },
    grid: linearGrid(rows * threads, 64),
  });
}

/** e^x divided by the sum of e^x along `axis`: probabilities, of which the largest x has the largest. */
export const softmax = defineSoftmax("softmax", {
  result: (d, sum) => Math.exp(d) / sum,
  term: (dy, y) => dy * y,
  slope: (dy, y, sum) => y * (dy - sum),
  wgsl: { result: "power_of_e(d) / sum", term: "dy * y", slope: "y * (dy - sum)" },
});

/** The logarithm of {@link softmax}, exact where that is too small to be a number: x - log(sum of e^x). */
export const logSoftmax = defineSoftmax("logSoftmax", {
  result: (d, sum) => d - Math.log(sum),
  term: (dy) => dy,
  slope: (dy, y, sum) => dy - Math.exp(y) * sum,
  wgsl: {
    result: "d - keep_nan(sum, natural_log(sum))",
    term: "dy",
    slope: "dy - keep_nan(y, exp(y)) * sum",
  },
});
