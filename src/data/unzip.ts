import { createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { writeError } from "../files/image-files.ts";
import { readError } from "../files/read-file.ts";
import { excerpt, printable } from "../options/printable.ts";
import { crc32 } from "../picture/crc.ts";
import { DataError } from "../picture/errors.ts";
import { formatOfName } from "../picture/formats.ts";

export interface UnzipOptions {
  /** Stops unpacking and leaves no file. */
  signal?: AbortSignal;
  /** Called with the number of pictures unpacked so far and of all files in the archive. */
  onProgress?: (done: number, total: number) => void;
}

/** More files than any data set of pictures has in one archive. */
const MAX_ENTRIES = 100_000;

/** The largest picture, in bytes. */
const MAX_ENTRY = 2 ** 32;

/**
 * Pictures are compressed already, so that an archive of them is hardly smaller than they are. One whose
 * content is larger by this factor, and not small, was made to fill the disk.
 */
const MAX_RATIO = 100;
const SMALL = 2 ** 28;

/**
 * Unpacks the pictures of a zip archive into `folder`, whatever folder they have in the archive; everything
 * else in it is left out. `folder` appears when it is complete: until then it is `archive`.unpacking.
 *
 * @throws DataError, leaving no file, if the archive or a checksum in it is damaged, a name leads out of the
 *   folder or comes twice, an entry is a symbolic link, there is no picture, the pictures together are more
 *   than 100 times as large as the archive (and than 256 MiB), the disk is full, or the system refuses to read the
 *   archive or to write the pictures. All that the archive's directory tells is checked before anything is unpacked.
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
    throw unzipError(archive, folder, cause);
  }
}

/** Whether the archive is at fault, or the system could not read it, or not write the pictures. */
function unzipError(archive: string, folder: string, cause: unknown): Error {
  const { message, code, syscall, path } = cause as NodeJS.ErrnoException;
  // On some systems, A.png is a.png, and the archive has both.
  const isSystems = code === "ENOSPC" || (syscall !== undefined && code !== "EEXIST");
  if (isSystems)
    return path === archive || syscall === "read" ? readError(archive, cause) : writeError(folder, cause);
  const advice = "It is damaged or the wrong archive; delete it and download it again. Nothing was unpacked.";
  return new DataError(`${archive}: cannot be unpacked: ${printable(message)}. ${advice}`, { cause });
}

async function unpackAll(
  archive: string,
  folder: string,
  { signal, onProgress }: UnzipOptions,
): Promise<void> {
  const needed = await checkDirectory(archive, signal);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < needed) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
  let done = 0;
  for await (const { zip, entry, name } of picturesOf(archive, signal)) {
    await unpack(zip, entry, join(folder, name), signal);
    onProgress?.(++done, zip.entryCount);
  }
}

/** The bytes that all pictures will take. Throws for what must not be unpacked. */
async function checkDirectory(archive: string, signal?: AbortSignal): Promise<number> {
  const names = new Set<string>();
  let bytes = 0;
  for await (const { entry, name } of picturesOf(archive, signal)) {
    const { uncompressedSize } = entry;
    if (names.has(name)) throw new Error(`there are two files ${excerpt(name)} in it`);
    if (uncompressedSize > MAX_ENTRY) throw new Error(`${excerpt(name)} in it is larger than any picture`);
    names.add(name);
    bytes += uncompressedSize;
  }
  if (names.size === 0) throw new Error("there are no pictures in it");
  const { size } = await stat(archive);
  if (bytes > Math.max(SMALL, MAX_RATIO * size)) {
    throw new Error(`its ${size} bytes would become ${bytes}, which no pictures do`);
  }
  return bytes;
}

/** The archive's pictures, one after the other, without the folders in which they are. */
async function* picturesOf(archive: string, signal?: AbortSignal) {
  const zip = await openZip(archive);
  try {
    if (zip.entryCount > MAX_ENTRIES) throw new Error(`there are ${zip.entryCount} files in it`);
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      const { fileName, externalFileAttributes } = entry;
      const fileType = (externalFileAttributes >>> 16) & 0o170000;
      // yauzl itself refuses names that are absolute or contain "..".
      if (fileType === 0o120000) throw new Error(`${excerpt(fileName)} in it is a symbolic link`);
      const name = basename(fileName);
      // No pictures: folders, notes, and the hidden files that macOS adds ("__MACOSX/._0001.png").
      if (formatOfName(name) === undefined || name.startsWith(".")) continue;
      yield { zip, entry, name };
    }
  } finally {
    zip.close();
  }
}

async function openZip(archive: string): Promise<ZipFile> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    return await fromRandomAccessReaderPromise(new ArchiveFile(file, size), size);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * An archive's bytes. yauzl's own reader hands every place that an archive names to Node, which throws for one
 * beyond 2^53, outside of all promises: the program ends. Here that is an error like others.
 */
class ArchiveFile extends RandomAccessReader {
  readonly #file: FileHandle;
  readonly #size: number;

  constructor(file: FileHandle, size: number) {
    super();
    this.#file = file;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#read(buffer, offset, length, position).then(() => callback(null), callback);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#chunks(start, end));
  }

  override close(callback: (error: Error | null) => void): void {
    this.#file.close().then(() => callback(null), callback);
  }

  async *#chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - at));
      await this.#read(chunk, 0, chunk.length, at);
      yield chunk;
      at += chunk.length;
    }
  }

  async #read(buffer: Buffer, offset: number, length: number, position: number): Promise<void> {
    const isInside = position >= 0 && position + length <= this.#size;
    const { bytesRead } = isInside
      ? await this.#file.read(buffer, offset, length, position)
      : { bytesRead: 0 };
    if (bytesRead < length) throw new Error("it names places beyond its end");
  }
}

const CHUNK = 2 ** 16;

async function unpack(zip: ZipFile, entry: Entry, path: string, signal?: AbortSignal): Promise<void> {
  let crc = 0;
  const check = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc);
      yield chunk;
    }
  };
  const content = await zip.openReadStreamPromise(entry);
  content.on("error", () => {}); // the pipeline hears the first one alone, and a damaged file may have several
  await pipeline(content, check, createWriteStream(path, { flags: "wx" }), { signal });
  if (crc !== entry.crc32) throw new Error(`the checksum of ${excerpt(entry.fileName)} in it is wrong`);
}
