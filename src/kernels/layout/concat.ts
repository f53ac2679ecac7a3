import { checkArguments, listOf } from "../../options/arguments.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, normalizeAxis, type Shape, ShapeError, sameShape } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { copyOnCpu, copyOnGpu } from "./copy.ts";
import { unsqueeze } from "./reshape.ts";
import { placePlan, slice } from "./slice.ts";

export interface ConcatParams {
  readonly shape: Shape;
  /** The place where each part begins, along every axis, by the part's name. */
  readonly starts: Readonly<Record<string, readonly number[]>>;
}

const concatOp = defineOp<Record<string, Tensor>, ConcatParams>({
  name: "concat",
  float16: true,
  shape: (_, { shape }) => shape,
  cpu(parts, { starts }, y) {
    for (const [name, part] of Object.entries(parts)) {
      copyOnCpu(part, y, placePlan(y.shape, starts[name], part.shape));
    }
  },
  gpu(device, parts, { starts }, y) {
    for (const [name, part] of Object.entries(parts)) {
      copyOnGpu(device, part, y, placePlan(y.shape, starts[name], part.shape));
    }
  },
  backward(dy, { y: _, ...parts }, { starts }) {
    const gradients = Object.entries(parts).map(([name, part]) => {
      const ends = part.shape.map((size, axis) => starts[name][axis] + size);
      return [name, () => slice(dy, starts[name], ends)];
    });
    return Object.fromEntries(gradients);
  },
});

/**
 * The tensors one behind the other along `axis`, for channels of pictures [n, c, h, w] axis 1. Along all
 * other axes they must have the same sizes.
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  checkArguments("concat", { "the first argument": [tensors, listOf(aTensor)] });
  if (tensors.length === 0) throw new ShapeError("concat: got no tensors; give at least one.");
  const { shape } = tensors[0];
  const along = normalizeAxis("concat", axis, shape.length);
  const parts: Record<string, Tensor> = {};
  const starts: Record<string, readonly number[]> = {};
  let end = 0;
  for (const [i, part] of tensors.entries()) {
    const fits =
      part.shape.length === shape.length && part.shape.every((n, k) => k === along || n === shape[k]);
    if (!fits) {
      throw new ShapeError(
        `concat: tensor ${i} has shape ${formatShape(part.shape)}, the first ${formatShape(shape)}. Along ` +
          `every axis but ${along}, the one they are joined along, sizes must be equal.`,
      );
    }
    parts[`part ${i}`] = part;
    starts[`part ${i}`] = shape.map((_, k) => (k === along ? end : 0));
    end += part.shape[along];
  }
  return concatOp(parts, { shape: shape.map((size, k) => (k === along ? end : size)), starts });
}

/**
 * Tensors of one shape, one behind the other along a new axis: of n pictures [c, h, w], a batch [n, c, h, w].
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  checkArguments("stack", { "the first argument": [tensors, listOf(aTensor)] });
  if (tensors.length === 0) throw new ShapeError("stack: got no tensors; give at least one.");
  const { shape } = tensors[0];
  const odd = tensors.findIndex((tensor) => !sameShape(tensor.shape, shape));
  if (odd >= 0) {
    throw new ShapeError(
      `stack: tensor ${odd} has shape ${formatShape(tensors[odd].shape)}, the first ${formatShape(shape)}. ` +
        `They must be equal; to join tensors along an axis that they have, use concat().`,
    );
  }
  const along = normalizeAxis("stack", axis, shape.length + 1);
  return concat(
    tensors.map((tensor) => unsqueeze(tensor, along)),
    along,
  );
}
