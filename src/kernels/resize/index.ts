/** Resizes pictures by interpolation, in PyTorch's or Matlab's convention. */
import { checkRoom } from "../../device/device.ts";
import type { GpuDevice } from "../../device/gpu-device.ts";
import type { GpuStorage } from "../../device/gpu-storage.ts";
import { MAX_GRID } from "../../device/kernel.ts";
import {
  ArgumentError,
  checkArguments,
  checkOptions,
  numberList,
  trueOrFalse,
  type Wanted,
} from "../../options/arguments.ts";
import { oneOf, positive } from "../../options/kinds.ts";
import { toByte } from "../../picture/levels.ts";
import { defineOp, type NdArray, type OpDefinition } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import { aTensor, type Tensor } from "../../tensor/tensor.ts";
import { enlargeKernel } from "./enlarge.wgsl.ts";
import { imresizeKernel } from "./imresize.wgsl.ts";
import { resampleKernel } from "./resample.wgsl.ts";
import { cachedTable, tableOn } from "./tables.ts";
import type { AxisTable, Convention, ResizeMode } from "./weights.ts";

export type { Convention, ResizeMode } from "./weights.ts";

export type InterpolateOptions = (
  | {
      /** Height and width of the result. */
      readonly size: readonly [number, number];
      readonly scaleFactor?: undefined;
    }
  | {
      /** How many times larger the result is. Sides are rounded down, or up in Matlab's convention. */
      readonly scaleFactor: number;
      readonly size?: undefined;
    }
) & {
  /** Needed: there is no default. */
  readonly mode: ResizeMode;
  /**
   * When shrinking, widen the kernel so that every pixel of the picture counts. Default: false in PyTorch's
   * convention, true in Matlab's. Not for "nearest".
   */
  readonly antialias?: boolean;
  /** Default "pytorch". */
  readonly convention?: Convention;
  /**
   * Only in Matlab's convention: the pictures are bytes, 0..255, and each of the two passes rounds to bytes,
   * as imresize does with uint8 pictures. Default false.
   */
  readonly round?: boolean;
};

/** Resizing along one axis: 2, which changes the height, or 3, which changes the width. */
interface Pass {
  readonly axis: 2 | 3;
  readonly table: AxisTable;
}

export interface InterpolateParams {
  /** A pass for each axis, in the order in which they are resized. */
  readonly passes: readonly Pass[];
  /** Round to bytes, before the first pass and after each. */
  readonly round: boolean;
  /** What the caller wanted, for a network that is written down; gradients have none. */
  readonly options?: InterpolateOptions;
}

const definition: Omit<OpDefinition<{ x: Tensor }, InterpolateParams>, "backward"> = {
  name: "interpolate",
  shape: ({ x }, { passes }) => passes.reduce(shapeAfter, x.shape),
  cpu({ x }, { passes, round }, y) {
    let from: NdArray = round ? { shape: x.shape, data: Float64Array.from(x.data, toByte) } : x;
    for (const [k, pass] of passes.entries()) {
      const shape = shapeAfter(from.shape, pass);
      const to = k === passes.length - 1 ? y : { shape, data: new Float64Array(numel(shape)) };
      resample(from, pass, to, round);
      from = to;
    }
  },
  gpu(device, { x }, { passes, round }, y) {
    let from = { shape: x.shape, storage: x.gpuStorage };
    for (const [k, pass] of passes.entries()) {
      const shape = shapeAfter(from.shape, pass);
      const storage = k === passes.length - 1 ? y.gpuStorage : device.allocate(numel(shape), x.dtype);
      launch(device, from, pass, storage, round);
      if (k > 0) device.release(from.storage);
      from = { shape, storage };
    }
  },
};

const interpolateOp: (inputs: { x: Tensor }, params: InterpolateParams) => Tensor = defineOp({
  ...definition,
  float16: true,
  // y = B A x has the gradient dx = Aᵀ Bᵀ dy: the same operation with the matrices transposed. (As one is
  // for rows and one for columns, any order would do; in reverse, the smaller scale comes first again.)
  backward: (dy, _, { passes }) => ({
    x: () => {
      const back = passes.map(({ axis, table }) => ({ axis, table: table.transposed })).reverse();
      return interpolateOp({ x: dy }, { passes: back, round: false });
    },
  }),
});

