/** PNG files as a list of chunks: https://www.w3.org/TR/png-3/ */
import { crc32 } from "../picture/crc.ts";
import type { Read } from "./read.ts";

export interface Chunk {
  readonly type: string;
  /** Where it begins and ends in the file, with its length and checksum. */
  readonly start: number;
  readonly end: number;
  readonly data: () => Uint8Array;
}

/** The chunks that are complete, up to the one that ends the picture, without a look at their checksums. */
export function* chunksOf(read: Read): Generator<Chunk> {
  for (let start = 8; ; ) {
    const head = read(start, 8);
    if (head.length < 8) return;
    const length = ((head[0] << 24) | (head[1] << 16) | (head[2] << 8) | head[3]) >>> 0;
    const end = start + 12 + length;
    if (read(end - 1, 1).length === 0) return;
    const at = start + 8;
    const type = String.fromCharCode(head[4], head[5], head[6], head[7]);
    yield { type, start, end, data: () => read(at, length) };
    if (type === "IEND") return;
    start = end;
  }
}

export function encodeChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}

/** Bytes of the samples when unpacked, each row with its filter's number, by the contents of IHDR. */
export function unpackedSize(bytes: Uint8Array): number {
  const header = Buffer.from(bytes);
  if (header.length < 10) return 0;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, colorType] = header.subarray(8);
  const channels = { 2: 3, 4: 2, 6: 4 }[colorType] ?? 1;
  return height * (1 + Math.ceil((width * channels * depth) / 8));
}
