/**
 * Reads BMP files, which sharp does not: 1 to 32 bits per pixel, with palettes, bit masks and run lengths,
 * and the headers of OS/2 and of Windows 3 to 5.
 */
import { profileOfNumbers } from "./icc.ts";
import { damageError, type Raster } from "./raster.ts";
import { asBuffer, type Read } from "./read.ts";

interface Header {
  readonly width: number;
  readonly height: number;
  /** Rows from top to bottom; most files have them from bottom to top. */
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the samples begin. */
  readonly start: number;
  /** Blue, green, red for each index, and whether all of them are grey. */
  readonly palette?: { readonly colors: Uint8Array; readonly stride: number; readonly grey: boolean };
  /** Which bits are red, green, blue and alpha. */
  readonly masks?: readonly number[];
}

const [PLAIN, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS] = [0, 1, 2, 3, 6];

/** More bytes than a header has, with bit masks and a palette. */
const LONGEST_HEADER = 2 ** 12;

/**
 * Reads the header of a file of `fileLength` bytes.
 *
 * @throws DataError if it is no such picture, or is too short for its samples
 */
export function readBmp(read: Read, fileLength: number, name: string): Raster {
  const head = asBuffer(read(0, LONGEST_HEADER));
  const fail = (reason: string) => damageError(name, "BMP picture", reason);
  if (head.length < 26) throw fail("the header is incomplete");
  const header = parse(head, fail);
  const { width, height, bits, compression, start, masks, palette } = header;
  const packed = compression === RLE8 || compression === RLE4;
  const stride = 4 * Math.ceil((width * bits) / 32);
  if (!packed && start + stride * height > fileLength) {
    throw fail(
      `${width}x${height} pixels of ${bits} bits take ${stride * height} bytes, ` +
        `and the file has ${Math.max(0, fileLength - start)}`,
    );
  }
  const size = head.readUInt32LE(14);
  const [x, y] = size >= 40 ? [head.readInt32LE(38), head.readInt32LE(42)] : [0, 0];
  const density = x > 0 && y > 0 ? { x: x * 0.0254, y: y * 0.0254 } : undefined;
  const channels = palette?.grey ? 1 : masks?.[3] ? 4 : 3;
  return {
    width,
    height,
    channels,
    depth: 8,
    frames: 1,
    density,
    profile: (bytes) => profileIn(asBuffer(bytes), size),
    samples: (bytes) => {
      const file = asBuffer(bytes);
      const indices = packed ? unpackRuns(file, header, fail) : undefined;
      const samples = new Uint8Array(width * height * channels);
      for (let row = 0; row < height; row++) {
        const y = header.topDown ? row : height - 1 - row;
        const line = samples.subarray(y * width * channels, (y + 1) * width * channels);
        if (palette) {
          for (let x = 0; x < width; x++) {
            const index = indices ? indices[row * width + x] : indexAt(file, start + row * stride, x, bits);
            const at = Math.min(index * palette.stride, palette.colors.length - palette.stride);
            for (let c = 0; c < channels; c++) line[x * channels + c] = palette.colors[at + 2 - c];
          }
        } else pixels(file, start + row * stride, line, header, channels);
      }
      return masks?.[3] ? withoutEmptyAlpha(samples) : samples;
    },
  };
}

function parse(file: Buffer, fail: (reason: string) => Error): Header {
  const start = file.readUInt32LE(10);
  const size = file.readUInt32LE(14);
  const old = size === 12; // of OS/2 and Windows 2
  if (!old && (size < 16 || size > 1024 || file.length < 14 + Math.min(size, 40))) {
    throw fail(`a header of ${size} bytes`);
  }
  const long = size >= 40;
  const width = old ? file.readUInt16LE(18) : file.readInt32LE(18);
  const signed = old ? file.readInt16LE(20) : file.readInt32LE(22);
  const bits = file.readUInt16LE(old ? 24 : 28);
  const compression = long ? file.readUInt32LE(30) : PLAIN;
  const height = Math.abs(signed);
  if (width <= 0 || height === 0) throw fail(`${width}x${height} pixels`);
  if (![1, 2, 4, 8, 16, 24, 32].includes(bits)) throw fail(`${bits} bits per pixel`);
  const topDown = signed < 0;
  const shape = { width, height, topDown, bits, compression, start };
  const fits =
    compression === PLAIN ||
    (compression === RLE8 && bits === 8 && !topDown) ||
    (compression === RLE4 && bits === 4 && !topDown) ||
    ((compression === BITFIELDS || compression === ALPHA_BITFIELDS) && (bits === 16 || bits === 32));
  if (!fits) throw fail(`compression ${compression} with ${bits} bits`);

  const after =
    14 + size + (long && size === 40 ? ({ [BITFIELDS]: 12, [ALPHA_BITFIELDS]: 16 }[compression] ?? 0) : 0);
  if (bits <= 8) {
    const stride = old ? 3 : 4;
    const claimed = long ? file.readUInt32LE(46) : 0;
    const room = Math.floor((Math.min(start, file.length) - after) / stride);
    const count = Math.min(claimed || 2 ** bits, 2 ** bits, room);
    if (count < 1) throw fail("it has no palette");
    const colors = file.subarray(after, after + count * stride);
    const grey = colors.every((value, i) => i % stride === 3 || value === colors[i - (i % stride)]);
    return { ...shape, palette: { colors, stride, grey } };
  }
  if (bits === 24) return shape;
  if (compression === PLAIN) {
    // Of 32 bits, the upper 8 mean nothing.
    return { ...shape, masks: bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff] };
  }
  const count = size >= 56 || compression === ALPHA_BITFIELDS ? 4 : 3;
  if (file.length < 54 + 4 * count) throw fail("the bit masks are missing");
  const masks = Array.from({ length: count }, (_, i) => file.readUInt32LE(54 + 4 * i));
  return { ...shape, masks };
}

