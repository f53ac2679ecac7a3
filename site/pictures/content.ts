/**
 * What is read here of a picture file: all of a PNG, BMP or PPM, and what other formats say besides pixels. Not
 * loaded before a file needs it: the page begins with one that does not.
 */
import "./buffer.ts";
import { withColorsOfAvif } from "../../src/formats/avif-colors.ts";
import { orientationOfAvif, withPixelsOfAvif } from "../../src/formats/avif-pixels.ts";
import { readBmp } from "../../src/formats/bmp.ts";
import { densityOf } from "../../src/formats/density.ts";
import { withoutPrefix } from "../../src/formats/exif.ts";
import { framesOfGif, gifExtras } from "../../src/formats/gif.ts";
import { codesOfAvif, isHdrCode } from "../../src/formats/icc.ts";
import { iptcOf, photoshop, rightsOf, segmentsOf, startsWith } from "../../src/formats/jpeg.ts";
import { forUpright, type Metadata } from "../../src/formats/metadata.ts";
import { jfifDensity, jpegExtras } from "../../src/formats/metadata-of-jpeg.ts";
import { pngMetadata } from "../../src/formats/metadata-of-png.ts";
import type { ResultNote } from "../../src/formats/notes.ts";
import { readPnm } from "../../src/formats/pnm.ts";
import { readFrom } from "../../src/formats/read.ts";
import { riffChunks } from "../../src/formats/riff.ts";
import { orientationOf, turnOfWebp, upright } from "../../src/formats/turn.ts";
import { unreadKind } from "../../src/formats/unread-kinds.ts";
import { decodeXmp } from "../../src/formats/xmp.ts";
import { pictureFormats } from "../../src/picture/formats.ts";
import { DataError, jpegQualityOfFile } from "../../src/picture/index.ts";
import { partsOfAvif } from "./avif-parts.ts";
import { decodePng } from "./decode-png.ts";
import { inflate } from "./inflate.ts";
import { iccPrefix, xmpPrefix } from "./jpeg-prefixes.ts";
import type { Content, PictureFile } from "./picture-file.ts";

/** By the file's format. */
export const contents: Readonly<Record<string, (bytes: Uint8Array) => Content>> = {
  jpeg: jpegContent,
  webp: webpContent,
  avif: avifContent,
  gif: gifContent,
};

function jpegContent(bytes: Uint8Array): Content {
  const metadata: { -readonly [K in keyof Metadata]: Metadata[K] } = {};
  const profile: Uint8Array[] = [];
  let channels = 3;
  for (const { marker, data } of segmentsOf(bytes)) {
    // Frame headers: all of C0 to CF but tables and restarts.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) channels = data[5];
    if (marker === 0xe1 && startsWith(data, "Exif\0\0")) metadata.exif ??= withoutPrefix(data);
    if (marker === 0xe1 && startsWith(data, xmpPrefix))
      metadata.xmp ??= decodeXmp(data.subarray(xmpPrefix.length));
    if (marker === 0xe2 && startsWith(data, iccPrefix)) profile[data[12]] = data.subarray(14);
    if (marker === 0xed && startsWith(data, photoshop)) {
      metadata.iptc ??= iptcOf(data);
      metadata.rights ??= rightsOf(data);
    }
  }
  if (profile.length > 0) metadata.icc = Buffer.concat(profile.filter(Boolean));
  metadata.density = densityOf(metadata.exif) ?? jfifDensity(bytes);
  const { comments, ...lost } = jpegExtras(bytes, metadata.icc);
  const notes: ResultNote[] = channels === 4 ? [{ code: "readAsSrgb", from: "CMYK" }] : [];
  const jpegQuality = jpegQualityOfFile(bytes);
  const orientation = turnOf(metadata);
  return {
    ...{ metadata: { ...metadata, comments }, ...lost, channels, notes, jpegQuality, orientation },
    convertsColors: channels === 4, // CMYK means nothing without its profile
  };
}

