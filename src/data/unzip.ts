import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { DataError } from "../picture/errors.ts";
import { crc32 } from "./crc.ts";
import { diskFullError } from "./files.ts";
import { formatOfName } from "./formats.ts";

export interface UnzipOptions {
  /** Stops unpacking and leaves no file. */
  signal?: AbortSignal;
  /** Called with the number of pictures unpacked so far and of all files in the archive. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Unpacks the pictures of a zip archive into `folder`, whatever folder they have in the archive; everything
 * else in it is left out. `folder` appears when it is complete: until then it is `archive`.unpacking.
 *
 * @throws DataError, leaving no file, if the archive or a checksum in it is damaged, a name leads out of the
 *   folder
 *   or comes twice, an entry is a symbolic link, there is no picture, or the disk is full.
 */
export async function unzipPictures(
  archive: string,
  folder: string,
  options: UnzipOptions = {},
): Promise<void> {
  const unfinished = `${archive}.unpacking`;
  await rm(unfinished, { recursive: true, force: true }); // left by a program that was killed
  try {
    await mkdir(unfinished, { recursive: true });
    await unpackAll(archive, unfinished, options);
    await mkdir(dirname(folder), { recursive: true });
    await rename(unfinished, folder);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true });
    options.signal?.throwIfAborted();
    const { message } = cause as Error;
    const advice =
      "It is damaged or the wrong archive; delete it and download it again. Nothing was unpacked.";
    const error = new DataError(`${archive}: cannot be unpacked: ${message}. ${advice}`, { cause });
    throw diskFullError(folder, cause) ?? error;
  }
}

async function unpackAll(
  archive: string,
  folder: string,
  { signal, onProgress }: UnzipOptions,
): Promise<void> {
  const zip = await openPromise(archive);
  try {
    const names = new Set<string>();
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      const { fileName, externalFileAttributes } = entry;
      const fileType = (externalFileAttributes >>> 16) & 0o170000;
      // yauzl itself refuses names that are absolute or contain "..".
      if (fileType === 0o120000) throw new Error(`${fileName} in it is a symbolic link`);
      const name = basename(fileName);
      // No pictures: folders, notes, and the hidden files that macOS adds ("__MACOSX/._0001.png").
      if (formatOfName(name) === undefined || name.startsWith(".")) continue;
      if (names.has(name)) throw new Error(`there are two files ${name} in it`);
      names.add(name);
      await unpack(zip, entry, join(folder, name), signal);
      onProgress?.(names.size, zip.entryCount);
    }
    if (names.size === 0) throw new Error("there are no pictures in it");
  } finally {
    zip.close();
  }
}

async function unpack(zip: ZipFile, entry: Entry, path: string, signal?: AbortSignal): Promise<void> {
  let crc = 0;
  const check = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc);
      yield chunk;
    }
  };
  const content = await zip.openReadStreamPromise(entry);
  await pipeline(content, check, createWriteStream(path, { flags: "wx" }), { signal });
  if (crc !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} in it is wrong`);
}
