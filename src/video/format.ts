/** A frame of video. */
import type { Samples } from "../picture/image.ts";

export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Bits per sample, 8 to 16; those above 8 take two bytes, little-endian. */
  readonly depth: number;
  /** How many columns and rows of luma share a sample of chroma; undefined for grey video. */
  readonly chroma: { readonly across: 1 | 2; readonly down: 1 | 2 } | undefined;
  /** Where a sample of chroma lies in the pixels it stands for: 0.5 is the middle, 0.25 the first of two. */
  readonly siting: { readonly across: number; readonly down: number };
  /** Black is 0 and white the highest level; else black is 16 and white 235 (times 2^(depth - 8)). */
  readonly fullRange: boolean;
  /** The header's other parameters (frame rate, aspect, …), unchanged. */
  readonly parameters: readonly string[];
}

/** Planes Y, Cb, Cr, or Y alone. */
export type Frame = readonly Samples[];

/** Width and height of each plane. */
export function planeSizes({ width, height, chroma }: Pick<VideoFormat, "width" | "height" | "chroma">) {
  const luma = { width, height };
  if (!chroma) return [luma];
  const size = { width: Math.ceil(width / chroma.across), height: Math.ceil(height / chroma.down) };
  return [luma, size, size];
}
