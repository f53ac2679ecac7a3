/** Reads in Node what picture files say besides samples: sharp knows most of it. */

import { inflateSync } from "node:zlib";
import type { Header } from "./decode.ts";
import { type Density, Directories, densityIn } from "./exif.ts";
import { isHdrCode, isTelevisionCode, profileOfCode, srgbTransfer } from "./icc.ts";
import { iptcOf } from "./jpeg.ts";
import {
  type FileMetadata,
  jpegExtras,
  type Metadata,
  pngMetadata,
  saysDensity,
  withoutPrefix,
} from "./metadata.ts";
import { exifOfTiff } from "./tiff-tags.ts";

export function metadataOf(header: Header, bytes: Uint8Array): FileMetadata {
  const { format, metadata: read, raster } = header;
  if (raster) return { metadata: { icc: raster.icc, density: raster.density }, gaps: [] };
  if (format === "png") return pngMetadata(bytes, read?.icc, inflate);
  const exif = format === "tiff" ? exifOfTiff(bytes) : read?.exif && withoutPrefix(read.exif);
  const iptc = read?.iptc ?? read?.tifftagPhotoshop;
  const metadata = {
    icc: read?.icc,
    exif,
    xmp: read?.xmp && new TextDecoder().decode(read.xmp),
    iptc: iptc && iptcOf(iptc),
    density: densityOf(header, bytes, exif),
  };
  if (format === "avif") return avifMetadata(bytes, metadata);
  if (format !== "jpeg") return { metadata, gaps: [] };
  const { comments, gaps } = jpegExtras(bytes, read?.icc);
  // The film lies behind the picture.
  if (/\bCamera:(MotionPhoto|MicroVideo)(="|>)1/.test(metadata.xmp ?? ""))
    gaps.push("the film of a motion photo");
  return { metadata: { ...metadata, comments }, gaps };
}

function inflate(bytes: Uint8Array, most: number): Uint8Array {
  return inflateSync(bytes, { maxOutputLength: most });
}

function densityOf({ format, metadata }: Header, bytes: Uint8Array, exif?: Uint8Array): Density | undefined {
  try {
    const file = format === "tiff" ? new Directories(bytes) : exif && new Directories(exif);
    const exact = file && densityIn(file, file.first);
    if (exact) return exact;
  } catch {
    // Not a directory, so it says nothing.
  }
  const density = format === "jpeg" ? metadata?.density : undefined;
  // sharp gives 72 where a file says nothing.
  return density && saysDensity(bytes) ? { x: density, y: density } : undefined;
}

/** AVIF files may say their colours by the codes of cICP, in a box that libvips does not read. */
function avifMetadata(bytes: Uint8Array, metadata: Metadata): FileMetadata {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = file.indexOf("colrnclx", 0, "latin1");
  if (metadata.icc || at < 0 || at + 12 > file.length) return { metadata, gaps: [] };
  const [primaries, transfer] = [file.readUInt16BE(at + 8), file.readUInt16BE(at + 10)];
  const gaps = isHdrCode(transfer) ? ["the note that its colours are HDR"] : [];
  // Files that name the curve of television mean that of screens.
  const icc = profileOfCode(primaries, isTelevisionCode(transfer) ? srgbTransfer : transfer);
  return { metadata: { ...metadata, icc }, gaps };
}
