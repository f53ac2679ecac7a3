/**
 * What is read here of a picture file: all of a PNG, BMP or PPM, and what JPEG and WebP say besides pixels. Not
 * loaded before a file needs it: the page begins with one that does not.
 */
import "./buffer.ts";
import { readBmp } from "../../src/formats/bmp.ts";
import { densityIn } from "../../src/formats/density.ts";
import { Directories } from "../../src/formats/directories.ts";
import { orientationOf, withoutPrefix } from "../../src/formats/exif.ts";
import { iptcOf, photoshop, rightsOf, segmentsOf, startsWith } from "../../src/formats/jpeg.ts";
import type { Metadata } from "../../src/formats/metadata.ts";
import { jfifDensity, jpegExtras } from "../../src/formats/metadata-of-jpeg.ts";
import { pngMetadata } from "../../src/formats/metadata-of-png.ts";
import { readPnm } from "../../src/formats/pnm.ts";
import { readFrom } from "../../src/formats/read.ts";
import { decodeXmp } from "../../src/formats/xmp.ts";
import { pictureFormats } from "../../src/picture/formats.ts";
import { type Image, jpegQualityOfFile, type Samples } from "../../src/picture/index.ts";
import { say } from "../worker-language.ts";
import { decodePng } from "./decode-png.ts";
import { inflate } from "./inflate.ts";
import { iccPrefix, xmpPrefix } from "./jpeg-prefixes.ts";
import type { Content, PictureFile } from "./picture-file.ts";
import { riffChunks } from "./riff.ts";

/** By the file's format. */
export const contents: Readonly<Record<string, (bytes: Uint8Array) => Content>> = {
  jpeg: jpegContent,
  webp: webpContent,
};

function jpegContent(bytes: Uint8Array): Content {
  const metadata: { -readonly [K in keyof Metadata]: Metadata[K] } = {};
  const profile: Uint8Array[] = [];
  let [width, height, channels] = [0, 0, 3];
  for (const { marker, data } of segmentsOf(bytes)) {
    // Frame headers: all of C0 to CF but tables and restarts.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      [height, width] = [data[1] * 256 + data[2], data[3] * 256 + data[4]];
      channels = data[5];
    }
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
  metadata.density = densityOf(metadata.exif, bytes);
  const { comments, gaps } = jpegExtras(bytes, metadata.icc);
  const notes = channels === 4 ? [say.fromCmyk] : [];
  const jpegQuality = jpegQualityOfFile(bytes);
  const described = describing({ width, height }, { ...metadata, comments });
  return { metadata: described, gaps, channels, notes, jpegQuality };
}

/** By EXIF data, or by JFIF's header, in pixels per inch. */
function densityOf(exif: Uint8Array | undefined, bytes: Uint8Array): Metadata["density"] {
  try {
    const file = exif && new Directories(exif);
    const exact = file && densityIn(file, file.first);
    if (exact) return exact;
  } catch {
    // Not a directory, so it says nothing.
  }
  return jfifDensity(bytes);
}

function webpContent(bytes: Uint8Array): Content {
  const metadata: { -readonly [K in keyof Metadata]: Metadata[K] } = {};
  let frames = 0;
  let size = { width: 0, height: 0 };
  const uint24 = (data: Uint8Array, at: number) => data[at] + 256 * (data[at + 1] + 256 * data[at + 2]);
  for (const { name, data } of riffChunks(bytes)) {
    if (name === "ICCP") metadata.icc = data;
    if (name === "EXIF") metadata.exif = withoutPrefix(data);
    if (name === "XMP ") metadata.xmp = decodeXmp(data);
    if (name === "ANMF") frames++;
    if (name === "VP8X") size = { width: 1 + uint24(data, 4), height: 1 + uint24(data, 7) };
  }
  const notes = frames > 1 ? [say.firstFrame(frames)] : [];
  return { metadata: describing(size, metadata), gaps: [], channels: 3, notes };
}

export async function readPng(bytes: Uint8Array): Promise<PictureFile> {
  const { image, icc, frames } = await decodePng(bytes);
  const { metadata, gaps } = pngMetadata(bytes, icc, inflate);
  const notes = frames > 1 ? [say.firstFrame(frames)] : [];
  const orientation = metadata.exif ? orientationOf(metadata.exif) : 1;
  const described = describing(image, metadata);
  return { image: upright(image, orientation), metadata: described, gaps, notes, format: "PNG" };
}

export function readRaster(bytes: Uint8Array, format: "bmp" | "pnm"): PictureFile {
  const raster = (format === "bmp" ? readBmp : readPnm)(readFrom(bytes), bytes.length, "This file");
  const { width, height, channels, density, frames } = raster;
  const image = { width, height, channels, data: raster.samples(bytes) };
  const notes = frames > 1 ? [say.firstPicture] : [];
  const metadata = { icc: raster.profile?.(bytes), density };
  return { image, metadata, gaps: [], notes, format: pictureFormats[format].name };
}

/** With the picture that EXIF and XMP speak of, if its size is known. */
function describing(
  stored: { readonly width: number; readonly height: number },
  metadata: Metadata,
): Metadata {
  if (stored.width === 0 || stored.height === 0) return metadata;
  const orientation = metadata.exif ? orientationOf(metadata.exif) : 1;
  const [width, height] = orientation >= 5 ? [stored.height, stored.width] : [stored.width, stored.height];
  return { ...metadata, source: { width, height, orientation } };
}

/** The picture as its camera was held. `orientation`: 1 to 8, as in EXIF. */
function upright(image: Image<Samples>, orientation: number): Image<Samples> {
  if (orientation === 1) return image;
  const { width: columns, height: rows, channels } = image;
  const turned = orientation >= 5;
  const [width, height] = turned ? [rows, columns] : [columns, rows];
  const data = image.data.slice();
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = turned ? [y, x] : [x, y];
      const column = mirrorX ? columns - 1 - u : u;
      const row = mirrorY ? rows - 1 - v : v;
      for (let c = 0; c < channels; c++) data[to++] = image.data[(row * columns + column) * channels + c];
    }
  }
  return { width, height, channels, data };
}
