/**
 * This library's operations in ONNX's words, by their names. An operation that is not in the table cannot be
 * exported. ONNX's are defined in onnx/docs/Operators.md.
 */

import type { TransposedGeometry } from "../kernels/conv-transpose2d/index.ts";
import type { Activation } from "../kernels/conv2d/index.ts";
import type { ForwardParams } from "../kernels/conv2d/launch.ts";
import type { DenseParams } from "../kernels/dense-conv2d/index.ts";
import type { Constants } from "../kernels/elementwise/unary.ts";
import type { ConcatParams } from "../kernels/layout/concat.ts";
import type { BoxParams } from "../kernels/layout/slice.ts";
import type { PadParams } from "../kernels/pad/index.ts";
import type { ReduceParams } from "../kernels/reduce/reduction.ts";
import type { InterpolateParams } from "../kernels/resize/index.ts";
import { ArgumentError } from "../options/arguments.ts";
import type { RecordedOp } from "../tensor/record-ops.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Attribute, OnnxNode, OnnxTensor } from "./onnx-file.ts";

/** A network that is being written down. Values are known by their names. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly tensors: OnnxTensor[] = [];
  #constants = 0;

  /** Appends an operation, and returns the name of its result. */
  add(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = `value_${this.nodes.length}`,
  ): string {
    this.nodes.push({ type, inputs, output, attributes });
    return output;
  }

  /** A constant of numbers, by default a single one. */
  floats(values: ArrayLike<number>, shape: Shape = []): string {
    return this.#constant({ shape, data: Float32Array.from(values) });
  }

  /** A list of whole numbers, such as sizes. */
  integers(values: readonly (number | bigint)[]): string {
    return this.#constant({ shape: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  /** A single whole number. */
  integer(value: number): string {
    return this.#constant({ shape: [], data: BigInt64Array.of(BigInt(value)) });
  }

  #constant(tensor: Omit<OnnxTensor, "name">): string {
    const name = `constant_${this.#constants++}`;
    this.tensors.push({ name, ...tensor });
    return name;
  }
}

/** Names of an operation's inputs. */
type Names = Readonly<Record<string, string>>;

/** Writes an operation down, and returns the name of its result. */
type Writer = (graph: OnnxGraph, inputs: Names, op: RecordedOp) => string;

/** One that looks at the operation's parameters, whose type its definition has. */
function writer<P>(write: (graph: OnnxGraph, inputs: Names, params: P, op: RecordedOp) => string): Writer {
  return (graph, inputs, op) => write(graph, inputs, op.params as P, op);
}

/** A function of each number. */
function unary(type: string): Writer {
  return (graph, { x }) => graph.add(type, [x]);
}

/** Over axes, which opset 17 has as an attribute; of sums alone as an input. */
function reduction(type: "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceSum"): Writer {
  return writer<ReduceParams>((graph, { x }, { axes, shape }, op) => {
    if (axes.length === 0) return x; // ONNX takes an empty list for all
    const keepdims = shape.length === op.inputs.x.shape.length ? 1 : 0;
    if (type === "ReduceSum") return graph.add(type, [x, graph.integers(axes)], { keepdims });
    return graph.add(type, [x], { axes, keepdims });
  });
}

/** a * x, or x itself for a = 1. */
function addScale(graph: OnnxGraph, x: string, a: number): string {
  return a === 1 ? x : graph.add("Mul", [x, graph.floats([a])]);
}

function silu(graph: OnnxGraph, x: string): string {
  return graph.add("Mul", [x, graph.add("Sigmoid", [x])]);
}

/** One slope for each channel of x [n, channels, h, w]. */
function prelu(graph: OnnxGraph, x: string, slopes: string): string {
  return graph.add("PRelu", [x, graph.add("Reshape", [slopes, graph.integers([-1, 1, 1])])]);
}

/** (a + b) * (sigmoid(a) - 1/2) */
function symmetricGate(graph: OnnxGraph, a: string, b: string): string {
  const share = graph.add("Sub", [graph.add("Sigmoid", [a]), graph.floats([0.5])]);
  return graph.add("Mul", [graph.add("Add", [a, b]), share]);
}

