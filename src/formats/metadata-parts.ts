/** Metadata as parts of files: chunks of PNG, segments of JPEG. */
import { encodeResources, encodeSegment, photoshop } from "./jpeg.ts";
import type { Metadata } from "./metadata.ts";
import { encodeChunk } from "./png.ts";
import type { Comment } from "./texts.ts";

/** Chunks for the place behind the header. The profile is not among them. */
export function pngChunks(metadata: Metadata): Uint8Array[] {
  const { pngColor = [], exif, xmp, iptc, rights, density, comments = [] } = metadata;
  const chunks: Uint8Array[] = [...pngColor];
  if (density) {
    const phys = Buffer.alloc(9);
    const metre = density.isRatio ? 1 : 0.0254;
    phys.writeUInt32BE(Math.round(density.x / metre), 0);
    phys.writeUInt32BE(Math.round(density.y / metre), 4);
    phys[8] = density.isRatio ? 0 : 1; // no unit, or per metre
    chunks.push(encodeChunk("pHYs", phys));
  }
  if (exif) chunks.push(encodeChunk("eXIf", exif));
  if (xmp !== undefined) chunks.push(encodeText({ keyword: "XML:com.adobe.xmp", text: xmp }, "iTXt"));
  if (iptc || rights) {
    const text = rawProfile(encodeResources(iptc, rights));
    chunks.push(encodeText({ keyword: "Raw profile type iptc", text }, "tEXt"));
  }
  for (const comment of comments) {
    const isLatin1 = Buffer.from(comment.text, "latin1").toString("latin1") === comment.text;
    chunks.push(encodeText(comment, isLatin1 ? "tEXt" : "iTXt"));
  }
  return chunks;
}

function encodeText({ keyword, text }: Comment, type: "tEXt" | "iTXt"): Buffer {
  const head = Buffer.from(`${keyword}\0`, "latin1");
  if (type === "tEXt") return encodeChunk(type, Buffer.concat([head, Buffer.from(text, "latin1")]));
  // Not compressed; no language; no translated keyword.
  return encodeChunk(type, Buffer.concat([head, Buffer.alloc(4), Buffer.from(text)]));
}

/** Bytes as a text, as ImageMagick and ExifTool read them. */
function rawProfile(bytes: Buffer): string {
  const lines = bytes.toString("hex").replace(/.{72}/g, "$&\n");
  return `\niptc\n${String(bytes.length).padStart(8)}\n${lines}\n`;
}

/** Segments for the place behind the first two bytes. Profile and XMP are not among them. */
export function jpegSegments({ exif, iptc, rights, density, comments = [] }: Metadata): Uint8Array[] {
  const segments: Uint8Array[] = [];
  if (density) {
    const jfif = Buffer.from("\x01\x01\x01\0\0\0\0\0\0", "latin1"); // version 1.1, per inch, no thumbnail
    if (density.isRatio) jfif[2] = 0;
    jfif.writeUInt16BE(clampShort(density.x), 3);
    jfif.writeUInt16BE(clampShort(density.y), 5);
    segments.push(encodeSegment(0xe0, "JFIF\0", jfif));
  }
  if (exif) segments.push(encodeSegment(0xe1, "Exif\0\0", exif));
  if (iptc || rights) segments.push(encodeSegment(0xed, photoshop, encodeResources(iptc, rights)));
  for (const { text } of comments) segments.push(encodeSegment(0xfe, Buffer.from(text)));
  return segments;
}

function clampShort(value: number): number {
  return Math.min(65535, Math.max(1, Math.round(value)));
}
