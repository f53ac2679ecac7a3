/** Files in Node: whole, or parts of them. */
import { fstatSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { DataError } from "../picture/errors.ts";
import { tooLong } from "./path-of.ts";
import type { Read } from "./png.ts";

/**
 * The bytes of a file, or of a pipe until its end. A device is refused: reading it may never end.
 *
 * @throws Error, Node's own or one that says that it is a device
 */
export async function readWhole(file: string | URL): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const stats = await handle.stat();
    if (stats.isCharacterDevice() || stats.isBlockDevice()) throw new Error("it is a device, and no file");
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** @param file an open file's number. */
export function readFromFile(file: number): Read {
  const { size } = fstatSync(file);
  return (start, length) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - start)));
    return bytes.length === 0 ? bytes : bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
  };
}

/** What the system's error means. */
export function reasonForReading(cause: unknown, path: string): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    ENOTDIR: "there is no such file",
    EISDIR: "it is a folder",
    EACCES: "you may not read it",
    ELOOP: "its links lead in a circle",
    ENAMETOOLONG: tooLong(path),
  };
  return reasons[code] ?? message;
}

/** The error for a file that cannot even be read. */
export function readError(path: string, cause: unknown): DataError {
  if (cause instanceof DataError) return cause; // says it itself
  return new DataError(`${path}: cannot be read: ${reasonForReading(cause, path)}. Check the path.`, {
    cause,
  });
}
