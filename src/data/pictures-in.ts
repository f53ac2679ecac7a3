/** Which pictures are in a folder: the one rule for all that read folders. */
import { type Dirent, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../picture/errors.ts";
import { formatNames, formatOfName } from "./formats.ts";

export interface PicturesIn {
  /** Paths in the order of their names. */
  readonly pictures: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Something in a folder that is not read. */
export interface LeftOut {
  readonly name: string;
  /** Such as "a folder", to stand in parentheses behind the name. */
  readonly why: string;
}

/**
 * The pictures of a folder: regular files (or links to such) whose names have an extension of a format that
 * is read, in any case, and do not begin with a dot. Subfolders are not searched. All else is left out, with
 * the reason; hidden files are mentioned only if they are called like pictures (as the "._a.png" that macOS
 * leaves beside an "a.png"). `onLeftOut` is called with a line for people that says so; if nothing is left
 * out, it is not called.
 *
 * @throws DataError if there is no such folder, or no picture in it.
 */
export function picturesIn(folder: string, onLeftOut?: (line: string) => void): PicturesIn {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) throw new DataError(`${folder}: there is no such folder. Check the path.`);
  if (!stat.isDirectory()) throw new DataError(`${folder}: this is a file, not a folder. Check the path.`);

  const pictures: string[] = [];
  const leftOut: LeftOut[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
    const { name } = entry;
    const path = join(folder, name);
    const called = formatOfName(name) !== undefined;
    const kind = kindOf(entry, path);
    if (name.startsWith(".")) {
      if (called) leftOut.push({ name, why: "hidden" });
    } else if (kind !== "file") leftOut.push({ name, why: `a ${kind}` });
    else if (called) pictures.push(path);
    else leftOut.push({ name, why: `not ${formatNames}` });
  }
  if (pictures.length === 0) {
    const others = leftOut.length > 0 ? `, only ${listOf(leftOut)}` : "";
    throw new DataError(
      `${folder}: there are no pictures (${formatNames}) in this folder${others}. Check the path, or convert pictures ` +
        "of other formats to PNG.",
    );
  }
  if (leftOut.length > 0) onLeftOut?.(describeLeftOut(folder, leftOut));
  return { pictures, leftOut };
}

/** A line for people, such as "scans: left out f.bmp (not PNG, JPEG or WebP), old (a folder)". */
export function describeLeftOut(folder: string, leftOut: readonly LeftOut[]): string {
  return `${folder}: left out ${listOf(leftOut)}`;
}

/** The order of JavaScript's own sort(). */
function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

/** What an entry is, or what the link leads to. (To open a pipe would be to wait for its writer.) */
function kindOf(entry: Dirent, path: string): string {
  const target = entry.isSymbolicLink() ? targetOf(path) : entry;
  if (target === undefined) return "link that leads nowhere";
  if (target.isFile()) return "file";
  if (target.isDirectory()) return "folder";
  if (target.isFIFO()) return "pipe";
  return target.isSocket() ? "socket" : "device";
}

function targetOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // also links that lead in a circle
  }
}

/** By reason, with the first names of each. */
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
