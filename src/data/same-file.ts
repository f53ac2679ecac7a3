/** Do two paths lead to one file? Asked before something is written, lest it replace what is read. */
import { statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

export function sameFile(a: string, b: string): boolean {
  return fileId(a) === fileId(b);
}

/**
 * A text that two paths share if they lead to one file, through links, too: the numbers of its device and
 * inode. If there is no such file yet: its name in the folder that it would lie in.
 */
export function fileId(path: string): string {
  const file = lookAt(path);
  if (file) return `${file.dev} ${file.ino}`;
  const full = resolve(path);
  const folder = dirname(full);
  return folder === full ? full : join(fileId(folder), basename(full));
}

/** Undefined where there is nothing, or nothing that may be looked at. */
function lookAt(path: string) {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
