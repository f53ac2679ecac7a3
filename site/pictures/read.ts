/**
 * Picture files to samples and metadata, in a worker. PNG, BMP and PPM are decoded here, exactly; for other
 * formats the browser has decoders, whose results go through a canvas.
 */
import { readBmp } from "../../src/data/bmp.ts";
import { Directories, densityIn, orientationOf } from "../../src/data/exif.ts";
import { iptcOf, photoshop, segmentsOf, startsWith } from "../../src/data/jpeg.ts";
import {
  type FileMetadata,
  jpegExtras,
  type Metadata,
  pngMetadata,
  withoutPrefix,
} from "../../src/data/metadata.ts";
import { readPnm } from "../../src/data/pnm.ts";
import { formatOfStart, type PictureFormat, pictureFormats } from "../../src/picture/formats.ts";
import {
  browserFormatNames,
  DataError,
  type Image,
  jpegQualityOfFile,
  type Samples,
} from "../../src/picture/index.ts";
import { say } from "../worker-language.ts";
import { iccPrefix, xmpPrefix } from "./jpeg-prefixes.ts";
import { riffChunks } from "./riff.ts";

export interface PictureFile extends FileMetadata {
  /** Upright. Samples as in the file: 16 bits if it has them, grey if it is. */
  readonly image: Image<Samples>;
  readonly format: string;
  /** Of a JPEG file: how strongly it was compressed, 1 to 100. */
  readonly jpegQuality?: number;
  /** What was odd about the file, in sentences without a full stop. */
  readonly notes: readonly string[];
}

/** @throws DataError if the browser cannot read it, with what it is and what to do */
export async function readPictureFile(file: Blob, name: string): Promise<PictureFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.length === 0) {
    throw new DataError(say.empty(name));
  }
  const format = formatOfStart(bytes);
  try {
    if (format === "png") return await readPng(bytes);
    if (format === "bmp" || format === "pnm") return readRaster(bytes, format);
    return await readByBrowser(file, bytes, format);
  } catch (cause) {
    throw cause instanceof DataError ? cause : new DataError(refusal(bytes, format, name, cause), { cause });
  }
}

async function readPng(bytes: Uint8Array): Promise<PictureFile> {
  // Not loaded before it is needed: the page begins with a sample of another format.
  const [{ decodePng }, { inflate }] = await Promise.all([import("./decode-png.ts"), import("./inflate.ts")]);
  const { image, icc, frames } = await decodePng(bytes);
  const { metadata, gaps } = pngMetadata(bytes, icc, inflate);
  const notes = frames > 1 ? [say.firstFrame(frames)] : [];
  const orientation = metadata.exif ? orientationOf(metadata.exif) : 1;
  return { image: upright(image, orientation), metadata, gaps, notes, format: "PNG" };
}

function readRaster(bytes: Uint8Array, format: "bmp" | "pnm"): PictureFile {
  const raster = (format === "bmp" ? readBmp : readPnm)(bytes, "This file");
  const { width, height, channels, icc, density, frames } = raster;
  const image = { width, height, channels, data: raster.samples() };
  const notes = frames > 1 ? [say.firstPicture] : [];
  return { image, metadata: { icc, density }, gaps: [], notes, format: pictureFormats[format].name };
}

async function readByBrowser(file: Blob, bytes: Uint8Array, format?: PictureFormat): Promise<PictureFile> {
  const read = { jpeg: jpegContent, webp: webpContent }[format as string];
  const content = read?.(bytes) ?? { metadata: {}, gaps: [], channels: 3, notes: [] };
  const { channels, notes } = content;
  // The colours of CMYK mean nothing without its profile: the browser converts them. Otherwise it leaves them,
  // and the result gets the profile.
  const keepsColors = read !== undefined && channels !== 4;
  const bitmap = await createImageBitmap(
    new Blob([file], { type: format && pictureFormats[format].mediaType }),
    {
      premultiplyAlpha: "none",
      colorSpaceConversion: keepsColors ? "none" : "default",
    },
  );
  let image = samplesOf(bitmap, channels === 1 ? 1 : 4);
  if (image.channels === 4) image = exactly(bitmap) ?? image;
  bitmap.close();
  const metadata = keepsColors ? content.metadata : { ...content.metadata, icc: undefined };
  const name = format ? pictureFormats[format].name : (file.type.split("/")[1] ?? "unknown");
  const jpegQuality = jpegQualityOfFile(bytes);
  return { image, metadata, gaps: content.gaps, notes, format: name, jpegQuality };
}

/** Rows of a bitmap that are drawn at once. A canvas of the whole would have limits, and take memory. */
const stripPixels = 2 ** 22;

/** The samples of a picture on a canvas: one channel for grey ones, three for opaque ones, or four. */
function samplesOf(bitmap: ImageBitmap, channels: 1 | 4): Image {
  const { width, height } = bitmap;
  const rows = Math.max(1, Math.min(height, Math.floor(stripPixels / width)));
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  let image = emptyImage(width, height, channels === 1 ? 1 : 3);
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const pixels = context.getImageData(0, 0, width, count).data;
    if (image.channels === 3 && !isOpaque(pixels)) image = withAlpha(image, top * width);
    copyPixels(pixels, image, top * width);
  }
  return image;
}