/** Rounding has no gradient: its slope is 0 almost everywhere. */
const roundedOp = defineOp({ ...definition, name: "interpolate with round" });

/**
 * Resizes x [n, c, h, w] to [n, c, size[0], size[1]], or by `scaleFactor` in both directions. Values may be
 * in any range; bicubic results overshoot it a little at sharp edges.
 *
 * - `convention: "pytorch"`: torch.nn.functional.interpolate with align_corners=False and its other defaults.
 *   Nearest takes the pixel at or before a pixel's start; bicubic has a = -0.75; beyond the edges the
 *   outermost pixel repeats. With `antialias`, bicubic has a = -0.5 and pixels beyond the edges do not count.
 *   With `scaleFactor`, sides become floor(scale * side), and distances follow scaleFactor itself, not the
 *   ratio of the rounded sides (PyTorch's recompute_scale_factor=False).
 * - `convention: "matlab"`: imresize. Bicubic with a = -0.5, antialiased, edges mirrored, sides ceil(scale *
 *   side), the side with the smaller scale first. This is the degradation of super-resolution benchmarks.
 *   Values are real numbers, as in Matlab's pictures of class double.
 * - the same with `round: true`: imresize of pictures of class uint8. Values of x are bytes (others are
 *   rounded and clamped to bytes first), and each of the two passes rounds to bytes, halves upwards. Bit for
 *   bit at scales n and 1/n where n is a power of two up to 1024, or odd and at most 35 (imresize.wgsl.ts has
 *   the proof); at others, a sum that is a half within 2e-9 for each sample it adds up may be rounded
 *   either way. It has no gradient.
 *
 * Throws a ShapeError unless x has four axes and the result at least one pixel, and a RangeError
 * for options that mean nothing, among them a scale below 1/250 with `round`.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  checkArguments("interpolate", { x: [x, aTensor] });
  checkOptions("interpolate", options, interpolateOptions, ["mode"]);
  const { mode, convention = "pytorch", round = false } = options;
  if (mode === "nearest" && options.antialias) {
    throw new ArgumentError(
      "interpolate",
      `antialias is for modes "bilinear" and "bicubic", not for "nearest".`,
    );
  }
  if (round && convention !== "matlab") {
    throw new ArgumentError("interpolate", `round is for convention "matlab", not for "${convention}".`);
  }
  const antialias = options.antialias ?? (convention === "matlab" && mode !== "nearest");
  const { size, scales } = resultOf(x.shape, options, convention);
  if (round && Math.min(...scales) < 1 / 250) {
    throw new ArgumentError(
      "interpolate",
      `with round, the scale must not be below 1/250, got ${Math.min(...scales)}. ` +
        `Shrink in several steps.`,
    );
  }

  const shape = [x.shape[0], x.shape[1], ...size];
  checkRoom(x.device, numel(shape), `interpolate: A result of shape ${formatShape(shape)}`);
  const passes = ([2, 3] as const).map((axis, k) => ({
    axis,
    scale: scales[k],
    table: cachedTable(x.shape[axis], size[k], scales[k], { mode, convention, antialias }),
  }));
  // The smaller scale first leaves less work for the second pass.
  passes.sort((a, b) => a.scale - b.scale);
  return (round ? roundedOp : interpolateOp)({ x }, { passes, round, options });
}

/** Options by themselves; `interpolate` checks which of them go together. */
export const interpolateOptions: Readonly<Record<keyof InterpolateOptions, Wanted>> = {
  size: numberList,
  scaleFactor: positive,
  mode: oneOf("nearest", "bilinear", "bicubic"),
  antialias: trueOrFalse,
  convention: oneOf("pytorch", "matlab"),
  round: trueOrFalse,
};