const conv2d = writer<ForwardParams>((graph, { x, w, b, extra }, { geometry, epilogue }) => {
  const { stride, padding, dilation } = geometry;
  const { activation, slope, extraKind, alpha, shuffle } = epilogue;
  const sums = graph.add("Conv", b === undefined ? [x, w] : [x, w, b], {
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
  });
  const activations: Readonly<Record<Activation, () => string>> = {
    none: () => sums,
    relu: () => graph.add("Relu", [sums]),
    sigmoid: () => graph.add("Sigmoid", [sums]),
    tanh: () => graph.add("Tanh", [sums]),
    leakyRelu: () => graph.add("LeakyRelu", [sums], { alpha: { float: slope } }),
    silu: () => silu(graph, sums),
    prelu: () => prelu(graph, sums, extra),
  };
  const active = activations[activation]();
  const gated = extraKind === "gate" ? symmetricGate(graph, active, extra) : active;
  const y = shuffle === 1 ? gated : addShuffle(graph, gated, shuffle);
  if (extraKind !== "skip") return y;
  // Where the result is enlarged, so is the skip, which has one channel for shuffle² of the sums.
  const skip = shuffle === 1 ? extra : addResize(graph, extra, shuffle, nearest);
  return graph.add("Add", [skip, addScale(graph, y, alpha)]);
});

/** Each convolution reads the input and all results before it, joined along the channels. */
const denseConv2d = writer<DenseParams>((graph, inputs, { count, slope }) => {
  const alpha = { float: slope };
  let y = inputs.x;
  for (let i = 0; i < count; i++) {
    const sums = graph.add("Conv", [y, inputs[`w ${i}`], inputs[`b ${i}`]], { pads: [1, 1, 1, 1] });
    y = graph.add("Concat", [y, graph.add("LeakyRelu", [sums], { alpha })], { axis: 1 });
  }
  return y;
});

const convTranspose2d = writer<TransposedGeometry>((graph, { x, w, b }, geometry) => {
  const { stride, padding, dilation, outputPadding } = geometry;
  return graph.add("ConvTranspose", b === undefined ? [x, w] : [x, w, b], {
    strides: stride,
    pads: [...padding, ...padding],
    dilations: dilation,
    output_padding: outputPadding,
  });
});

/** CRD is PyTorch's order of the channels, and this library's; DCR would be TensorFlow's. */
function addShuffle(graph: OnnxGraph, x: string, r: number): string {
  return graph.add("DepthToSpace", [x], { blocksize: r, mode: "CRD" });
}

/**
 * ONNX's SpaceToDepth has only TensorFlow's order. A convolution that picks one pixel of each block for each of
 * its results has the right one.
 */
const pixelUnshuffle = writer<{ r: number }>((graph, { x }, { r }, op) => {
  const channels = op.inputs.x.shape[1];
  const data = new Float32Array(channels * r ** 4);
  for (let k = 0; k < channels * r ** 2; k++) data[k * r ** 2 + (k % r ** 2)] = 1;
  const weight = graph.floats(data, [channels * r ** 2, 1, r, r]);
  return graph.add("Conv", [x, weight], { strides: [r, r], group: channels });
});

const padModes = { constant: "constant", reflect: "reflect", replicate: "edge" } as const;

const pad = writer<PadParams>((graph, { x }, { padding: [left, right, top, bottom], mode, value }) =>
  graph.add("Pad", [x, graph.integers([0, 0, top, left, 0, 0, bottom, right]), graph.floats([value])], {
    mode: padModes[mode],
  }),
);

/** The end of every axis, however long it is. */
const END = 2n ** 63n - 1n;

const slice = writer<BoxParams>((graph, { x }, { starts, shape }, op) => {
  const whole = op.inputs.x.shape;
  const ends = starts.map((start, axis) => (start + shape[axis] === whole[axis] ? END : start + shape[axis]));
  const axes = starts.flatMap((start, axis) => (start > 0 || ends[axis] !== END ? [axis] : []));
  if (axes.length === 0) return x;
  const of = (list: readonly (number | bigint)[]) => graph.integers(axes.map((axis) => list[axis]));
  return graph.add("Slice", [x, of(starts), of(ends), graph.integers(axes)]);
});

