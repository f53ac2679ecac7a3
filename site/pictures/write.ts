/** Results to picture files, with what their originals said besides samples, as far as the format holds it. */

import { fitTo, metadataOfResult } from "../../src/formats/fit-metadata.ts";
import { exceededSide, fitSamples } from "../../src/formats/fit-samples.ts";
import { encodeSegment, startsWith } from "../../src/formats/jpeg.ts";
import type { FileMetadata, Metadata } from "../../src/formats/metadata.ts";
import { jpegSegments, pngChunks } from "../../src/formats/metadata-parts.ts";
import type { ResultNote } from "../../src/formats/notes.ts";
import { riffChunk, riffChunks } from "../../src/formats/riff.ts";
import { pictureFormats } from "../../src/picture/formats.ts";
import { fillRgba } from "../../src/picture/image.ts";
import { DataError, type Image, type Samples, withoutAlpha } from "../../src/picture/index.ts";
import { dimensions, type Size } from "../size.ts";
import { say } from "../worker-language.ts";
import type { Colors } from "./colors.ts";
import { withEightBits } from "./eight-bits.ts";
import { encodePng } from "./encode-png.ts";
import type { OutputFormat } from "./formats.ts";
import { iccPrefix, xmpPrefix } from "./jpeg-prefixes.ts";
import { bitmapOf, colorsFor, type Part } from "./show.ts";

export interface WriteResult {
  readonly file: Blob;
  /** What the file lacks of the original. */
  readonly notes: readonly ResultNote[];
}

/**
 * @param quality of all but PNG, 1 to 100.
 * @throws DataError if the format cannot hold the picture, or the browser cannot write such a file
 */
export async function writePicture(
  image: Image<Samples>,
  original: FileMetadata,
  format: OutputFormat,
  quality: number,
): Promise<WriteResult> {
  checkSize(image, format);
  const type = pictureFormats[format].mediaType;
  const byCanvas = format !== "png";
  // A canvas writes grey as RGB.
  const fitted = fitTo(original, format, byCanvas ? 3 : image.channels);
  const { alpha, notes: onSamples } = fitSamples(image, { format, byCanvas });
  const metadata = metadataOfResult(fitted.metadata, image, format);
  const notes = [...fitted.notes, ...onSamples];
  if (!byCanvas) {
    const file = await encodePng(image, { icc: metadata.icc, chunks: pngChunks(metadata) });
    return { file, notes };
  }
  const { convertFrom } = fitted;
  const converted = convertFrom && ({ from: await colorsFor({ icc: convertFrom }), to: "srgb" } as const);
  if (format === "avif") {
    // Where a canvas puts what in such a file is not known yet, so nothing is added to it.
    if (fitted.metadata.exif || fitted.metadata.xmp) notes.push({ code: "notAdded", format });
    const { icc } = metadata;
    const from = await colorsFor({ icc });
    const wide = from.space === "srgb" ? undefined : ({ from, to: "display-p3" } as const);
    const bytes = await encodeByCanvas(image, format, quality, converted ?? wide);
    return { file: new Blob([bytes], { type }), notes };
  }
  const bytes = await encodeByCanvas(withoutAlpha(image, alpha), format, quality, converted);
  const parts = format === "jpeg" ? jpegWith(bytes, metadata) : webpWith(bytes, metadata, image);
  return { file: new Blob(parts as BlobPart[], { type }), notes };
}

/** Canvases cut larger ones off without a word. */
function checkSize(image: Image<Samples>, format: OutputFormat): void {
  const most = exceededSide(image, format);
  if (most === undefined) return;
  throw new DataError(say.sideTooLong(pictureFormats[format].name, most, dimensions(image)));
}

/**
 * `converted`: from which colours the canvas gets its own, which the file then says. Without, it has numbers, to which
 * a profile can be added.
 */
async function encodeByCanvas(
  image: Image<Samples>,
  format: OutputFormat,
  quality: number,
  converted?: { readonly from: Colors; readonly to: PredefinedColorSpace },
): Promise<Uint8Array<ArrayBuffer>> {
  const type = pictureFormats[format].mediaType!;
  const { width, height } = image;
  try {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { colorSpace: converted?.to ?? "srgb" })!;
    if (converted) await drawInStrips(context, image, converted.from);
    else putInStrips(context, image);
    const file = await canvas.convertToBlob({ type, quality: quality / 100 });
    if (file.type !== type) throw new Error(`this browser writes no ${type}`);
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new DataError(say.notWritten(pictureFormats[format].name, dimensions(image), reason), { cause });
  }
}

async function drawInStrips(
  context: OffscreenCanvasRenderingContext2D,
  image: Image<Samples>,
  colors: Colors,
): Promise<void> {
  for (const part of stripsOf(image)) {
    const bitmap = await bitmapOf(image, { part, colors });
    context.drawImage(bitmap, 0, part.top);
    bitmap.close();
  }
}

