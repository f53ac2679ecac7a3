import { accessSync, constants, existsSync, lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { chmod, type FileHandle, open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import type { Sharp } from "sharp";
import { bytes as bytesWanted, checkArguments } from "../options/arguments.ts";
import { isBytes, ownBytes } from "../options/classes.ts";
import { IncompleteError } from "../options/incomplete.ts";
import { path as aPath, text } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { formatOfName } from "../picture/formats.ts";
import { checkImage, hasBytes, type Image, type Samples } from "../picture/image.ts";
import { decode, MAX_BYTES } from "./decode.ts";
import { type Header, isStored } from "./header.ts";
import { pathArgument, tooLong } from "./path-of.ts";
import { unpackPng } from "./png-samples.ts";
import { manyOpen, readError, readWhole } from "./read-file.ts";
import { sharpSuffices } from "./resources.ts";
import { isStream, refusePipe, standardStreamOf, statsOf, targetOf } from "./same-file.ts";
import { loadSharp } from "./sharp.ts";
import { makeTemporary, removeTemporary, temporaryDone, temporaryFor } from "./temporary.ts";
import { toDisk } from "./to-disk.ts";
import { spaceFor } from "./to-srgb.ts";

/** Reads a picture file, by its path or file URL; see decodeImage. */
export async function readImage(file: string | URL): Promise<Image> {
  const path = pathArgument("readImage", "path", file, aPath);
  return decodeImage(await readBytes(path), path);
}

/** A whole file. @throws DataError that names it if it cannot be read, or is a pipe. */
export async function readBytes(path: string): Promise<Uint8Array> {
  refusePipe(path);
  return readWhole(path).catch((cause) => {
    throw readError(path, cause);
  });
}

/**
 * Decodes a picture of any format that is read, recognized by its first bytes, not by its name. 16 bits per
 * sample are reduced to the upper 8; the orientation that a camera noted is applied; of several pictures in a
 * file the first is taken. PNG, TIFF, BMP and PPM samples come out as stored, because benchmarks count on it;
 * the others are converted to sRGB if they have a colour profile, and CMYK always is. Grey pictures have 1
 * channel (2 with alpha), all others 3 (4). What decoders only warn of is no damage, unless samples are missing.
 *
 * @param name what error messages call the picture, usually its path.
 * @throws DataError if the bytes are not such a picture, are cut short or damaged, or would take more than
 *   1 GiB.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Image> {
  checkArguments("decodeImage", { bytes: [bytes, bytesWanted], name: [name, text] });
  return (await decodeWithWarning(bytes, name)).image;
}

export interface ReadImage {
  readonly image: Image;
  /** What the decoder found wrong, though it could read everything. */
  readonly warning?: string;
  /** Its colours were converted to sRGB. */
  readonly isConverted: boolean;
}

/** Like readImage, with what is to be known besides. `colors`: "srgb" also converts PNG and TIFF by their profiles. */
export async function readWithWarning(path: string, colors?: "srgb"): Promise<ReadImage> {
  return decodeWithWarning(await readBytes(path), path, colors);
}

async function decodeWithWarning(bytes: Uint8Array, name: string, colors?: "srgb"): Promise<ReadImage> {
  // The main thread has other things to do, and lets sharp decode in others.
  const plain =
    isMainThread || sharpSuffices() || colors === "srgb" ? undefined : unpackPng(bytes, MAX_BYTES);
  if (plain) return { image: plain, isConverted: false };
  const isKept = (header: Header) =>
    colors !== "srgb" && (header.format === "png" || header.format === "tiff") && isStored(header);
  const choose = (header: Header) => ({ deep: false, ignoreIcc: isKept(header) });
  const { image, warning, header } = await decode(bytes, name, choose);
  const isConverted = !isStored(header) || (header.metadata?.icc !== undefined && !isKept(header));
  // A copy, because the decoder's memory cannot be transferred to another thread.
  return { image: { ...image, data: new Uint8Array(image.data) }, warning, isConverted };
}

/** The picture as the bytes of a PNG file with the same channels and as many bits per sample. */
export async function encodePng(image: Image<Samples>): Promise<Uint8Array> {
  checkImage(image, "encodePng");
  const picture = await toSharp(image);
  return picture
    .toColourspace(spaceFor(image.channels, hasBytes(image) ? 8 : 16))
    .png()
    .toBuffer();
}

/** A picture for sharp's encoders. */
export async function toSharp({ width, height, channels, data }: Image<Samples>): Promise<Sharp> {
  const sharp = await loadSharp();
  const bytes = ownBytes(data);
  // By the array's class, sharp knows the samples' bits.
  const samples =
    data.BYTES_PER_ELEMENT === 1 ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, data.length);
  return sharp(samples, { raw: { width, height, channels } });
}

