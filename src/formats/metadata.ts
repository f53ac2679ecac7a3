/**
 * What picture files say besides samples: colours, camera, place, author, print size. It is fitted to the
 * format of a result, and what that cannot hold is named. Nothing here needs Node's files: the page of site
 * does the same. (metadata-in-file.ts reads it in Node, metadata-parts.ts writes it.)
 */

import { firstOf, quantity } from "../options/lists.ts";
import { excerpt, printable } from "../options/printable.ts";
import { type PictureFormat, pictureFormats } from "../picture/formats.ts";
import type { Size } from "../picture/image.ts";
import { type Density, ratioOf } from "./density.ts";
import { exifOfDensity, forNewPicture } from "./exif.ts";
import {
  isHdrCode,
  isProfile,
  isUnspecified,
  profileFor,
  profileOfCode,
  profileOfNumbers,
  spaceOf,
} from "./icc.ts";
import { endOfJpeg, iptcOf, MAX_SEGMENT, photoshop, rightsOf, segmentsOf, startsWith } from "./jpeg.ts";
import type { SourcePicture } from "./picture-places.ts";
import { chunksOf, encodeChunk, readFrom } from "./png.ts";
import { type Comment, takeText } from "./texts.ts";
import { decodeXmp, film, furtherPictures, gainMap, withoutParts } from "./xmp.ts";

export { decodeXmp, xmpOfResult } from "./xmp.ts";

export interface Metadata {
  /** The colour profile that says what the colours mean; without one, sRGB. */
  readonly icc?: Uint8Array;
  /** PNG's own chunks on colours, whole: cICP, gAMA, cHRM, sRGB… */
  readonly pngColor?: readonly Uint8Array[];
  /** Camera, date, place: a TIFF file without samples. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  /** Captions and credits of news agencies (IIM records). */
  readonly iptc?: Uint8Array;
  /** What Photoshop says of copyright: resources of its own. */
  readonly rights?: Uint8Array;
  /** Pixels per inch. It stays what it was, so that a result prints larger. */
  readonly density?: Density;
  readonly comments?: readonly Comment[];
  /** The picture that EXIF and XMP speak of; undefined if neither is there, or that is not known. */
  readonly source?: SourcePicture;
}

/** Something that a result lacks, or that was odd about a file, for people and for programs. */
export interface Note {
  readonly kind: "frames" | "metadata" | "color" | "depth" | "alpha" | "size" | "decoder";
  /** A sentence without a full stop. */
  readonly text: string;
}

export interface FileMetadata {
  readonly metadata: Metadata;
  /** What no result can have: pictures inside the picture, signatures. */
  readonly gaps: readonly string[];
  /** Bytes behind the end of the picture that nothing in the file names, in the same words. */
  readonly behind?: string;
}

/** Files begin EXIF data with this, except PNG. */
export function withoutPrefix(exif: Uint8Array): Uint8Array {
  return startsWith(exif, "Exif\0\0") ? exif.subarray(6) : exif;
}

/** What the JFIF header of a JPEG file states: pixels per inch or per centimetre, or only their ratio. */
export function jfifDensity(bytes: Uint8Array): Density | undefined {
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker !== 0xe0 || !startsWith(data, "JFIF\0") || data.length < 12) continue;
    const [x, y] = [data[8] * 256 + data[9], data[10] * 256 + data[11]];
    const perInch = { 1: 1, 2: 2.54 }[data[7]];
    if (x > 0 && y > 0) return perInch ? { x: x * perInch, y: y * perInch } : ratioOf(x, y);
  }
  return undefined;
}

/** What results are made without, in words to follow "without". What is wrong with it follows. */
export const itsProfile = "its colour profile";
export const damagedProfile = `${itsProfile}, which is damaged`;

/** The comments of a JPEG file, and what no result can have. `icc` is the profile that could be read. */
export function jpegExtras(
  bytes: Uint8Array,
  icc: Uint8Array | undefined,
): { comments?: Comment[]; gaps: string[]; behind?: string } {
  const comments: Comment[] = [];
  const gaps = new Set<string>();
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker === 0xfe) takeText({ keyword: "Comment", text: decodeText(data) }, { comments, gaps });
    if (marker === 0xe2 && startsWith(data, "ICC_PROFILE\0") && icc === undefined) gaps.add(damagedProfile);
    if (marker === 0xe2 && startsWith(data, "MPF\0")) gaps.add(furtherByMpf);
    if (marker === 0xe2 && startsWith(data, "urn:iso:std:iso:ts:21496:-1\0")) gaps.add(gainMap);
    if (marker === 0xeb && startsWith(data, "JP"))
      gaps.add("content credentials, which hold for the original");
    if (marker === 0xe1 && startsWith(data, "http://ns.adobe.com/xmp/extension/")) gaps.add("extended XMP");
  }
  const end = endOfJpeg(bytes);
  const rest = end === undefined ? undefined : behindEnd(bytes.subarray(end));
  if (rest === film) gaps.add(film);
  return {
    comments: comments.length > 0 ? comments : undefined,
    gaps: [...gaps],
    behind: rest === film ? undefined : rest,
  };
}

