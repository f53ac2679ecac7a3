import { anyNumber, checkArguments, listOf } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { checkShape, formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
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
  checkArguments("reshape", { x: [x, aTensor], shape: [shape, listOf(anyNumber)] });
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
