/** Which pictures are in a folder: one rule for all that read folders. */
import { lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { aFunction, checkArguments, checkOptions, optional, trueOrFalse } from "../options/arguments.ts";
import { folder as aFolder } from "../options/kinds.ts";
import { addTo, firstOf } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { formatNames, formatOfName } from "../picture/formats.ts";
import { pathArgument } from "./path-of.ts";
import { reasonForReading } from "./read-file.ts";
import { fileId, statsWithin } from "./same-file.ts";

export interface PicturesIn {
  /** Paths in the order of their names, folder by folder. */
  readonly pictures: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Something in a folder that is not read. */
export interface LeftOut {
  /** Its path within the folder. Bytes that are no UTF-8 are written as in "\xe9t\xe9.png". */
  readonly name: string;
  /** The reason, such as "a folder", which people read in parentheses behind the name. */
  readonly why: string;
  /** It is a picture, or a folder that may hold some, but nobody can read it. */
  readonly unreadable?: true;
}

export interface SearchOptions {
  /**
   * Takes the pictures of subfolders, too, and of links to folders. Every folder is searched once, whatever
   * links lead to it; hidden ones, and those of the system (such as a network drive's "@eaDir" of thumbnails),
   * are not. Default false.
   */
  readonly recursive?: boolean;
  /** A folder that is not searched, because results go there. */
  readonly except?: string;
}

/**
 * The pictures of a folder: regular files, or links to such, whose names have the extension of a format that
 * is read, in any case, and do not begin with a dot. Subfolders are not searched, unless `recursive` says so.
 * Everything else is left out, and `onLeftOut` is called with a line for people that says what and why. Hidden
 * files are mentioned only if they have names of pictures (as the "._a.png" that macOS leaves beside an
 * "a.png").
 *
 * @throws DataError if there is no such folder, it cannot be read, or there is no picture in it.
 */
export function picturesIn(
  folder: string | URL,
  onLeftOut?: (line: string) => void,
  options: SearchOptions = {},
): PicturesIn {
  const root = pathArgument("picturesIn", "folder", folder, aFolder);
  checkArguments("picturesIn", { onLeftOut: [onLeftOut, optional(aFunction)] });
  checkOptions("picturesIn", options, { recursive: trueOrFalse, except: aFolder });
  const stats = statsWithin(root);
  if (stats === undefined) throw new DataError(`${root}: there is no such folder. Check the path.`);
  if (!stats.isDirectory()) throw new DataError(`${root}: this is a file, not a folder. Check the path.`);

  const { names, leftOut } = search(root, options);
  if (names.length === 0) {
    const others = leftOut.length > 0 ? `, only ${listOf(leftOut)}` : "";
    const below = leftOut.filter(({ name, why }) => why === "a folder" && !isOfSystem(name));
    const withPictures = below
      .slice(0, MOST_LOOKED_AT)
      .map(({ name }) => join(root, name))
      .filter(holdsPictures);
    const advice =
      withPictures.length > 0
        ? `There are some in ${firstOf(withPictures)}: name ${withPictures.length === 1 ? "that" : "one of these"}.`
        : "Check the path, or convert pictures of other formats to PNG.";
    throw new DataError(`${root}: there are no pictures (${formatNames}) in this folder${others}. ${advice}`);
  }
  if (leftOut.length > 0) onLeftOut?.(describeLeftOut(root, leftOut));
  return { pictures: names.map((name) => join(root, name)), leftOut };
}

/** Paths within a folder, sorted. */
function search(root: string, { recursive = false, except }: SearchOptions) {
  const names: string[] = [];
  const leftOut: LeftOut[] = [];
  const searched = new Set([fileId(root)]);
  const result = except === undefined ? undefined : fileId(except);
  // Real folders come before links, so that a picture has the same path whether or not a link leads to it.
  const links: string[] = [];

  const enter = (name: string): void => {
    const id = fileId(join(root, name));
    if (id === result) leftOut.push({ name, why: "the folder of the results" });
    else if (searched.has(id)) leftOut.push({ name, why: "a link to a folder that is searched anyway" });
    else {
      searched.add(id);
      list(name);
    }
  };
  const list = (within: string): void => {
    const { entries, unreadable } = entriesOf(root, within);
    leftOut.push(...unreadable);
    const folders: string[] = [];
    for (const { text: entry, bytes } of entries) {
      const name = join(within, entry);
      const isNamedPicture = formatOfName(entry) !== undefined;
      const kind = kindOf(Buffer.concat([Buffer.from(join(root, within, "/")), bytes]));
      const isWanted = kind === "file" ? isNamedPicture : recursive && kind === "folder";
      if (entry.startsWith(".")) {
        if (isNamedPicture || isWanted) leftOut.push({ name, why: "hidden" });
      } else if (!isWanted) {
        leftOut.push({ name, why: kind === "file" ? `not ${formatNames}` : `a ${kind}` });
      } else if (kind === "folder" && isOfSystem(entry)) {
        leftOut.push({ name, why: "a folder of the system's own" });
      } else if (!isUtf8(bytes)) {
        leftOut.push({ name, why: "its name is not UTF-8; rename it", unreadable: true });
      } else (kind === "folder" ? folders : names).push(name);
    }
    for (const name of folders) {
      if (lstatSync(join(root, name)).isSymbolicLink()) links.push(name);
      else enter(name);
    }
  };
  list("");
  for (const name of links) enter(name); // which may add more
  return { names, leftOut: leftOut.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Are there pictures in a folder itself? */
function holdsPictures(folder: string): boolean {
  try {
    return search(folder, {}).names.length > 0;
  } catch (error) {
    if (error instanceof DataError) return false; // nobody can read it
    throw error;
  }
}

/** How many subfolders are searched for an advice. */
const MOST_LOOKED_AT = 100;

/** Thumbnails, bins and the like, as network drives, Windows, macOS and Linux keep them, in lower case. */
const systemFolders = new Set([
  ...["@eadir", "#recycle", "#snapshot", "@recycle"],
  ...["$recycle.bin", "system volume information", "__macosx", "lost+found"],
]);

function isOfSystem(name: string): boolean {
  return systemFolders.has(name.toLowerCase());
}

/** A name in a folder. Node cannot open one that is no UTF-8 as a text. */
interface Entry {
  readonly bytes: Buffer;
  /** With escapes for what is no UTF-8. */
  readonly text: string;
}

/** The names in a folder, sorted; or the folder itself, if it is a subfolder that cannot be read. */
function entriesOf(root: string, within: string): { entries: Entry[]; unreadable: LeftOut[] } {
  try {
    const names = readdirSync(join(root, within), { encoding: "buffer" });
    // A folder may show its names to somebody who may not enter it.
    statSync(`${join(root, within)}/.`);
    const entries = names.map((bytes) => ({ bytes, text: withEscapes(bytes) }));
    return { entries: entries.sort(inOrder), unreadable: [] };
  } catch (cause) {
    if (within === "") {
      throw new DataError(`${root}: this folder cannot be read: ${reasonForReading(cause, root)}.`, {
        cause,
      });
    }
    return {
      entries: [],
      unreadable: [{ name: within, why: "a folder that cannot be read", unreadable: true }],
    };
  }
}

/** The same on all systems: macOS writes accents apart from their letters, and that is the same name. */
function inOrder(a: Entry, b: Entry): number {
  const [one, other] = [a, b].map(({ text }) => text.normalize("NFC"));
  if (one === other) return a.text < b.text ? -1 : 1;
  return one < other ? -1 : 1;
}

function isUtf8(name: Buffer): boolean {
  return Buffer.from(name.toString()).equals(name);
}

/** A name as text, in which a byte that is no part of a character is written as \xe9. */
function withEscapes(name: Buffer): string {
  if (isUtf8(name)) return name.toString();
  let text = "";
  for (let at = 0; at < name.length; ) {
    const length = [1, 2, 3, 4].find((count) => {
      const part = name.subarray(at, at + count);
      return part.length === count && isUtf8(part);
    });
    text += length ? name.subarray(at, at + length).toString() : `\\x${name[at].toString(16)}`;
    at += length ?? 1;
  }
  return text;
}

/** A line for people, such as "scans: left out f.psd (not PNG, JPEG …), old (a folder)". */
export function describeLeftOut(folder: string, leftOut: readonly LeftOut[]): string {
  return `${folder}: left out ${listOf(leftOut)}`;
}

/** What a path leads to, without opening it, which for a pipe would mean to wait for its writer. */
function kindOf(path: Buffer): string {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch {
    return "link that leads nowhere";
  }
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  if (stats.isFIFO()) return "pipe";
  return stats.isSocket() ? "socket" : "device";
}

/** Grouped by reason, with the first names of each group. */
function listOf(leftOut: readonly LeftOut[]): string {
  const groups = new Map<string, string[]>();
  for (const { name, why } of leftOut) addTo(groups, why, name);
  return [...groups].map(([why, names]) => `${firstOf(names)} (${why})`).join(", ");
}
