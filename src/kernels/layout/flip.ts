import { ArgumentError, checkArguments } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { type Axes, normalizeAxes, type Shape, stridesOf } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { type CopyPlan, copyOnCpu, copyOnGpu } from "./copy.ts";

const flipOp = defineOp<{ x: Tensor }, { axes: readonly number[] }>({
  name: "flip",
  float16: true,
  shape: ({ x }) => x.shape,
  cpu: ({ x }, { axes }, y) => copyOnCpu(x, y, flipPlan(x.shape, axes)),
  gpu: (device, { x }, { axes }, y) => copyOnGpu(device, x, y, flipPlan(x.shape, axes)),
  backward: (dy, _, { axes }) => ({ x: () => flip(dy, axes) }),
});

/** Along these axes x is read from its end. */
function flipPlan(shape: Shape, axes: readonly number[]): CopyPlan {
  const yStrides = stridesOf(shape);
  const xStrides = yStrides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
  const xOffset = axes.reduce((sum, axis) => sum + (shape[axis] - 1) * yStrides[axis], 0);
  return { sizes: shape, xStrides, xOffset, yStrides };
}

/**
 * x with its elements along `axes`, one or several, in reverse order: `flip(x, 3)` exchanges left and right of
 * pictures. Throws a ShapeError if an axis is named twice.
 */
export function flip(x: Tensor, axes: Axes): Tensor {
  checkArguments("flip", { x: [x, aTensor] });
  // Elsewhere no axes are all of them.
  if (axes === undefined) throw new ArgumentError("flip", "name the axes to reverse, such as flip(x, 3).");
  return flipOp({ x }, { axes: normalizeAxes("flip", axes, x.shape.length) });
}
