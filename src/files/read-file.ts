/** Files in Node: whole, or parts of them. */
import { fstatSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Read } from "../formats/read.ts";
import { IncompleteError } from "../options/incomplete.ts";
import { DataError } from "../picture/errors.ts";
import { tooLong } from "./path-of.ts";

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

/**
 * Lists of chunks and boxes are read by a few bytes each. Up to `FEW` come out of a part of the file that was read at
 * once, since there may be millions of them.
 */
const [FEW, PART_LENGTH] = [64, 4096];

/** @param file an open file's number. */
export function readFromFile(file: number): Read {
  const { size } = fstatSync(file);
  const readAt = (start: number, length: number) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - start)));
    return bytes.length === 0 ? bytes : bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
  };
  let part = { start: 0, bytes: Buffer.alloc(0) };
  return (start, length) => {
    if (length > FEW) return readAt(start, length);
    const isInside = start >= part.start && start + length <= part.start + part.bytes.length;
    if (!isInside) part = { start, bytes: readAt(start, PART_LENGTH) };
    return part.bytes.subarray(start - part.start, start - part.start + length);
  };
}

interface Failure {
  readonly reason: string;
  /** A sentence. */
  readonly advice: string;
}

const missing: Failure = { reason: "there is no such file", advice: "Check the path." };
const forbidden: Failure = {
  reason: "you may not read it",
  advice: "Change its permissions, or leave it out.",
};
export const manyOpen: Failure = {
  reason: "too many files are open",
  advice: "Close some, or raise the limit.",
};

/** By the code of the system's error, or of Node's. */
const failures: Readonly<Record<string, Failure>> = {
  ENOENT: missing,
  ENOTDIR: missing,
  EISDIR: { reason: "it is a folder", advice: "Name a file." },
  EACCES: forbidden,
  EPERM: forbidden,
  ELOOP: { reason: "its links lead in a circle", advice: "Name what they should lead to." },
  EMFILE: manyOpen,
  ENFILE: manyOpen,
  ERR_FS_FILE_TOO_LARGE: { reason: "it is larger than 2 GiB", advice: "Only smaller files are read whole." },
};

function failureOf(cause: unknown, path: string): Failure {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  if (code === "ENAMETOOLONG") return { reason: tooLong(path), advice: "Check the path." };
  return failures[code] ?? { reason: message, advice: "Copy it anew, or name another file." };
}

/** What the system's error means. */
export function reasonForReading(cause: unknown, path: string): string {
  return failureOf(cause, path).reason;
}

/** The error for a file that cannot even be read. */
export function readError(path: string, cause: unknown): Error {
  if (cause instanceof DataError || cause instanceof IncompleteError) return cause; // says it itself
  const { reason, advice } = failureOf(cause, path);
  return new DataError(`${path}: cannot be read: ${reason}. ${advice}`, { cause });
}