const concat = writer<ConcatParams>((graph, parts, { starts }) => {
  const axis = Object.values(starts)
    .at(-1)!
    .findIndex((start) => start > 0);
  return graph.add("Concat", Object.values(parts), { axis: Math.max(axis, 0) });
});

const interpolate = writer<InterpolateParams>((graph, { x }, { options }) => {
  const { mode, scaleFactor, convention = "pytorch", antialias = false } = options ?? {};
  // By Matlab's convention it changes nothing where pictures become larger.
  const smooths = antialias && convention === "pytorch";
  const isPlain = scaleFactor !== undefined && Number.isInteger(scaleFactor) && !smooths;
  if (!isPlain || mode === undefined) {
    throw new ArgumentError(
      "exportOnnx",
      "only interpolations that enlarge by a whole number can be written down, without antialias.",
    );
  }
  if (mode === "nearest") return addResize(graph, x, scaleFactor, nearest);
  if (mode === "bilinear" && convention === "pytorch")
    return addResize(graph, x, scaleFactor, { mode: "linear" });
  if (mode === "bicubic" && convention === "pytorch") return addResize(graph, x, scaleFactor, cubic(-0.75));
  if (mode === "bicubic") {
    // Matlab's interpolation sees the picture mirrored beyond its edges, ONNX's the outermost pixels.
    const wide = addMirror(graph, addMirror(graph, x, 2), 3);
    const y = addResize(graph, wide, scaleFactor, cubic(-0.5));
    const margin = MARGIN * scaleFactor;
    const [starts, ends] = [margin, -margin].map((place) => graph.integers([place, place]));
    return graph.add("Slice", [y, starts, ends, graph.integers([2, 3])]);
  }
  throw new ArgumentError(
    "exportOnnx",
    `interpolation "${mode}" by Matlab's convention cannot be written down.`,
  );
});

/** A pixel of the result has the value of the one that it lies in. */
const nearest = {
  mode: "nearest",
  coordinate_transformation_mode: "asymmetric",
  nearest_mode: "floor",
} as const;

function cubic(a: number) {
  return { mode: "cubic", cubic_coeff_a: { float: a } } as const;
}

function addResize(
  graph: OnnxGraph,
  x: string,
  scale: number,
  attributes: Readonly<Record<string, Attribute>>,
): string {
  const scales = graph.floats([1, 1, scale, scale], [4]);
  return graph.add("Resize", [x, "", scales], {
    coordinate_transformation_mode: "half_pixel",
    ...attributes,
  });
}

/** Pixels beyond an edge that bicubic interpolation sees. */
const MARGIN = 2;

/** x with its mirror image beyond both ends of an axis; the outermost pixels come twice. One pixel is enough. */
function addMirror(graph: OnnxGraph, x: string, axis: number): string {
  const pixel = (x: string, start: number, end: bigint | number) =>
    graph.add("Slice", [x, graph.integers([start]), graph.integers([end]), graph.integers([axis])]);
  const once = graph.add("Concat", [pixel(x, 0, 1), x, pixel(x, -1, END)], { axis });
  // The next ones lie two pixels further in; where x is one pixel wide, that is the pixel itself.
  return graph.add("Concat", [pixel(once, 2, 3), once, pixel(once, -3, -2)], { axis });
}

export interface WholeBlocks {
  /** Sides of the result are multiples of it. */
  readonly multiple: number;
}

/** x continued by its mirror image, below and to the right. The outermost pixels do not come twice. */
const wholeBlocks = writer<WholeBlocks>((graph, { x }, { multiple }) =>
  [2, 3].reduce((y, axis) => {
    const one = graph.integer(1);
    const side = sideOf(graph, y, axis);
    // Divided by a positive number, the remainder is positive in ONNX, too.
    const missing = graph.add("Mod", [graph.add("Neg", [side]), graph.integer(multiple)]);
    const places = graph.add("Range", [graph.integer(0), graph.add("Add", [side, missing]), one]);
    // There and back again: 0 1 2 3 2 1. A single pixel has nowhere to go. ONNX's Pad refuses narrow pictures.
    const turn = graph.add("Sub", [graph.add("Add", [side, side]), graph.integer(2)]);
    const period = graph.add("Max", [turn, one]);
    const there = graph.add("Mod", [places, period]);
    const back = graph.add("Sub", [period, there]);
    return graph.add("Gather", [y, graph.add("Min", [there, back])], { axis });
  }, x),
);

