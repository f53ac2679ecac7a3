import { closeSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { writeWhole } from "../files/image-files.ts";
import { DataError } from "../picture/errors.ts";
import { crop, type Image } from "../picture/image.ts";
import type { Pair } from "./pairs.ts";

/**
 * A decoded pair as a file: a header of 512 bytes (JSON, padded with blanks), then LR, then HR. A picture is
 * stored in upright strips of 64 columns, the last one narrower; a strip holds row by row, the channels of a
 * pixel side by side. So a patch of 96 columns takes three reads of little more than its own bytes. Rows as
 * long as the picture would be twenty times as much, and a PNG file would have to be decoded from its
 * beginning.
 */
export interface RawHeader {
  /** What the bytes were made from; any text. */
  source: string;
  low: Size;
  high: Size;
}

type Size = Omit<Image, "data">;

/** A file of this kind, and what its header says. */
export interface RawFile {
  readonly path: string;
  readonly header: RawHeader;
}

const HEADER_BYTES = 512;
const STRIP_WIDTH = 64;

/** Writes the file as a whole or not at all. */
export async function writeRaw(path: string, source: string, { low, high }: Pair): Promise<void> {
  const header = JSON.stringify({ source, low: sizeOf(low), high: sizeOf(high) } satisfies RawHeader);
  const strips = [low, high].flatMap((image) =>
    stripsOf(image.width).map(({ left, width }) => crop(image, left, 0, width, image.height).data),
  );
  await writeWhole(path, Buffer.concat([Buffer.from(header.padEnd(HEADER_BYTES)), ...strips]));
}

/** The header; undefined if there is no such file, or it is incomplete. */
export async function readRawHeader(path: string): Promise<RawHeader | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const start = Buffer.alloc(HEADER_BYTES);
    await file.read(start, 0, HEADER_BYTES, 0);
    const header: RawHeader = JSON.parse(start.toString());
    const { size } = await file.stat();
    return size === HEADER_BYTES + bytesOf(header.low) + bytesOf(header.high) ? header : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * The w x h part of one of the two pictures whose top left pixel is column `x` of row `y`, with some more
 * columns to the left and right: it begins at column `x` of the result. The file does not stay open, because
 * there may be more pictures than a process may have open files. Threads that do nothing else call this: it
 * waits for the disk.
 */
export function readPart(
  { path, header }: RawFile,
  which: "low" | "high",
  { x, y, w, h }: { x: number; y: number; w: number; h: number },
): { image: Image; x: number } {
  const { width, height, channels } = header[which];
  const start = HEADER_BYTES + (which === "high" ? bytesOf(header.low) : 0);
  const strips = stripsOf(width).filter((strip) => strip.left + strip.width > x && strip.left < x + w);
  const [first, last] = [strips[0], strips.at(-1)!];
  const wide = last.left + last.width - first.left;
  const image: Image = { width: wide, height: h, channels, data: new Uint8Array(wide * h * channels) };
  const file = openSync(path, "r");
  try {
    for (const strip of strips) {
      const length = strip.width * channels;
      const rows = read(file, start + strip.left * height * channels + y * length, h * length);
      for (let row = 0; row < h; row++) {
        const at = (row * wide + strip.left - first.left) * channels;
        image.data.set(rows.subarray(row * length, (row + 1) * length), at);
      }
    }
  } finally {
    closeSync(file);
  }
  return { image, x: x - first.left };
}

function stripsOf(width: number): { left: number; width: number }[] {
  return Array.from({ length: Math.ceil(width / STRIP_WIDTH) }, (_, k) => {
    const left = k * STRIP_WIDTH;
    return { left, width: Math.min(STRIP_WIDTH, width - left) };
  });
}

function read(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const bytesRead = readSync(file, bytes, 0, length, position);
  if (bytesRead < length) throw new DataError(`only ${bytesRead} of ${length} bytes could be read`);
  return bytes;
}

const sizeOf = ({ width, height, channels }: Image): Size => ({ width, height, channels });

const bytesOf = ({ width, height, channels }: Size) => width * height * channels;
