/** Matlab's imresize with its rounding to bytes, bit for bit. */

import type { GpuDevice, GpuStorage } from "../../device/gpu-device.ts";
import { MAX_GRID } from "../../device/kernel.ts";
import { type ResizeTable, resizeWeights } from "../../picture/resize-weights.ts";
import { defineOp, type NdArray } from "../../tensor/op.ts";
import { formatShape, numel, type Shape, ShapeError } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { stridesFor } from "../resize/index.ts";
import { remember } from "../resize/tables.ts";
import { imresizeKernel } from "./imresize.wgsl.ts";

export type MatlabResizeOptions =
  | {
      /** Height and width of the result. */
      readonly size: readonly [number, number];
      readonly scaleFactor?: undefined;
    }
  | {
      /** How many times larger the result is; sides are rounded up. */
      readonly scaleFactor: number;
      readonly size?: undefined;
    };

/** Resizing along one axis: 2 (the height changes) or 3 (the width), at `scale` outputs per input. */
interface Pass {
  readonly axis: 2 | 3;
  readonly outSize: number;
  readonly scale: number;
}

/** In the order in which they are done. */
type Passes = readonly Pass[];

const imresizeOp: (inputs: { x: Tensor }, passes: Passes) => Tensor = defineOp<{ x: Tensor }, Passes>({
  name: "matlabResize",
  shape: ({ x }, passes) => passes.reduce(shapeAfter, x.shape),
  cpu({ x }, passes, y) {
    let from: NdArray = { shape: x.shape, data: Float64Array.from(x.data, toByte) };
    for (const pass of passes) {
      const shape = shapeAfter(from.shape, pass);
      const to = { shape, data: new Float64Array(numel(shape)) };
      resizeAxis(from, pass, to);
      from = to;
    }
    y.data.set(from.data);
  },
  gpu(device, { x }, passes, y) {
    const [first, second] = passes;
    const shape = shapeAfter(x.shape, first);
    const between = device.allocate(numel(shape));
    launch(device, { shape: x.shape, storage: x.gpuStorage }, first, between);
    launch(device, { shape, storage: between }, second, y.gpuStorage);
    device.release(between);
  },
});

/**
 * Resizes pictures of bytes x [n, c, h, w], values 0..255, to [n, c, size[0], size[1]] or by `scaleFactor`, as Matlab's
 * imresize(picture, ..., "bicubic") does uint8 pictures: Keys' cubic with a = -0.5, antialiased, edges mirrored, the side
 * with the smaller scale first (the height on a tie), rounded to whole bytes, halves upwards, after each of the two
 * passes. The values of x are rounded and clamped to bytes first. Bit for bit at scales n and 1/n that are odd or a power
 * of two; at others, a sum that is a half within 1e-7 may be rounded either way.
 *
 * For pictures with values in 0..1, and for gradients, there is interpolate() with `convention: "matlab"`, which does not
 * round; this function has no gradient (its slope is 0 almost everywhere).
 *
 * Throws a ShapeError if x has not four axes or the result would be empty, a RangeError for a scale that means nothing
 * or is below 1/250.
 */
export function matlabResize(x: Tensor, { size, scaleFactor }: MatlabResizeOptions): Tensor {
  if (x.shape.length !== 4) {
    throw new ShapeError(
      `matlabResize: x must have the four axes [n, c, h, w], got ${formatShape(x.shape)}.`,
    );
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new TypeError("matlabResize: give either size or scaleFactor, and not both.");
  }
  const [, , height, width] = x.shape;
  const out = size ?? [Math.ceil(height * scaleFactor!), Math.ceil(width * scaleFactor!)];
  if (out.length !== 2 || !out.every((side) => Number.isInteger(side) && side > 0)) {
    throw new ShapeError(
      `matlabResize: height and width of the result must be whole numbers above 0; for x ${formatShape(x.shape)} ` +
        `${size ? "size is" : `scaleFactor ${scaleFactor} makes it`} ${formatShape(out)}.`,
    );
  }
  const [down, across] = [scaleFactor ?? out[0] / height, scaleFactor ?? out[1] / width];
  if (Math.min(down, across) < 1 / 250) {
    throw new RangeError(
      `matlabResize: the scale must not be below 1/250, got ${Math.min(down, across)}. Shrink in several steps.`,
    );
  }
  const passes: Pass[] = [
    { axis: 2, outSize: out[0], scale: down },
    { axis: 3, outSize: out[1], scale: across },
  ];
  return imresizeOp({ x }, down <= across ? passes : passes.reverse());
}

