import { ArgumentError } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";

/**
 * Pure shape arithmetic. A shape is a list of sizes, outermost first: pictures are `[n, c, h, w]`
 * (batch, channels, rows, columns), convolution weights `[o, c, kh, kw]`. `[]` is a single number.
 */
export type Shape = readonly number[];

/** More axes than any picture needs. Kernels that walk strides have one parameter per axis. */
export const MAX_RANK = 6;

/** Sizes that do not fit together, or that an operation cannot take. The message names the operation. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** @throws ShapeError unless these are lists of numbers; which numbers, `checkShape` asks */
function wantShapes(caller: string, ...shapes: readonly Shape[]): void {
  for (const shape of shapes) {
    if (Array.isArray(shape) && shape.every((size) => typeof size === "number")) continue;
    throw new ShapeError(`${caller}: a shape is a list of sizes such as [2, 3], got ${quote(shape)}.`);
  }
}

/** Most functions of shapes take the name of an operation, for their errors. */
function wantName(caller: string, op: string): void {
  if (typeof op === "string") return;
  throw new ArgumentError(caller, `the first argument is the name that errors begin with, got ${quote(op)}.`);
}

/** "[2, 3]". It is for messages about shapes that are wrong, too: the sizes may be anything. */
export function formatShape(shape: Shape): string {
  if (typeof (shape as Shape | undefined | null)?.join !== "function") wantShapes("formatShape", shape);
  return `[${shape.join(", ")}]`;
}

/** How many elements a tensor of this shape has; 1 for `[]`. */
export function numel(shape: Shape): number {
  wantShapes("numel", shape);
  return shape.reduce((product, size) => product * size, 1);
}

/** Have two shapes as many axes, and the same sizes? Throws a ShapeError for what is no shape. */
export function sameShape(a: Shape, b: Shape): boolean {
  wantShapes("sameShape", a, b);
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Throws unless every size is a positive whole number and there are at most {@link MAX_RANK} of them. */
export function checkShape(op: string, shape: Shape): void {
  wantName("checkShape", op);
  if (!Array.isArray(shape)) {
    throw new ShapeError(`${op}: a shape is a list of sizes such as [2, 3], got ${quote(shape)}.`);
  }
  if (shape.length > MAX_RANK) {
    throw new ShapeError(
      `${op}: shape ${formatShape(shape)} has ${shape.length} axes; at most ${MAX_RANK} are supported. ` +
        `Merge neighbouring axes with reshape first.`,
    );
  }
  if (!shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    const sizes = shape.every((size) => typeof size === "number") ? formatShape(shape) : quote(shape);
    throw new ShapeError(`${op}: every size must be a positive whole number, got ${sizes}.`);
  }
}

/** Row-major strides: how many elements apart two neighbours along each axis lie. */
export function stridesOf(shape: Shape): number[] {
  wantShapes("stridesOf", shape);
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * The shape to which two operands are stretched, by the rule of NumPy and PyTorch: align the shapes at their
 * last axis; the two sizes of an axis must be equal, or one of them 1.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  wantName("broadcastShapes", op);
  wantShapes(op, a, b);
  const rank = Math.max(a.length, b.length);
  const target = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: counted from the last, ` +
          `axis ${i} has ${x} and ${y}, and neither is 1. Reshape one of them so that sizes are equal or 1.`,
      );
    }
    target[rank - i] = Math.max(x, y);
  }
  return target;
}

/**
 * Strides that read a tensor of `shape` as if it had been stretched to `target`: 0 along every axis that
 * repeats, so that a step along it stays at the same element.
 */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  return padRank(strides, target.length, 0);
}

/**
 * The place in memory, with these `strides`, of element i of a box of these sizes (i counts in row-major
 * order). The function splits i into coordinates and sums coordinate times stride.
 */
export function stridedIndex(sizes: Shape, strides: readonly number[]): (i: number) => number {
  return (i) => {
    let rest = i;
    let at = 0;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += (rest % sizes[axis]) * strides[axis];
      rest = Math.floor(rest / sizes[axis]);
    }
    return at;
  };
}

/** Turns `-1` into the last axis and so on; throws if the axis does not exist. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (rank === 0) {
    throw new ShapeError(
      `${op}: a tensor of shape [] is a single number and has no axes, got axis ${quote(axis)}. Give it one first: ` +
        `reshape(x, [1]).`,
    );
  }
  if (axis === undefined) {
    throw new ShapeError(
      `${op}: say along which axis, ${-rank} to ${rank - 1}, such as ${op}(x, ${rank - 1}).`,
    );
  }
  if (Array.isArray(axis)) throw new ShapeError(`${op}: takes one axis, a number, got ${quote(axis)}.`);
  const positive = Number.isInteger(axis) && axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new ShapeError(
      `${op}: axis ${quote(axis)} does not exist in a tensor of ${rank} axes; use ${-rank} to ${rank - 1}.`,
    );
  }
  return positive;
}

/** One axis or several; negative ones count from the last. */
export type Axes = number | readonly number[];

/** Sorted, positive, distinct axes; all of them when `axes` is undefined. */
export function normalizeAxes(op: string, axes: Axes | undefined, rank: number): number[] {
  wantName("normalizeAxes", op);
  if (!Number.isSafeInteger(rank) || rank < 0) {
    throw new ShapeError(
      `${op}: the number of axes must be a whole number of at least 0, got ${quote(rank)}.`,
    );
  }
  if (axes !== undefined && typeof axes !== "number" && !Array.isArray(axes)) {
    throw new ShapeError(`${op}: axes are a number or a list of numbers, got ${quote(axes)}.`);
  }
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis(op, axis, rank));
  if (new Set(list).size !== list.length) {
    throw new ShapeError(`${op}: an axis is named twice in [${list.join(", ")}].`);
  }
  return list.sort((a, b) => a - b);
}

/** Sizes or strides with leading values for the missing axes, as kernels of a fixed rank need them. */
export function padRank(values: readonly number[], rank: number, fill: number): number[] {
  return [...new Array<number>(rank - values.length).fill(fill), ...values];
}
