import { defineOp } from "../../tensor/op.ts";
import { formatShape, normalizeAxis, type Shape, ShapeError, stridesOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type CopyPlan, copyOnCpu, copyOnGpu } from "./copy.ts";
import { slice } from "./slice.ts";

interface Params {
  readonly axis: number;
  readonly shape: Shape;
  /** Where each part begins along the axis, by the part's name. */
  readonly starts: Readonly<Record<string, number>>;
}

const concatOp = defineOp<Record<string, Tensor>, Params>({
  name: "concat",
  shape: (_, { shape }) => shape,
  cpu(parts, { axis, starts }, y) {
    for (const [name, part] of Object.entries(parts)) {
      copyOnCpu(part, y, placePlan(part.shape, y.shape, axis, starts[name]));
    }
  },
  gpu(device, parts, { axis, starts }, y) {
    for (const [name, part] of Object.entries(parts)) {
      copyOnGpu(device, part, y, placePlan(part.shape, y.shape, axis, starts[name]));
    }
  },
  backward(dy, { y: _, ...parts }, { axis, starts }) {
    const part = (name: string, { shape }: Tensor) => {
      const from = shape.map((_, k) => (k === axis ? starts[name] : 0));
      const to = shape.map((size, k) => from[k] + size);
      return slice(dy, from, to);
    };
    return Object.fromEntries(Object.entries(parts).map(([name, x]) => [name, () => part(name, x)]));
  },
});

function placePlan(part: Shape, whole: Shape, axis: number, start: number): CopyPlan {
  const strides = stridesOf(whole);
  return { sizes: part, xStrides: stridesOf(part), yStrides: strides, yOffset: start * strides[axis] };
}

/**
 * The tensors one behind the other along `axis`; along all others they must have the same sizes. For channels
 * of pictures [n, c, h, w] that is axis 1.
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) throw new ShapeError("concat: got no tensors; give at least one.");
  const { shape } = tensors[0];
  const along = normalizeAxis("concat", axis, shape.length);
  const starts: Record<string, number> = {};
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
    starts[`part ${i}`] = end;
    end += part.shape[along];
  }
  const parts = Object.fromEntries(tensors.map((part, i) => [`part ${i}`, part]));
  return concatOp(parts, { axis: along, shape: shape.map((size, k) => (k === along ? end : size)), starts });
}
