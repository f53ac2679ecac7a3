/** Tensors from values, constants and random numbers. */
import type { Device, DType } from "../device/device.ts";
import { roundToHalf } from "../device/half.ts";
import { MetaDevice } from "../device/meta-device.ts";
import { aDevice } from "../device/open.ts";
import {
  ArgumentError,
  checkArguments,
  checkNames,
  checkOptions,
  finite,
  isObject,
  optional,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, quote } from "../options/kinds.ts";
import { aRandom, defaultRandom, Random } from "./random.ts";
import { checkShape, formatShape, numel, type Shape, ShapeError } from "./shape.ts";
import { Tensor } from "./tensor.ts";

export interface TensorOptions {
  /** Default: the device of `init()`. */
  device?: Device;
  /** Does backward(loss) compute its gradient? Default false. */
  requiresGrad?: boolean;
  /** How values lie in memory: float16 takes half of it, for inference. Default "float32". */
  dtype?: DType;
}

/** What functions that take a dtype want. */
export const aDType = oneOf("float32", "float16");

const tensorOptions = { device: aDevice, requiresGrad: trueOrFalse, dtype: aDType };

/** A number, a list of numbers, a list of such lists, and so on. */
export type NestedArray = number | ArrayLike<number> | readonly NestedArray[];

/**
 * A tensor from values: `tensor(3)`, `tensor([[1, 2], [3, 4]])`, or flat values with a shape,
 * `tensor(floats, [1, 3, 48, 48])`. The values are copied. Options come last.
 */
export function tensor(values: NestedArray, options?: TensorOptions): Tensor;
export function tensor(values: NestedArray, shape: Shape | undefined, options?: TensorOptions): Tensor;
export function tensor(
  values: NestedArray,
  shapeOrOptions?: Shape | TensorOptions,
  lastOptions?: TensorOptions,
): Tensor {
  if (isPicture(values)) {
    throw new ArgumentError(
      "tensor",
      "got a picture, whose samples lie pixel by pixel. Write tensor(toPlanar(image), [1, image.channels, " +
        'image.height, image.width]), with toPlanar of "pixelgrad/picture".',
    );
  }
  if (!isNested(values)) {
    throw new ArgumentError(
      "tensor",
      `the first argument is a number, a list of numbers, or a list of such lists, got ${quote(values)}.`,
    );
  }
  const isShape = shapeOrOptions === undefined || Array.isArray(shapeOrOptions);
  if (!isShape && (!isObject(shapeOrOptions) || lastOptions !== undefined)) {
    throw new ShapeError(
      `tensor: after the values come a shape, a list such as [1, 3, 48, 48], and options, or one of both; got ` +
        `${quote(shapeOrOptions)} for a shape.`,
    );
  }
  const shape = isShape ? (shapeOrOptions as Shape | undefined) : undefined;
  const options = isShape ? lastOptions : (shapeOrOptions as TensorOptions);
  const flat = flatten(values);
  const sizes = shape ?? inferShape(values);
  checkShape("tensor", sizes);
  if (numel(sizes) !== flat.length) {
    throw new ShapeError(
      `tensor: ${flat.length} values do not fill shape ${formatShape(sizes)}, which holds ${numel(sizes)}.`,
    );
  }
  return create("tensor", sizes, options === undefined ? {} : options, () => flat);
}

/** What `readImage` returns, or an ImageData. */
function isPicture(values: unknown): boolean {
  return isObject(values) && ["width", "height", "data"].every((name) => name in values);
}

/** Makes a tensor, and its values when it is known that the device has room for them. */
function create(
  op: string,
  shape: Shape,
  options: TensorOptions,
  values: (length: number) => ArrayLike<number>,
): Tensor {
  checkShape(op, shape);
  checkOptions(op, options, tensorOptions);
  const { device, requiresGrad = false, dtype } = options;
  if (requiresGrad && dtype === "float16") {
    throw new ArgumentError(
      op,
      `a tensor of float16 has no gradient, so requiresGrad and dtype "float16" exclude each other. Train ` +
        `in float32.`,
    );
  }
  const result = Tensor.empty(shape, device, op, dtype);
  result.requiresGrad = requiresGrad;
  if (!(result.device instanceof MetaDevice)) result.device.write(result.storage, values(result.size));
  return result;
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options?: TensorOptions): Tensor {
  return filled("zeros", shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options?: TensorOptions): Tensor {
  return filled("ones", shape, 1, options);
}

/** A tensor whose elements all equal `value`. */
export function full(shape: Shape, value: number, options?: TensorOptions): Tensor {
  if (typeof value !== "number") {
    throw new ArgumentError("full", `the value must be a number, got ${quote(value)}.`);
  }
  return filled("full", shape, value, options);
}

function filled(op: string, shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return create(op, shape, options, (length) => new Float32Array(length).fill(value));
}

const stepSize: Wanted<number> = {
  wants: "a finite number other than 0",
  fits: (value): value is number => finite.fits(value) && value !== 0,
};

/**
 * The numbers from `start` by steps of `step`, without `end`, as torch.arange: `arange(3)` is 0, 1, 2 and
 * `arange(1, 2, 0.25)` is 1, 1.25, 1.5, 1.75. Negative steps lead down. Where a step is rounded, as 0.1 is, `end` may
 * be among them all the same: `arange(1, 1.3, 0.1)` has four. Options come last. Throws if there is no number.
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step?: number, options?: TensorOptions): Tensor;
export function arange(
  first: number,
  second?: number | TensorOptions,
  third?: number | TensorOptions,
  fourth?: TensorOptions,
): Tensor {
  // Options, wherever they are, end the numbers.
  if (isObject(second) && third === undefined) return arange(first, undefined as never, undefined, second);
  if (isObject(third) && fourth === undefined) return arange(first, second as number, undefined, third);
  const [end, step = 1, options = {}] = [second, third, fourth] as [number?, number?, TensorOptions?];
  checkArguments("arange", {
    "the first number": [first, finite],
    end: [end, optional(finite)],
    step: [step, stepSize],
  });
  const [from, to] = end === undefined ? [0, first] : [first, end];
  const count = Math.ceil((to - from) / step);
  if (count < 1) {
    const remedy =
      from === to ? "give an end other than the start." : "exchange the two, or turn the sign of the step.";
    throw new ArgumentError(
      "arange",
      `there is no number from ${from} by steps of ${step} before ${to}. A tensor has at least one element: ${remedy}`,
    );
  }
  return create("arange", [count], options, (length) =>
    Float64Array.from({ length }, (_, i) => from + i * step),
  );
}

export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from. Default: the generator of `manualSeed`. */
  random?: Random;
}

