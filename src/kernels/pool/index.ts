/** Windows of a picture, each summed up in one number: the largest, or the mean. */

import type { GpuDevice } from "../../device/gpu-device.ts";
import { type Kernel, linearGrid } from "../../device/kernel.ts";
import { ArgumentError, anything, checkArguments, checkOptions } from "../../options/arguments.ts";
import { defineOp, type NdArray } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { type Pair, pair } from "../conv2d/geometry.ts";
import { withHelpers } from "../elementwise/numeric.ts";
import { avgPoolGradKernel, maxPoolGradKernel, poolKernel } from "./pool.wgsl.ts";

export interface PoolOptions {
  /** How far the window moves between outputs. Default: its own size, so that windows lie side by side. */
  readonly stride?: Pair;
  /** Margins around the picture, at most half a window. Default 0. */
  readonly padding?: Pair;
}

/** The options as numbers, all [vertical, horizontal]. */
interface Windows {
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

const shape = ({ x }: { x: Tensor }, windows: Windows): Shape => pooledShape(x.shape, windows);

const maxPoolOp = defineOp<{ x: Tensor }, Windows>({
  name: "maxPool2d",
  shape,
  cpu({ x }, windows, y) {
    forEachWindow(x, windows, (o, elements) => {
      y.data[o] = x.data[firstLargest(x, elements)];
    });
  },
  gpu: (device, { x }, windows, y) =>
    launch(device, poolKernel, windows, x, y, y.size, {
      functions: `
fn start(v: f32) -> f32 { return v; }
fn combine(a: f32, b: f32) -> f32 { return keep_nan(a, keep_nan(b, max(a, b))); }
fn result(largest: f32) -> f32 { return largest; }`,
      buffers: { x, y },
    }),
  backward: (dy, { x, y }, windows) => ({ x: () => maxPoolGradOp({ dy, x, y }, windows) }),
});

const maxPoolGradOp = defineOp<{ dy: Tensor; x: Tensor; y: Tensor }, Windows>({
  name: "maxPool2d gradient",
  shape: ({ x }) => x.shape,
  cpu({ dy, x }, windows, dx) {
    forEachWindow(x, windows, (o, elements) => {
      dx.data[firstLargest(x, elements)] += dy.data[o];
    });
  },
  gpu: (device, { dy, x, y }, windows, dx) =>
    launch(device, maxPoolGradKernel, windows, x, y, dx.size, {
      functions: `
// NaN is the maximum of a window that has one.
fn same(a: f32, b: f32) -> bool { return select(!ordered(a, a) & !ordered(b, b), a == b, ordered(a, b)); }`,
      buffers: { dy, x, y, dx },
    }),
});

const avgPoolOp = defineOp<{ x: Tensor }, Windows>({
  name: "avgPool2d",
  shape,
  cpu({ x }, windows, y) {
    const area = windows.window[0] * windows.window[1];
    forEachWindow(x, windows, (o, elements) => {
      y.data[o] = elements.reduce((sum, at) => sum + x.data[at], 0) / area;
    });
  },
  gpu: (device, { x }, windows, y) =>
    launch(device, poolKernel, windows, x, y, y.size, {
      functions: `
fn start(v: f32) -> f32 { return 0.0; }
fn combine(a: f32, b: f32) -> f32 { return a + b; }
fn result(sum: f32) -> f32 { return sum / (KH * KW); }`,
      buffers: { x, y },
    }),
  backward: (dy, { x }, windows) => ({ x: () => avgPoolGradOp({ dy }, { ...windows, shape: x.shape }) }),
});

const avgPoolGradOp = defineOp<{ dy: Tensor }, Windows & { shape: Shape }>({
  name: "avgPool2d gradient",
  shape: (_, { shape }) => shape,
  cpu({ dy }, windows, dx) {
    const area = windows.window[0] * windows.window[1];
    forEachWindow(dx, windows, (o, elements) => {
      for (const at of elements) dx.data[at] += dy.data[o] / area;
    });
  },
  gpu: (device, { dy }, windows, dx) =>
    launch(device, avgPoolGradKernel, windows, dx, dy, dx.size, { buffers: { dy, dx } }),
});

/** The definition: visits each output with the places in x of its window, in reading order. */
function forEachWindow(
  x: NdArray,
  windows: Windows,
  visit: (output: number, elements: readonly number[]) => void,
): void {
  const { window, stride, padding } = windows;
  const [h, w] = x.shape.slice(-2);
  const [oh, ow] = pooledShape(x.shape, windows).slice(-2);
  let output = 0;
  for (let plane = 0; plane < numel(x.shape.slice(0, -2)); plane++) {
    for (let i = 0; i < oh; i++) {
      for (let j = 0; j < ow; j++) {
        const elements: number[] = [];
        for (let v = 0; v < window[0]; v++) {
          for (let u = 0; u < window[1]; u++) {
            const row = i * stride[0] - padding[0] + v;
            const column = j * stride[1] - padding[1] + u;
            if (row >= 0 && row < h && column >= 0 && column < w)
              elements.push((plane * h + row) * w + column);
          }
        }
        visit(output++, elements);
      }
    }
  }
}

/** NaN counts as the largest. */
function firstLargest(x: NdArray, elements: readonly number[]): number {
  let best = elements[0];
  for (const at of elements) {
    if (x.data[at] > x.data[best] || (Number.isNaN(x.data[at]) && !Number.isNaN(x.data[best]))) best = at;
  }
  return best;
}

/** Runs a kernel that has a thread for each of `threads` elements; x is the picture and y has the outputs. */
function launch(
  device: GpuDevice,
  kernel: Kernel,
  { window, stride, padding }: Windows,
  x: Tensor,
  y: Tensor,
  threads: number,
  { functions = "", buffers }: { functions?: string; buffers: Readonly<Record<string, Tensor>> },
): void {
  const [h, w] = x.shape.slice(-2);
  const [oh, ow] = y.shape.slice(-2);
  device.run(kernel, {
    constants: { KH: window[0], KW: window[1] },
    functions: withHelpers(functions),
    buffers: Object.fromEntries(Object.entries(buffers).map(([name, tensor]) => [name, tensor.gpuStorage])),
    params: { size: threads, h, w, oh, ow, sh: stride[0], sw: stride[1], top: padding[0], left: padding[1] },
    grid: linearGrid(threads, 64),
  });
}

function pooledShape(shape: Shape, { window, stride, padding }: Windows): Shape {
  const size = (axis: 0 | 1) =>
    Math.floor((shape[shape.length - 2 + axis] + 2 * padding[axis] - window[axis]) / stride[axis]) + 1;
  return [...shape.slice(0, -2), size(0), size(1)];
}

/** The arguments of a layer or a function, checked. */
export function poolWindows(op: string, window: Pair, options: PoolOptions): Windows {
  checkOptions(op, options, { stride: anything, padding: anything });
  const { stride = window, padding = 0 } = options;
  const windows = {
    window: pair("the window", window, 1, op),
    stride: pair("stride", stride, 1, op),
    padding: pair("padding", padding, 0, op),
  };
  if (windows.padding.some((margin, axis) => margin > windows.window[axis] / 2)) {
    throw new ArgumentError(
      op,
      `a padding of ${windows.padding.join(" and ")} is more than half of the window ` +
        `${windows.window.join("x")}, so that some windows would lie wholly outside of the picture.`,
    );
  }
  return windows;
}

function pool(op: typeof maxPoolOp, name: string, x: Tensor, window: Pair, options: PoolOptions): Tensor {
  checkArguments(name, { x: [x, aTensor] });
  const windows = poolWindows(name, window, options);
  const y = x.shape.length < 2 ? [] : pooledShape(x.shape, windows);
  if (y.length === 0 || y.slice(-2).some((size) => size < 1)) {
    throw new ShapeError(
      `${name}: a window of ${windows.window.join("x")} does not fit into x ${formatShape(x.shape)} with ` +
        `padding ${windows.padding.join(" and ")}. x is [n, c, h, w].`,
    );
  }
  return op({ x }, windows);
}

/**
 * The largest element of every window, as torch.nn.functional.max_pool2d: x [n, c, h, w] -> [n, c, oh, ow],
 *
 *     oh = floor((h + 2 * padding - window) / stride) + 1
 *
 * and ow likewise. The gradient goes to the first one, if several are equal. Padding is never the largest.
 */
export function maxPool2d(x: Tensor, window: Pair, options: PoolOptions = {}): Tensor {
  return pool(maxPoolOp, "maxPool2d", x, window, options);
}

/**
 * The mean of every window: x [n, c, h, w] -> [n, c, oh, ow], as torch.nn.functional.avg_pool2d; see
 * `maxPool2d`. Padding counts as zeros. The mean of whole pictures is `mean(x, [2, 3])`.
 */
export function avgPool2d(x: Tensor, window: Pair, options: PoolOptions = {}): Tensor {
  return pool(avgPoolOp, "avgPool2d", x, window, options);
}
