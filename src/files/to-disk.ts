/**
 * Waiting until a file is on the disk, so that it survives a power cut. Under --permission, Node lets no program wait:
 * there the system writes when it likes.
 */
import { fsync, fsyncSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";

export async function toDisk(file: FileHandle): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    // Yarn's Plug'n'Play has no file.sync(), and its error has no code. The system tells each of its own only once.
    if (codeOf(error) === undefined) await promisify(fsync)(file.fd);
    else refuseUnlessForbidden(error);
  }
}

/** @param file an open file's number. */
export function toDiskSync(file: number): void {
  try {
    fsyncSync(file);
  } catch (error) {
    refuseUnlessForbidden(error);
  }
}

function refuseUnlessForbidden(error: unknown): void {
  if (codeOf(error) !== "ERR_ACCESS_DENIED") throw error;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
