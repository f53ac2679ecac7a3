/** Tensors as text for people, in the manner of PyTorch. */

import { checkArguments, checkOptions } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { stridesOf } from "./shape.ts";
import { aTensor, Tensor } from "./tensor.ts";

export interface FormatOptions {
  /** Digits after the point. Default 4. */
  precision?: number;
  /** Tensors with more elements are shown in part. Default 1000. */
  threshold?: number;
  /** How many entries at the beginning and at the end of each axis are then shown. Default 3. */
  edgeItems?: number;
}

/**
 * Prints values with console.log: of tensors their shapes and numbers, for which a GPU has to be waited for,
 * and of everything else what console.log prints.
 *
 *     await show("loss", loss);
 */
export async function show(...values: unknown[]): Promise<void> {
  const lineBreak = values.length > 1 ? "\n" : "";
  const texts = values.map(async (value) =>
    value instanceof Tensor
      ? `${value.shape.length > 0 ? lineBreak : ""}${await formatTensor(value)}`
      : value,
  );
  console.log(...(await Promise.all(texts)));
}

/**
 * A tensor's shape, device and values as text. Whole numbers have no decimals; numbers of very different sizes
 * are in scientific notation.
 */
export async function formatTensor(x: Tensor, options: FormatOptions = {}): Promise<string> {
  checkArguments("formatTensor", { x: [x, aTensor] });
  checkOptions("formatTensor", options, {
    precision: whole(0, 20),
    threshold: whole(0),
    edgeItems: whole(1),
  });
  const { precision = 4, threshold = 1000, edgeItems = 3 } = options;
  const data = await x.data();
  const edge = x.size > threshold ? edgeItems : Infinity;
  const strides = stridesOf(x.shape);

  /** Which entries along an axis are shown; -1 stands for those left out. */
  const entries = (size: number): number[] =>
    size <= 2 * edge
      ? Array.from({ length: size }, (_, i) => i)
      : [...Array(edge).keys(), -1, ...Array.from({ length: edge }, (_, i) => size - edge + i)];
  const visible: number[] = [];
  const visit = (axis: number, at: number): void => {
    if (axis === x.shape.length) visible.push(data[at]);
    else for (const i of entries(x.shape[axis])) if (i >= 0) visit(axis + 1, at + i * strides[axis]);
  };
  visit(0, 0);
  const write = numberFormat(visible, precision);
  const width = visible.reduce((width, value) => Math.max(width, write(value).length), 0);

  const draw = (axis: number, at: number): string => {
    if (axis === x.shape.length) return write(data[at]).padStart(width);
    const innermost = axis === x.shape.length - 1;
    const parts = entries(x.shape[axis]).map((i) => (i < 0 ? "..." : draw(axis + 1, at + i * strides[axis])));
    const separator = innermost ? ", " : `,${"\n".repeat(x.shape.length - 1 - axis)}${" ".repeat(axis + 1)}`;
    return `[${parts.join(separator)}]`;
  };
  return `${x}${x.shape.length === 0 ? ": " : "\n"}${draw(0, 0)}`;
}

/** One way of writing for all numbers of a tensor, by the rules of PyTorch's print. */
function numberFormat(values: readonly number[], precision: number): (value: number) => string {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const whole = sizes.every(Number.isInteger);
  const scientific = largest >= 1e8 || (!whole && (largest / smallest > 1000 || smallest < 1e-4));
  return (value) => {
    if (!Number.isFinite(value)) return String(value);
    if (scientific) return value.toExponential(precision);
    return whole ? String(value) : value.toFixed(precision);
  };
}
