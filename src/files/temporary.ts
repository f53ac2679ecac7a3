/**
 * Files and folders that are not complete yet. Each lies beside the one that it will become, under the same
 * name and a mark that says which process writes it: `large.png.3f9a2b1c-1x8-5k2z-9d41c07b22e6.tmp`. None
 * stays behind:
 *
 * - what writes a file removes its temporary file if it fails;
 * - the end of the process removes the rest, whatever signal asks for it;
 * - after kill -9 or a power cut, the next process that writes the same file removes it.
 */
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { hashOf, isRunning, ownProcess } from "./process-id.ts";
import { isStream, statsOf, targetOf } from "./same-file.ts";

const removal = { force: true, recursive: true } as const;

/** Temporary files of this process. */
const unfinished = new Set<string>();

/**
 * A name for a file that will replace `path`, in the same folder, so that it can be renamed. What will be
 * copied into a pipe or a device goes to the system's folder for temporary files. The caller makes the file
 * (makeTemporary), or a folder of that name, and ends with `temporaryDone` or `removeTemporary`.
 */
export function temporaryFor(path: string): string {
  removeLeftovers(path);
  if (unfinished.size === 0) process.on("exit", removeAll);
  const { folder, name } = placeOf(path);
  const random = randomBytes(6).toString("hex");
  const temporary = join(folder, `${shorten(name)}.${ownMark()}-${random}.tmp`);
  unfinished.add(temporary);
  return temporary;
}

/**
 * Makes an empty temporary file for `path`, at once and not in a thread: that may still wait when the program ends, and
 * would make the file after all temporary ones have been removed. Nobody may read it who may not read what it replaces.
 */
export function makeTemporary(temporary: string, path: string): void {
  const mode = Number(statsOf(path)?.mode ?? 0o666);
  const own = 0o600; // to write it
  writeFileSync(temporary, "", { flag: "wx", mode: (mode & 0o777) | own });
}

/** Forgets a temporary file; call it when the file has been renamed. */
export function temporaryDone(temporary: string): void {
  unfinished.delete(temporary);
  if (unfinished.size === 0) process.off("exit", removeAll);
}

/**
 * Where it cannot be removed, as in a folder that has been closed meanwhile, it stays, without an error: that
 * would hide why the file could not be written, and leave all others, too. The next process removes it.
 */
export async function removeTemporary(temporary: string): Promise<void> {
  await rm(temporary, removal).catch(() => {});
  temporaryDone(temporary);
}

function removeAll(): void {
  for (const temporary of unfinished) removeIfPossible(temporary);
}

function removeIfPossible(temporary: string): void {
  try {
    rmSync(temporary, removal);
  } catch {
    // Somebody else's, or in a closed folder: see removeTemporary.
  }
}

function placeOf(path: string): { folder: string; name: string } {
  const target = targetOf(path);
  return { folder: isStream(path) ? tmpdir() : dirname(target), name: basename(target) };
}

// ---- Names

/** Of a name, in bytes: the mark of a temporary file has at most 50, and file systems take 255. */
const MAX_OWN_BYTES = 200;

/** A name, or its beginning with a hash of the whole. */
export function shorten(name: string, most = MAX_OWN_BYTES): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= most) return name;
  let end = most - 9;
  while ((bytes[end] & 0xc0) === 0x80) end--; // not within a character
  return `${bytes.subarray(0, end).toString()}~${hashOf(name)}`;
}

/** Says which process writes a file. */
function ownMark(): string {
  const { place, pid, start } = ownProcess();
  return `${place}-${pid.toString(36)}-${start}`;
}

// ---- What killed processes have left

/** The temporary files in a folder when this process first wrote there. */
const firstListing = new Map<string, string[]>();

/** Milliseconds without a change after which a file counts as left behind where only its age can tell. */
const OLD_AGE = 24 * 60 * 60 * 1000;

/** Removes the temporary files of `path` whose processes have ended. */
export function removeLeftovers(path: string): void {
  const { folder, name } = placeOf(path);
  const names = firstListing.get(folder) ?? temporariesIn(folder);
  firstListing.set(folder, names);
  const start = `${shorten(name)}.`;
  for (const other of names) {
    if (!other.startsWith(start)) continue;
    const mark = /^([0-9a-f]{8})-([0-9a-z]+)-([0-9a-z]+)-[0-9a-f]{12}\.tmp$/.exec(other.slice(start.length));
    if (mark && isLeftOver(join(folder, other), mark)) removeIfPossible(join(folder, other));
  }
}

function temporariesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".tmp"));
  } catch {
    return []; // there is no such folder yet; or writing will say what is wrong with it
  }
}

function isLeftOver(path: string, [, place, pid, start]: readonly string[]): boolean {
  const runs = isRunning({ place, pid: Number.parseInt(pid, 36), start });
  if (runs !== undefined) return !runs;
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - modified > OLD_AGE;
}
