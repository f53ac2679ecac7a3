/** What a format can hold: metadata are fitted to that of a result, and what it cannot hold is named. */

import { excerpt } from "../options/printable.ts";
import { type PictureFormat, pictureFormats } from "../picture/formats.ts";
import type { Size } from "../picture/image.ts";
import type { Density } from "./density.ts";
import { exifOfDensity, forNewPicture, textsOf } from "./exif.ts";
import { liesBehind, profileGap } from "./gaps.ts";
import { fitGeoreference } from "./geotiff.ts";
import { profileFor } from "./icc.ts";
import { MAX_SEGMENT, photoshop } from "./jpeg.ts";
import type { FileMetadata, Metadata } from "./metadata.ts";
import type { Gap, ResultNote } from "./notes.ts";
import { profileOfPng } from "./png-colors.ts";
import { withoutParts, xmpOfResult } from "./xmp.ts";

export interface MetadataFit {
  readonly metadata: Metadata;
  readonly notes: readonly ResultNote[];
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
  const placed = metadata.exif && fitGeoreference(metadata.exif, format, source);
  const notes = notesOnGaps([...gaps, ...more, ...(placed?.gaps ?? [])], behind);
  const target = { format, notes };
  const exif = fitExif(placed?.exif, target);
  const xmp = fitXmp(text, target);
  const iptc = fitIptc(metadata.iptc, target);
  const rights = fitRights(metadata.rights, iptc, target);
  const comments = fitComments(metadata.comments, exif, target);
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
  readonly notes: ResultNote[];
}

/** What the file itself lacks, each once. */
function notesOnGaps(gaps: readonly Gap[], behind: Gap | undefined): ResultNote[] {
  const unique = [...new Set(gaps)];
  const isNamed = unique.some((gap) => liesBehind.includes(gap));
  return [...unique, ...(behind && !isNamed ? [behind] : [])].map((gap) => ({ code: "gap", gap }));
}

/** A segment of a JPEG file, with room for a prefix, a resolution, and what libvips adds to a placeholder. */
const maxExif = MAX_SEGMENT - 533;

function fitExif(exif: Uint8Array | undefined, { format, notes }: Target): Uint8Array | undefined {
  if (exif === undefined) return undefined;
  if (forNewPicture(exif, { width: 1, height: 1 }) === undefined) {
    notes.push({ code: "damagedExif" });
    return undefined;
  }
  // libvips makes the place for them in WebP and AVIF, as long as in JPEG at most.
  if (format === "png" || format === "tiff" || exif.length <= maxExif) return exif;
  notes.push({ code: "exif", bytes: exif.length, format });
  return undefined;
}

function fitXmp(xmp: string | undefined, { format, notes }: Target): string | undefined {
  if (xmp === undefined || fitsSegment(Buffer.byteLength(xmp) + 29, format)) return xmp;
  notes.push({ code: "xmp", format });
  return undefined;
}

function fitIptc(iptc: Metadata["iptc"], { format, notes }: Target): Metadata["iptc"] {
  if (iptc === undefined) return undefined;
  if (fitsResources(iptc.length, format)) return iptc;
  notes.push({ code: "iptc", format });
  return undefined;
}

function fitRights(
  rights: Metadata["rights"],
  iptc: Metadata["iptc"],
  { format, notes }: Target,
): Metadata["rights"] {
  if (rights === undefined) return undefined;
  if (fitsResources(rights.length + (iptc?.length ?? 0), format)) return rights;
  notes.push({ code: "rights", format });
  return undefined;
}

/** Is there room for so many bytes of Photoshop's? */
function fitsResources(bytes: number, format: PictureFormat): boolean {
  return ["png", "jpeg", "tiff"].includes(format) && fitsSegment(bytes + 14 + photoshop.length, format);
}

/** EXIF data may have the same texts: those are not lost. */
function fitComments(
  comments: Metadata["comments"],
  exif: Uint8Array | undefined,
  { format, notes }: Target,
): Metadata["comments"] {
  const fits = ({ keyword, text }: NonNullable<Metadata["comments"]>[number]) =>
    format === "png" || (format === "jpeg" && keyword === "Comment" && fitsSegment(text.length * 3, format));
  const unfit = (comments ?? []).filter((comment) => !fits(comment));
  const others = exif && unfit.length > 0 ? textsOf(exif) : new Set();
  const rest = unfit.filter(({ text }) => !others.has(text.trim())).map(({ keyword }) => keyword);
  if (rest.length > 0) notes.push({ code: "texts", keywords: [...new Set(rest)].map(excerpt), format });
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
  const { writes } = pictureFormats[format];
  const { icc, lost } = format === "png" ? { icc: metadata.icc, lost: undefined } : profileOfPng(metadata);
  if (lost !== undefined) notes.push({ code: "colorCode", ...lost });
  if (!icc) return {};
  const profile = profileFor(channels <= 2 && writes?.grey ? "GRAY" : "RGB", icc);
  if (profile) return { icc: profile };
  notes.push({ code: "profile", format });
  return { convertFrom: icc };
}

/** Damaged files state any number, and most formats cannot hold all of them. */
function isSensible({ x, y }: Density): boolean {
  return [x, y].every((value) => value >= 0.1 && value <= 65_535);
}

/** Metadata that fit a format, for a result of that size. */
export function metadataOfResult(metadata: Metadata, size: Size, format: PictureFormat): Metadata {
  const { xmp, source } = metadata;
  return {
    ...metadata,
    exif: exifOfResult(metadata, size, format),
    xmp: xmp && xmpOfResult(xmp, size, source),
  };
}

/** EXIF data of a result: of its size, upright. Where a format has no other place, with the resolution. */
function exifOfResult(
  { exif, density, source }: Metadata,
  size: Size,
  format: PictureFormat,
): Uint8Array | undefined {
  const only = format === "webp" || format === "avif" ? density : undefined;
  if (exif) return forNewPicture(exif, size, only, source);
  return only && exifOfDensity(only);
}