function indexAt(file: Buffer, line: number, x: number, bits: number): number {
  const byte = file[line + ((x * bits) >> 3)];
  return (byte >> (8 - bits - ((x * bits) & 7))) & (2 ** bits - 1);
}

/** Pixels without a palette. */
function pixels(
  file: Buffer,
  from: number,
  line: Uint8Array,
  { bits, masks }: Header,
  channels: number,
): void {
  const step = bits / 8;
  if (!masks) {
    for (let at = from, to = 0; to < line.length; at += 3, to += 3) {
      line[to] = file[at + 2];
      line[to + 1] = file[at + 1];
      line[to + 2] = file[at];
    }
    return;
  }
  const parts = masks.slice(0, channels).map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, white: mask >>> shift };
  });
  for (let at = from, to = 0; to < line.length; at += step) {
    const pixel = step === 2 ? file.readUInt16LE(at) : file.readUInt32LE(at);
    for (const { mask, shift, white } of parts) {
      line[to++] = white === 0 ? 0 : Math.round((((pixel & mask) >>> shift) * 255) / white);
    }
  }
}

/** Indices from runs, in the order of the rows in the file. Pixels that no run reaches have index 0. */
function unpackRuns(
  file: Buffer,
  { width, height, compression, start }: Header,
  fail: (reason: string) => Error,
): Uint8Array {
  const indices = new Uint8Array(width * height);
  const four = compression === RLE4;
  const put = (index: number) => {
    if (x < width && y < height) indices[y * width + x] = index;
    x++;
  };
  let [x, y] = [0, 0];
  for (let at = start; at + 2 <= file.length && y < height; ) {
    const [count, value] = [file[at], file[at + 1]];
    at += 2;
    if (count > 0) {
      if (x >= width) x += count;
      else for (let i = 0; i < count; i++) put(four ? (i % 2 === 0 ? value >> 4 : value & 15) : value);
    } else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) return indices;
    else if (value === 2) {
      if (at + 2 > file.length) break;
      x += file[at];
      y += file[at + 1];
      at += 2;
    } else {
      const bytes = four ? Math.ceil(value / 2) : value;
      if (at + bytes > file.length) break;
      for (let i = 0; i < value; i++) {
        const byte = file[at + (four ? i >> 1 : i)];
        put(four ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
      }
      at += bytes + (bytes % 2);
    }
  }
  if (y < height - 1) throw fail(`the runs end in row ${y + 1} of ${height}`);
  return indices;
}

/** The colour profile that a header of Windows 5 points to, or one for the numbers in one of Windows 4. */
function profileIn(file: Buffer, size: number): Uint8Array | undefined {
  const calibrated = 0;
  if (size >= 108 && file.length >= 122 && file.readUInt32LE(70) === calibrated)
    return calibratedProfile(file);
  if (size < 124 || file.length < 138 || file.toString("latin1", 70, 74) !== "DEBM") return undefined;
  const start = 14 + file.readUInt32LE(126);
  const length = file.readUInt32LE(130);
  return length >= 128 && start + length <= file.length ? file.subarray(start, start + length) : undefined;
}

/** By XYZ of red, green and blue, with 30 bits behind the point, which together are white; and by an exponent each. */
function calibratedProfile(file: Buffer): Uint8Array | undefined {
  const colors = [0, 1, 2].map((i) => [0, 1, 2].map((k) => file.readInt32LE(74 + 12 * i + 4 * k) / 2 ** 30));
  const white = [0, 1, 2].map((k) => colors[0][k] + colors[1][k] + colors[2][k]);
  const primaries = [white, ...colors].map(([x, y, z]) => [x / (x + y + z), y / (x + y + z)] as const);
  const gammas = [0, 1, 2].map((i) => file.readUInt32LE(110 + 4 * i) / 2 ** 16);
  return profileOfNumbers({ gammas, primaries });
}

/** Alpha that is 0 everywhere means that the writer did not know of it. */
function withoutEmptyAlpha(samples: Uint8Array): Uint8Array {
  if (samples.some((value, i) => i % 4 === 3 && value > 0)) return samples;
  return samples.map((value, i) => (i % 4 === 3 ? 255 : value));
}
