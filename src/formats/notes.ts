/**
 * What a result lacks of its picture, and what became of its samples: as data, and in English. The page says the same
 * in its other languages (`site/sentences/notes-<language>.ts`).
 */

import { firstOf, quantity } from "../options/lists.ts";
import { type PictureFormat, pictureFormats } from "../picture/formats.ts";

/** Something that a result lacks, or that was odd about a file, for people and for programs. */
export interface Note {
  readonly kind: "frames" | "metadata" | "color" | "depth" | "alpha" | "size" | "decoder";
  /** A sentence without a full stop. */
  readonly text: string;
}

/** What no result can have. Texts are their own codes: English words, to follow "without". */
export type Gap =
  | GapText
  /** A colour profile for a space that such pictures do not have. */
  | { readonly code: "profileFor"; readonly space: string }
  /** Bytes behind the end of the picture that nothing in the file names. */
  | { readonly code: "bytesBehind"; readonly count: number }
  /** What programs keep in chunks of their own. */
  | { readonly code: "chunks"; readonly names: readonly string[] };

export type GapText =
  | "its colour profile, which is damaged"
  | "its white point, which it states without its primaries"
  | "the film of a motion photo"
  | "further pictures inside it"
  | "further pictures inside it (MPF)"
  | "the gain map, which makes it HDR"
  | "its depth map"
  | "what XMP says of a panorama, as the picture was turned"
  | "regions in XMP, as the picture was turned"
  | "extended XMP"
  | "content credentials, which hold for the original"
  | "the note that it is a pair of pictures for two eyes"
  | "its background colour"
  | "a damaged text"
  | "its texts behind the first 10000"
  | "its place on the map (GeoTIFF), as the picture was turned"
  | "its place on the map (GeoTIFF), which is damaged"
  | "its place on the map (GeoTIFF), which only TIFF results get"
  | "Photoshop's layers"
  | "GDAL's notes"
  | "GDAL's mark of pixels without data"
  | "its description, in which a program states the old size"
  | "the ratio of its pixels' sides, which EXIF data contradict"
  | "the size of what it shows (sCAL)"
  | "what its samples measure (pCAL)"
  | "its digital signature, which holds for the original";

/** Colours by the codes of cICP that no profile says. */
export interface ColorCode {
  readonly primaries: number;
  readonly transfer: number;
  readonly isHdr: boolean;
}

/** What notes say, by their codes. Texts out of files are short and printable. */
interface Values {
  /** Only the first was taken. Without a count, there are several. */
  readonly frames: { readonly of: "frames" | "pages" | "pictures"; readonly count?: number };
  /** Converted to sRGB as the file was read: from these colours, or from some that no profile describes. */
  readonly readAsSrgb: { readonly from?: string };
  /** The file has so many bits per sample, and 8 were read. */
  readonly readAsEight: { readonly bits: number };
  readonly gap: { readonly gap: Gap };
  readonly damagedExif: object;
  /** EXIF data of so many bytes, and what follows: there is no room for it in the format. */
  readonly exif: { readonly bytes: number; readonly format: PictureFormat };
  readonly xmp: { readonly format: PictureFormat };
  readonly iptc: { readonly format: PictureFormat };
  readonly rights: { readonly format: PictureFormat };
  readonly texts: { readonly keywords: readonly string[]; readonly format: PictureFormat };
  /** Colours that only PNG can state. */
  readonly colorCode: ColorCode;
  /** Converted to sRGB, as the format holds no such profile. */
  readonly profile: { readonly format: PictureFormat };
  /** 16 bits became fewer, which is all that the format holds, if one is named. */
  readonly depth: { readonly bits: number; readonly format?: PictureFormat };
  /** Transparency was put on white. */
  readonly onWhite: { readonly format: PictureFormat };
  /** A canvas made the file, into which the page cannot put EXIF data and XMP. */
  readonly notAdded: { readonly format: PictureFormat };
}

export type NoteCode = keyof Values;

/** What a result lacks of its picture, or what became of its samples. */
export type ResultNote = { [C in NoteCode]: { readonly code: C } & Values[C] }[NoteCode];

/** In some language, without a full stop. */
export type NoteSentences = { readonly [C in NoteCode]: (note: Values[C]) => string };

export function sentenceOf(note: ResultNote, sentences: NoteSentences): string {
  return (sentences[note.code] as (note: ResultNote) => string)(note);
}

/** For the command line and the library. */
export function noteInEnglish(note: ResultNote, sentences = englishNotes): Note {
  return { kind: kinds[note.code], text: sentenceOf(note, sentences) };
}

const kinds: Readonly<Record<NoteCode, Note["kind"]>> = {
  frames: "frames",
  readAsSrgb: "color",
  readAsEight: "depth",
  gap: "metadata",
  damagedExif: "metadata",
  exif: "metadata",
  xmp: "metadata",
  iptc: "metadata",
  rights: "metadata",
  texts: "metadata",
  colorCode: "color",
  profile: "color",
  depth: "depth",
  onWhite: "alpha",
  notAdded: "metadata",
};

export const englishNotes: NoteSentences = {
  frames: ({ of, count = "several" }) => `only the first of ${count} ${of} was taken`,
  readAsSrgb: ({ from = "colours that no profile describes" }) => `converted to sRGB, from ${from}`,
  readAsEight: ({ bits }) => `its ${bits} bits per sample were read as 8`,
  gap: ({ gap }) => `without ${gapInEnglish(gap)}`,
  damagedExif: () => "without EXIF data, which are damaged",
  exif: ({ bytes, format }) => cannotHold(`EXIF data of ${bytes} bytes`, format),
  xmp: ({ format }) => cannotHold("XMP of that length", format),
  iptc: ({ format }) => cannotHold("IPTC data", format),
  rights: ({ format }) => cannotHold("Photoshop's note on copyright", format),
  texts: ({ keywords, format }) => cannotHold(`the text ${keywords.join(", ")}`, format),
  colorCode: (code) =>
    `without ${colorCodeInEnglish(code)}, which only PNG results get${code.isHdr ? ": it looks dull" : ""}`,
  profile: ({ format }) => `converted to sRGB: ${nameOf(format)} cannot hold the colour profile`,
  depth: ({ bits, format }) =>
    `16 bits per sample became ${bits}${format ? `: ${nameOf(format)} holds no more` : ""}`,
  onWhite: ({ format }) => `put on white: ${nameOf(format)} holds no transparency`,
  notAdded: ({ format }) => `without EXIF data and XMP, which this page cannot put into ${nameOf(format)}`,
};

function cannotHold(what: string, format: PictureFormat): string {
  return `without ${what}: ${nameOf(format)} cannot hold it`;
}

function nameOf(format: PictureFormat): string {
  return pictureFormats[format].name;
}

/** To follow "without". */
export function gapInEnglish(gap: Gap): string {
  if (typeof gap === "string") return gap;
  switch (gap.code) {
    case "profileFor":
      return `its colour profile, which is for ${gap.space}`;
    case "bytesBehind":
      return `${quantity(gap.count, "byte")} behind its end`;
    case "chunks":
      return `what a program keeps in ${firstOf(gap.names)}`;
  }
}

/** To follow "without". */
export function colorCodeInEnglish({ primaries, transfer, isHdr }: ColorCode): string {
  return isHdr
    ? "the note that its colours are HDR"
    : `the note on its colours (codes ${primaries} and ${transfer})`;
}
