import { checkArguments, plainNumberList } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, normalizeAxis, type Shape, ShapeError, stridesOf } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { type CopyPlan, copyOnCpu, copyOnGpu } from "./copy.ts";

const permuteOp = defineOp<{ x: Tensor }, { axes: readonly number[] }>({
  name: "permute",
  float16: true,
  shape: ({ x }, { axes }) => axes.map((axis) => x.shape[axis]),
  cpu: ({ x }, { axes }, y) => copyOnCpu(x, y, permutePlan(x.shape, axes)),
  gpu: (device, { x }, { axes }, y) => copyOnGpu(device, x, y, permutePlan(x.shape, axes)),
  backward(dy, _, { axes }) {
    const inverse = axes.map((_, axis) => axes.indexOf(axis)); // where each axis of x has gone
    return { x: () => permute(dy, inverse) };
  },
});

function permutePlan(shape: Shape, axes: readonly number[]): CopyPlan {
  const strides = stridesOf(shape);
  const sizes = axes.map((axis) => shape[axis]);
  return { sizes, xStrides: axes.map((axis) => strides[axis]), yStrides: stridesOf(sizes) };
}

/**
 * x with its axes in another order: axis k of the result is axis `axes[k]` of x. For instance
 * `permute(x, [0, 2, 3, 1])` turns [n, c, h, w] into [n, h, w, c]. The values are copied.
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  checkArguments("permute", { x: [x, aTensor], axes: [axes, plainNumberList] });
  const rank = x.shape.length;
  const order = axes.map((axis) => normalizeAxis("permute", axis, rank));
  if (new Set(order).size !== rank || order.length !== rank) {
    throw new ShapeError(
      `permute: got the axes [${axes.join(", ")}] for a tensor of shape ${formatShape(x.shape)}; ` +
        `name each of its ${rank} axes once.`,
    );
  }
  return permuteOp({ x }, { axes: order });
}

/** x with two axes exchanged: a matrix with rows and columns exchanged is `transpose(x, 0, 1)`. */
export function transpose(x: Tensor, axis0: number, axis1: number): Tensor {
  checkArguments("transpose", { x: [x, aTensor] });
  if (axis0 === undefined || axis1 === undefined) {
    throw new ShapeError("transpose: name the two axes to exchange, such as transpose(x, 0, 1).");
  }
  const axes = x.shape.map((_, axis) => axis);
  const [a, b] = [axis0, axis1].map((axis) => normalizeAxis("transpose", axis, axes.length));
  [axes[a], axes[b]] = [b, a];
  return permuteOp({ x }, { axes });
}
