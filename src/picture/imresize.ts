import { ArgumentError, checkArguments, checkOptions, isObject } from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";
import { checkImage, crop, type Image, type Samples, type Size, zerosLike } from "./image.ts";
import { toLevel, whiteOf } from "./levels.ts";
import { checkPlanes, checkPlanesObject, type Planes } from "./planes.ts";
import { type ResizeOptions, type ResizeTable, resizeOptions, resizeWeights } from "./resize-weights.ts";

/**
 * Matlab's imresize(image, scale, "bicubic") for uint8 pictures of any channel count, bit for bit. `scale` is
 * a factor (each side becomes ceil(scale * side)) or the wanted size. The side with the smaller scale is
 * resized first, the height if both are equal, and samples are rounded to bytes (halves upwards) after EACH
 * of the two passes: to round once, at the end, would give another picture.
 *
 * This is the degradation behind nearly all super-resolution benchmarks. The "bicubic" of other libraries is
 * a different filter (OpenCV and PyTorch do not widen the kernel when shrinking, and take a = -0.75): a
 * network trained on one and tested on the other loses whole decibels. Pictures of 16 bits are rounded to
 * their own levels, as Matlab's uint16 are. Throws a RangeError for scales and sizes that mean nothing.
 */
export function imresize<S extends Samples = Uint8Array>(
  image: Image<S>,
  scale: number | Size,
  options: ResizeOptions = {},
): Image<S> {
  checkImage(image, "imresize");
  checkOptions("imresize", options, resizeOptions);
  if (typeof scale !== "number") {
    checkSize("imresize", scale, image.channels);
    return resizeTo(image, scale, options);
  }
  if (!(scale > 0 && scale < Infinity)) {
    throw new ArgumentError("imresize", `scale must be a number above 0, not ${scale}.`);
  }
  const size = { width: Math.ceil(scale * image.width), height: Math.ceil(scale * image.height) };
  checkSize("imresize", size, image.channels);
  return resizeTo(image, size, options, scale, scale);
}

/**
 * A part of `imresize(image, size)`, computed alone: of a large result, what a window shows.
 *
 * @param part in pixels of the result
 * @throws RangeError for sizes that mean nothing, and for a part that is not inside the result
 */
export function imresizePart<S extends Samples = Uint8Array>(
  image: Image<S>,
  size: Size,
  part: { readonly left: number; readonly top: number } & Size,
): Image<S> {
  checkImage(image, "imresizePart");
  checkSize("imresizePart", size, image.channels);
  const { left, top, width, height } = isObject(part) ? part : ({} as typeof part);
  const isInside = (from: number, length: number, end: number) =>
    whole(0).fits(from) && whole(1).fits(length) && from + length <= end;
  if (!isInside(left, width, size.width) || !isInside(top, height, size.height)) {
    throw new ArgumentError(
      "imresizePart",
      `the part must be { left, top, width, height }, whole numbers, inside the ` +
        `${size.width}x${size.height} pixels of the result; got ${quote(part)}.`,
    );
  }
  const [across, down] = [size.width / image.width, size.height / image.height];
  const columns = partOf(resizeWeights(image.height, size.height, down), top, height);
  const rows = partOf(resizeWeights(image.width, size.width, across), left, width);
  const inside = crop(image, rows.first, columns.first, rows.count, columns.count);
  return down <= across
    ? resizeRows(resizeColumns(inside, columns), rows)
    : resizeColumns(resizeRows(inside, rows), columns);
}

/** The part of a table for some samples of the result, and which samples of the signal they need. */
function partOf({ taps, indices, weights }: ResizeTable, from: number, count: number) {
  const needed = indices.subarray(from * taps, (from + count) * taps);
  const first = needed.reduce((least, index) => Math.min(least, index), Infinity);
  const last = needed.reduce((most, index) => Math.max(most, index), 0);
  return {
    taps,
    indices: needed.map((index) => index - first),
    weights: weights.subarray(from * taps, (from + count) * taps),
    first,
    count: last - first + 1,
  };
}

/** More samples than JavaScript's arrays hold on all machines. */
const MAX_SAMPLES = 2 ** 31;

function checkSize(caller: string, size: Size, channels: number): void {
  const { width, height }: Partial<Size> = isObject(size) ? size : {};
  const sides = [width, height];
  if (sides.every((side) => whole(1).fits(side)) && width! * height! * channels <= MAX_SAMPLES) return;
  throw new ArgumentError(
    caller,
    `the result's size must be { width, height }, whole numbers of at least 1, and at most ` +
      `${MAX_SAMPLES} samples; got ${isObject(size) ? sides.map(quote).join("x") : quote(size)}.`,
  );
}

/**
 * Matlab's imresize for a picture of class double: the same sums on one plane of real numbers [height,
 * width], neither rounded nor clamped. The papers' evaluation shrinks and enlarges luma this way.
 */
export function imresizePlane(
  plane: ArrayLike<number>,
  from: Size,
  to: Size,
  options: ResizeOptions = {},
): Float64Array {
  checkOptions("imresizePlane", options, resizeOptions);
  checkSize("imresizePlane", from, 1);
  checkSize("imresizePlane", to, 1);
  const { width, height } = from;
  checkPlanes(plane, [1, height, width], "imresizePlane");
  return resizeTo({ width, height, channels: 1, data: new Float64Array(plane) }, to, options).data;
}

