/** The picture formats: one list, which messages, help texts, dialogs and readers go by. */

import { orList } from "../options/lists.ts";
import { hexOf } from "../options/printable.ts";

export type PictureFormat = "png" | "jpeg" | "webp" | "tiff" | "avif" | "gif" | "bmp" | "pnm";

interface Format {
  readonly name: string;
  /** In lower case; files may have them in any case. Files that are written get the first one. */
  readonly extensions: readonly string[];
  /** The first 12 bytes in hexadecimal. */
  readonly signature: RegExp;
  /** What a result in this format can hold; undefined for formats that are only read. */
  readonly writes?: Writes;
  /** Its media type, if browsers show the format. */
  readonly mediaType?: string;
}

interface Writes {
  readonly alpha: boolean;
  /** The most bits of a sample. */
  readonly depth: 8 | 12 | 16;
  /** Whether a grey picture is stored as such. Otherwise it becomes RGB, and needs a profile for RGB. */
  readonly grey: boolean;
  /** Whether `quality` means something. */
  readonly lossy: boolean;
  /** The longest side. */
  readonly maxSide: number;
}

export const pictureFormats: Readonly<Record<PictureFormat, Format>> = {
  png: {
    name: "PNG",
    extensions: [".png", ".apng"],
    signature: /^89504e470d0a1a0a/,
    writes: { alpha: true, depth: 16, grey: true, lossy: false, maxSide: 2 ** 31 - 1 },
    mediaType: "image/png",
  },
  jpeg: {
    name: "JPEG",
    extensions: [".jpg", ".jpeg", ".jpe", ".jfif"],
    signature: /^ffd8ff/,
    writes: { alpha: false, depth: 8, grey: true, lossy: true, maxSide: 65_500 },
    mediaType: "image/jpeg",
  },
  webp: {
    name: "WebP",
    extensions: [".webp"],
    signature: /^52494646.{8}57454250/, // "RIFF", four bytes of length, "WEBP"
    writes: { alpha: true, depth: 8, grey: false, lossy: true, maxSide: 16_383 },
    mediaType: "image/webp",
  },
  tiff: {
    name: "TIFF",
    extensions: [".tif", ".tiff"],
    signature: /^(49492[ab]00|4d4d002[ab])/, // the second letter: files of more than 4 GiB
    writes: { alpha: true, depth: 16, grey: true, lossy: false, maxSide: 2 ** 31 - 1 },
  },
  avif: {
    name: "AVIF",
    extensions: [".avif"],
    signature: /^.{8}66747970(61766966|61766973|6d696631|6d696166)/, // "ftyp", and a kind of picture
    writes: { alpha: true, depth: 12, grey: false, lossy: true, maxSide: 16_384 },
    mediaType: "image/avif",
  },
  gif: { name: "GIF", extensions: [".gif"], signature: /^47494638(37|39)61/, mediaType: "image/gif" },
  bmp: { name: "BMP", extensions: [".bmp", ".dib"], signature: /^424d/, mediaType: "image/bmp" },
  pnm: {
    name: "PPM",
    extensions: [".ppm", ".pgm", ".pbm", ".pnm", ".pam"],
    signature: /^503[1-7](0[9-d]|20|23)/, // "P", a digit, and white space or a comment
  },
};

const formats = Object.keys(pictureFormats) as PictureFormat[];

export const writtenFormats = formats.filter((format) => pictureFormats[format].writes);

/** The names of formats, as people write them: "JPEG". */
export function namesOfFormats(list: readonly PictureFormat[]): string[] {
  return list.map((format) => pictureFormats[format].name);
}

/** The formats that are read: "PNG, JPEG or WebP". */
export const formatNames = orList(namesOfFormats(formats));

const browserFormats = formats.filter((format) => pictureFormats[format].mediaType);

/** The formats that browsers read. */
export const browserFormatNames = orList(namesOfFormats(browserFormats));

/** Of the formats that browsers read: what `accept` of a file dialog wants. */
export const browserAccepts = browserFormats
  .flatMap((format) => [pictureFormats[format].mediaType, ...pictureFormats[format].extensions])
  .join(",");

/** The format that a file's name promises; undefined if it is not a picture's name. */
export function formatOfName(name: string): PictureFormat | undefined {
  const [, extension] = /[^/\\](\.[^./\\]*)$/.exec(name.toLowerCase()) ?? [];
  return formats.find((format) => extension && pictureFormats[format].extensions.includes(extension));
}

/** The format of a file by its first bytes. */
export function formatOfStart(bytes: Uint8Array): PictureFormat | undefined {
  const start = hexOfStart(bytes);
  return formats.find((format) => pictureFormats[format].signature.test(start));
}

export function hexOfStart(bytes: Uint8Array): string {
  return hexOf(bytes.subarray(0, 12));
}
