/** Do two paths lead to one file? To be asked before writing, so as not to replace what is read. */
import { type BigIntStats, readlinkSync, realpathSync, statSync } from "node:fs";
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
  const target = targetOf(path);
  const folder = dirname(target);
  return folder === target ? target : join(fileId(folder), basename(target));
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

/** The absolute path behind all links, also where its last link leads to a file that does not exist yet. */
export function targetOf(path: string): string {
  let target = resolve(path);
  for (let links = 0; links < 40; links++) {
    try {
      return realpathSync(target);
    } catch {
      const folder = folderOf(target);
      try {
        target = resolve(folder, readlinkSync(target));
      } catch {
        return join(folder, basename(target)); // no link
      }
    }
  }
  return target; // a circle of links
}

function folderOf(path: string): string {
  try {
    return realpathSync(dirname(path));
  } catch {
    return dirname(path);
  }
}

/** The ends of pipes that a program gets from the shell, which may also be files (`> out.png`). */
const standard = /^\/(?:dev\/(?:std(?:out|err)|fd\/\d+)|proc\/(?:self|\d+)\/fd\/\d+)$/;

/** Is what is written there passed on, not kept: is it a pipe, a socket or a device? */
export function isStream(path: string): boolean {
  if (standard.test(resolve(path))) return true;
  const stats = statsOf(path);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}
