/** Files in Node, by their paths or their URLs. */
import { fileURLToPath } from "node:url";
import { quote } from "../options/kinds.ts";
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
