/** PNG files written chunk by chunk, for what no encoder writes. Shares no code with the library. */
import { deflateSync } from "node:zlib";

export function pngChunk(type: string, content: Uint8Array | string = ""): Buffer {
  const body = Buffer.concat([
    Buffer.from(type, "latin1"),
    typeof content === "string" ? Buffer.from(content, "latin1") : content,
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length - 4);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

export interface PngParts {
  readonly width: number;
  readonly height: number;
  /** Bits per sample. Default 8. */
  readonly bits?: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colorType: number;
  /** Rows as they are stored, without the number of their filter. */
  readonly rows: readonly Uint8Array[];
  /** Chunks in front of the samples, and behind them. */
  readonly before?: readonly Buffer[];
  readonly after?: readonly Buffer[];
}

export function pngOf({
  width,
  height,
  bits = 8,
  colorType,
  rows,
  before = [],
  after = [],
}: PngParts): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, colorType], 8);
  const samples = deflateSync(Buffer.concat(rows.flatMap((row) => [Buffer.of(0), row])));
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    pngChunk("IHDR", header),
    ...before,
    pngChunk("IDAT", samples),
    ...after,
    pngChunk("IEND"),
  ]);
}

/** The chunks of a PNG file: their types and contents. */
export function chunksIn(png: Buffer): { type: string; content: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({
      type: png.toString("latin1", at + 4, at + 8),
      content: png.subarray(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  return chunks;
}

/** 32-bit numbers, the first byte first. */
export function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

/** The checksum of PNG, bit by bit (node:zlib has it only from Node 20.15 on). */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
