/** Convolution: each forward kernel, and both gradients. */

import { defaultDevice } from "../src/device/open.ts";
import { type Geometry, pair } from "../src/kernels/conv2d/geometry.ts";
import { conv2d, type Variant, variants } from "../src/kernels/conv2d/index.ts";
import * as reference from "../src/kernels/conv2d/reference.ts";
import type { Work } from "../src/measure/limits.ts";
import { tensor } from "../src/tensor/create.ts";
import { noGrad } from "../src/tensor/no-grad.ts";
import type { NdArray } from "../src/tensor/op.ts";
import { Random } from "../src/tensor/random.ts";
import { numel, type Shape } from "../src/tensor/shape.ts";
import { type Bench, gradientOf, type Make, type Sample } from "./harness.ts";

/** A convolution that keeps the picture's size: n pictures of h x w, c channels to o, windows of k x k. */
export interface ConvSize {
  readonly n: number;
  readonly c: number;
  readonly o: number;
  readonly k: number;
  readonly h: number;
  readonly w: number;
}

export function convSize(c: number, o: number, k: number, side: number, n = 1): ConvSize {
  return { n, c, o, k, h: side, w: side };
}

/** Equal for the forward pass and both gradients: each makes one of x, w and y from the other two. */
export function convWork({ n, c, o, k, h, w }: ConvSize): Work {
  return {
    flops: 2 * n * c * o * k * k * h * w,
    bytes: 4 * (n * (c + o) * h * w + c * o * k * k),
  };
}

function shapesOf({ n, c, o, k, h, w }: ConvSize): { x: Shape; w: Shape; y: Shape } {
  return { x: [n, c, h, w], w: [o, c, k, k], y: [n, o, h, w] };
}

export function describe({ n, c, o, k, h, w }: ConvSize): string {
  return `${c}->${o} ${k}x${k}, ${n > 1 ? `${n} of ` : ""}${w}x${h}`;
}

/** How many multiply-adds the references compute in a check: a fraction of a second's work for them. */
const CHECKED_MULTIPLY_ADDS = 25e6;

/** The same layer on a picture small enough for the references. Its sides are multiples of no tile's. */
export function smaller(size: ConvSize): ConvSize {
  const pixels = CHECKED_MULTIPLY_ADDS / (size.c * size.o * size.k * size.k);
  const side = Math.max(5, Math.floor(Math.sqrt(pixels)));
  return { ...size, n: Math.min(2, size.n), h: Math.min(side, size.h), w: Math.min(side + 1, size.w) };
}

// ---- What is computed

/** The operands, equal on all devices. No program needs all three. */
export function operands(size: ConvSize): { x: NdArray; w: NdArray; dy: NdArray } {
  const shapes = shapesOf(size);
  const bound = 1 / Math.sqrt(size.c * size.k * size.k);
  return { x: values(shapes.x, 1, 1), w: values(shapes.w, 2, bound), dy: values(shapes.y, 3, 1) };
}

/** Random ones from -bound to bound. */
export function values(shape: Shape, seed: number, bound: number): NdArray {
  const random = new Random(seed);
  const data = Float32Array.from({ length: numel(shape) }, () => bound * (2 * random.uniform() - 1));
  return { shape, data };
}

/** What `conv2d` chooses by itself, then each kernel by name. */
const forwardVariants = ["auto", ...variants];

function forward(size: ConvSize): Make {
  return (variant) => {
    const device = defaultDevice();
    if (variant === "4-broadcast" && device.profile.subgroupSize === 0) {
      throw new RangeError("needs subgroups of one known size, which this adapter lacks");
    }
    const { x, w } = operands(size);
    const [xs, ws] = [tensor(x.data, x.shape), tensor(w.data, w.shape)];
    const options = {
      padding: (size.k - 1) / 2,
      variant: variants.includes(variant as Variant) ? (variant as Variant) : undefined,
    };
    return { run: () => [conv2d(xs, ws, undefined, options)] };
  };
}

/** The gradient with respect to x or w alone, computed as in backward(). */
function gradient(size: ConvSize, input: "x" | "w"): Make {
  return () => {
    const { x, w, dy } = operands(size);
    const xs = tensor(x.data, x.shape, { requiresGrad: true });
    const ws = tensor(w.data, w.shape, { requiresGrad: true });
    const dys = tensor(dy.data, dy.shape);
    const rule = conv2d(xs, ws, undefined, { padding: (size.k - 1) / 2 }).node!.backward!;
    return {
      run() {
        using _ = noGrad();
        return [gradientOf(rule(dys)[input]!)];
      },
    };
  };
}

// ---- Single elements by the definition

const zero = (shape: Shape): NdArray => ({ shape, data: new Float64Array(numel(shape)) });
const geometry = (padding: number): Geometry => ({
  stride: [1, 1],
  padding: pair("padding", padding, 0),
  dilation: [1, 1],
});

