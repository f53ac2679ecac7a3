/** Files in Node, by their paths or their URLs. */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { checkArguments } from "../options/arguments.ts";
import { isOfClass } from "../options/classes.ts";
import { type Kind, quote } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";

/**
 * The path of a file: a text as it is, unless it begins with "file://" as the URL of a file does.
 *
 * @throws DataError for the URL of something else
 */
export function pathOf(file: string | URL): string {
  if (typeof file === "string" && !/^file:\/\//i.test(file)) return file;
  try {
    return fileURLToPath(String(file));
  } catch (cause) {
    const what = `${quote(String(file))} is the URL of no file on this machine (${(cause as Error).message})`;
    throw new DataError(`${what}. Fetch it first, and pass the bytes.`, { cause });
  }
}

/**
 * The path that the argument `name` of a function is.
 *
 * @param wanted what a text must be; else a RangeError that names `caller`
 */
export function pathArgument(
  caller: string,
  name: string,
  value: string | URL,
  wanted: Kind<string>,
): string {
  if (!isOfClass(value, "URL")) checkArguments(caller, { [name]: [value, wanted] });
  return pathOf(value);
}

/** Bytes of the longest file name that file systems take. */
export const MAX_NAME_BYTES = 255;

/** What is wrong with a path that the system calls too long. */
export function tooLong(path: string): string {
  const [name, whole] = [basename(path), path].map((text) => Buffer.byteLength(text));
  return name > MAX_NAME_BYTES
    ? `its name has ${name} bytes, and file systems take ${MAX_NAME_BYTES}`
    : `its path of ${whole} bytes, or a name in it, is longer than the system takes`;
}
