import { checkArguments, numberList } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, type Shape, ShapeError, stridesOf } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { type CopyPlan, copyOnCpu, copyOnGpu, fillOnGpu } from "./copy.ts";

/** Copies the box at `starts` in a tensor of shape `whole` to a tensor of shape `part`. */
export function cutPlan(whole: Shape, starts: readonly number[], part: Shape): CopyPlan {
  const xStrides = stridesOf(whole);
  const xOffset = starts.reduce((sum, start, axis) => sum + start * xStrides[axis], 0);
  return { sizes: part, xStrides, xOffset, yStrides: stridesOf(part) };
}

/** The other way round. */
export function placePlan(whole: Shape, starts: readonly number[], part: Shape): CopyPlan {
  const { xStrides, xOffset, yStrides } = cutPlan(whole, starts, part);
  return { sizes: part, xStrides: yStrides, yStrides: xStrides, yOffset: xOffset };
}

export interface BoxParams {
  readonly starts: readonly number[];
  /** The result's. */
  readonly shape: Shape;
}

const sliceOp = defineOp<{ x: Tensor }, BoxParams>({
  name: "slice",
  float16: true,
  shape: (_, { shape }) => shape,
  cpu: ({ x }, { starts }, y) => copyOnCpu(x, y, cutPlan(x.shape, starts, y.shape)),
  gpu: (device, { x }, { starts }, y) => copyOnGpu(device, x, y, cutPlan(x.shape, starts, y.shape)),
  backward: (dy, { x }, { starts }) => ({ x: () => placeOp({ part: dy }, { starts, shape: x.shape }) }),
});

/** The opposite: puts a part back to where it was cut out, with zeros around it. */
const placeOp = defineOp<{ part: Tensor }, BoxParams>({
  name: "slice gradient",
  shape: (_, { shape }) => shape,
  cpu: ({ part }, { starts }, y) => copyOnCpu(part, y, placePlan(y.shape, starts, part.shape)),
  gpu(device, { part }, { starts }, y) {
    fillOnGpu(device, y, 0);
    copyOnGpu(device, part, y, placePlan(y.shape, starts, part.shape));
  },
});

/**
 * x[starts[0]:ends[0], starts[1]:ends[1], …] as in Python: `ends` are not included, negative indices count
 * from the end, indices past it mean the end (so `Infinity` does), and axes that are not mentioned stay
 * whole. The values are copied. Throws a ShapeError if nothing would be left.
 */
export function slice(x: Tensor, starts: readonly number[], ends: readonly number[]): Tensor {
  checkArguments("slice", { x: [x, aTensor], starts: [starts, numberList], ends: [ends, numberList] });
  const call = () =>
    `slice: [${starts.map((start, i) => `${start}:${ends[i]}`).join(", ")}] of a tensor of shape ` +
    formatShape(x.shape);
  if (starts.length !== ends.length || starts.length > x.shape.length) {
    throw new ShapeError(
      `slice: got ${starts.length} starts and ${ends.length} ends for a tensor of shape ` +
        `${formatShape(x.shape)}; give one of each for some or all of its axes, the outermost first.`,
    );
  }
  // Not a whole number and not infinite: a fraction or NaN.
  if ([...starts, ...ends].some((index) => !Number.isInteger(index) && Math.abs(index) !== Infinity)) {
    throw new ShapeError(`${call()}: indices must be whole numbers or Infinity.`);
  }
  const bound = (index: number, size: number) =>
    Math.min(Math.max(index < 0 ? index + size : index, 0), size);
  const from = x.shape.map((size, axis) => bound(starts[axis] ?? 0, size));
  const shape = x.shape.map((size, axis) => bound(ends[axis] ?? size, size) - from[axis]);
  if (shape.some((size) => size <= 0)) {
    throw new ShapeError(`${call()} is empty.`);
  }
  return sliceOp({ x }, { starts: from, shape });
}
