/** Which files hold the same as others: the same bytes, under whatever name, or the same picture in another format. */
import { closeSync, openSync, readSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { addTo } from "../options/lists.ts";
import { stemOf } from "./names.ts";
import { sameFile, statsOf } from "./same-file.ts";

/** The `files` that are among the others, too: the same file, or a copy of it. */
export function alsoAmong(files: readonly string[], others: readonly string[]): string[] {
  const bySize = new Map<number, string[]>();
  for (const path of others) addTo(bySize, sizeOf(path), path);
  return files.filter((path) => {
    const candidates = bySize.get(sizeOf(path)) ?? [];
    return candidates.some((other) => sameFile(path, other) || haveSameBytes(path, other));
  });
}

/** Of `files` those that one of the others is beside under the same name, but for its extension; and that one. */
export function inOtherFormats(
  files: readonly string[],
  others: readonly string[],
): { readonly path: string; readonly other: string }[] {
  const placeOf = (path: string) => join(resolve(dirname(path)), stemOf(path).normalize("NFC"));
  const byPlace = new Map(others.map((path) => [placeOf(path), path]));
  return files.flatMap((path) => {
    const other = byPlace.get(placeOf(path));
    return other !== undefined && !sameFile(path, other) ? [{ path, other }] : [];
  });
}

/** A file's size in bytes; -1 for one that is not there. */
function sizeOf(path: string): number {
  return Number(statsOf(path)?.size ?? -1);
}

/** Compares two files of the same size. They differ early, as a rule. */
function haveSameBytes(a: string, b: string): boolean {
  const files: number[] = [];
  try {
    for (const path of [a, b]) files.push(openSync(path, "r"));
    const [one, two] = [Buffer.alloc(2 ** 16), Buffer.alloc(2 ** 16)];
    for (;;) {
      const [length, other] = [readSync(files[0], one), readSync(files[1], two)];
      if (length !== other || !one.subarray(0, length).equals(two.subarray(0, other))) return false;
      if (length === 0) return true;
    }
  } catch {
    return false; // who reads the pictures says what is wrong
  } finally {
    for (const file of files) closeSync(file);
  }
}
