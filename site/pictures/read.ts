/**
 * Picture files to samples and metadata, in a worker. PNG, BMP and PPM are decoded here, exactly; for other
 * formats the browser has decoders, whose results go through a canvas.
 */

import { formatOfStart, type PictureFormat, pictureFormats } from "../../src/picture/formats.ts";
import { DataError, type Image } from "../../src/picture/index.ts";
import { loadPart, NotLoaded } from "../load-part.ts";
import { say } from "../worker-language.ts";
import type { Content, PictureFile } from "./picture-file.ts";

/** @throws DataError if the browser cannot read it, with what it is and what to do */
export async function readPictureFile(file: Blob, name: string): Promise<PictureFile> {
  const bytes = await bytesOf(file, name);
  if (bytes.length === 0) {
    throw new DataError(say.empty(name));
  }
  const format = formatOfStart(bytes);
  try {
    if (isBareWebp(bytes)) return await readByBrowser(file, "webp", bare);
    const { contents, readPng, readRaster, uprightFile } = await loadPart(import("./content.ts"));
    if (format === "png") return await readPng(bytes);
    if (format === "bmp" || format === "pnm") return readRaster(bytes, format);
    const content = contents[format as string]?.(bytes);
    const { unturned, orientation = 1 } = content ?? {};
    const decoded = await readByBrowser(unturned ? new Blob([unturned as BlobPart]) : file, format, content);
    return uprightFile(decoded, orientation, !unturned);
  } catch (cause) {
    if (cause instanceof DataError || cause instanceof NotLoaded) throw cause;
    const { refusal } = await loadPart(import("./refusal.ts"));
    throw new DataError(await refusal(bytes, format, name, cause), { cause });
  }
}

/** @throws DataError if there is no such file any more */
export async function bytesOf(file: Blob, name: string): Promise<Uint8Array> {
  return new Uint8Array(
    await file.arrayBuffer().catch((cause) => {
      throw new DataError(say.unreadable(name), { cause });
    }),
  );
}

/** What a file says that has nothing but pixels. */
const bare: Content = { metadata: {}, gaps: [], channels: 3, notes: [], orientation: 1 };

/** A WebP file with nothing but pixels, as the page's samples are: they need no code for metadata. */
function isBareWebp(bytes: Uint8Array): boolean {
  return /^WEBPVP8[ L]/.test(String.fromCharCode(...bytes.subarray(8, 16)));
}

/** `content`: undefined for formats that are not read here. */
async function readByBrowser(
  file: Blob,
  format: PictureFormat | undefined,
  content: Content | undefined,
): Promise<PictureFile> {
  const { channels, metadata, gaps, behind, notes, jpegQuality } = content ?? bare;
  // Where the browser leaves the colours, the result gets the profile.
  const keepsColors = content !== undefined && !content.convertsColors;
  const bitmap = await createImageBitmap(
    new Blob([file], { type: format && pictureFormats[format].mediaType }),
    {
      premultiplyAlpha: "none",
      colorSpaceConversion: keepsColors ? "none" : "default",
    },
  );
  let image: Image;
  try {
    image = samplesOf(bitmap, channels === 1 ? 1 : 4);
    if (image.channels === 4) {
      const { transparentSamples } = await loadPart(import("./transparent-samples.ts"));
      image = transparentSamples(bitmap) ?? image;
    }
  } finally {
    bitmap.close();
  }
  const name = format ? pictureFormats[format].name : (file.type.split("/")[1] ?? "unknown");
  const metadataThatFits = keepsColors ? metadata : { ...metadata, icc: undefined, pngColor: undefined };
  return { image, metadata: metadataThatFits, gaps, behind, notes, format: name, jpegQuality };
}

/** Rows of a bitmap that are drawn at once. A canvas of the whole would have limits, and take memory. */
const STRIP_PIXELS = 2 ** 22;

/** The samples of a picture on a canvas: one channel for grey ones, three for opaque ones, or four. */
function samplesOf(bitmap: ImageBitmap, channels: 1 | 4): Image {
  const { width, height } = bitmap;
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
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