function emptyImage(width: number, height: number, channels: 1 | 3 | 4): Image {
  return { width, height, channels, data: new Uint8Array(width * height * channels) };
}

function isOpaque(pixels: Uint8ClampedArray): boolean {
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] !== 255) return false;
  return true;
}

/** The first `count` pixels of an opaque picture with their alpha, and room for the others. */
function withAlpha({ width, height, data }: Image, count: number): Image {
  const image = emptyImage(width, height, 4);
  for (let i = 0; i < count; i++) {
    image.data[4 * i] = data[3 * i];
    image.data[4 * i + 1] = data[3 * i + 1];
    image.data[4 * i + 2] = data[3 * i + 2];
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** From RGBA to the first channels of it, or all. */
function copyPixels(pixels: Uint8ClampedArray | Uint8Array, { channels, data }: Image, first: number): void {
  for (let from = 0, to = first * channels; from < pixels.length; from += 4, to += channels) {
    data[to] = pixels[from];
    if (channels === 1) continue;
    data[to + 1] = pixels[from + 1];
    data[to + 2] = pixels[from + 2];
    if (channels === 4) data[to + 3] = pixels[from + 3];
  }
}

/**
 * The samples of a transparent picture without the multiplication by alpha that a canvas does: textures are not
 * multiplied. Undefined where there is no WebGL, or the picture is too large for it: then colours are a little off
 * where a picture is nearly transparent.
 */
function exactly(bitmap: ImageBitmap): Image | undefined {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return undefined;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const image = emptyImage(width, height, 4);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, image.data);
  const isRead = gl.getError() === gl.NO_ERROR;
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return isRead ? image : undefined;
}

interface Content extends FileMetadata {
  /** Of the samples in the file. */
  readonly channels: number;
  readonly notes: readonly string[];
}

function jpegContent(bytes: Uint8Array): Content {
  const metadata: { -readonly [K in keyof Metadata]: Metadata[K] } = {};
  const profile: Uint8Array[] = [];
  let channels = 3;
  let header: Uint8Array | undefined;
  for (const { marker, data } of segmentsOf(bytes)) {
    if (marker === 0xe0 && startsWith(data, "JFIF\0")) header ??= data;
    // Frame headers: all of C0 to CF but tables and restarts.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) channels = data[5];
    if (marker === 0xe1 && startsWith(data, "Exif\0\0")) metadata.exif ??= withoutPrefix(data);
    if (marker === 0xe1 && startsWith(data, xmpPrefix))
      metadata.xmp ??= new TextDecoder().decode(data.subarray(xmpPrefix.length));
    if (marker === 0xe2 && startsWith(data, iccPrefix)) profile[data[12]] = data.subarray(14);
    if (marker === 0xed && startsWith(data, photoshop)) metadata.iptc ??= iptcOf(data);
  }
  if (profile.length > 0) metadata.icc = Buffer.concat(profile.filter(Boolean));
  metadata.density = densityOf(metadata.exif, header);
  const { comments, gaps } = jpegExtras(bytes, metadata.icc);
  const notes = channels === 4 ? [say.fromCmyk] : [];
  return { metadata: { ...metadata, comments }, gaps, channels, notes };
}

/** By EXIF data, or by JFIF's header, in pixels per inch. */
function densityOf(exif: Uint8Array | undefined, header: Uint8Array | undefined): Metadata["density"] {
  try {
    const file = exif && new Directories(exif);
    const exact = file && densityIn(file, file.first);
    if (exact) return exact;
  } catch {
    // Not a directory, so it says nothing.
  }
  if (!header || header.length < 10) return undefined;
  const unit = { 1: 1, 2: 2.54 }[header[7]];
  const density = (header[8] * 256 + header[9]) * (unit ?? 0);
  return density > 0 ? { x: density, y: density } : undefined;
}

function webpContent(bytes: Uint8Array): Content {
  const metadata: { -readonly [K in keyof Metadata]: Metadata[K] } = {};
  let frames = 0;
  for (const { name, data } of riffChunks(bytes)) {
    if (name === "ICCP") metadata.icc = data;
    if (name === "EXIF") metadata.exif = withoutPrefix(data);
    if (name === "XMP ") metadata.xmp = new TextDecoder().decode(data);
    if (name === "ANMF") frames++;
  }
  const notes = frames > 1 ? [say.firstFrame(frames)] : [];
  return { metadata, gaps: [], channels: 3, notes };
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

/** Why a file was refused, and what to do. */
function refusal(bytes: Uint8Array, format: PictureFormat | undefined, name: string, cause: unknown): string {
  const start = String.fromCharCode(...bytes.subarray(4, 12));
  if (/^ftyp(hei|hev|mif1|msf1)/.test(start) && format !== "avif") {
    return say.heic(name);
  }
  if (format === "tiff") return say.tiff(name);
  if (format === undefined) return say.noPicture(name, browserFormatNames);
  const { name: kind } = pictureFormats[format];
  // Not all browsers read it.
  if (format === "avif") return say.unsupported(name, kind);
  return say.damaged(name, kind, format === "png" && cause instanceof Error ? cause.message : "");
}
