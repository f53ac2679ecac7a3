/**
 * Signs that a file was cut short, or that its end was never written: a download that broke off into a file of the
 * full length leaves zeros, which decoders of some formats take for samples.
 */

import type { PictureFormat } from "../picture/formats.ts";
import { type Box, boxesOf } from "./boxes.ts";
import { Directories } from "./directories.ts";
import { endOfGif, TRAILER } from "./gif.ts";
import { endOfJpeg, segmentsOf } from "./jpeg.ts";
import { asBuffer, type Read } from "./read.ts";

/** Fewer may be the last bytes of a whole file, or of its samples. */
const FEWEST_ZEROS = 64;

/** Ends a JPEG file. */
export const endOfImage = Buffer.of(0xff, 0xd9);

/** Whether the mark for the end of the picture is there. True for formats without one. */
export function hasEnd(format: PictureFormat, bytes: Uint8Array): boolean {
  if (format === "gif") return endOfGif(bytes) !== undefined;
  return format !== "jpeg" || endOfJpeg(bytes) !== undefined;
}

/** A file without zeros in place of its end. */
export function withoutZerosAtEnd(bytes: Uint8Array): Uint8Array {
  const zeros = zerosAtEnd(bytes);
  return zeros >= FEWEST_ZEROS ? bytes.subarray(0, bytes.length - zeros) : bytes;
}

/**
 * How many zeros stand in place of the last scans of a progressive JPEG. It shows the whole picture several times, each
 * time better, so that less of it decodes without a warning. Other decoders tell, except for WebP, where nobody can:
 * its samples of flat areas are zeros, too.
 */
export function zerosForScans(format: PictureFormat, bytes: Uint8Array): number {
  const progressive = 0xc2;
  if (format !== "jpeg" || hasEnd(format, bytes)) return 0;
  const zeros = zerosAtEnd(bytes);
  if (zeros < FEWEST_ZEROS) return 0;
  for (const { marker } of segmentsOf(bytes)) if (marker === progressive) return zeros;
  return 0;
}

function zerosAtEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.length - end;
}

/**
 * Whether the end of a file looks as if it were cut short. It takes next to no time, and whole files may look so,
 * too: decoding them tells.
 */
export function mayBeCutShort(format: PictureFormat, read: Read, length: number): boolean {
  const last = (count: number) => asBuffer(read(Math.max(0, length - count), count));
  const end = last(2 ** 16);
  switch (format) {
    case "jpeg":
      // At the beginning stands a thumbnail, which has such an end, too.
      return length <= 2 ** 18 ? !hasEnd(format, read(0, length)) : !end.includes(endOfImage);
    case "gif":
      return end.at(-1) !== TRAILER;
    case "webp":
      return asBuffer(read(4, 4)).readUInt32LE() + 8 > length;
    case "avif":
      return (
        end.subarray(-FEWEST_ZEROS).every((byte) => byte === 0) || (lastBox(read, length)?.end ?? 0) > length
      );
    case "tiff":
      return endOfSamples(read, length) > length;
    default:
      return false; // the header is read with what tells
  }
}

/** It alone may end behind the end of the file. */
function lastBox(read: Read, length: number): Box | undefined {
  let last: Box | undefined;
  for (const box of boxesOf(read, 0, length)) last = box;
  return last;
}

/**
 * The most bytes of a TIFF file that are searched for the places of its samples. The directory begins there, and the
 * places of a million strips, and more, end there.
 */
const MAX_READ = 2 ** 26;

/** Where the last samples of the first picture of a TIFF file end. */
function endOfSamples(read: Read, length: number): number {
  try {
    const file = new Directories(read(0, 16));
    // Most programs write the directory last, or behind the first of several pages.
    if (file.first > length / 2 || file.first >= MAX_READ) return length;
    // What a directory in front speaks of stands behind it, usually in front of the samples.
    for (let part = 2 ** 16; ; part *= 8) {
      const end = endOfStrips(read(0, Math.min(part, length, MAX_READ)));
      if (end !== undefined) return end;
      if (part >= Math.min(length, MAX_READ)) return Number.POSITIVE_INFINITY;
    }
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The same, from the beginning of a file; undefined if that says nothing of them. */
function endOfStrips(beginning: Uint8Array): number | undefined {
  try {
    const file = new Directories(beginning);
    const entries = file.entries(file.first);
    const numbers = (...wanted: number[]) =>
      entries.filter(({ tag }) => wanted.includes(tag)).flatMap((entry) => file.values(entry));
    const [starts, counts] = [numbers(273, 324), numbers(279, 325)]; // of strips, or of tiles
    if (starts.length === 0 || counts.length < starts.length) return undefined;
    return starts.reduce((end, start, i) => Math.max(end, start + counts[i]), 0);
  } catch {
    return undefined;
  }
}
