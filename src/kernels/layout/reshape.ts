import { defineOp } from "../../tensor/op.ts";
import { checkShape, formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

const reshapeOp = defineOp<{ x: Tensor }, { shape: Shape }>({
  name: "reshape",
  view: true, // row-major order stays as it is, so nothing moves
  shape: (_, { shape }) => shape,
  cpu() {},
  gpu() {},
  backward: (dy, { x }) => ({ x: () => reshape(dy, x.shape) }),
});

/** The same values in the same order under another shape, of which one size may be -1. Free of cost. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const full = shape.map((size) => (size === -1 ? x.size / known : size));
  const wrong =
    shape.filter((size) => size === -1).length > 1 ||
    full.some((size) => !Number.isInteger(size) || size < 1);
  if (wrong || numel(full) !== x.size) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, which do not fill ${formatShape(shape)}.`,
    );
  }
  checkShape("reshape", full);
  return reshapeOp({ x }, { shape: full });
}
