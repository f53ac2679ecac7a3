import { DataError } from "./errors.ts";
import { checkImage, type Image } from "./image.ts";
import { toByte } from "./levels.ts";
import type { Planes } from "./planes.ts";
import { type ResizeOptions, type ResizeTable, resizeWeights } from "./resize-weights.ts";

/**
 * Matlab's imresize(image, scale, "bicubic") for uint8 pictures of any channel count, bit for bit. `scale` is a
 * factor (each side becomes ceil(scale * side)) or the wanted size. The side with the smaller scale goes first,
 * the height if both are equal, and the result is rounded to bytes (halves upwards) after EACH of the two passes:
 * rounding only once at the end changes more than a tenth of the samples.
 *
 * This is the degradation behind nearly all super-resolution benchmarks. Other libraries' "bicubic" is another
 * filter (OpenCV and PyTorch do not widen the kernel when shrinking and take a = -0.75), and a network trained on
 * one and tested on the other loses whole decibels. The weights come from resizeWeights; here they are applied to
 * all columns and to all rows. Throws a RangeError for scales and sizes that mean nothing.
 */
export function imresize(
  image: Image,
  scale: number | { width: number; height: number },
  options: ResizeOptions = {},
): Image {
  checkImage(image, "imresize");
  const { width, height } = image;
  if (typeof scale === "number" && !(scale > 0 && scale < Infinity)) {
    throw new RangeError(`imresize: scale must be a number above 0, not ${scale}.`);
  }
  const across = typeof scale === "number" ? scale : scale.width / width;
  const down = typeof scale === "number" ? scale : scale.height / height;
  const newWidth = typeof scale === "number" ? Math.ceil(scale * width) : scale.width;
  const newHeight = typeof scale === "number" ? Math.ceil(scale * height) : scale.height;
  const columns = resizeWeights(height, newHeight, down, options);
  const rows = resizeWeights(width, newWidth, across, options);

  return down <= across
    ? resizeRows(resizeColumns(image, columns), rows)
    : resizeColumns(resizeRows(image, rows), columns);
}

/** Changes the height: an output row is a weighted sum of input rows, so whole rows are added up at a time. */
function resizeColumns({ width, channels, data }: Image, { taps, indices, weights }: ResizeTable): Image {
  const rowLength = width * channels;
  const height = indices.length / taps;
  const out = new Uint8Array(height * rowLength);
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let t = y * taps; t < (y + 1) * taps; t++) {
      const weight = weights[t];
      const row = indices[t] * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] += weight * data[row + i];
    }
    for (let i = 0, to = y * rowLength; i < rowLength; i++, to++) out[to] = toByte(sums[i]);
  }
  return { width, height, channels, data: out };
}

/** Changes the width: the same table for every row. */
function resizeRows({ width, height, channels, data }: Image, table: ResizeTable): Image {
  const { taps, weights } = table;
  const offsets = table.indices.map((x) => x * channels);
  const newWidth = offsets.length / taps;
  const out = new Uint8Array(height * newWidth * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    for (let first = 0; first < offsets.length; first += taps) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let t = first; t < first + taps; t++) sum += weights[t] * data[row + offsets[t] + c];
        out[to++] = toByte(sum);
      }
    }
  }
  return { width: newWidth, height, channels, data: out };
}

/**
 * Matlab's imresize for a picture of class double: the same sums on one plane of real numbers [height, width], and
 * nothing is rounded or clamped. The papers' evaluation shrinks and enlarges luma this way.
 */
export function imresizePlane(
  plane: ArrayLike<number>,
  from: { width: number; height: number },
  to: { width: number; height: number },
  options: ResizeOptions = {},
): Float64Array {
  if (plane.length !== from.width * from.height) {
    throw new DataError(
      `imresizePlane: a plane of ${from.width}x${from.height} has ${from.width * from.height} values, but ` +
        `${plane.length} were given.`,
    );
  }
  const [across, down] = [to.width / from.width, to.height / from.height];
  const columns = resizeWeights(from.height, to.height, down, options);
  const rows = resizeWeights(from.width, to.width, across, options);
  return resizePlane(plane, from.width, columns, rows, down <= across);
}

/** Every plane by Matlab's imresize for real numbers; by default bicubic. */
export function interpolatePlanes(
  { width, height, channels, data }: Planes,
  scale: number,
  options?: ResizeOptions,
): Planes {
  const large = { width: width * scale, height: height * scale };
  const area = width * height;
  const result = new Float32Array(channels * large.width * large.height);
  for (let c = 0; c < channels; c++) {
    const plane = data.subarray(c * area, (c + 1) * area);
    result.set(imresizePlane(plane, { width, height }, large, options), c * large.width * large.height);
  }
  return { ...large, channels, data: result };
}

/** A plane of real numbers resized by two tables, for the height and for the width. */
export function resizePlane(
  plane: ArrayLike<number>,
  width: number,
  columns: ResizeTable,
  rows: ResizeTable,
  heightFirst = true,
): Float64Array {
  const values = new Float64Array(plane); // bytes and numbers mixed would make the loops below slow
  return heightFirst
    ? planeRows(planeColumns(values, width, columns), width, rows)
    : planeColumns(planeRows(values, width, rows), rows.indices.length / rows.taps, columns);
}

/** Changes the height, a whole row at a time. */
function planeColumns(
  plane: Float64Array,
  width: number,
  { taps, indices, weights }: ResizeTable,
): Float64Array {
  const out = new Float64Array((indices.length / taps) * width);
  for (let t = 0; t < indices.length; t++) {
    const [from, to] = [indices[t] * width, Math.floor(t / taps) * width];
    for (let x = 0; x < width; x++) out[to + x] += weights[t] * plane[from + x];
  }
  return out;
}

/** Changes the width: the same table for every row. */
function planeRows(
  plane: Float64Array,
  width: number,
  { taps, indices, weights }: ResizeTable,
): Float64Array {
  const newWidth = indices.length / taps;
  const out = new Float64Array((plane.length / width) * newWidth);
  for (let i = 0, row = 0; row < plane.length; row += width) {
    for (let first = 0; first < indices.length; first += taps) {
      let sum = 0;
      for (let t = first; t < first + taps; t++) sum += weights[t] * plane[row + indices[t]];
      out[i++] = sum;
    }
  }
  return out;
}
