/** The picture formats that are read: the names of their files, and their first bytes. */
import { basename, extname } from "node:path";
import { DataError } from "../picture/errors.ts";

export type PictureFormat = "png" | "jpeg" | "webp";

interface Format {
  readonly name: string;
  /** In lower case; files may have them in any case. Files that are written get the first one. */
  readonly extensions: readonly string[];
  /** The first bytes in hexadecimal. */
  readonly signature: RegExp;
}

export const pictureFormats: Readonly<Record<PictureFormat, Format>> = {
  png: { name: "PNG", extensions: [".png"], signature: /^89504e470d0a1a0a/ },
  jpeg: { name: "JPEG", extensions: [".jpg", ".jpeg", ".jpe", ".jfif"], signature: /^ffd8ff/ },
  // "RIFF", four bytes of length, "WEBP".
  webp: { name: "WebP", extensions: [".webp"], signature: /^52494646.{8}57454250/ },
};

const entries = Object.entries(pictureFormats) as [PictureFormat, Format][];

/** "PNG, JPEG or WebP" */
export const formatNames = entries
  .map(([, { name }]) => name)
  .join(", ")
  .replace(/, (\w+)$/, " or $1");

/** The format that a file's name promises; undefined if it is not a picture's name. */
export function formatOfName(path: string): PictureFormat | undefined {
  const extension = extname(path).toLowerCase();
  return entries.find(([, { extensions }]) => extensions.includes(extension))?.[0];
}

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

/** The format of a file by its first bytes. @throws DataError that names the file if it has none of them. */
export function formatOfBytes(bytes: Uint8Array, name: string): PictureFormat {
  if (bytes.length === 0) {
    throw new DataError(`${name}: the file is empty. Download or copy it again, or leave it out.`);
  }
  const start = Buffer.from(bytes.subarray(0, 12)).toString("hex");
  const match = entries.find(([, { signature }]) => signature.test(start));
  if (match) return match[0];
  throw new DataError(
    `${name}: not a ${formatNames} picture (its first bytes are ${start}). ` +
      "Convert it to PNG, or leave it out.",
  );
}