/** Corners, which touch the padding, and random pixels, in the first and the last picture. */
function pixels({ n, h, w }: ConvSize): { picture: number; row: number; column: number }[] {
  const random = new Random(4);
  const places = [
    [0, 0],
    [0, w - 1],
    [h - 1, 0],
    [h - 1, w - 1],
  ];
  for (let i = 0; i < 8; i++) places.push([random.int(h), random.int(w)]);
  return places.map(([row, column], i) => ({ picture: i % 2 === 0 ? 0 : n - 1, row, column }));
}

/** The k x k pixels of all channels around one pixel, zeros beyond the edges: [1, c, k, k]. */
function cutOut({ shape, data }: NdArray, picture: number, row: number, column: number, k: number): NdArray {
  const [, channels, h, w] = shape;
  const out = zero([1, channels, k, k]);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        const [y, x] = [row + i - (k - 1) / 2, column + j - (k - 1) / 2];
        if (y < 0 || y >= h || x < 0 || x >= w) continue;
        out.data[(c * k + i) * k + j] = data[((picture * channels + c) * h + y) * w + x];
      }
    }
  }
  return out;
}

/** All channels of some pixels of y. */
export function forwardSamples(size: ConvSize): Sample[] {
  const { x, w } = operands(size);
  const { k, o } = size;
  return pixels(size).flatMap(({ picture, row, column }) => {
    const y = zero([1, o, 1, 1]);
    reference.forward(cutOut(x, picture, row, column, k), w, undefined, y, geometry(0));
    return channelsOf(y, size, picture, row, column);
  });
}

/** All channels of some pixels of dx. Each is the whole dx of a picture of one pixel, whose dy is k x k. */
function inputGradSamples(size: ConvSize): Sample[] {
  const { dy, w } = operands(size);
  const { k, c } = size;
  return pixels(size).flatMap(({ picture, row, column }) => {
    const dx = zero([1, c, 1, 1]);
    reference.inputGrad(cutOut(dy, picture, row, column, k), w, dx, geometry(k - 1));
    return channelsOf(dx, size, picture, row, column);
  });
}

function channelsOf(
  { shape: [, channels], data }: NdArray,
  { h, w }: ConvSize,
  picture: number,
  row: number,
  column: number,
): Sample[] {
  return Array.from(data, (value, c) => ({
    index: ((picture * channels + c) * h + row) * w + column,
    value,
  }));
}

/** The windows of some pairs of channels. Only those two channels enter into them. */
function weightGradSamples(size: ConvSize): Sample[] {
  const { x, dy } = operands(size);
  const { c, o, k } = size;
  const random = new Random(5);
  const pairs = [[0, 0], [o - 1, c - 1], ...Array.from({ length: 4 }, () => [random.int(o), random.int(c)])];
  return pairs.flatMap(([to, from]) => {
    const dw = zero([1, 1, k, k]);
    reference.weightGrad(oneChannel(x, from), oneChannel(dy, to), dw, geometry((k - 1) / 2));
    return Array.from(dw.data, (value, i) => ({ index: (to * c + from) * k * k + i, value }));
  });
}

function oneChannel({ shape: [n, channels, h, w], data }: NdArray, channel: number): NdArray {
  const out = zero([n, 1, h, w]);
  for (let picture = 0; picture < n; picture++) {
    const start = (picture * channels + channel) * h * w;
    out.data.set(data.subarray(start, start + h * w), picture * h * w);
  }
  return out;
}

// ---- The benches

const parts = {
  forward: { make: forward, samples: forwardSamples, variants: forwardVariants },
  "input-grad": {
    make: (size: ConvSize) => gradient(size, "x"),
    samples: inputGradSamples,
    variants: [""],
  },
  "weight-grad": {
    make: (size: ConvSize) => gradient(size, "w"),
    samples: weightGradSamples,
    variants: [""],
  },
};

/** One part of one layer. networks.ts takes the sampled checks of its layers from here. */
export function convBench(part: keyof typeof parts, size: ConvSize): Bench {
  const { make, samples, variants } = parts[part];
  const small = smaller(size);
  const shape = describe(size);
  return {
    name: `conv2d-${part}`,
    shape,
    variants,
    make: make(size),
    work: convWork(size),
    whole: { what: describe(small), make: make(small), work: convWork(small) },
    sampled: [{ what: `elements of ${shape}`, make: make(size), samples: () => samples(size) }],
    tolerance: 2e-5,
  };
}

export function conv2dBenches(quick: boolean): Bench[] {
  const side = (full: number) => (quick ? full / 4 : full);
  const all = [
    convSize(64, 64, 3, side(128)),
    convSize(16, 16, 3, side(128)),
    convSize(256, 256, 3, side(48)),
    convSize(1, 64, 9, side(128)),
    convSize(3, 16, 3, side(96)),
    convSize(16, 3, 3, side(96)),
    convSize(64, 256, 3, side(96)),
  ];
  // Where training spends its time: large layers, and a batch of small patches.
  const trained = [
    convSize(64, 64, 3, side(128)),
    convSize(16, 16, 3, side(128)),
    convSize(64, 64, 3, 24, quick ? 1 : 4),
  ];
  return [
    ...all.map((size) => convBench("forward", size)),
    ...trained.map((size) => convBench("input-grad", size)),
    ...trained.map((size) => convBench("weight-grad", size)),
  ];
}