function turnOf({ exif }: Metadata): number {
  return exif ? orientationOf(exif) : 1;
}

function webpContent(bytes: Uint8Array): Content {
  const metadata: { -readonly [K in keyof Metadata]: Metadata[K] } = {};
  let frames = 0;
  for (const { name, data } of riffChunks(bytes)) {
    if (name === "ICCP") metadata.icc = data;
    if (name === "EXIF") metadata.exif = withoutPrefix(data);
    if (name === "XMP ") metadata.xmp = decodeXmp(data);
    if (name === "ANMF") frames++;
  }
  metadata.density = densityOf(metadata.exif);
  return { metadata, gaps: [], channels: 3, notes: notesOnFrames(frames), ...turnOfWebp(bytes) };
}

/** Browsers turn it as its boxes say. What EXIF data say of that does not count. */
function avifContent(bytes: Uint8Array): Content {
  const { exif, xmp, icc, bits, frames } = partsOfAvif(bytes);
  const own = { icc, exif, xmp: xmp && decodeXmp(xmp), density: densityOf(exif) };
  const { metadata, gaps } = withPixelsOfAvif(bytes, withColorsOfAvif(bytes, own));
  // PNG alone could say what no profile says, such as HDR: in other files, these numbers would be dull colours.
  const convertsColors = metadata.pngColor !== undefined;
  const notes = notesOnFrames(frames);
  if (bits > 8) notes.push({ code: "readAsEight", bits });
  if (convertsColors) {
    const isHdr = isHdrCode(codesOfAvif(bytes)!.transfer);
    notes.push({ code: "readAsSrgb", from: isHdr ? "HDR" : undefined });
  }
  return { metadata, gaps, channels: 3, convertsColors, notes, orientation: orientationOfAvif(bytes) };
}

function gifContent(bytes: Uint8Array): Content {
  const { gaps, ...metadata } = gifExtras(bytes);
  const notes = notesOnFrames(framesOfGif(bytes));
  return { metadata, gaps, channels: 3, notes, orientation: 1 };
}

function notesOnFrames(count: number): ResultNote[] {
  return count > 1 ? [{ code: "frames", of: "frames", count }] : [];
}

export async function readPng(bytes: Uint8Array): Promise<PictureFile> {
  const { image, icc, frames } = await decodePng(bytes);
  const content = pngMetadata(bytes, icc, inflate);
  const file = { image, ...content, notes: notesOnFrames(frames), format: "PNG" };
  return uprightFile(file, turnOf(content.metadata));
}

/** @throws Error with a reason in English, if it is damaged */
export function readRaster(bytes: Uint8Array, format: "bmp" | "pnm"): PictureFile {
  const [read, name] = [readFrom(bytes), "This file"];
  try {
    const raster = (format === "bmp" ? readBmp : readPnm)(read, bytes.length, name);
    const { width, height, channels, density, frames } = raster;
    const image = { width, height, channels, data: raster.samples(bytes) };
    const notes: ResultNote[] = frames > 1 ? [{ code: "frames", of: "pictures" }] : [];
    const metadata = { icc: raster.profile?.(bytes), density };
    return { image, metadata, gaps: [], notes, format: pictureFormats[format].name };
  } catch (error) {
    const cause = unreadKind(name, format, read, bytes.length) ?? error;
    // What the library says of a file is in English, and does not name it.
    throw cause instanceof DataError ? new Error(cause.message, { cause }) : cause;
  }
}

/** The picture as its camera was held, and metadata that know that it was turned. `orientation`: 1 to 8, as in EXIF. */
export function uprightFile(file: PictureFile, orientation: number, isUpright = false): PictureFile {
  const image = upright(file.image, isUpright ? 1 : orientation);
  const { width, height } = image;
  return { ...file, image, metadata: forUpright(file.metadata, { width, height, orientation }) };
}
