import { type FileHandle, open } from "node:fs/promises";
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { writeWhole } from "./files.ts";
import type { Pair } from "./pairs.ts";
import type { Size } from "./picture-cache.ts";

/**
 * A decoded pair as a file: a header of 512 bytes (JSON, filled up with blanks), then low, then high. A picture is stored in
 * upright strips of 64 columns, the last one narrower, each strip row by row with the channels of a pixel side by side.
 * So a patch of 96 columns of a picture of 2040 is three reads of little more than its own bytes, where rows as long as
 * the picture would be twenty times as much, and a PNG file would have to be decoded from its beginning.
 */
export interface RawHeader {
  /** What the bytes were made from; any text. */
  source: string;
  low: Size;
  high: Size;
}

const headerBytes = 512;
const stripWidth = 64;

/** Writes the file as a whole or not at all. */
export async function writeRaw(path: string, source: string, { low, high }: Pair): Promise<void> {
  const header = JSON.stringify({ source, low: sizeOf(low), high: sizeOf(high) } satisfies RawHeader);
  await writeWhole(path, Buffer.concat([Buffer.from(header.padEnd(headerBytes)), strips(low), strips(high)]));
}

/** The header; undefined if there is no such file, or it is not a whole one. */
export async function readRawHeader(path: string): Promise<RawHeader | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const header: RawHeader = JSON.parse((await readBytes(file, 0, headerBytes)).toString());
    const { size } = await file.stat();
    return size === headerBytes + bytesOf(header.low) + bytesOf(header.high) ? header : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/**
 * The w x h part of one of the two pictures whose top left pixel is column `x` of row `y`, with some columns
 * more to its left and right: it begins at column `x` of the result. The file is not kept open: there may be
 * more pictures than a process may have files.
 */
export async function readPart(
  path: string,
  header: RawHeader,
  which: "low" | "high",
  { x, y, w, h }: { x: number; y: number; w: number; h: number },
): Promise<{ image: Image; x: number }> {
  const { width, height, channels } = header[which];
  const start = headerBytes + (which === "high" ? bytesOf(header.low) : 0);
  const strips = stripsOf(width).filter((strip) => strip.left + strip.width > x && strip.left < x + w);
  const [first, last] = [strips[0], strips.at(-1)!];
  const wide = last.left + last.width - first.left;
  const image: Image = { width: wide, height: h, channels, data: new Uint8Array(wide * h * channels) };
  const file = await open(path);
  try {
    await Promise.all(
      strips.map(async (strip) => {
        const row = strip.width * channels;
        const rows = await readBytes(file, start + strip.left * height * channels + y * row, h * row);
        copyColumns(rows, strip.width, 0, image.data, wide, strip.left - first.left, strip.width, channels);
      }),
    );
  } finally {
    await file.close();
  }
  return { image, x: x - first.left };
}

function stripsOf(width: number): { left: number; width: number }[] {
  return Array.from({ length: Math.ceil(width / stripWidth) }, (_, k) => {
    const left = k * stripWidth;
    return { left, width: Math.min(stripWidth, width - left) };
  });
}

function strips({ width, height, channels, data }: Image): Uint8Array {
  const out = new Uint8Array(data.length);
  for (const strip of stripsOf(width)) {
    const part = out.subarray(strip.left * height * channels, (strip.left + strip.width) * height * channels);
    copyColumns(data, width, strip.left, part, strip.width, 0, strip.width, channels);
  }
  return out;
}

/** Copies `columns` columns of pixels, from column `fromX` of one picture to column `toX` of another of its height. */
function copyColumns(
  from: Uint8Array,
  fromWidth: number,
  fromX: number,
  to: Uint8Array,
  toWidth: number,
  toX: number,
  columns: number,
  channels: number,
): void {
  const height = from.length / (fromWidth * channels);
  for (let y = 0; y < height; y++) {
    const start = (y * fromWidth + fromX) * channels;
    to.set(from.subarray(start, start + columns * channels), (y * toWidth + toX) * channels);
  }
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead < length) throw new DataError(`only ${bytesRead} of ${length} bytes could be read`);
  return bytes;
}

const sizeOf = ({ width, height, channels }: Image): Size => ({ width, height, channels });

const bytesOf = ({ width, height, channels }: Size) => width * height * channels;
