import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import type { Sharp } from "sharp";
import { DataError } from "../picture/errors.ts";
import { checkImage, type Image } from "../picture/image.ts";
import { decode, isStored, readError } from "./decode.ts";
import { formatOfName } from "./formats.ts";

/** Reads a picture file; see decodeImage. */
export async function readImage(path: string): Promise<Image> {
  return decodeImage(await readBytes(path), path);
}

/** A whole file. @throws DataError that names it if it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause) => {
    throw readError(path, cause);
  });
}

/**
 * Decodes a picture of any format that is read, recognised by its first bytes, not by its name. 16 bits per
 * sample are reduced to the upper 8; the orientation that a camera noted is applied; of several pictures in a
 * file the first is taken. PNG, TIFF, BMP and PPM samples come out as stored, because benchmarks count on it;
 * the others are converted to sRGB if they have a colour profile, and CMYK always is. Grey pictures have 1
 * channel (2 with alpha), all others 3 (4). What decoders only warn of is no damage.
 *
 * @param name what error messages call the picture, usually its path.
 * @throws DataError if the bytes are not such a picture, are cut short or damaged, or would take more than
 *   1 GiB.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Image> {
  const { image } = await decode(bytes, name, (header) => ({
    deep: false,
    ignoreIcc: (header.format === "png" || header.format === "tiff") && isStored(header),
  }));
  // A copy, because the decoder's memory cannot be transferred to another thread.
  return { ...image, data: new Uint8Array(image.data) };
}

/** The picture as the bytes of a PNG file with 8 bits per sample and the same channels. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  checkImage(image, "encodePng");
  const picture = (await toSharp(image)).toColourspace(image.channels <= 2 ? "b-w" : "srgb");
  return picture.png().toBuffer();
}

/** A picture for sharp's encoders. */
export async function toSharp({ width, height, channels, data }: Image): Promise<Sharp> {
  const { default: sharp } = await import("sharp");
  return sharp(data, { raw: { width, height, channels } });
}

/** Writes a PNG file, replacing an older one; see writeWhole. */
export async function writePng(path: string, image: Image): Promise<void> {
  if (formatOfName(path) !== "png") {
    throw new DataError(`${path}: only PNG files are written; choose a name that ends in .png.`);
  }
  await writeWhole(path, await encodePng(image));
}

/**
 * Writes a file, replacing an older one, as a whole or not at all. The bytes go to a file beside it, which is
 * renamed when it is complete and on the disk, so that `path` never holds half of them, not even after a
 * power cut.
 */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await replaceWhole(path, (temporary) => writeFile(temporary, bytes));
}

/**
 * Like writeWhole, for a file that `make` writes under the name it gets. A link stays, and the file it leads
 * to is replaced; a pipe or a device is written to directly.
 */
export async function replaceWhole(
  path: string,
  make: (temporary: string) => Promise<unknown>,
): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const stats = await stat(target).catch(() => undefined);
  const direct = stats !== undefined && !stats.isFile() && !stats.isDirectory();
  const temporary = direct ? target : temporaryName(target);
  try {
    await make(temporary);
    if (direct) return;
    const file = await open(temporary, "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    if (!direct) await rm(temporary, { force: true });
    throw writeError(path, cause);
  }
}

/** Makes a folder where there is none. @throws DataError that ends in `advice` */
export function makeFolder(path: string, advice = "Name another one."): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new DataError(`${path}: this folder cannot be made: ${message}. ${advice}`, { cause });
  }
}

/** A name beside a file for what will replace it. */
export function temporaryName(path: string): string {
  return `${path}.${randomUUID()}.tmp`;
}

export function writeError(path: string, cause: unknown): DataError {
  const reason = `${(cause as Error).message}. Does the folder exist, and may you write there?`;
  return diskFullError(path, cause) ?? new DataError(`${path}: cannot be written: ${reason}`, { cause });
}

/** If a write failed because the disk is full, or the user's share of it; otherwise undefined. */
export function diskFullError(path: string, cause: unknown): DataError | undefined {
  if (!["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
  return new DataError(
    `${path}: cannot be written: the disk is full. Make room, or choose another folder, and start again; ` +
      "what is complete is kept.",
    { cause },
  );
}
