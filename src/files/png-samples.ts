/**
 * Unpacks the samples of ordinary PNG files (RGB of 8 bits, not interlaced) on the thread that asks.
 *
 * sharp decodes them, too, and in less time on one thread; but not on all cores at once: see `sharpSuffices`.
 */
import * as zlib from "node:zlib";
import { isExifText } from "../formats/metadata-of-png.ts";
import { chunksOf, unpackedSize } from "../formats/png.ts";
import { asBuffer, readFrom } from "../formats/read.ts";
import { crc32 } from "../picture/crc.ts";
import type { Image } from "../picture/image.ts";

/** Node's own is faster, where there is one. */
const checksum: (bytes: Uint8Array) => number = zlib.crc32 ?? crc32;

/** Chunks of an ordinary file. One with any other is left to sharp. */
const ordinaryChunks = new Set([
  ...["IHDR", "IDAT", "IEND"],
  ...["bKGD", "cHRM", "gAMA", "hIST", "iCCP", "iTXt", "pHYs", "sBIT", "sRGB", "tEXt", "tIME", "zTXt"],
]);

/** Deflate makes at most so many bytes of one. */
const MOST_PER_BYTE = 1032;

const CHANNELS = 3;

/**
 * The picture, as `decodeImage` gives it; undefined if the file is of another kind, or damaged: then sharp reads it,
 * or says what is wrong.
 *
 * @param maxBytes of samples
 */
export function unpackPng(file: Uint8Array, maxBytes: number): Image | undefined {
  const packed: Uint8Array[] = [];
  let last = "";
  const view = asBuffer(file);
  if (!view.subarray(0, 8).equals(signature)) return undefined;
  for (const { type, start, end, data } of chunksOf(readFrom(file))) {
    const idatsAdjoin = type !== "IDAT" || last === "IDAT" || packed.length === 0;
    const isFirst = (type === "IHDR") === (last === "");
    const hasValidChecksum = checksum(file.subarray(start + 4, end - 4)) === view.readUInt32BE(end - 4);
    if (!(ordinaryChunks.has(type) && idatsAdjoin && isFirst && hasValidChecksum)) return undefined;
    if (type === "IDAT") packed.push(data());
    if (isExifText(type, data)) return undefined; // which may turn the picture
    last = type;
    if (type === "IEND") break;
  }
  if (last !== "IEND" || packed.length === 0) return undefined;
  // The header's chunk, the first one, begins behind the signature: its length, its name, 13 bytes.
  const isPlain = view.readUInt32BE(8) === 13 && view.subarray(24, 29).equals(Buffer.of(8, 2, 0, 0, 0));
  if (!isPlain) return undefined;
  const [width, height] = [view.readUInt32BE(16), view.readUInt32BE(20)];
  const size = unpackedSize(view.subarray(16, 26));
  if (width === 0 || height === 0 || size > Math.min(maxBytes, file.length * MOST_PER_BYTE)) return undefined;
  let rows: Uint8Array;
  try {
    // One piece for all: otherwise they are put together in the end.
    rows = zlib.inflateSync(Buffer.concat(packed), { chunkSize: Math.max(64, size), maxOutputLength: size });
  } catch {
    return undefined;
  }
  if (rows.length !== size) return undefined;
  const data = undoFilters(rows, width * CHANNELS, height);
  return data && { width, height, channels: CHANNELS, data };
}

const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Undoes the filters of the rows, which store samples as differences to those on the left and above:
 * https://www.w3.org/TR/png-3/#9Filters. Undefined if a row has a filter that does not exist.
 */
function undoFilters(rows: Uint8Array, length: number, height: number): Uint8Array | undefined {
  const out = new Uint8Array(length * height);
  const nothing = new Uint8Array(length); // above the first row
  let from = 0;
  for (let at = 0; at < out.length; at += length, from += length) {
    const undo = filters[rows[from++]]; // a row begins with the number of its filter
    if (undo === undefined) return undefined;
    const [above, up] = at === 0 ? [nothing, 0] : [out, at - length];
    undo(out, at, rows, from, length, above, up);
  }
  return out;
}

/**
 * Undoes the filter of one row: `length` bytes of `rows` from `from` on, into `out` from `at` on. The row before, as
 * it is without its filter, is in `above` from `up` on.
 */
type UndoFilter = (
  out: Uint8Array,
  at: number,
  rows: Uint8Array,
  from: number,
  length: number,
  above: Uint8Array,
  up: number,
) => void;

const copy: UndoFilter = (out, at, rows, from, length) => {
  out.set(rows.subarray(from, from + length), at);
};

const addLeft: UndoFilter = (out, at, rows, from, length) => {
  for (let i = 0; i < CHANNELS; i++) out[at + i] = rows[from + i];
  for (let i = CHANNELS; i < length; i++) out[at + i] = rows[from + i] + out[at + i - CHANNELS];
};

const addAbove: UndoFilter = (out, at, rows, from, length, above, up) => {
  for (let i = 0; i < length; i++) out[at + i] = rows[from + i] + above[up + i];
};

const addMean: UndoFilter = (out, at, rows, from, length, above, up) => {
  for (let i = 0; i < CHANNELS; i++) out[at + i] = rows[from + i] + (above[up + i] >> 1);
  for (let i = CHANNELS; i < length; i++) {
    out[at + i] = rows[from + i] + ((out[at + i - CHANNELS] + above[up + i]) >> 1);
  }
};

const addPaeth: UndoFilter = (out, at, rows, from, length, above, up) => {
  for (let c = 0; c < CHANNELS; c++) {
    let left = 0;
    let corner = 0;
    for (let i = c; i < length; i += CHANNELS) {
      const top = above[up + i];
      left = (rows[from + i] + nearest(left, top, corner)) & 255;
      out[at + i] = left;
      corner = top;
    }
  }
};

/** Filters by their number in the file; the specification calls them None, Sub, Up, Average and Paeth. */
const filters: readonly (UndoFilter | undefined)[] = [copy, addLeft, addAbove, addMean, addPaeth];

/** The neighbour of a sample that is nearest to left + top - corner; of equally near ones the first. */
function nearest(left: number, top: number, corner: number): number {
  const toLeft = Math.abs(top - corner);
  const toTop = Math.abs(left - corner);
  const toCorner = Math.abs(left + top - 2 * corner);
  if (toLeft <= toTop && toLeft <= toCorner) return left;
  return toTop <= toCorner ? top : corner;
}