/** Every plane by Matlab's imresize for real numbers; by default bicubic. */
export function interpolatePlanes(planes: Planes, scale: number, options?: ResizeOptions): Planes {
  checkPlanesObject(planes, "interpolatePlanes");
  checkArguments("interpolatePlanes", { scale: [scale, whole(1)] });
  const { width, height, channels, data } = planes;
  const large = { width: width * scale, height: height * scale };
  checkSize("interpolatePlanes", large, channels);
  const area = width * height;
  const result = new Float32Array(channels * large.width * large.height);
  for (let c = 0; c < channels; c++) {
    const plane = data.subarray(c * area, (c + 1) * area);
    result.set(imresizePlane(plane, { width, height }, large, options), c * large.width * large.height);
  }
  return { ...large, channels, data: result };
}

/** A plane of real numbers resized by two tables: `columns` for the height, then `rows` for the width. */
export function resizePlane(
  plane: ArrayLike<number>,
  width: number,
  columns: ResizeTable,
  rows: ResizeTable,
): Float64Array {
  const data = new Float64Array(plane);
  const grid = { width, height: data.length / width, channels: 1, data } as const;
  return resizeRows(resizeColumns(grid, columns), rows).data;
}

/**
 * Levels, which are rounded after each pass, or real numbers, which are not; a pixel's channels side by side.
 */
interface Grid<T extends Numbers> extends Omit<Image, "data"> {
  data: T;
}

type Numbers = Samples | Float64Array;

function resizeTo<T extends Numbers>(
  grid: Grid<T>,
  { width, height }: Size,
  options: ResizeOptions,
  across: number = width / grid.width,
  down: number = height / grid.height,
): Grid<T> {
  const columns = resizeWeights(grid.height, height, down, options);
  const rows = resizeWeights(grid.width, width, across, options);
  return down <= across
    ? resizeRows(resizeColumns(grid, columns), rows)
    : resizeColumns(resizeRows(grid, rows), columns);
}

/**
 * Changes the height: an output row is a weighted sum of input rows, so whole rows are added up at a time.
 */
function resizeColumns<T extends Numbers>({ width, channels, data }: Grid<T>, table: ResizeTable): Grid<T> {
  const { taps, indices, weights } = table;
  const rowLength = width * channels;
  const height = indices.length / taps;
  const out = zerosLike(data, height * rowLength);
  if (taps === 1) {
    // The only weight is 1: rows are copied.
    for (let y = 0; y < height; y++) {
      out.set(data.subarray(indices[y] * rowLength, (indices[y] + 1) * rowLength), y * rowLength);
    }
    return { width, height, channels, data: out };
  }
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    const end = (y + 1) * taps;
    let t = y * taps;
    // Four rows at a time, so that the sums are read and written less often; they are added in the same order.
    for (; t + 4 <= end; t += 4) {
      const [w0, w1, w2, w3] = [weights[t], weights[t + 1], weights[t + 2], weights[t + 3]];
      const [r0, r1] = [indices[t] * rowLength, indices[t + 1] * rowLength];
      const [r2, r3] = [indices[t + 2] * rowLength, indices[t + 3] * rowLength];
      for (let i = 0; i < rowLength; i++) {
        sums[i] = sums[i] + w0 * data[r0 + i] + w1 * data[r1 + i] + w2 * data[r2 + i] + w3 * data[r3 + i];
      }
    }
    for (; t < end; t++) {
      const weight = weights[t];
      const row = indices[t] * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] += weight * data[row + i];
    }
    store(sums, out, y * rowLength);
  }
  return { width, height, channels, data: out };
}

/** Changes the width: the same table for every row. */
function resizeRows<T extends Numbers>(grid: Grid<T>, { taps, indices, weights }: ResizeTable): Grid<T> {
  const { width, height, channels, data } = grid;
  const offsets = indices.map((x) => x * channels);
  const newWidth = indices.length / taps;
  const out = zerosLike(data, height * newWidth * channels);
  if (taps === 1) {
    // The only weight is 1: pixels are copied.
    for (let y = 0, to = 0; y < height; y++) {
      const row = y * width * channels;
      for (const offset of offsets) for (let c = 0; c < channels; c++) out[to++] = data[row + offset + c];
    }
    return { width: newWidth, height, channels, data: out };
  }
  const sums = new Float64Array(newWidth * channels);
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    let to = 0;
    // The usual number of channels, which then share what is read of the table.
    if (channels === 3) {
      for (let first = 0; first < offsets.length; first += taps) {
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let t = first; t < first + taps; t++) {
          const weight = weights[t];
          const from = row + offsets[t];
          red += weight * data[from];
          green += weight * data[from + 1];
          blue += weight * data[from + 2];
        }
        sums[to++] = red;
        sums[to++] = green;
        sums[to++] = blue;
      }
      store(sums, out, y * sums.length);
      continue;
    }
    for (let first = 0; first < offsets.length; first += taps) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let t = first; t < first + taps; t++) sum += weights[t] * data[row + offsets[t] + c];
        sums[to++] = sum;
      }
    }
    store(sums, out, y * sums.length);
  }
  return { width: newWidth, height, channels, data: out };
}

function store(values: Float64Array, out: Numbers, start: number): void {
  if (out instanceof Float64Array) {
    out.set(values, start);
    return;
  }
  const white = whiteOf(out);
  for (let i = 0; i < values.length; i++) out[start + i] = toLevel(values[i], white);
}
