/** EXIF data of PNG files where libvips does not look for them: behind the samples, and in texts. */
import { withoutPrefix } from "../formats/exif.ts";
import { exifInText, isExifText } from "../formats/metadata-of-png.ts";
import { type Chunk, chunksOf, encodeChunk } from "../formats/png.ts";
import { type Read, readFrom } from "../formats/read.ts";
import { inflate } from "./inflate.ts";

/**
 * EXIF data of a file, and the chunk of their own in which they are, if they are in one.
 *
 * @param visit sees each chunk, of which there may be millions.
 */
export function exifOfPng(
  read: Read,
  visit: (chunk: Chunk) => void = () => {},
): { readonly exif: Uint8Array; readonly own?: Chunk } | undefined {
  let [own, text]: (Chunk | undefined)[] = [];
  for (const chunk of chunksOf(read)) {
    visit(chunk);
    if (chunk.type === "eXIf") own ??= chunk;
    else if (isExifText(chunk.type, chunk.data)) text ??= chunk;
  }
  if (own) return { exif: own.data(), own };
  const exif = text && exifInText(text.type, text.data(), inflate);
  return exif && { exif };
}

/** The file with its EXIF data in a chunk of their own in front of the samples, without what begins them elsewhere. */
export function withExifInFront(bytes: Uint8Array): Uint8Array {
  let samples: Chunk | undefined;
  const found = exifOfPng(readFrom(bytes), (chunk) => {
    if (chunk.type === "IDAT") samples ??= chunk;
  });
  if (found === undefined || samples === undefined) return bytes;
  const { exif, own = { start: bytes.length, end: bytes.length } } = found;
  const bare = withoutPrefix(exif);
  if (own.start < samples.start && bare === exif) return bytes;
  const place = Math.min(own.start, samples.start);
  return Buffer.concat([
    bytes.subarray(0, place),
    encodeChunk("eXIf", bare),
    bytes.subarray(place, own.start),
    bytes.subarray(own.end),
  ]);
}
