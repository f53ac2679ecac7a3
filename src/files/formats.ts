/** The names and first bytes of picture files. The list of formats is in src/picture/formats.ts. */
import { basename, extname, normalize, sep } from "node:path";
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

/**
 * A name for each file, which no other one of the list has: its stem, or the whole name, or that behind as many of its
 * folders as it takes. Only a file that is in the list twice has one name twice.
 */
export function namesOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) => normalize(path).split(sep));
  const most = Math.max(0, ...parts.map(({ length }) => length));
  /** How many parts of its path each name has; 0: the stem. */
  const counts = paths.map(() => 0);
  for (;;) {
    const names = paths.map((path, i) =>
      counts[i] === 0 ? stemOf(path) : parts[i].slice(-counts[i]).join("/"),
    );
    const keys = names.map((name) => name.normalize("NFC"));
    const shared = repeated(keys);
    // Those with the fewest parts get one more. "a" of a.jpg and a.png becomes a.jpg, which a.jpg.png has as its stem.
    const fewest = Math.min(...counts.filter((_, i) => shared.has(keys[i])));
    if (fewest >= most) return names; // none is shared, or only by the same path
    for (const i of paths.keys()) if (shared.has(keys[i]) && counts[i] === fewest) counts[i]++;
  }
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
