/** Reads in Node what picture files say besides samples: sharp knows most of it. */
import { withColorsOfAvif } from "../formats/avif-colors.ts";
import { orientationOfAvif, withPixelsOfAvif } from "../formats/avif-pixels.ts";
import { densityOf } from "../formats/density.ts";
import { withoutPrefix } from "../formats/exif.ts";
import { gifExtras } from "../formats/gif.ts";
import { profileOfNumbers } from "../formats/icc.ts";
import { iptcOf, rightsOf } from "../formats/jpeg.ts";
import { type FileMetadata, forUpright } from "../formats/metadata.ts";
import { jfifDensity, jpegExtras } from "../formats/metadata-of-jpeg.ts";
import { pngMetadata } from "../formats/metadata-of-png.ts";
import type { Gap } from "../formats/notes.ts";
import { colorsOfTiff, exifOfTiff } from "../formats/tiff-tags.ts";
import { decodeXmp } from "../formats/xmp.ts";
import { type Header, uprightSize } from "./header.ts";
import { inflate } from "./inflate.ts";

/** What a file says besides samples, for its picture upright. */
export function metadataOf(header: Header, bytes: Uint8Array): FileMetadata {
  const content = contentOf(header, bytes);
  // libvips turns AVIF, and then calls it upright.
  const orientation = header.format === "avif" ? orientationOfAvif(bytes) : header.orientation;
  const metadata = forUpright(content.metadata, { ...uprightSize(header), orientation });
  return { ...content, metadata };
}

function contentOf(header: Header, bytes: Uint8Array): FileMetadata {
  const { format, metadata: read, raster } = header;
  if (raster) return { metadata: { icc: raster.profile?.(bytes), density: raster.density }, gaps: [] };
  if (format === "png") return pngMetadata(bytes, read?.icc, inflate);
  const tags = format === "tiff" ? exifOfTiff(bytes) : undefined;
  const exif = tags ? tags.exif : read?.exif && withoutPrefix(read.exif);
  const iptc = read?.iptc ?? read?.tifftagPhotoshop;
  const resources = format === "tiff" ? read?.tifftagPhotoshop : read?.iptc;
  const ownColors = format === "tiff" && !read?.icc ? colorsOfTiff(bytes) : undefined;
  const metadata = {
    icc: read?.icc ?? (ownColors && profileOfNumbers(ownColors)),
    exif,
    xmp: read?.xmp && decodeXmp(read.xmp),
    iptc: iptc && iptcOf(iptc),
    rights: resources && rightsOf(resources),
    density:
      densityOf(format === "tiff" ? bytes : exif) ?? (format === "jpeg" ? jfifDensity(bytes) : undefined),
  };
  if (format === "avif") return withPixelsOfAvif(bytes, withColorsOfAvif(bytes, metadata));
  if (format === "gif") {
    const { gaps, ...extras } = gifExtras(bytes);
    return { metadata: extras, gaps };
  }
  if (tags) return { metadata, gaps: [...tags.gaps, ...(ownColors?.whiteAlone ? [whiteAlone] : [])] };
  if (format !== "jpeg") return { metadata, gaps: [] };
  const { comments, ...lost } = jpegExtras(bytes, read?.icc);
  return { metadata: { ...metadata, comments }, ...lost };
}

const whiteAlone: Gap = "its white point, which it states without its primaries";
