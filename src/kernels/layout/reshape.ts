import { checkArguments, plainNumberList } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import {
  type Axes,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  numel,
  type Shape,
  ShapeError,
} from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";

const reshapeOp = defineOp<{ x: Tensor }, { shape: Shape }>({
  name: "reshape",
  float16: true,
  view: true, // the row-major order stays, so nothing moves
  shape: (_, { shape }) => shape,
  cpu() {},
  gpu() {},
  backward: (dy, { x }) => ({ x: () => reshape(dy, x.shape) }),
});

/** The same values in the same order under another shape; one size may be -1, for the rest. Costs nothing. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkArguments("reshape", { x: [x, aTensor], shape: [shape, plainNumberList] });
  const others = shape.filter((size) => size !== -1);
  const full = shape.map((size) => (size === -1 ? x.size / numel(others) : size));
  const wholeNumbers = full.every((size) => Number.isInteger(size) && size > 0);
  if (others.length < shape.length - 1 || !wholeNumbers || numel(full) !== x.size) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, which do not fill ${formatShape(shape)}.`,
    );
  }
  checkShape("reshape", full);
  return reshapeOp({ x }, { shape: full });
}

/** x without those of `axes` (default: all) that have size 1. An axis of another size stays, as in PyTorch. */
export function squeeze(x: Tensor, axes?: Axes): Tensor {
  checkArguments("squeeze", { x: [x, aTensor] });
  const named = normalizeAxes("squeeze", axes, x.shape.length);
  return reshape(
    x,
    x.shape.filter((size, axis) => size !== 1 || !named.includes(axis)),
  );
}

/** x with a new axis of size 1 at `axis`, which counts axes of the result: -1 puts it last. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  checkArguments("unsqueeze", { x: [x, aTensor] });
  const at = normalizeAxis("unsqueeze", axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** x with the axes from `start` to `end` (included; default: all) merged into one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  checkArguments("flatten", { x: [x, aTensor] });
  const rank = x.shape.length;
  if (rank === 0) return reshape(x, [1]);
  const [from, to] = [normalizeAxis("flatten", start, rank), normalizeAxis("flatten", end, rank)];
  if (from > to) {
    throw new ShapeError(
      `flatten: the axes ${start} to ${end} of x ${formatShape(x.shape)} are none. Name the outer one first.`,
    );
  }
  return reshape(x, [
    ...x.shape.slice(0, from),
    numel(x.shape.slice(from, to + 1)),
    ...x.shape.slice(to + 1),
  ]);
}

/** The same values, and the same memory, as a constant: no gradient flows through the result. */
export function detach(x: Tensor): Tensor {
  checkArguments("detach", { x: [x, aTensor] });
  return x.alias(x.shape);
}
