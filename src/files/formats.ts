/** The names and first bytes of picture files. The list of formats is in src/picture/formats.ts. */
import { basename, extname } from "node:path";
import { DataError } from "../picture/errors.ts";
import { describeForeignPicture } from "../picture/foreign-pictures.ts";
import { formatOfStart, type PictureFormat } from "../picture/formats.ts";

export {
  formatNames,
  formatOfName,
  namesOfFormats,
  type PictureFormat,
  pictureFormats,
  writtenFormats,
} from "../picture/formats.ts";

/** A file's name without folder and extension. */
export function stemOf(path: string): string {
  return basename(path, extname(path));
}

/** A name for each file of a folder: its stem, or the whole name where several share the stem. */
export function namesOf(paths: readonly string[]): string[] {
  const shared = repeated(paths.map((path) => stemOf(path).normalize("NFC")));
  return paths.map((path) => (shared.has(stemOf(path).normalize("NFC")) ? basename(path) : stemOf(path)));
}

/** The values that a list has more than once. */
export function repeated(values: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(values.filter((value) => seen.has(value) || !seen.add(value)));
}

/**
 * The format of a file by its first bytes, of which `START_LENGTH` suffice.
 *
 * @throws DataError that names the file if it has none of them.
 */
export function formatOfBytes(bytes: Uint8Array, name: string): PictureFormat {
  if (bytes.length === 0) {
    throw new DataError(`${name}: the file is empty. Download or copy it again, or leave it out.`);
  }
  const format = formatOfStart(bytes);
  if (format) return format;
  throw new DataError(describeForeignPicture(bytes, name));
}