/**
 * Uniform random values in [low, high), by default [0, 1). What rounding to the dtype would make `high` becomes `low`,
 * as in PyTorch. A `Random` alone may stand for the options.
 */
export function rand(
  shape: Shape,
  options: Random | (RandomOptions & { low?: number; high?: number }) = {},
  ...others: never[]
): Tensor {
  checkShape("rand", shape);
  const own = { example: "{ random, low: -1, high: 1 }", names: ["low", "high"] };
  const { random, low = 0, high = 1, ...rest } = randomOptions("rand", options, others, own);
  checkArguments("rand", { low: [low, finite], high: [high, finite] });
  if (low > high) throw new ArgumentError("rand", `low must not be above high, got ${low} and ${high}.`);
  const toDType = rest.dtype === "float16" ? roundToHalf : Math.fround;
  const end = toDType(high);
  return randomTensor("rand", shape, random, rest, (generator) => {
    const value = low + (high - low) * generator.uniform();
    return toDType(value) === end ? low : value;
  });
}

/** Normal random values, mean 0 and standard deviation 1. A `Random` alone may stand for the options. */
export function randn(shape: Shape, options: Random | RandomOptions = {}, ...others: never[]): Tensor {
  checkShape("randn", shape);
  const own = { example: "{ random: new Random(1) }", names: [] };
  const { random, ...rest } = randomOptions("randn", options, others, own);
  return randomTensor("randn", shape, random, rest, (generator) => generator.normal());
}

function randomTensor(
  op: string,
  shape: Shape,
  random = defaultRandom(),
  options: TensorOptions,
  draw: (random: Random) => number,
): Tensor {
  checkArguments(op, { random: [random, aRandom] });
  return create(op, shape, options, (length) => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = draw(random);
    return values;
  });
}

/** @param own names of options that only this function has, and an example of some for errors */
function randomOptions<O extends RandomOptions>(
  op: string,
  options: Random | O,
  others: unknown[],
  own: { readonly example: string; readonly names: readonly string[] },
): O {
  if (others.length > 0) {
    throw new ArgumentError(
      op,
      `takes a shape and options, such as ${own.example}, got ${others.length + 2} arguments.`,
    );
  }
  if (options instanceof Random) return { random: options } as O;
  if (!isObject(options)) {
    throw new ArgumentError(
      op,
      `the second argument is a Random or options, such as ${own.example}, got ${quote(options)}.`,
    );
  }
  checkNames(op, options, [...Object.keys(tensorOptions), "random", ...own.names]);
  return options;
}

/** Numbers all the way down. Typed arrays hold nothing else. */
function isNested(values: unknown): values is NestedArray {
  return typeof values === "number" || isTyped(values) || (Array.isArray(values) && values.every(isNested));
}

function isTyped(values: unknown): values is ArrayLike<number> {
  return ArrayBuffer.isView(values) && !(values instanceof DataView) && !isBig(values);
}

function isBig(values: unknown): boolean {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

function isFlat(values: NestedArray): values is ArrayLike<number> {
  return ArrayBuffer.isView(values) || Array.prototype.every.call(values, (v) => typeof v === "number");
}

function flatten(values: NestedArray): ArrayLike<number> {
  if (typeof values === "number") return [values];
  if (isFlat(values)) return values;
  return (values as readonly NestedArray[]).flatMap((inner) => Array.from(flatten(inner)));
}

function inferShape(values: NestedArray): Shape {
  if (typeof values === "number") return [];
  if (isFlat(values)) return [values.length];
  const shapes = (values as readonly NestedArray[]).map(inferShape);
  if (shapes.some((shape) => shape.join() !== shapes[0].join())) {
    throw new ShapeError(
      "tensor: the nested lists have different lengths. Give every row the same number of values.",
    );
  }
  return [values.length, ...shapes[0]];
}