export interface Crop {
  readonly scale: number;
}

/** x without what is beyond `scale` times the sides of `like`, below and to the right. */
const crop = writer<Crop>((graph, { x, like }, { scale }) => {
  const sides = graph.add("Shape", [like], { start: 2 });
  const ends = graph.add("Mul", [sides, graph.integer(scale)]);
  return graph.add("Slice", [x, graph.integers([0, 0]), ends, graph.integers([2, 3])]);
});

function sideOf(graph: OnnxGraph, x: string, axis: number): string {
  return graph.add("Squeeze", [graph.add("Shape", [x], { start: axis, end: axis + 1 })]);
}

const affine = writer<Constants>((graph, { x }, { a = 0, b = 0 }) => {
  const y = addScale(graph, x, a);
  return b === 0 ? y : graph.add("Add", [y, graph.floats([b])]);
});

const operators: ReadonlyMap<string, Writer> = new Map(
  Object.entries({
    conv2d,
    denseConv2d,
    convTranspose2d,
    pixelShuffle: writer<{ r: number }>((graph, { x }, { r }) => addShuffle(graph, x, r)),
    pixelUnshuffle,
    pad,
    slice,
    concat,
    interpolate,
    crop,
    "whole blocks": wholeBlocks,
    reshape: writer<{ shape: Shape }>((graph, { x }, { shape }) =>
      graph.add("Reshape", [x, graph.integers(shape)]),
    ),
    permute: writer<{ axes: readonly number[] }>((graph, { x }, { axes }) =>
      graph.add("Transpose", [x], { perm: axes }),
    ),
    affine,
    relu: unary("Relu"),
    leakyRelu: writer<Constants>((graph, { x }, { a = 0 }) =>
      graph.add("LeakyRelu", [x], { alpha: { float: a } }),
    ),
    clamp: writer<Constants>((graph, { x }, { a = 0, b = 0 }) =>
      graph.add("Clip", [x, graph.floats([a]), graph.floats([b])]),
    ),
    elu: writer<Constants>((graph, { x }, { a = 0 }) => graph.add("Elu", [x], { alpha: { float: a } })),
    softplus: writer<Constants>((graph, { x }, { a = 1 }) =>
      addScale(graph, graph.add("Softplus", [addScale(graph, x, a)]), 1 / a),
    ),
    silu: (graph, { x }) => silu(graph, x),
    symmetricGate: (graph, { a, b }) => symmetricGate(graph, a, b),
    sigmoid: unary("Sigmoid"),
    tanh: unary("Tanh"),
    exp: unary("Exp"),
    log: unary("Log"),
    sqrt: unary("Sqrt"),
    abs: unary("Abs"),
    neg: unary("Neg"),
    mean: reduction("ReduceMean"),
    max: reduction("ReduceMax"),
    min: reduction("ReduceMin"),
    sum: reduction("ReduceSum"),
    sin: unary("Sin"),
    cos: unary("Cos"),
    square: (graph, { x }) => graph.add("Mul", [x, x]),
    add: writer<{ c: number }>((graph, { a, b }, { c }) => graph.add("Add", [a, addScale(graph, b, c)])),
    sub: (graph, { a, b }) => graph.add("Sub", [a, b]),
    mul: (graph, { a, b }) => graph.add("Mul", [a, b]),
    div: (graph, { a, b }) => graph.add("Div", [a, b]),
    maximum: (graph, { a, b }) => graph.add("Max", [a, b]),
    minimum: (graph, { a, b }) => graph.add("Min", [a, b]),
    prelu: (graph, { a, b }) => graph.add("PRelu", [a, b]),
  } satisfies Record<string, Writer>),
);

/** Writes an operation down, and returns the name of its result. @throws RangeError if ONNX has no such one. */
export function writeOp(graph: OnnxGraph, inputs: Names, op: RecordedOp): string {
  const write = operators.get(op.name);
  if (write) return write(graph, inputs, op);
  throw new ArgumentError(
    "exportOnnx",
    `the operation ${op.name} has no form in ONNX here; src/weights/onnx-operators.ts has those that do.`,
  );
}