function isContent(value: unknown): value is Uint8Array | string {
  return typeof value === "string" || isBytes(value);
}

/** Writes a PNG file of 8 or 16 bits per sample, as the picture has, replacing an older one; see writeWhole. */
export async function writePng(file: string | URL, image: Image<Samples>): Promise<void> {
  const path = pathArgument("writePng", "path", file, aPath);
  checkImage(image, "writePng");
  if (formatOfName(path) !== "png") {
    throw new DataError(`${path}: only PNG files are written; choose a name that ends in .png.`);
  }
  await writeWhole(path, await encodePng(image));
}

/**
 * Writes a file, replacing an older one, as a whole or not at all. The bytes go to a file beside it, which is
 * renamed when it is complete and on the disk, so that `file` never holds half of them, not even after a
 * power cut.
 */
export async function writeWhole(file: string | URL, bytes: Uint8Array | string): Promise<void> {
  const content = { wants: "a Uint8Array or a text", fits: isContent };
  const path = pathArgument("writeWhole", "path", file, aPath);
  checkArguments("writeWhole", { bytes: [bytes, content] });
  await replaceWhole(path, (temporary) => writeFile(temporary, bytes, { flag: "r+" }));
}

/**
 * Renaming another file to its name would replace a file that may not be written.
 *
 * @throws DataError for such a file
 */
export function refuseReadOnly(path: string): void {
  const stats = statsOf(path);
  if (!stats?.isFile() || isWritable(targetOf(path), Number(stats.mode))) return;
  throw new DataError(
    `${path}: cannot be written: it is marked as read-only. Make it writable, or name another file.`,
  );
}

function isWritable(path: string, mode: number): boolean {
  if ((mode & 0o222) === 0) return false; // the superuser may write it all the same
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Like writeWhole, for a file that `make` writes under the name it gets, where an empty one is. A link stays, and
 * the file it leads to is replaced, which keeps its permissions; one that may not be written is left alone. What
 * leads to a pipe or a device is copied there when it is complete.
 *
 * @param patience milliseconds in which somebody must begin to read a pipe.
 */
export async function replaceWhole(
  path: string,
  make: (temporary: string) => Promise<unknown>,
  patience = 10_000,
): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    refuseReadOnly(path);
    makeTemporary(temporary, path);
    await make(temporary);
    if (isStream(path)) {
      await passOn(temporary, path, patience);
      await removeTemporary(temporary);
      return;
    }
    const file = await open(temporary, "r+");
    try {
      await toDisk(file);
    } finally {
      await file.close();
    }
    const before = statsOf(path);
    // Some file systems have no permissions.
    if (before) await chmod(temporary, Number(before.mode) & 0o777).catch(() => {});
    await rename(temporary, targetOf(path));
    temporaryDone(temporary);
  } catch (cause) {
    await removeTemporary(temporary);
    throw writeError(path, cause);
  }
}

/** Copies a file into a pipe or a device. */
async function passOn(file: string, path: string, patience: number): Promise<void> {
  const bytes = await readFile(file);
  const standard = [undefined, process.stdout, process.stderr][standardStreamOf(path) ?? 0];
  if (standard) {
    await new Promise<void>((done, fail) => standard.write(bytes, (error) => (error ? fail(error) : done())));
    return;
  }
  const stream = await openStream(path, patience);
  try {
    for (let done = 0; done < bytes.length; ) {
      const written = await stream.write(bytes, done).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EAGAIN") throw error;
      });
      if (written) done += written.bytesWritten;
      else await sleep(5); // its reader is slower
    }
  } finally {
    await stream.close();
  }
}

/**
 * Waits until somebody reads a pipe. To open it as usual would wait, too, but in a thread that nothing can
 * interrupt, not even the end of the process.
 */
