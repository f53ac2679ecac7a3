import { ArgumentError } from "../../options/arguments.ts";
import { quote } from "../../options/kinds.ts";
import { formatShape, type Shape, ShapeError } from "../../tensor/shape.ts";

/** Stride, padding and dilation of a convolution, each as [vertical, horizontal]. */
export interface Geometry {
  readonly stride: readonly [number, number];
  /** Zeros assumed around the picture: above and below, left and right. */
  readonly padding: readonly [number, number];
  /** Distance between the pixels that neighbouring weights look at. */
  readonly dilation: readonly [number, number];
}

/** One number for both directions, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/** Far beyond any picture, so that a mistyped number is refused before indices made of it overflow in a kernel. */
const LARGEST = 2 ** 20;

/**
 * Reads an option that is one whole number for both directions or two of them, as [vertical, horizontal]. Throws an
 * ArgumentError of `op` that names the option unless they are whole numbers from `smallest` to 2^20.
 */
export function pair(name: string, value: Pair, smallest: number, op = "conv2d"): readonly [number, number] {
  const both = (Array.isArray(value) ? value : [value, value]) as readonly number[];
  if (both.length !== 2 || !both.every((v) => Number.isInteger(v) && v >= smallest && v <= LARGEST)) {
    throw new ArgumentError(
      op,
      `${name} must be a whole number of at least ${smallest} and at most ${LARGEST}, or two of ` +
        `them, got ${quote(value)}.`,
    );
  }
  return [both[0], both[1]];
}

/** Throws a ShapeError unless x [n, c, h, w], the weight (its axes in this order) and the bias [o] fit. */
export function checkInputs(
  op: string,
  axes: "[o, c, kh, kw]" | "[c, o, kh, kw]",
  x: Shape,
  w: Shape,
  b: Shape | undefined,
): void {
  if (x.length !== 4 || w.length !== 4) {
    throw new ShapeError(
      `${op}: wants x [n, c, h, w] and weight ${axes}, got ${formatShape(x)} and ${formatShape(w)}.`,
    );
  }
  const [o, c] = axes === "[o, c, kh, kw]" ? w : [w[1], w[0]];
  if (x[1] !== c) {
    throw new ShapeError(
      `${op}: x ${formatShape(x)} has ${x[1]} channels and the weight ${formatShape(w)} takes ${c}. ` +
        `They must be equal: x [n, c, h, w], weight ${axes}.`,
    );
  }
  if (b && (b.length !== 1 || b[0] !== o)) {
    throw new ShapeError(
      `${op}: the bias has shape ${formatShape(b)}; for weight ${formatShape(w)} it must be [${o}].`,
    );
  }
}

/**
 * The shape of conv2d(x [n, c, h, w], w [o, c, kh, kw]): [n, o, oh, ow] with
 * oh = floor((h + 2 * padding - dilation * (kh - 1) - 1) / stride) + 1, ow likewise.
 */
export function outputShape(
  x: Shape,
  w: Shape,
  b: Shape | undefined,
  geometry: Geometry,
  op = "conv2d",
): Shape {
  checkInputs(op, "[o, c, kh, kw]", x, w, b);
  const { stride, padding, dilation } = geometry;
  const size = (axis: 0 | 1) =>
    Math.floor((x[2 + axis] + 2 * padding[axis] - dilation[axis] * (w[2 + axis] - 1) - 1) / stride[axis]) + 1;
  if (size(0) < 1 || size(1) < 1) {
    throw new ShapeError(
      `${op}: the weight ${formatShape(w)} with dilation [${dilation}] does not fit into x ` +
        `${formatShape(x)} with padding [${padding}]. Pad more, or use a larger picture.`,
    );
  }
  return [x[0], w[0], size(0), size(1)];
}
