/** Rectangles of pixels: tiles and their windows. */
import { type Image, type Samples, zerosLike } from "../picture/image.ts";
import { mirror } from "../picture/resize-weights.ts";

/** A rectangle of pixels, right and bottom edge not included. Windows may stick out of the picture. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** A box in the enlarged picture, with coordinates counted from `corner`. */
export function enlargeBox(
  { top, left, bottom, right }: Box,
  scale: number,
  corner = { top: 0, left: 0 },
): Box {
  return {
    top: (top - corner.top) * scale,
    left: (left - corner.left) * scale,
    bottom: (bottom - corner.top) * scale,
    right: (right - corner.left) * scale,
  };
}

/**
 * Copies the pixels of a box to the start of `to`, row by row. Where the box sticks out, the picture is
 * mirrored with its outermost pixels twice, as in imresize.
 */
export function copyBox<T extends Float32Array | Samples>(
  { width, height, channels, data }: { width: number; height: number; channels: number; data: T },
  { top, left, bottom, right }: Box,
  to: T,
): void {
  const [first, end] = [Math.max(0, left), Math.min(width, right)];
  for (let row = top, at = 0; row < bottom; row++, at += (right - left) * channels) {
    const start = mirror(row, height) * width;
    const copy = (from: number, until: number, column: number) =>
      to.set(
        data.subarray((start + from) * channels, (start + until) * channels),
        at + (column - left) * channels,
      );
    const mirrored = (column: number) => copy(mirror(column, width), mirror(column, width) + 1, column);
    copy(first, end, first);
    for (let column = left; column < first; column++) mirrored(column);
    for (let column = end; column < right; column++) mirrored(column);
  }
}

/** Some rows of a picture, in its own memory. */
export function rowsOf(image: Image<Samples>, top: number, height: number): Image<Samples> {
  const row = image.width * image.channels;
  return { ...image, height, data: image.data.subarray(top * row, (top + height) * row) };
}

/** A copy of some columns of a picture. */
export function columnsOf(from: Image<Samples>, left: number, right: number): Image<Samples> {
  const { height, channels } = from;
  const width = right - left;
  const part = { width, height, channels, data: zerosLike(from.data, width * height * channels) };
  copyPart(from, { top: 0, left, bottom: height, right }, part, { left: 0 });
  return part;
}

/** Copies a part of a picture into the top rows of `to`, from column `left` on. */
export function copyPart(
  from: Image<Samples>,
  part: Box,
  to: Image<Samples>,
  { left }: Pick<Box, "left">,
): void {
  const { channels } = from;
  const [first, length] = [part.left * channels, (part.right - part.left) * channels];
  const [rowFrom, rowTo] = [from.width * channels, to.width * channels];
  if (rowFrom === length && rowTo === length) {
    to.data.set(from.data.subarray(part.top * rowFrom, part.bottom * rowFrom));
    return;
  }
  for (let row = part.top, at = left * channels; row < part.bottom; row++, at += rowTo) {
    const start = row * rowFrom + first;
    to.data.set(from.data.subarray(start, start + length), at);
  }
}
