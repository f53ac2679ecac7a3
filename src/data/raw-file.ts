import { type FileHandle, open } from "node:fs/promises";
import { DataError } from "./errors.ts";
import { writeWhole } from "./files.ts";
import type { Image } from "./image.ts";
import type { Pair } from "./pairs.ts";

/**
 * A decoded pair as a file: a header of 512 bytes (JSON, filled up with blanks), then all bytes of lr, then those of hr,
 * as Image has them. Some rows of a picture are then one read, where a PNG file has to be decoded from its beginning.
 */
export interface RawHeader {
  /** What the bytes were made from; any text. */
  source: string;
  lr: Size;
  hr: Size;
}

export type Size = Omit<Image, "data">;

const headerBytes = 512;

/** Writes the file as a whole or not at all. */
export async function writeRaw(path: string, source: string, { lr, hr }: Pair): Promise<void> {
  const header = JSON.stringify({ source, lr: sizeOf(lr), hr: sizeOf(hr) } satisfies RawHeader);
  await writeWhole(path, Buffer.concat([Buffer.from(header.padEnd(headerBytes)), lr.data, hr.data]));
}

/** The header; undefined if there is no such file, or it is not a whole one. */
export async function readRawHeader(path: string): Promise<RawHeader | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const header: RawHeader = JSON.parse((await readBytes(file, 0, headerBytes)).toString());
    const { size } = await file.stat();
    return size === headerBytes + bytesOf(header.lr) + bytesOf(header.hr) ? header : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** `count` rows of one of the two pictures, from row `y` on, as a picture of that height. */
export async function readRows(
  file: FileHandle,
  header: RawHeader,
  which: "lr" | "hr",
  y: number,
  count: number,
): Promise<Image> {
  const { width, channels } = header[which];
  const rowBytes = width * channels;
  const start = headerBytes + (which === "hr" ? bytesOf(header.lr) : 0);
  const data = await readBytes(file, start + y * rowBytes, count * rowBytes);
  return { width, height: count, channels, data };
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead < length) throw new DataError(`only ${bytesRead} of ${length} bytes could be read`);
  return bytes;
}

const sizeOf = ({ width, height, channels }: Image): Size => ({ width, height, channels });

const bytesOf = ({ width, height, channels }: Size) => width * height * channels;
