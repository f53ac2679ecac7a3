/** Which pictures are in a folder: one rule for all that read folders. */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { aFunction, checkArguments, optional } from "../options/arguments.ts";
import { folder as aFolder } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { formatNames, formatOfName } from "./formats.ts";
import { statsOf } from "./same-file.ts";

export interface PicturesIn {
  /** Paths in the order of their names. */
  readonly pictures: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Something in a folder that is not read. */
export interface LeftOut {
  readonly name: string;
  /** The reason, such as "a folder", which people read in parentheses behind the name. */
  readonly why: string;
}

/**
 * The pictures of a folder: regular files, or links to such, whose names have the extension of a format that
 * is read, in any case, and do not begin with a dot. Subfolders are not searched. Everything else is left
 * out, and `onLeftOut` is called with a line for people that says what and why. Hidden files are mentioned
 * only if they have names of pictures (as the "._a.png" that macOS leaves beside an "a.png").
 *
 * @throws DataError if there is no such folder, or no picture in it.
 */
export function picturesIn(folder: string, onLeftOut?: (line: string) => void): PicturesIn {
  checkArguments("picturesIn", { folder: [folder, aFolder], onLeftOut: [onLeftOut, optional(aFunction)] });
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) throw new DataError(`${folder}: there is no such folder. Check the path.`);
  if (!stats.isDirectory()) throw new DataError(`${folder}: this is a file, not a folder. Check the path.`);

  const pictures: string[] = [];
  const leftOut: LeftOut[] = [];
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const isNamedPicture = formatOfName(name) !== undefined;
    const kind = kindOf(path);
    if (name.startsWith(".")) {
      if (isNamedPicture) leftOut.push({ name, why: "hidden" });
    } else if (kind !== "file") leftOut.push({ name, why: `a ${kind}` });
    else if (isNamedPicture) pictures.push(path);
    else leftOut.push({ name, why: `not ${formatNames}` });
  }
  if (pictures.length === 0) {
    const others = leftOut.length > 0 ? `, only ${listOf(leftOut)}` : "";
    throw new DataError(
      `${folder}: there are no pictures (${formatNames}) in this folder${others}. ` +
        "Check the path, or convert pictures of other formats to PNG.",
    );
  }
  if (leftOut.length > 0) onLeftOut?.(describeLeftOut(folder, leftOut));
  return { pictures, leftOut };
}

/** A line for people, such as "scans: left out f.bmp (not PNG, JPEG or WebP), old (a folder)". */
export function describeLeftOut(folder: string, leftOut: readonly LeftOut[]): string {
  return `${folder}: left out ${listOf(leftOut)}`;
}

/** What a path leads to, without opening it, which for a pipe would mean to wait for its writer. */
function kindOf(path: string): string {
  const stats = statsOf(path);
  if (stats === undefined) return "link that leads nowhere";
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  if (stats.isFIFO()) return "pipe";
  return stats.isSocket() ? "socket" : "device";
}

/** Grouped by reason, with the first names of each group. */
function listOf(leftOut: readonly LeftOut[]): string {
  const groups = new Map<string, string[]>();
  for (const { name, why } of leftOut) groups.set(why, [...(groups.get(why) ?? []), name]);
  return [...groups]
    .map(([why, names]) => {
      const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
      return `${names.slice(0, 3).join(", ")}${more} (${why})`;
    })
    .join(", ");
}
