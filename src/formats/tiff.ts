/**
 * The beginning of an uncompressed TIFF file, behind which a picture's samples follow as they are: what it
 * takes to hand an encoder a picture that is not in memory. By the TIFF 6.0 specification, in the variant for
 * files beyond 4 GiB (BigTIFF).
 */
import type { Image } from "../picture/image.ts";

export interface TiffPicture extends Pick<Image, "width" | "height" | "channels"> {
  /** Bits per sample; samples of 16 bits are little-endian. */
  readonly depth: 8 | 16;
  /** Colour profile. */
  readonly icc?: Uint8Array;
}

/** Types of values: their number in TIFF, and how many bytes they take. */
const short = { type: 3, bytes: 2 };
const byte = { type: 7, bytes: 1 };
const long8 = { type: 16, bytes: 8 };

/** Rows are grouped into strips; a reader has one of them in memory at a time. */
const ROWS_PER_STRIP = 16;

export function tiffHeader(picture: TiffPicture): Buffer {
  const { length } = headerFor(picture, 0); // the same wherever the samples begin
  return headerFor(picture, length);
}

function headerFor({ width, height, channels, depth, icc }: TiffPicture, samplesStart: number): Buffer {
  const colors = channels <= 2 ? 1 : 3;
  const rowBytes = (width * channels * depth) / 8;
  const tops = Array.from({ length: Math.ceil(height / ROWS_PER_STRIP) }, (_, k) => k * ROWS_PER_STRIP);
  const fields: [tag: number, type: typeof short, values: ArrayLike<number>][] = [
    [256, long8, [width]],
    [257, long8, [height]],
    [258, short, new Array(channels).fill(depth)], // BitsPerSample
    [259, short, [1]], // Compression: none
    [262, short, [colors === 1 ? 1 : 2]], // PhotometricInterpretation: 0 is black, or RGB
    [273, long8, tops.map((top) => samplesStart + top * rowBytes)], // StripOffsets
    [277, short, [channels]], // SamplesPerPixel
    [278, long8, [ROWS_PER_STRIP]],
    [279, long8, tops.map((top) => Math.min(ROWS_PER_STRIP, height - top) * rowBytes)], // StripByteCounts
    [284, short, [1]], // PlanarConfiguration: the channels of a pixel side by side
  ];
  if (channels > colors) fields.push([338, short, [2]]); // ExtraSamples: alpha, not premultiplied
  if (icc) fields.push([34675, byte, icc]);

  // The list of fields, and behind it the values that do not fit into a field's 8 bytes.
  const list = [
    encode(short, [0x4949, 43, 8, 0]), // "II": little-endian; BigTIFF; bytes of an offset
    encode(long8, [16, fields.length]), // where the list begins
  ];
  const values: Buffer[] = [];
  const valuesStart = align(32 + 20 * fields.length);
  let free = valuesStart;
  for (const [tag, type, numbers] of fields) {
    const value = encode(type, numbers);
    list.push(encode(short, [tag, type.type]).subarray(0, 4), encode(long8, [numbers.length]));
    if (value.length === 8) list.push(value);
    else {
      list.push(encode(long8, [free]));
      values.push(value);
      free += value.length;
    }
  }
  return Buffer.concat([Buffer.concat(list, valuesStart), ...values]);
}

/** Little-endian, filled up with zeros to a multiple of 8 bytes. */
function encode({ bytes }: typeof short, values: ArrayLike<number>): Buffer {
  const buffer = Buffer.alloc(align(bytes * values.length));
  for (let i = 0; i < values.length; i++) {
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(values[i]), 8 * i);
    else buffer.writeUIntLE(values[i], bytes * i, bytes);
  }
  return buffer;
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
