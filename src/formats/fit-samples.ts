/** What a format can hold of a picture's pixels: how many, how many bits of them, and transparency. */

import { type AlphaChoice, isTransparent } from "../picture/alpha.ts";
import { type PictureFormat, pictureFormats } from "../picture/formats.ts";
import type { Image, Samples, Size } from "../picture/image.ts";
import type { ResultNote } from "./notes.ts";

/** The most pixels a side that a format holds, if a picture has more; 0 for a format that is only read. */
export function exceededSide({ width, height }: Size, format: PictureFormat): number | undefined {
  const most = pictureFormats[format].writes?.maxSide ?? 0;
  return Math.max(width, height) > most ? most : undefined;
}

export interface SampleOptions {
  /** One that is written. */
  readonly format: PictureFormat;
  /** A browser's canvas writes the file: with 8 bits, whatever the format holds. */
  readonly byCanvas?: boolean;
  /** What somebody chose: then there is no note on it. */
  readonly depth?: 8 | 16;
  readonly alpha?: AlphaChoice;
}

export interface SampleFit {
  /** Bits per sample to compute. A format may store fewer. */
  readonly depth: 8 | 16;
  readonly alpha: AlphaChoice;
  readonly notes: readonly ResultNote[];
}

/** What becomes of a picture's 16 bits and transparency, and what to say of that. */
export function fitSamples(
  image: Image<Samples>,
  { format, byCanvas = false, ...chosen }: SampleOptions,
): SampleFit {
  const writes = pictureFormats[format].writes!;
  const bits = byCanvas ? 8 : writes.depth;
  const isDeep = image.data instanceof Uint16Array;
  const notes: ResultNote[] = [];
  if (isDeep && chosen.depth !== 8 && bits < 16) {
    notes.push({ code: "depth", bits, format: byCanvas ? undefined : format });
  }
  if (!writes.alpha && chosen.alpha === undefined && isTransparent(image)) {
    notes.push({ code: "onWhite", format });
  }
  return {
    depth: chosen.depth ?? (isDeep && bits > 8 ? 16 : 8),
    alpha: chosen.alpha ?? (writes.alpha ? "keep" : "white"),
    notes,
  };
}
