/** What EXIF and XMP say about places in a picture, for a result that is upright and larger. */
import type { Size } from "../picture/image.ts";

/** The picture that EXIF and XMP speak of. */
export interface SourcePicture extends Size {
  /** How the picture was turned, 1 to 8, as in EXIF; width and height are those afterwards. */
  readonly orientation: number;
}

/** How much wider and higher a result is. */
export function growth(source: Size, { width, height }: Size): { readonly x: number; readonly y: number } {
  return { x: width / source.width, y: height / source.height };
}

/**
 * Where a subject is in a result, in whole pixels.
 *
 * @param subject in the picture as it was stored: [x, y], and behind that a diameter, or a width and a height.
 */
export function subjectIn(subject: readonly number[], source: SourcePicture, result: Size): number[] {
  const { orientation } = source;
  const isTurned = orientation >= 5;
  const [columns, rows] = isTurned ? [source.height, source.width] : [source.width, source.height];
  const [x, y, ...extent] = subject;
  const column = [2, 3, 7, 8].includes(orientation) ? columns - x : x;
  const row = [3, 4, 6, 7].includes(orientation) ? rows - y : y;
  const [across, down, ...sides] = isTurned ? [row, column, ...extent.reverse()] : [column, row, ...extent];
  const factor = growth(source, result);
  const [wide = 0, high] = sides;
  const grown = high === undefined ? sides.map(() => wide * factor.x) : [wide * factor.x, high * factor.y];
  return [across * factor.x, down * factor.y, ...grown].map(Math.round);
}
