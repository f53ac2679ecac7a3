import { linearGrid } from "../../device/kernel.ts";
import { ArgumentError, checkArguments, finite, numberList } from "../../options/arguments.ts";
import { oneOf } from "../../options/kinds.ts";
import { defineOp } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { padGradKernel, padKernel } from "./pad.wgsl.ts";

export type PadMode = "constant" | "reflect" | "replicate";

interface Rule {
  /** The position in 0 … n - 1 from which position i takes its value; one outside if from none. */
  readonly source: (i: number, n: number) => number;
  /** WGSL functions: `source` for padKernel, `copies` and `copy_at` for padGradKernel. */
  readonly wgsl: { readonly source: string; readonly copies: string };
}

const rules: Record<PadMode, Rule> = {
  constant: {
    source: (i) => i,
    wgsl: {
      source: /* wgsl */ `fn source(i: i32, n: i32) -> i32 { return i; }`,
      copies: /* wgsl */ `
fn copies(i: i32, n: i32, before: i32, after: i32) -> i32 { return 1; }
fn copy_at(k: i32, i: i32, n: i32, before: i32, after: i32) -> i32 { return before + i; }`,
    },
  },
  reflect: {
    // The border pixel is the mirror and does not repeat: 2 1 | 0 1 2 3 | 2 1.
    source: (i, n) => n - 1 - Math.abs(n - 1 - Math.abs(i)),
    wgsl: {
      source: /* wgsl */ `fn source(i: i32, n: i32) -> i32 { return n - 1 - abs(n - 1 - abs(i)); }`,
      // An element may appear as itself, in the mirror before the start, and in the one behind the end.
      copies: /* wgsl */ `
fn copies(i: i32, n: i32, before: i32, after: i32) -> i32 { return 3; }
fn copy_at(k: i32, i: i32, n: i32, before: i32, after: i32) -> i32 {
  if (k == 0) { return before + i; }
  if (k == 1) { return select(-1, before - i, i > 0 && i <= before); }
  return select(-1, before + 2 * (n - 1) - i, i < n - 1 && i >= n - 1 - after);
}`,
    },
  },
  replicate: {
    source: (i, n) => Math.min(Math.max(i, 0), n - 1),
    wgsl: {
      source: /* wgsl */ `fn source(i: i32, n: i32) -> i32 { return clamp(i, 0, n - 1); }`,
      // The first and the last element fill the margins beside them.
      copies: /* wgsl */ `
fn copies(i: i32, n: i32, before: i32, after: i32) -> i32 {
  return 1 + select(0, before, i == 0) + select(0, after, i == n - 1);
}
fn copy_at(k: i32, i: i32, n: i32, before: i32, after: i32) -> i32 {
  return k + select(before + i, 0, i == 0);
}`,
    },
  },
};

type Margins = readonly [left: number, right: number, top: number, bottom: number];

export interface PadParams {
  readonly padding: Margins;
  readonly mode: PadMode;
  readonly value: number;
}

const padOp = defineOp<{ x: Tensor }, PadParams>({
  name: "pad",
  float16: true,
  shape: ({ x }, { padding: [left, right, top, bottom] }) => {
    const [h, w] = x.shape.slice(-2);
    return [...x.shape.slice(0, -2), top + h + bottom, left + w + right];
  },
  cpu({ x }, { padding, mode, value }, y) {
    forEachCopy(x.shape, padding, mode, (to, from) => {
      y.data[to] = from < 0 ? value : x.data[from];
    });
  },
  gpu(device, { x }, { padding: [left, , top], mode, value }, y) {
    const [h, w] = x.shape.slice(-2);
    const [out_h, out_w] = y.shape.slice(-2);
    device.run(padKernel, {
      functions: rules[mode].wgsl.source,
      buffers: { x: x.gpuStorage, y: y.gpuStorage },
      params: { size: y.size, h, w, out_h, out_w, top, left, value },
      grid: linearGrid(y.size, 64),
    });
  },
  backward: (dy, { x }, params) => ({ x: () => padGradOp({ dy }, { ...params, shape: x.shape }) }),
});

const padGradOp = defineOp<{ dy: Tensor }, PadParams & { shape: Shape }>({
  name: "pad gradient",
  shape: (_, { shape }) => shape,
  cpu({ dy }, { padding, mode }, dx) {
    forEachCopy(dx.shape, padding, mode, (to, from) => {
      if (from >= 0) dx.data[from] += dy.data[to];
    });
  },
  gpu(device, { dy }, { padding: [left, right, top, bottom], mode }, dx) {
    const [h, w] = dx.shape.slice(-2);
    device.run(padGradKernel, {
      functions: rules[mode].wgsl.copies,
      buffers: { dy: dy.gpuStorage, dx: dx.gpuStorage },
      params: { size: dx.size, h, w, top, bottom, left, right },
      grid: linearGrid(dx.size, 64),
    });
  },
});

/** The definition: visits each element of the result with the index of the one it copies, or -1. */
function forEachCopy(
  shape: Shape,
  [left, right, top, bottom]: Margins,
  mode: PadMode,
  visit: (to: number, from: number) => void,
): void {
  const [h, w] = shape.slice(-2);
  const planes = numel(shape.slice(0, -2));
  const { source } = rules[mode];
  let to = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let i = -top; i < h + bottom; i++) {
      for (let j = -left; j < w + right; j++) {
        const row = source(i, h);
        const column = source(j, w);
        const inside = row >= 0 && row < h && column >= 0 && column < w;
        visit(to++, inside ? (plane * h + row) * w + column : -1);
      }
    }
  }
}

/**
 * x [..., h, w] with margins of `[left, right, top, bottom]` elements, as torch.nn.functional.pad. They hold
 * `value` (mode "constant"), the mirrored picture ("reflect"; the border does not repeat, so margins must be
 * smaller than the picture), or the nearest element ("replicate"). To crop, use `slice`.
 */
export function pad(x: Tensor, padding: Margins, mode: PadMode = "constant", value = 0): Tensor {
  checkArguments("pad", {
    x: [x, aTensor],
    padding: [padding, numberList],
    mode: [mode, oneOf(...(Object.keys(rules) as PadMode[]))],
    value: [value, finite],
  });
  const margins = `[${padding.join(", ")}] (left, right, top, bottom)`;
  const call = `pad: margins ${margins} in mode "${mode}" for x ${formatShape(x.shape)}`;
  if (x.shape.length < 2) throw new ShapeError(`${call}: x must have rows and columns, [..., h, w].`);
  if (padding.length !== 4 || !padding.every((margin) => Number.isInteger(margin) && margin >= 0)) {
    throw new ShapeError(`${call}: want four whole numbers, none negative. To crop, use slice().`);
  }
  const [h, w] = x.shape.slice(-2);
  const [left, right, top, bottom] = padding;
  if (mode === "reflect" && (Math.max(top, bottom) >= h || Math.max(left, right) >= w)) {
    throw new ShapeError(
      `${call}: a reflected margin must be smaller than the picture: at most ${w - 1} to the left ` +
        `and right, and ${h - 1} above and below.`,
    );
  }
  if (mode !== "constant" && value !== 0) {
    throw new ArgumentError(call, `only mode "constant" takes a value, got ${value}.`);
  }
  return padOp({ x }, { padding, mode, value });
}
