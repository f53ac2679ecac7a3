import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import type { OutputInfo } from "sharp";
import { DataError } from "../picture/errors.ts";
import { checkImage, type Image } from "../picture/image.ts";
import { formatOfBytes, formatOfName, pictureFormats } from "./formats.ts";

/** Reads a PNG, JPEG or WebP file; see decodeImage. */
export async function readImage(path: string): Promise<Image> {
  return decodeImage(await readBytes(path), path);
}

/** A whole file. @throws DataError that names it if it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw notRead(path, cause);
  }
}

export function notRead(path: string, cause: unknown): DataError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code === "ENOENT" ? "there is no such file" : message;
  return new DataError(`${path}: cannot be read: ${reason}. Check the path.`, { cause });
}

/**
 * Decodes a PNG, JPEG or WebP picture, told apart by its first bytes, not by its name. 16 bits per sample are cut
 * to the upper 8; the orientation noted by a camera is applied; of an animation the first frame is taken. PNG
 * samples come out as stored, because benchmarks count on it; JPEG and WebP with a colour profile are converted to
 * sRGB. Grey pictures have 1 channel (2 with alpha), all others 3 (4).
 *
 * @param name is what error messages call the picture: its path, mostly.
 * @throws DataError if the bytes are not such a picture, are cut short or damaged.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Image> {
  const format = formatOfBytes(bytes, name);
  // Imported when needed: its native library takes longer to load than all the rest of this package's data part.
  const { default: sharp } = await import("sharp");
  const picture = sharp(bytes, { ignoreIcc: format === "png", limitInputPixels: false });
  let grey: boolean;
  let decoded: { data: Uint8Array; info: OutputInfo };
  try {
    const metadata = await picture.metadata();
    checkSize(metadata, name);
    grey = ["b-w", "grey16"].includes(metadata.space);
    decoded = await picture.autoOrient().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw notDecoded(name, `${pictureFormats[format].name} picture of ${bytes.length} bytes`, cause);
  }

  const { data, info } = decoded;
  const image = { width: info.width, height: info.height, channels: info.channels as 3 | 4, data };
  // A copy, for memory of its own: `data` may be part of a larger buffer, which cannot be given to another thread.
  return grey ? withoutColour(image) : { ...image, data: Uint8Array.from(data) };
}

export function notDecoded(name: string, what: string, cause: unknown): DataError {
  if (cause instanceof DataError) return cause;
  const reason = (cause as Error).message.split("\n")[0];
  return new DataError(
    `${name}: this ${what} cannot be decoded (${reason}). ` +
      "It is damaged or was cut short; download or copy it again, or leave it out.",
    { cause },
  );
}

/** The most pixels that a picture may have: a quarter of a gigapixel, which takes a gigabyte in RGB with alpha. */
const mostPixels = 2 ** 28;

/** Refuses what would not fit into memory before anything is allocated for it: a file of 100 bytes can claim any size. */
export function checkSize({ width, height }: { width: number; height: number }, name: string): void {
  if (width * height <= mostPixels) return;
  throw new DataError(
    `${name}: this picture claims to have ${width}x${height} pixels, and at most ${mostPixels / 2 ** 20} million are read. ` +
      "If that is true, cut it into parts; else the file is damaged.",
  );
}

/** The picture as the bytes of a PNG file with 8 bits per sample and the same channels. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  checkImage(image, "encodePng");
  const { width, height, channels, data } = image;
  const { default: sharp } = await import("sharp");
  const picture = sharp(data, { raw: { width, height, channels } });
  return picture
    .toColourspace(channels <= 2 ? "b-w" : "srgb")
    .png()
    .toBuffer();
}

/** Writes a PNG file, replacing an older one; see writeWhole. */
export async function writePng(path: string, image: Image): Promise<void> {
  if (formatOfName(path) !== "png") {
    throw new DataError(`${path}: only PNG files are written; choose a name that ends in .png.`);
  }
  await writeWhole(path, await encodePng(image));
}

/**
 * Writes a file, replacing an older one, as a whole or not at all: the bytes go to a file beside it that is renamed
 * when complete and on the disk, so that nobody ever meets half of them under `path`, not even after a power cut.
 */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await replaceWhole(path, (unfinished) => writeFile(unfinished, bytes));
}

/**
 * Like writeWhole, for a file that `make` writes under the name it is given. A link stays, and the file that
 * it leads to is replaced; a pipe or a device is written to as it is.
 */
export async function replaceWhole(
  path: string,
  make: (unfinished: string) => Promise<unknown>,
): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => undefined);
  const through = there && !there.isFile() && !there.isDirectory();
  const unfinished = through ? target : unfinishedName(target);
  try {
    await make(unfinished);
    if (through) return;
    const file = await open(unfinished, "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, target);
  } catch (cause) {
    if (!through) await rm(unfinished, { force: true });
    throw notWritten(path, cause);
  }
}

/** Makes a folder where there is none. @throws DataError with what to do about it */
export function makeFolder(path: string, advice = "Name another one."): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new DataError(`${path}: this folder cannot be made: ${(cause as Error).message}. ${advice}`, {
      cause,
    });
  }
}

/** A name beside a file for what is to become it. */
export function unfinishedName(path: string): string {
  return `${path}.${randomUUID()}.tmp`;
}

export function notWritten(path: string, cause: unknown): DataError {
  if (isDiskFull(cause)) return diskFull(path, cause);
  return new DataError(
    `${path}: cannot be written: ${(cause as Error).message}. Does the folder exist, and may you write there?`,
    { cause },
  );
}

/** Whether a write failed for want of room (or of the user's share of it). */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

export function diskFull(path: string, cause: unknown): DataError {
  return new DataError(
    `${path}: cannot be written: the disk is full. Make room, or choose another folder, and start again; what is ` +
      "complete is kept.",
    { cause },
  );
}

/** RGB(A) whose three colours are equal -> grey (+ alpha). */
export function withoutColour({ width, height, channels, data }: Image): Image {
  const kept = (channels - 2) as 1 | 2;
  const grey = new Uint8Array(width * height * kept);
  for (let from = 0, to = 0; to < grey.length; from += channels, to += kept) {
    grey[to] = data[from];
    if (kept === 2) grey[to + 1] = data[from + 3];
  }
  return { width, height, channels: kept, data: grey };
}
