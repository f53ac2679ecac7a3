/** Puts metadata into a finished picture file. sharp itself writes profiles, and XMP outside PNG. */
import { closeSync, createReadStream, createWriteStream, openSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Metadata } from "../formats/metadata.ts";
import { jpegSegments, pngChunks } from "../formats/metadata-parts.ts";
import { chunksOf } from "../formats/png.ts";
import type { PictureFormat } from "../picture/formats.ts";
import { addToTiff } from "./add-to-tiff.ts";
import { readFromFile } from "./read-file.ts";

/** A file begins with `start` in place of its first `length` bytes. */
interface NewStart {
  readonly start: Uint8Array;
  readonly length: number;
}

/** Copies a finished picture file, and puts metadata into the copy. The file itself may be changed, too. */
export async function copyWithMetadata(
  from: string,
  to: string,
  format: PictureFormat,
  metadata: Metadata,
): Promise<void> {
  let { start, length }: NewStart = { start: new Uint8Array(), length: 0 };
  if (format === "png") ({ start, length } = startOfPng(from, metadata));
  else if (format === "jpeg") ({ start, length } = startOfJpeg(metadata));
  else if (format === "tiff") await addToTiff(from, metadata);
  else if (metadata.exif) await fillPlaceholder(from, metadata.exif, format);
  const output = createWriteStream(to);
  output.write(start);
  await pipeline(createReadStream(from, { start: length }), output);
}

/** New chunks behind the header, and none of libvips' resolution, which it makes up. */
function startOfPng(path: string, metadata: Metadata): NewStart {
  const own: Uint8Array[] = [];
  let length = 0;
  const file = openSync(path, "r");
  try {
    const read = readFromFile(file);
    for (const { type, start, end } of chunksOf(read)) {
      length = start;
      if (type === "IDAT") break;
      if (type !== "pHYs") own.push(read(start, end - start));
    }
    const [header, ...others] = own;
    return { start: Buffer.concat([read(0, 8), header, ...pngChunks(metadata), ...others]), length };
  } finally {
    closeSync(file);
  }
}

function startOfJpeg(metadata: Metadata): NewStart {
  return { start: Buffer.concat([Buffer.of(0xff, 0xd8), ...jpegSegments(metadata)]), length: 2 };
}

/** A text that occurs in no picture. */
const mark = "pixelgrad: EXIF data go here ";

/**
 * EXIF data of the same length or longer. libvips puts them into WebP and AVIF files, but parses and changes
 * them, and knows no tags of makers. So they are replaced in the finished file.
 */
export function exifPlaceholder(exif: Uint8Array): { IFD0: { ImageDescription: string } } {
  return { IFD0: { ImageDescription: mark.padEnd(exif.length, ".") } };
}

/** Writes EXIF data over the placeholder, and zeros over the rest of it. */
async function fillPlaceholder(path: string, exif: Uint8Array, format: PictureFormat): Promise<void> {
  const bytes = await readFile(path);
  const marked = bytes.lastIndexOf(mark, undefined, "latin1");
  let start = bytes.lastIndexOf("II*\0", marked, "latin1");
  if (marked < 0 || start < 0) throw new Error("the encoder has left out the EXIF data");
  // WebP wants no prefix, though libvips writes it.
  if (format === "webp" && bytes.toString("latin1", start - 6, start) === "Exif\0\0") start -= 6;
  const end = marked + Math.max(mark.length, exif.length);
  const file = await open(path, "r+");
  try {
    await file.write(Buffer.concat([exif, Buffer.alloc(end - start - exif.length)]), 0, undefined, start);
  } finally {
    await file.close();
  }
}
