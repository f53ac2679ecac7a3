/**
 * Files that are not complete yet. Each lies beside the file that it will become, under the same name and a
 * mark that says which process writes it: `large.png.3f9a2b1c-1x8-5k2z-9d41c07b22e6.tmp`. So that none is left:
 *
 * - what writes a file removes its temporary file if it fails;
 * - at the end of the process, however it was asked to end, those that are left are removed;
 * - where the process had no chance (kill -9, a power cut), the next one that writes the same file removes it.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { isStream, targetOf } from "./same-file.ts";

/** Those of this process. */
const unfinished = new Set<string>();

/**
 * A name for a file that will replace `path`, in the same folder, so that it can be renamed. What will be
 * copied into a pipe or a device goes to the system's folder for temporary files. The caller makes the file,
 * and ends with `temporaryDone` or `removeTemporary`.
 */
export function temporaryFor(path: string): string {
  removeLeftovers(path);
  if (unfinished.size === 0) process.on("exit", removeAll);
  const { folder, name } = placeOf(path);
  const random = randomBytes(6).toString("hex");
  const temporary = join(folder, `${shortened(name)}.${owner()}-${random}.tmp`);
  unfinished.add(temporary);
  return temporary;
}

/** To be called when the file has been renamed. */
export function temporaryDone(temporary: string): void {
  unfinished.delete(temporary);
  if (unfinished.size === 0) process.off("exit", removeAll);
}

export async function removeTemporary(temporary: string): Promise<void> {
  await rm(temporary, { force: true });
  temporaryDone(temporary);
}

function removeAll(): void {
  for (const temporary of unfinished) rmSync(temporary, { force: true });
}

function placeOf(path: string): { folder: string; name: string } {
  const target = targetOf(path);
  return { folder: isStream(path) ? tmpdir() : dirname(target), name: basename(target) };
}

// ---- Names

/** Bytes of the longest file name that file systems take. The mark of a temporary file has at most 50. */
export const maxNameBytes = 255;
const maxOwnBytes = 200;

/** A name, or its beginning with a hash of the whole. */
function shortened(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= maxOwnBytes) return name;
  let end = maxOwnBytes - 9;
  while ((bytes[end] & 0xc0) === 0x80) end--; // not within a character
  return `${bytes.subarray(0, end).toString()}~${hash(name)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

// ---- Which process writes it

let ownMark: string | undefined;

/** This process: where it runs, its number, and when it began, since numbers are used again. */
function owner(): string {
  ownMark ??= [place(), process.pid.toString(36), startOf(process.pid) ?? "0"].join("-");
  return ownMark;
}

/** Numbers of processes mean the same wherever this text is the same. */
function place(): string {
  const facts = [hostname()];
  try {
    facts.push(readFileSync("/proc/sys/kernel/random/boot_id", "utf8"), readlinkSync("/proc/self/ns/pid"));
  } catch {} // not Linux
  return hash(facts.join("\n"));
}

/** When a process began, in the kernel's count; undefined if it has ended, or if only Linux could say. */
function startOf(pid: number): string | undefined {
  try {
    // The second field, the name in parentheses, may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return "ZX".includes(fields[0]) ? undefined : Number(fields[19]).toString(36);
  } catch {
    return undefined;
  }
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return start === "0" || startOf(pid) === start;
}

// ---- What killed processes have left

/** The temporary files in a folder when this process first wrote there. */
const seen = new Map<string, string[]>();

/** Milliseconds without a change after which a file of another machine or container counts as left behind. */
const foreignAge = 24 * 60 * 60 * 1000;

/** Removes the temporary files of `path` whose processes have ended. */
export function removeLeftovers(path: string): void {
  const { folder, name } = placeOf(path);
  const names = seen.get(folder) ?? temporariesIn(folder);
  seen.set(folder, names);
  const start = `${shortened(name)}.`;
  for (const other of names) {
    if (!other.startsWith(start)) continue;
    const mark = /^([0-9a-f]{8})-([0-9a-z]+)-([0-9a-z]+)-[0-9a-f]{12}\.tmp$/.exec(other.slice(start.length));
    if (mark && isLeftOver(join(folder, other), mark)) rmSync(join(folder, other), { force: true });
  }
}

function temporariesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".tmp"));
  } catch {
    return []; // there is no such folder yet; or writing will say what is wrong with it
  }
}

function isLeftOver(path: string, [, where, pid, start]: readonly string[]): boolean {
  if (where === place()) return !isRunning(Number.parseInt(pid, 36), start);
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - modified > foreignAge;
}
