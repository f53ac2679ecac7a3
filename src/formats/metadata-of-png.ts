/** What PNG files say besides samples, in chunks of their own and in texts. */

import { type Density, densityOf, ratioOf } from "./density.ts";
import { withoutPrefix } from "./exif.ts";
import { behindEnd, damagedProfile, profileGap } from "./gaps.ts";
import { spaceOf } from "./icc.ts";
import { iptcOf, rightsOf, startsWith } from "./jpeg.ts";
import type { FileMetadata } from "./metadata.ts";
import type { Gap } from "./notes.ts";
import { chunksOf, encodeChunk } from "./png.ts";
import { readFrom } from "./read.ts";
import { type Comment, decodeText, decodeUtf8, takeText } from "./texts.ts";
import { decodeXmp } from "./xmp.ts";

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
  const gaps = new Set<Gap>();
  const programs = new Set<string>();
  let behind: Gap | undefined;
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
    if (type === "sCAL") gaps.add("the size of what it shows (sCAL)");
    if (type === "pCAL") gaps.add("what its samples measure (pCAL)");
    if (type === "dSIG") gaps.add("its digital signature, which holds for the original");
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
  extras.density ??= densityOf(extras.exif);
  // A viewer may show it where the picture is transparent.
  if (hasBackground && isTransparent) gaps.add("its background colour");
  if (programs.size > 0) gaps.add({ code: "chunks", names: [...programs] });
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
function packedProfileGap(data: Uint8Array, isGrey: boolean, inflate: Inflate): Gap {
  try {
    const afterName = data.indexOf(0) + 2; // with the method of packing
    const icc = inflate(data.subarray(afterName), MAX_TEXT);
    const gap = profileGap(icc);
    if (gap !== undefined) return gap;
    const isForGrey = spaceOf(icc) === "GRAY";
    return isForGrey === isGrey ? damagedProfile : { code: "profileFor", space: isForGrey ? "grey" : "RGB" };
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
