/** Rectangles of pixels: tiles and their windows. */
import type { Samples } from "../picture/image.ts";
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