async function openStream(path: string, patience: number): Promise<FileHandle> {
  const start = performance.now();
  for (;;) {
    try {
      return await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
      if (performance.now() - start > patience) {
        throw new DataError(
          `${path}: cannot be written: it is a pipe, and nobody reads it. Start its reader first, or name a file.`,
        );
      }
      await sleep(50);
    }
  }
}

/**
 * Makes a folder where there is none, and those around it. Returns the absolute path of the first that was made, if one
 * was. `x/..` makes no `x`.
 *
 * @throws DataError that ends in `advice`
 */
export function makeFolder(path: string, advice = "Name another one."): string | undefined {
  try {
    return statsOf(path)?.isDirectory() ? undefined : makeFolders(resolve(path));
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      EEXIST: "there is a file of this name",
      ENOTDIR: "a part of its path is a file",
      EACCES: "you may not write there",
      EPERM: "you may not write there",
      EROFS: "this disk is read-only",
      ENOENT: "this disk takes no new folders there",
      ENAMETOOLONG: tooLong(path),
    };
    throw (
      diskFullError(path, cause) ??
      new DataError(`${path}: this folder cannot be made: ${reasons[code] ?? message}. ${advice}`, { cause })
    );
  }
}

/** Node's own `recursive` says ENOENT of a read-only disk, and in /proc it never ends. */
function makeFolders(path: string): string | undefined {
  const parent = dirname(path);
  const isRoot = parent === path;
  const first = isRoot || existsSync(parent) ? undefined : makeFolders(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if (!statsOf(path)?.isDirectory()) throw error;
    return first;
  }
  return first ?? path;
}

/**
 * Removes a folder that `makeFolder` made, and those around it, unless something lies there.
 *
 * @param firstMade what makeFolder returned.
 */
export function removeEmpty(folder: string, firstMade: string | undefined): void {
  if (firstMade === undefined) return;
  const last = resolve(firstMade);
  const isMade = (path: string) => path === last || path.startsWith(last + sep);
  try {
    for (let path = resolve(folder); isMade(path); path = dirname(path)) rmdirSync(path);
  } catch {
    // Something lies there, of this process or of another one.
  }
}

/** What to say if `path` could not be written. */
export function writeError(path: string, cause: unknown): Error {
  if (cause instanceof DataError || cause instanceof IncompleteError) return cause;
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EISDIR: "there is a folder of this name. Move it away, or name another file",
    ENAMETOOLONG: tooLong(path),
    ENOTEMPTY: "there is a folder of this name with files in it. Move it away, or name another one",
    EXDEV: "it is on another disk than what becomes it. Choose a folder on the same disk",
    EMFILE: `${manyOpen.reason}. ${manyOpen.advice}`,
    ENFILE: `${manyOpen.reason}. ${manyOpen.advice}`,
    EFBIG: "EFBIG, files may not be so large there. Choose another disk",
    EPIPE: "the program that was to read it has ended",
    EROFS: "this disk is read-only. Choose another folder",
    EACCES: "you may not write there. Choose another folder",
    EPERM: "you may not write there. Choose another folder",
  };
  const reason =
    (code === "ENOENT" ? whyNoEntry(path) : reasons[code]) ??
    `${message.split("\n")[0].replace(/\.$/, "")}. Does the folder exist, and may you write there?`;
  return (
    diskFullError(path, cause) ??
    new DataError(`${path}: cannot be written: ${reason.replace(/(\w)$/, "$1.")}`, { cause })
  );
}

/** Why a file cannot be made: for want of its folder, or of the one that a link leads to; or the disk takes none. */
function whyNoEntry(path: string): string {
  if (!existsSync(dirname(path))) return `there is no folder ${dirname(path)}. Make it, or name another file`;
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    const folder = dirname(targetOf(path));
    if (!existsSync(folder)) {
      return `it is a link into ${folder}, a folder that does not exist. Remove the link, or name another file`;
    }
  }
  return "this disk takes no new files there. Choose another folder";
}

/** If a write failed because the disk is full, or the user's share of it; otherwise undefined. */
export function diskFullError(path: string, cause: unknown): DataError | undefined {
  if (!["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
  return new DataError(
    `${path}: cannot be written: the disk is full. Make room there, or choose another folder. What is ` +
      "complete is kept.",
    { cause },
  );
}