/** Height and width of the result, and for each how many output samples there are per input sample. */
function resultOf(shape: Shape, { size, scaleFactor }: InterpolateOptions, convention: Convention) {
  if (shape.length !== 4) {
    throw new ShapeError(`interpolate: x must have the four axes [n, c, h, w], got ${formatShape(shape)}.`);
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new ArgumentError("interpolate", "give either size or scaleFactor, and not both.");
  }
  if (scaleFactor !== undefined && !(scaleFactor > 0 && scaleFactor < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError("interpolate", `scaleFactor must be a number above 0, got ${scaleFactor}.`);
  }
  const round = convention === "matlab" ? Math.ceil : Math.floor;
  const sides = shape.slice(2);
  const out = size ?? sides.map((side) => round(side * scaleFactor));
  if (out.length !== 2 || !out.every((side) => Number.isInteger(side) && side > 0)) {
    const how = size ? "size is" : `scaleFactor ${scaleFactor} makes it`;
    throw new ShapeError(
      `interpolate: height and width of the result must be whole numbers above 0; for x ` +
        `${formatShape(shape)} ${how} ${formatShape(out)}.`,
    );
  }
  return { size: out, scales: out.map((side, k) => scaleFactor ?? side / sides[k]) };
}

function shapeAfter(shape: Shape, { axis, table }: Pass): Shape {
  return shape.map((size, k) => (k === axis ? table.outSize : size));
}

/** How far apart planes, lines and samples lie in [n, c, h, w]. Lines are columns for axis 2, rows for 3. */
function stridesFor([, , h, w]: Shape, axis: 2 | 3): { plane: number; line: number; axis: number } {
  return axis === 2 ? { plane: h * w, line: 1, axis: w } : { plane: h * w, line: w, axis: 1 };
}

/** The definition: every line of x times the matrix. */
function resample(x: NdArray, { axis, table }: Pass, y: NdArray, round: boolean): void {
  const { outSize, taps, first, weights } = table;
  const from = stridesFor(x.shape, axis);
  const to = stridesFor(y.shape, axis);
  const planes = x.shape[0] * x.shape[1];
  const lines = x.shape[5 - axis];
  for (let plane = 0; plane < planes; plane++) {
    for (let line = 0; line < lines; line++) {
      const start = plane * from.plane + line * from.line;
      for (let i = 0; i < outSize; i++) {
        let sum = 0;
        for (let t = 0; t < taps; t++) {
          sum += weights[i * taps + t] * x.data[start + (first[i] + t) * from.axis];
        }
        y.data[plane * to.plane + line * to.line + i * to.axis] = round ? toByte(sum) : sum;
      }
    }
  }
}

function launch(
  device: GpuDevice,
  x: { readonly shape: Shape; readonly storage: GpuStorage },
  { axis, table }: Pass,
  y: GpuStorage,
  round: boolean,
): void {
  const from = stridesFor(x.shape, axis);
  const to = stridesFor(shapeAfter(x.shape, { axis, table }), axis);
  const planes = x.shape[0] * x.shape[1];
  const lines = x.shape[5 - axis];
  const alongX = axis === 3;
  const { rows, block, samples } = tableOn(device, table, round ? "fixed" : "real");
  // The 64 threads of a workgroup lie along a row of pixels: side by side are blocks of outputs if that is
  // the axis, else lines. With one line and one block per thread there would be this many workgroups:
  const blocks = Math.ceil(table.outSize / block);
  const maxLineGroups = alongX ? lines : Math.ceil(lines / 64);
  const maxBlockGroups = alongX ? Math.ceil(blocks / 64) : blocks;
  // Fewer of them give every thread several lines and, where these are few, several blocks.
  const blocksPerThread = device.profile.outputsPerThread / block;
  const lineGroups = Math.ceil(maxLineGroups / blocksPerThread);
  const blockGroups = Math.ceil(maxBlockGroups / Math.max(1, Math.floor(blocksPerThread / maxLineGroups)));
  const grid = [...(alongX ? [blockGroups, lineGroups] : [lineGroups, blockGroups]), planes];
  const [gx, gy, gz] = grid.map((groups) => Math.min(groups, MAX_GRID));
  const enlarging = block > 1;
  device.run(enlarging ? enlargeKernel : round ? imresizeKernel : resampleKernel, {
    constants: {
      ALONG_X: Number(alongX),
      ...(enlarging
        ? { BLOCK: block, BLOCK_SAMPLES: samples, BLOCK_WEIGHTS: block * samples }
        : { LINES: maxLineGroups <= 2 ? maxLineGroups : 4 }),
    },
    buffers: { x: x.storage, table: rows, y },
    params: {
      planes,
      lines,
      out: table.outSize,
      ...(!enlarging && { taps: samples }),
      x_plane: from.plane,
      x_line: from.line,
      x_axis: from.axis,
      y_plane: to.plane,
      y_line: to.line,
      y_axis: to.axis,
    },
    grid: [gx, gy, gz],
  });
}