const furtherByMpf = `${furtherPictures} (MPF)`;

/** What lies behind the end of a picture that is in the same file. */
const liesBehind: readonly string[] = [film, gainMap, furtherPictures, furtherByMpf];

/** What lies behind the end of a picture, in words; undefined for zeros. */
function behindEnd(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFilm = text.subarray(0, 64).includes("ftyp") || text.includes("MotionPhoto_Data");
  return isFilm ? film : `${quantity(text.length, "byte")} behind its end`;
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** UTF-8, or else Latin-1. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/** Chunks of programs that keep something in them, by PNG's rule for such names. These speak of the file alone. */
const isProgramsChunk = (type: string) =>
  /^[a-z]{2}[A-Z][A-Za-z]$/.test(type) && !/^(?:[af]cTL|fdAT|caBX|vpAg|caNv)$/.test(type);

const textTypes = ["tEXt", "zTXt", "iTXt"];
const pngColorTypes = ["cICP", "mDCV", "cLLI", "gAMA", "cHRM", "sRGB"];

/** Unpacks what zlib has packed. @throws Error for damaged bytes, and for more than `most` bytes of them */
export type Inflate = (bytes: Uint8Array, most: number) => Uint8Array;

/** Metadata of a PNG file, with its profile, which is packed as well. */
export function pngMetadata(bytes: Uint8Array, icc: Uint8Array | undefined, inflate: Inflate): FileMetadata {
  const pngColor: Uint8Array[] = [];
  const comments: Comment[] = [];
  const gaps = new Set<string>();
  const programs = new Set<string>();
  let behind: string | undefined;
  const extras: {
    exif?: Uint8Array;
    xmp?: string;
    iptc?: Uint8Array;
    rights?: Uint8Array;
    density?: Density;
  } = {};
  let room = MAX_TEXT;
  let [isTransparent, hasBackground] = [bytes[25] === 4 || bytes[25] === 6, false]; // by the type of colours
  for (const { type, data, start, end } of chunksOf(readFrom(bytes))) {
    if (type === "IEND") {
      behind = behindEnd(bytes.subarray(end));
      break;
    }
    if (pngColorTypes.includes(type)) pngColor.push(encodeChunk(type, data()));
    if (type === "iCCP" && icc === undefined) gaps.add(packedProfileGap(data(), isGreyPng(bytes), inflate));
    if (type === "eXIf") extras.exif = withoutPrefix(data());
    if (type === "sTER") gaps.add("the note that it is a pair of pictures for two eyes");
    if (end - start > 12 && isProgramsChunk(type)) programs.add(type); // there is something in it
    if (type === "tRNS") isTransparent = true;
    if (type === "bKGD") hasBackground = true;
    if (type === "caBX") gaps.add("content credentials, which hold for the original");
    if (type === "pHYs" && data().length >= 9) {
      const numbers = Buffer.from(data());
      const [x, y] = [numbers.readUInt32BE(0), numbers.readUInt32BE(4)];
      const isPerMetre = numbers[8] === 1;
      if (x > 0 && y > 0) extras.density = isPerMetre ? { x: x * 0.0254, y: y * 0.0254 } : ratioOf(x, y);
    }
    if (!textTypes.includes(type)) continue;
    const comment = pngText(type, data(), (packed) => inflate(packed, Math.max(1, room)));
    room -= comment?.text.length ?? 0;
    if (comment === undefined) gaps.add("a damaged text");
    else if (comment.keyword === "XML:com.adobe.xmp") extras.xmp = comment.text;
    else if (!takeRawProfile(comment, extras)) takeText(comment, { comments, gaps });
  }
  // A viewer may show it where the picture is transparent.
  if (hasBackground && isTransparent) gaps.add("its background colour");
  if (programs.size > 0) gaps.add(`what a program keeps in ${firstOf([...programs])}`);
  const lists = {
    pngColor: pngColor.length > 0 ? pngColor : undefined,
    comments: comments.length > 0 ? comments : undefined,
  };
  return { metadata: { icc, ...extras, ...lists }, gaps: [...gaps], behind };
}

/** By the type of colours in the header. */
function isGreyPng(bytes: Uint8Array): boolean {
  return bytes[25] === 0 || bytes[25] === 4;
}

/** Why libpng takes no profile. */
function packedProfileGap(data: Uint8Array, isGrey: boolean, inflate: Inflate): string {
  try {
    const afterName = data.indexOf(0) + 2; // with the method of packing
    const icc = inflate(data.subarray(afterName), MAX_TEXT);
    const gap = profileGap(icc);
    if (gap !== undefined) return gap;
    const isForGrey = spaceOf(icc) === "GRAY";
    return isForGrey === isGrey
      ? damagedProfile
      : `${itsProfile}, which is for ${isForGrey ? "grey" : "RGB"}`;
  } catch {
    return damagedProfile;
  }
}

/** The most bytes that all texts together may become when they are unpacked. */
const MAX_TEXT = 2 ** 24;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function pngText(
  type: string,
  data: Uint8Array,
  inflate: (bytes: Uint8Array) => Uint8Array,
): Comment | undefined {
  const end = data.indexOf(0);
  if (end < 1) return undefined;
  const keyword = latin1(data.subarray(0, end));
  try {
    if (type === "tEXt") return { keyword, text: latin1(data.subarray(end + 1)) };
    if (type === "zTXt") {
      const text = inflate(data.subarray(end + 2));
      // Some writers put XMP, which is UTF-8, into the chunk for Latin-1.
      return { keyword, text: keyword.startsWith("XML:") ? decodeText(text) : latin1(text) };
    }
    const compressed = data[end + 1] === 1;
    const language = data.indexOf(0, end + 3);
    const translated = data.indexOf(0, language + 1);
    if (language < 0 || translated < 0) return undefined;
    const text = data.subarray(translated + 1);
    const decode = keyword === "XML:com.adobe.xmp" ? decodeXmp : decodeUtf8;
    return { keyword, text: decode(compressed ? inflate(text) : text) };
  } catch {
    return undefined;
  }
}

/** Whether a chunk of a PNG file is a text that should hold EXIF data. */
export function isExifText(type: string, data: () => Uint8Array): boolean {
  const keyword = /^Raw profile type (exif|APP1)$/i;
  return textTypes.includes(type) && keyword.test(latin1(data().subarray(0, 26)).split("\0")[0]);
}

/** EXIF data in a text of a PNG file; undefined if there are none in it. */
export function exifInText(type: string, data: Uint8Array, inflate: Inflate): Uint8Array | undefined {
  const text = pngText(type, data, (packed) => inflate(packed, MAX_TEXT));
  const extras: { exif?: Uint8Array } = {};
  if (text) takeRawProfile(text, extras);
  return extras.exif;
}

/**
 * ImageMagick and ExifTool keep EXIF and IPTC data in texts: lines with a name, a length and hexadecimal
 * digits. False if there is no such data in the text.
 */
function takeRawProfile(
  { keyword, text }: Comment,
  extras: { exif?: Uint8Array; iptc?: Uint8Array; rights?: Uint8Array; xmp?: string },
): boolean {
  const kind = /^Raw profile type (exif|APP1|iptc|xmp)$/i.exec(keyword)?.[1].toLowerCase();
  if (kind === undefined) return false;
  // The name may have several words: "IPTC profile".
  const digits = /^\s*\S[^\n]*\n\s*\d+\s+([\da-f\s]+)$/i.exec(text)?.[1];
  if (digits === undefined) return false;
  const bytes = Buffer.from(digits.replace(/\s/g, ""), "hex");
  if (kind === "iptc") {
    const [iptc, rights] = [iptcOf(bytes), rightsOf(bytes)];
    if (iptc === undefined && rights === undefined) return false;
    extras.iptc ??= iptc;
    extras.rights ??= rights;
  } else if (kind === "xmp") extras.xmp ??= decodeXmp(bytes);
  else if (startsWith(bytes, "Exif\0\0")) extras.exif ??= withoutPrefix(bytes);
  return true;
}

/**
 * A profile for what PNG says of its colours in chunks of its own; undefined if that is sRGB, or nothing. `lost` is
 * what no profile says.
 */
function profileOfPng(metadata: Metadata): { readonly icc?: Uint8Array; readonly lost?: string } {
  const { pngColor = [], icc } = metadata;
  const contents = new Map(
    pngColor.map((chunk) => {
      const bytes = Buffer.from(chunk);
      return [bytes.toString("latin1", 4, 8), bytes.subarray(8, -4)] as const;
    }),
  );
  const [code, gama, chrm] = ["cICP", "gAMA", "cHRM"].map((type) => contents.get(type));
  if (code && code.length >= 4 && !isUnspecified(code[0], code[1])) {
    const { profile, isKnown } = profileOfCode(code[0], code[1]);
    return isKnown ? { icc: profile } : { icc, lost: nameOfCode(code[0], code[1]) };
  }
  if (icc || contents.has("sRGB")) return { icc };
  const gamma = gama && gama.length >= 4 ? gama.readUInt32BE(0) / 1e5 : 0;
  const points = chrm && chrm.length >= 32 ? [0, 1, 2, 3].map((i) => pointAt(chrm, 8 * i)) : undefined;
  return { icc: profileOfNumbers({ gammas: gamma > 0 ? [1 / gamma] : [], primaries: points }) };
}

/** In words, after "without": colours in a code that no profile says. */
function nameOfCode(primaries: number, transfer: number): string {
  return isHdrCode(transfer) ? hdrNote : `the note on its colours (codes ${primaries} and ${transfer})`;
}

const hdrNote = "the note that its colours are HDR";

function pointAt(bytes: Buffer, at: number): [number, number] {
  return [bytes.readUInt32BE(at) / 1e5, bytes.readUInt32BE(at + 4) / 1e5];
}

/**
 * The colours of a file as one profile, for whoever wants sRGB; undefined if they are sRGB. `lost` is what no profile
 * says, in words after "without".
 */
export function profileIn(metadata: Metadata): { readonly icc?: Uint8Array; readonly lost?: string } {
  const { icc, lost } = profileOfPng(metadata);
  return { icc: icc && isProfile(icc) ? icc : undefined, lost };
}

export interface MetadataFit {
  readonly metadata: Metadata;
  readonly notes: readonly Note[];
  /** No profile in the format fits: the samples must be converted from this one to sRGB. */
  readonly convertFrom?: Uint8Array;
}

/** What a format can hold of metadata, for a picture of so many channels. */
export function fitTo(
  { metadata, gaps, behind }: FileMetadata,
  format: PictureFormat,
  channels: number,
): MetadataFit {
  const gap = metadata.icc && profileGap(metadata.icc);
  if (gap) {
    const rest = { metadata: { ...metadata, icc: undefined }, gaps: [...gaps, gap], behind };
    return fitTo(rest, format, channels);
  }
  const { density, source } = metadata;
  const { xmp: text, gaps: more } =
    metadata.xmp === undefined ? { gaps: [] } : withoutParts(metadata.xmp, source);
  const notes = notesOnGaps([...gaps, ...more], behind);
  const target = { format, notes };
  const exif = fitExif(metadata.exif, target);
  const xmp = fitXmp(text, target);
  const iptc = fitIptc(metadata.iptc, target);
  const rights = fitRights(metadata.rights, iptc, target);
  const comments = fitComments(metadata.comments, target);
  const { icc, convertFrom } = fitProfile(metadata, channels, target);
  return {
    metadata: {
      icc,
      pngColor: format === "png" && !convertFrom ? metadata.pngColor : undefined,
      exif,
      xmp,
      iptc,
      rights,
      comments,
      density: density && isSensible(density) ? density : undefined,
      source: exif || xmp ? source : undefined,
    },
    notes,
    convertFrom,
  };
}

/** The format that metadata are to fit, and a list that grows by what it cannot hold. */
interface Target {
  readonly format: PictureFormat;
  readonly notes: Note[];
}

/** What the file itself lacks, each once. */
function notesOnGaps(gaps: readonly string[], behind: string | undefined): Note[] {
  const names = [...new Set(gaps)];
  const isNamed = names.some((gap) => liesBehind.includes(gap));
  return [...names, ...(behind && !isNamed ? [behind] : [])].map((what) => ({
    kind: "metadata",
    text: `without ${what}`,
  }));
}

function noteLack({ format, notes }: Target, what: string): void {
  notes.push({ kind: "metadata", text: `without ${what}: ${pictureFormats[format].name} cannot hold it` });
}

/** A segment of a JPEG file, with room for a prefix, a resolution, and what libvips adds to a placeholder. */
const maxExif = MAX_SEGMENT - 533;

function fitExif(exif: Uint8Array | undefined, target: Target): Uint8Array | undefined {
  if (exif === undefined) return undefined;
  if (forNewPicture(exif, { width: 1, height: 1 }) === undefined) {
    target.notes.push({ kind: "metadata", text: "without EXIF data, which are damaged" });
    return undefined;
  }
  // libvips makes the place for them in WebP and AVIF, as long as in JPEG at most.
  if (target.format === "png" || target.format === "tiff" || exif.length <= maxExif) return exif;
  noteLack(target, `EXIF data of ${exif.length} bytes`);
  return undefined;
}

function fitXmp(xmp: string | undefined, target: Target): string | undefined {
  if (xmp === undefined || fitsSegment(Buffer.byteLength(xmp) + 29, target.format)) return xmp;
  noteLack(target, "XMP of that length");
  return undefined;
}

function fitIptc(iptc: Metadata["iptc"], target: Target): Metadata["iptc"] {
  if (iptc === undefined) return undefined;
  if (fitsResources(iptc.length, target.format)) return iptc;
  noteLack(target, "IPTC data");
  return undefined;
}

function fitRights(rights: Metadata["rights"], iptc: Metadata["iptc"], target: Target): Metadata["rights"] {
  if (rights === undefined) return undefined;
  if (fitsResources(rights.length + (iptc?.length ?? 0), target.format)) return rights;
  noteLack(target, "Photoshop's note on copyright");
  return undefined;
}

/** Is there room for so many bytes of Photoshop's? */
function fitsResources(bytes: number, format: PictureFormat): boolean {
  return ["png", "jpeg", "tiff"].includes(format) && fitsSegment(bytes + 14 + photoshop.length, format);
}

function fitComments(comments: Metadata["comments"], target: Target): Metadata["comments"] {
  const fits = ({ keyword, text }: NonNullable<Metadata["comments"]>[number]) =>
    target.format === "png" ||
    (target.format === "jpeg" && keyword === "Comment" && fitsSegment(text.length * 3, target.format));
  const rest = (comments ?? []).filter((comment) => !fits(comment)).map(({ keyword }) => keyword);
  if (rest.length > 0) noteLack(target, `the text ${[...new Set(rest)].map(excerpt).join(", ")}`);
  return comments?.some(fits) ? comments.filter(fits) : undefined;
}

/** Is there room for so many bytes? Only JPEG's segments are small. */
function fitsSegment(bytes: number, format: PictureFormat): boolean {
  return format !== "jpeg" || bytes <= MAX_SEGMENT;
}

function fitProfile(
  metadata: Metadata,
  channels: number,
  { format, notes }: Target,
): Pick<Metadata, "icc"> & Pick<MetadataFit, "convertFrom"> {
  const { name, writes } = pictureFormats[format];
  const { icc, lost } = format === "png" ? { icc: metadata.icc, lost: undefined } : profileOfPng(metadata);
  if (lost !== undefined) {
    const looks = lost === hdrNote ? ": it looks dull" : "";
    notes.push({ kind: "color", text: `without ${lost}, which only PNG results get${looks}` });
  }
  if (!icc) return {};
  const profile = profileFor(channels <= 2 && writes?.grey ? "GRAY" : "RGB", icc);
  if (profile) return { icc: profile };
  notes.push({ kind: "color", text: `converted to sRGB: ${name} cannot hold the colour profile` });
  return { convertFrom: icc };
}

/** What is wrong with a profile, in words, after "without"; undefined if pictures of RGB and grey can have it. */
export function profileGap(icc: Uint8Array): string | undefined {
  if (!isProfile(icc)) return damagedProfile;
  const space = spaceOf(icc);
  return ["RGB", "GRAY"].includes(space) ? undefined : `${itsProfile}, which is for ${printable(space)}`;
}

/** Damaged files state any number, and most formats cannot hold all of them. */
function isSensible({ x, y }: Density): boolean {
  return [x, y].every((value) => value >= 0.1 && value <= 65_535);
}

/** EXIF data of a result: of its size, upright. Where a format has no other place, with the resolution. */
export function exifOfResult(
  { exif, density, source }: Metadata,
  size: Size,
  format: PictureFormat,
): Uint8Array | undefined {
  const only = format === "webp" || format === "avif" ? density : undefined;
  if (exif) return forNewPicture(exif, size, only, source);
  return only && exifOfDensity(only);
}
