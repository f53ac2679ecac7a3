/** PNG files of every kind that there is, made by hand: all depths, colours, filters, interlaced or not. */
import { deflateSync } from "node:zlib";
import { encodeChunk } from "../../src/formats/png.ts";
import { Random } from "../../src/tensor/random.ts";

export interface Kind {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

export function pngKinds(width = 21, height = 13): Kind[] {
  const depths = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
  const names = { 0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGB and alpha" };
  const kinds: Kind[] = [];
  for (const [color, bits] of Object.entries(depths)) {
    for (const depth of bits) {
      for (const interlaced of [false, true]) {
        for (const transparent of Number(color) < 4 ? [false, true] : [false]) {
          const name =
            `${names[Number(color) as 0]}, ${depth} bits` +
            `${interlaced ? ", interlaced" : ""}${transparent ? ", transparent" : ""}`;
          kinds.push({ name, bytes: png(width, height, Number(color), depth, interlaced, transparent) });
        }
      }
    }
  }
  return kinds;
}

function png(
  width: number,
  height: number,
  color: number,
  depth: number,
  interlaced: boolean,
  transparent: boolean,
) {
  const random = new Random(depth + 10 * color);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, color, 0, 0, interlaced ? 1 : 0], 8);
  const passes = interlaced
    ? [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
      ]
    : [[0, 0, 1, 1]];
  const raw: number[] = [];
  for (const [x, y, dx, dy] of passes) {
    const columns = Math.ceil((width - x) / dx);
    const rows = Math.ceil((height - y) / dy);
    if (columns <= 0) continue;
    const line = Math.ceil((columns * samplesOf[color] * depth) / 8);
    for (let row = 0; row < rows; row++) {
      raw.push(color === 3 ? 0 : row % 5); // any bytes are right, by any filter, but indices must be in the palette
      for (let i = 0; i < line; i++) raw.push(Math.floor(random.uniform() * 256));
    }
  }
  const colors = Buffer.from(
    Array.from({ length: 3 * 2 ** depth }, () => Math.floor(random.uniform() * 256)),
  );
  const chunks = [Buffer.from("89504e470d0a1a0a", "hex"), encodeChunk("IHDR", header)];
  if (color === 3) chunks.push(encodeChunk("PLTE", colors));
  if (transparent) {
    const key = color === 3 ? Buffer.of(0, 77) : Buffer.alloc(2 * samplesOf[color]);
    chunks.push(encodeChunk("tRNS", key));
  }
  const packed = deflateSync(Buffer.from(raw));
  const half = packed.length >> 1;
  chunks.push(encodeChunk("IDAT", packed.subarray(0, half)), encodeChunk("IDAT", packed.subarray(half)));
  return Buffer.concat([...chunks, encodeChunk("IEND", Buffer.alloc(0))]);
}
