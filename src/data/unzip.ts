import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { DataError } from "../picture/errors.ts";
import { diskFullError } from "./files.ts";
import { formatOfName } from "./formats.ts";

export interface UnzipOptions {
  /** Stops unpacking; nothing of it stays. */
  signal?: AbortSignal;
  /** Pictures that are unpacked so far, of how many files there are in the archive. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Unpacks the pictures of a zip archive into `folder`, whatever folder they have in the archive; everything
 * else in it is left out. `folder` appears when it is complete, and not before: until then it is
 * `archive`.unpacking.
 *
 * @throws DataError, leaving no file, if the archive or a checksum in it is damaged, an entry's name leads
 *   out of the folder, an entry is a symbolic link, a name comes twice, there is no picture, or the disk is
 *   full.
 */
export async function unzipPictures(
  archive: string,
  folder: string,
  options: UnzipOptions = {},
): Promise<void> {
  const unfinished = `${archive}.unpacking`;
  await rm(unfinished, { recursive: true, force: true }); // of a program that was killed
  try {
    await mkdir(unfinished, { recursive: true });
    await unpackAll(archive, unfinished, options);
    await mkdir(dirname(folder), { recursive: true });
    await rename(unfinished, folder);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true });
    options.signal?.throwIfAborted();
    const { message } = cause as Error;
    throw (
      diskFullError(folder, cause) ??
      new DataError(
        `${archive}: cannot be unpacked: ${message}. It is damaged or the wrong archive; delete it and ` +
          "download it again. Nothing was unpacked.",
        { cause },
      )
    );
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
      refuseLink(entry);
      if (!isPicture(entry)) continue;
      const name = basename(entry.fileName);
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

/** Folders, notes, and the hidden companions that macOS packs ("__MACOSX/._0001.png") are none. */
function isPicture({ fileName }: Entry): boolean {
  return formatOfName(fileName) !== undefined && !basename(fileName).startsWith(".");
}

/** yauzl itself refuses names that are absolute or contain "..". */
function refuseLink({ fileName, externalFileAttributes }: Entry): void {
  const fileType = (externalFileAttributes >>> 16) & 0o170000;
  if (fileType === 0o120000) throw new Error(`${fileName} in it is a symbolic link`);
}

async function unpack(zip: ZipFile, entry: Entry, path: string, signal?: AbortSignal): Promise<void> {
  let crc = -1;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      crc = crc32(chunk, crc);
      pass(null, chunk);
    },
  });
  const content = await zip.openReadStreamPromise(entry);
  await pipeline(content, check, createWriteStream(path, { flags: "wx" }), { signal });
  if (~crc >>> 0 !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} in it is wrong`);
}

/** The remainders of all bytes by the generator polynomial of zip's CRC-32. */
const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** CRC-32 of bytes that follow others, not yet inverted (node:zlib has it only from Node 20.15 on). */
function crc32(bytes: Uint8Array, crc: number): number {
  for (const byte of bytes) crc = remainders[(crc ^ byte) & 255] ^ (crc >>> 8);
  return crc;
}
