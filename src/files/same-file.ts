/** Do two paths lead to one file? To be asked before writing, so as not to replace what is read. */
import { type BigIntStats, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { DataError } from "../picture/errors.ts";
import { readError } from "./read-file.ts";

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
  for (const place of [path, targetOf(path)]) {
    try {
      return statSync(place, { bigint: true });
    } catch {}
  }
  return undefined;
}

/**
 * The same, where a path that leads to nothing must not be confused with one behind a folder that may not be
 * entered, nor with a circle of links.
 *
 * @throws DataError for these
 */
export function statsWithin(path: string): BigIntStats | undefined {
  const stats = statsOf(path);
  if (stats !== undefined) return stats;
  try {
    statSync(path);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (["EACCES", "ELOOP"].includes(code)) throw readError(path, cause);
  }
  return undefined;
}

/**
 * The absolute path behind all links, also where its last link leads to a file that does not exist yet. As
 * for every program, `link/..` is the folder around the one that the link leads to; only where there is no
 * folder `x` is `x/..` this one.
 */
export function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links < 40; links++) {
    const whole = realOf(target);
    if (whole !== undefined) return whole;
    const folder = realOf(dirname(target));
    // Without such a folder there is no link either, only a place for a new file.
    target = folder === undefined ? resolve(target) : join(folder, basename(target));
    try {
      const link = readlinkSync(target);
      target = isAbsolute(link) ? link : dirname(target) + sep + link;
    } catch {
      return realOf(target) ?? join(realOf(dirname(target)) ?? dirname(target), basename(target));
    }
  }
  return resolve(target); // a circle of links
}

/** Node's other realpathSync takes `..` away before it looks at links. */
function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** The ends of pipes that a program gets from the shell, which may also be files (`> out.png`). */
const standard = /^\/(?:dev\/(?:std(?:out|err)|fd\/\d+)|proc\/(?:self|\d+)\/fd\/\d+)$/;

/** Those for reading. */
const inherited = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/(?:self|\d+)\/fd\/\d+)$/;

/**
 * Which of the program's own streams a path names: standard input (0), output (1) or errors (2); undefined if it
 * names something else.
 */
export function standardStreamOf(path: string): 0 | 1 | 2 | undefined {
  const [, name, owner = "self", number] = ownStreams.exec(resolve(path)) ?? [];
  if (owner !== "self" && owner !== `${process.pid}`) return undefined;
  const stream = name === undefined ? number : ["in", "out", "err"].indexOf(name);
  return stream === undefined ? undefined : (Number(stream) as 0 | 1 | 2);
}

const ownStreams = /^\/(?:dev\/std(in|out|err)|(?:dev|proc\/(self|\d+))\/fd\/([012]))$/;

/** Is what is written there passed on, not kept: is it a pipe, a socket or a device? */
export function isStream(path: string): boolean {
  if (standard.test(resolve(path))) return true;
  const stats = statsOf(path);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/**
 * Opening a named pipe would wait for somebody who writes to it, maybe for ever. Those of the shell have somebody.
 *
 * @throws DataError for a pipe or a socket
 */
export function refusePipe(path: string): void {
  const stats = statsOf(path);
  if (!(stats?.isFIFO() || stats?.isSocket()) || inherited.test(resolve(path))) return;
  throw new DataError(
    `${path}: this is a pipe, and a file was wanted. Read the pipe yourself, and give the bytes.`,
  );
}