function shapeAfter(shape: Shape, { axis, outSize }: Pass): Shape {
  return shape.map((size, k) => (k === axis ? outSize : size));
}

/** The definition, in float64 as Matlab's, tap by tap. */
function resizeAxis(x: NdArray, { axis, outSize, scale }: Pass, y: NdArray): void {
  const { taps, indices, weights } = resizeWeights(x.shape[axis], outSize, scale);
  const from = stridesFor(x.shape, axis);
  const to = stridesFor(y.shape, axis);
  for (let plane = 0; plane < x.shape[0] * x.shape[1]; plane++) {
    for (let line = 0; line < x.shape[5 - axis]; line++) {
      const start = plane * from.plane + line * from.line;
      for (let i = 0; i < outSize; i++) {
        let sum = 0;
        for (let t = i * taps; t < (i + 1) * taps; t++)
          sum += weights[t] * x.data[start + indices[t] * from.axis];
        y.data[plane * to.plane + line * to.line + i * to.axis] = toByte(sum);
      }
    }
  }
}

function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.floor(value + 0.5);
}

/** A pass's table in a device's memory, and how many taps it has. */
interface DeviceTable {
  readonly taps: number;
  readonly storage: GpuStorage;
}

const onDevices = new WeakMap<GpuDevice, Map<string, DeviceTable>>();

/** [outSize, taps, 3]: position, and the weight in fixed point as the kernel wants it. All are whole as f32, too. */
function tableOn(device: GpuDevice, inSize: number, { outSize, scale }: Pass): DeviceTable {
  const known = onDevices.get(device) ?? new Map<string, DeviceTable>();
  onDevices.set(device, known);
  const upload = () => {
    const { taps, indices, weights } = resizeWeights(inSize, outSize, scale);
    const rows = fixedPoint(indices, weights);
    const storage = device.allocate(rows.length);
    device.write(storage, rows);
    return { taps, storage };
  };
  return remember(known, `${inSize} ${outSize} ${scale}`, upload, ({ storage }) => device.release(storage));
}

function fixedPoint(indices: ResizeTable["indices"], weights: ResizeTable["weights"]): Float32Array {
  const rows = new Float32Array(3 * weights.length);
  for (const [k, weight] of weights.entries()) {
    const high = Math.round(weight * 2 ** 22);
    rows.set([indices[k], high, Math.round((weight * 2 ** 22 - high) * 2 ** 14)], 3 * k);
  }
  return rows;
}

function launch(
  device: GpuDevice,
  x: { readonly shape: Shape; readonly storage: GpuStorage },
  pass: Pass,
  y: GpuStorage,
): void {
  const { axis, outSize } = pass;
  const from = stridesFor(x.shape, axis);
  const to = stridesFor(shapeAfter(x.shape, pass), axis);
  const planes = x.shape[0] * x.shape[1];
  const lines = x.shape[5 - axis];
  const { taps, storage: table } = tableOn(device, x.shape[axis], pass);
  const alongX = axis === 3;
  // As for interpolate(): threads lie along a row of pixels, and each does several outputs.
  const linesEach = alongX ? lines : Math.ceil(lines / 64);
  const positionsEach = alongX ? Math.ceil(outSize / 64) : outSize;
  const lineGroups = Math.ceil(linesEach / 16);
  const grid = [...(alongX ? [positionsEach, lineGroups] : [lineGroups, positionsEach]), planes];
  const [gx, gy, gz] = grid.map((groups) => Math.min(groups, MAX_GRID));
  device.run(imresizeKernel, {
    constants: { ALONG_X: Number(alongX), LINES: linesEach <= 2 ? linesEach : 4 },
    buffers: { x: x.storage, table, y },
    params: {
      planes,
      lines,
      out: outSize,
      taps,
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
