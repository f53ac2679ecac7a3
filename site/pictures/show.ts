/**
 * What the page shows of a picture: bitmaps of 8 bits in the screen's colours, smaller than the picture where it
 * is large. The page asks for the details that its window shows.
 */

import type { Image, Samples } from "../../src/picture/index.ts";
import { loadPart } from "../load-part.ts";

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

/** A picture, or a part of it, reduced by a whole number. */
export async function bitmapOf(
  image: Image<Samples>,
  { reduction = 1, part = wholeOf(image), icc }: { reduction?: number; part?: Part; icc?: Uint8Array },
): Promise<ImageBitmap> {
  const pixels = reduce(image, part, reduction);
  const space = spaceOf(icc);
  if (space !== undefined) {
    return createImageBitmap(new ImageData(pixels.data, pixels.width, pixels.height, { colorSpace: space }));
  }
  // For any other profile, the browser converts the colours of a file.
  const { encodePng } = await loadPart(import("./encode-png.ts"));
  const { width, height, data } = pixels;
  const file = await encodePng({ width, height, channels: 4, data: new Uint8Array(data.buffer) }, { icc });
  return createImageBitmap(file);
}

function wholeOf({ width, height }: { readonly width: number; readonly height: number }): Part {
  return { left: 0, top: 0, width, height };
}

/** The colour space of a profile, if a canvas has it. */
function spaceOf(icc: Uint8Array | undefined): PredefinedColorSpace | undefined {
  if (!icc) return "srgb";
  // The name of a profile has one or two bytes a letter.
  const text = new TextDecoder("latin1").decode(icc.filter((byte) => byte !== 0));
  if (/Display P3/.test(text)) return "display-p3";
  return /sRGB/.test(text) ? "srgb" : undefined;
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