function putInStrips(context: OffscreenCanvasRenderingContext2D, image: Image<Samples>): void {
  const strips = stripsOf(image);
  const { width, height } = strips[0];
  const pixels = new ImageData(width, height); // one for all: the browser is slow to free large ones
  for (const part of strips) {
    fillRgba(pixels.data, rowsOf(image, part));
    context.putImageData(pixels, 0, part.top, 0, 0, width, part.height);
  }
}

/** Parts of a picture from top to bottom, as wide as it. Drawn all at once, it would take its memory once more. */
function stripsOf({ width, height }: Size): Part[] {
  const rows = Math.min(height, Math.max(1, Math.floor(2 ** 22 / width)));
  return Array.from({ length: Math.ceil(height / rows) }, (_, i) => {
    const top = i * rows;
    return { left: 0, top, width, height: Math.min(rows, height - top) };
  });
}

/** The samples of a strip, with 8 bits. */
function rowsOf({ width, channels, data }: Image<Samples>, { top, height }: Part): Image {
  const part = data.subarray(top * width * channels, (top + height) * width * channels);
  return withEightBits({ width, height, channels, data: part });
}

/**
 * A canvas writes JFIF's header, which another one with the resolution may replace, and in some browsers a profile of
 * sRGB: with two of them, a file has none.
 */
function jpegWith(bytes: Uint8Array, metadata: Metadata): Uint8Array[] {
  const { icc, xmp } = metadata;
  const profile: Uint8Array[] = [];
  if (icc) {
    const size = 65_000;
    const count = Math.ceil(icc.length / size);
    for (let i = 0; i < count; i++) {
      const part = icc.subarray(i * size, (i + 1) * size);
      profile.push(encodeSegment(0xe2, iccPrefix, Uint8Array.of(i + 1, count), part));
    }
  }
  const description = xmp ? [encodeSegment(0xe1, xmpPrefix, new TextEncoder().encode(xmp))] : [];
  // JFIF's header comes first.
  const hasHeader = bytes[2] === 0xff && bytes[3] === 0xe0;
  const end = hasHeader ? 4 + bytes[4] * 256 + bytes[5] : 2;
  const header = metadata.density ? [] : [bytes.subarray(2, end)];
  const segments = [...header, ...jpegSegments(metadata), ...description, ...profile];
  return [bytes.subarray(0, 2), ...segments, ...(icc ? withoutProfile(bytes, end) : [bytes.subarray(end)])];
}

/** What a JPEG file has from the segment at `start` on, but for parts of a profile. */
function withoutProfile(bytes: Uint8Array, start: number): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let at = start;
  while (bytes[at] === 0xff && bytes[at + 1] >= 0xe0 && bytes[at + 1] <= 0xef) {
    const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    if (!startsWith(bytes.subarray(at + 4, end), iccPrefix)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return [...kept, bytes.subarray(at)];
}

/** WebP as RIFF: what a canvas writes, put into the extended form where there is something to add. */
function webpWith(
  bytes: Uint8Array,
  { icc, exif, xmp }: Metadata,
  { width, height }: Image<Samples>,
): Uint8Array[] {
  if (!icc && !exif && !xmp) return [bytes];
  const chunks = [...riffChunks(bytes)];
  const isAlpha = chunks.some(({ name, data }) =>
    name === "VP8X" ? (data[0] & 16) > 0 : name === "ALPH" || (name === "VP8L" && (data[4] & 16) > 0),
  );
  const header = new DataView(new ArrayBuffer(10));
  header.setUint8(0, (icc ? 32 : 0) | (isAlpha ? 16 : 0) | (exif ? 8 : 0) | (xmp ? 4 : 0));
  const uint24 = (at: number, value: number) => {
    header.setUint16(at, value & 0xffff, true);
    header.setUint8(at + 2, value >> 16);
  };
  uint24(4, width - 1);
  uint24(7, height - 1);
  const samples = chunks.filter(({ name }) => ["VP8 ", "VP8L", "ALPH"].includes(name));
  const parts = [
    riffChunk("VP8X", new Uint8Array(header.buffer)),
    ...(icc ? [riffChunk("ICCP", icc)] : []),
    ...samples.map(({ name, data }) => riffChunk(name, data)),
    ...(exif ? [riffChunk("EXIF", exif)] : []),
    ...(xmp ? [riffChunk("XMP ", new TextEncoder().encode(xmp))] : []),
  ];
  const start = new Uint8Array(12);
  start.set(new TextEncoder().encode("RIFF    WEBP"));
  new DataView(start.buffer).setUint32(4, 4 + parts.reduce((sum, { length }) => sum + length, 0), true);
  return [start, ...parts];
}
