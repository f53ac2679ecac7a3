/**
 * What the page shows of a picture: bitmaps of 8 bits in the screen's colours, smaller than the picture where it
 * is large. The page asks for the details that its window shows.
 */

import type { Metadata } from "../../src/formats/metadata.ts";
import type { Image, Samples } from "../../src/picture/index.ts";
import { loadPart } from "../load-part.ts";
import type { Colors } from "./colors.ts";

/** A part of a picture, in its pixels. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A bitmap of a whole picture has at most so many pixels: they fill a window, and are drawn in no time. */
const MAX_SHOWN = 2 ** 21;

/** One pixel of the bitmap stands for so many of the picture, along each side. */
export function reductionFor(width: number, height: number): number {
  return Math.ceil(Math.sqrt((width * height) / MAX_SHOWN));
}

/** What the numbers of a picture mean; sRGB, unless its file says anything else. */
export async function colorsFor(metadata: Metadata): Promise<Colors> {
  if (!metadata.icc && !metadata.pngColor) return { space: "srgb" };
  const { colorsOf } = await loadPart(import("./colors.ts"));
  return colorsOf(metadata);
}

/** A picture, or a part of it, reduced by a whole number. */
export async function bitmapOf(
  image: Image<Samples>,
  {
    reduction = 1,
    part = wholeOf(image),
    colors: { space, icc, chunks } = { space: "srgb" },
  }: { reduction?: number; part?: Part; colors?: Colors },
): Promise<ImageBitmap> {
  const { width, height, data } = reduce(image, part, reduction);
  if (space !== undefined) {
    return createImageBitmap(new ImageData(data, width, height, { colorSpace: space }));
  }
  // Any others the browser converts when it reads a file.
  const { encodePng } = await loadPart(import("./encode-png.ts"));
  const rgba = { width, height, channels: 4, data: new Uint8Array(data.buffer) } as const;
  return createImageBitmap(await encodePng(rgba, { icc, chunks }));
}

function wholeOf({ width, height }: { readonly width: number; readonly height: number }): Part {
  return { left: 0, top: 0, width, height };
}

/** RGBA of 8 bits; each pixel is the mean of a square. */
function reduce({ width, channels, data }: Image<Samples>, { left, top, ...size }: Part, by: number) {
  const columns = Math.ceil(size.width / by);
  const rows = Math.ceil(size.height / by);
  const result = new Uint8ClampedArray(4 * columns * rows);
  const unit = data instanceof Uint8Array ? 1 : 1 / 257;
  const colors = channels <= 2 ? 1 : 3;
  const sums = [0, 0, 0, 0];
  for (let row = 0, to = 0; row < rows; row++) {
    const lines = Math.min(by, size.height - row * by);
    for (let column = 0; column < columns; column++, to += 4) {
      const across = Math.min(by, size.width - column * by);
      sums.fill(0);
      for (let y = 0; y < lines; y++) {
        let from = ((top + row * by + y) * width + left + column * by) * channels;
        for (let x = 0; x < across; x++) for (let c = 0; c < channels; c++) sums[c] += data[from++];
      }
      const factor = unit / (lines * across);
      result[to] = sums[0] * factor;
      result[to + 1] = sums[colors === 1 ? 0 : 1] * factor;
      result[to + 2] = sums[colors === 1 ? 0 : 2] * factor;
      result[to + 3] = channels % 2 === 0 ? sums[channels - 1] * factor : 255;
    }
  }
  return { width: columns, height: rows, data: result };
}
