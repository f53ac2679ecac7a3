/** Do two paths lead to one file? To be asked before writing, so as not to replace what is read. */
import { type BigIntStats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export function sameFile(a: string, b: string): boolean {
  return fileId(a) === fileId(b);
}

/**
 * A text that two paths share if they lead to one file, also through links: the numbers of its device and
 * inode. Where there is no such file yet, or no such number (some network drives): its name in its folder.
 */
export function fileId(path: string): string {
  const stats = statsOf(path);
  if (stats?.ino) return `${stats.dev} ${stats.ino}`;
  const full = resolve(path);
  const folder = dirname(full);
  return folder === full ? full : join(fileId(folder), basename(full));
}

/**
 * What a path leads to; undefined if that is nothing, nothing that may be looked at, or a circle of links.
 */
export function statsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
