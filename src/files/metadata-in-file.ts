/** Reads in Node what picture files say besides samples: sharp knows most of it. */
import { withColorsOfAvif } from "../formats/avif-colors.ts";
import { type Density, densityIn } from "../formats/density.ts";
import { Directories } from "../formats/directories.ts";
import { withoutPrefix } from "../formats/exif.ts";
import { gifExtras } from "../formats/gif.ts";
import { profileOfNumbers } from "../formats/icc.ts";
import { iptcOf, rightsOf } from "../formats/jpeg.ts";
import type { FileMetadata } from "../formats/metadata.ts";
import { jfifDensity, jpegExtras } from "../formats/metadata-of-jpeg.ts";
import { pngMetadata } from "../formats/metadata-of-png.ts";
import type { SourcePicture } from "../formats/picture-places.ts";
import { colorsOfTiff, exifOfTiff } from "../formats/tiff-tags.ts";
import { decodeXmp } from "../formats/xmp.ts";
import { type Header, uprightSize } from "./header.ts";
import { inflate } from "./inflate.ts";

export function metadataOf(header: Header, bytes: Uint8Array): FileMetadata {
  const content = contentOf(header, bytes);
  const { metadata } = content;
  const { exif, xmp } = metadata;
  const source: SourcePicture = { ...uprightSize(header), orientation: header.orientation };
  return { ...content, metadata: exif || xmp ? { ...metadata, source } : metadata };
}

function contentOf(header: Header, bytes: Uint8Array): FileMetadata {
  const { format, metadata: read, raster } = header;
  if (raster) return { metadata: { icc: raster.profile?.(bytes), density: raster.density }, gaps: [] };
  if (format === "png") return pngMetadata(bytes, read?.icc, inflate);
  const exif = format === "tiff" ? exifOfTiff(bytes) : read?.exif && withoutPrefix(read.exif);
  const iptc = read?.iptc ?? read?.tifftagPhotoshop;
  const resources = format === "tiff" ? read?.tifftagPhotoshop : read?.iptc;
  const ownColors = format === "tiff" && !read?.icc ? colorsOfTiff(bytes) : undefined;
  const metadata = {
    icc: read?.icc ?? (ownColors && profileOfNumbers(ownColors)),
    exif,
    xmp: read?.xmp && decodeXmp(read.xmp),
    iptc: iptc && iptcOf(iptc),
    rights: resources && rightsOf(resources),
    density: densityOf(header, bytes, exif),
  };
  if (format === "avif") return withColorsOfAvif(bytes, metadata);
  if (format === "gif") {
    const { gaps, ...extras } = gifExtras(bytes);
    return { metadata: extras, gaps };
  }
  if (format === "tiff") return { metadata, gaps: ownColors?.whiteAlone ? [whiteAlone] : [] };
  if (format !== "jpeg") return { metadata, gaps: [] };
  const { comments, ...lost } = jpegExtras(bytes, read?.icc);
  return { metadata: { ...metadata, comments }, ...lost };
}

/** In words, after "without". */
const whiteAlone = "its white point, which it states without its primaries";

function densityOf({ format }: Header, bytes: Uint8Array, exif?: Uint8Array): Density | undefined {
  try {
    const file = format === "tiff" ? new Directories(bytes) : exif && new Directories(exif);
    const exact = file && densityIn(file, file.first);
    if (exact) return exact;
  } catch {
    // Not a directory, so it says nothing.
  }
  return format === "jpeg" ? jfifDensity(bytes) : undefined;
}
