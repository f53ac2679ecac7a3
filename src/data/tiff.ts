/**
 * The beginning of an uncompressed TIFF file, behind which a picture's samples follow as they are: what it takes to hand a picture
 * that is not in memory to an encoder. Written by the TIFF 6.0 specification, in the variant for files beyond 4 GiB (BigTIFF).
 */
import type { Image } from "../picture/image.ts";

export interface TiffPicture extends Pick<Image, "width" | "height" | "channels"> {
  /** Bits per sample; those of 16 are little-endian. */
  readonly depth: 8 | 16;
  /** Colour profile. */
  readonly icc?: Uint8Array;
}

/** Types of a field's values, and their bytes. */
const SHORT = { type: 3, bytes: 2 };
const LONG8 = { type: 16, bytes: 8 };
const BYTES = { type: 7, bytes: 1 };

/** Rows are grouped into strips, of which a reader has one in memory at a time. */
const ROWS_PER_STRIP = 16;

export function tiffHeader({ width, height, channels, depth, icc }: TiffPicture): Uint8Array {
  const colors = channels <= 2 ? 1 : 3;
  const rowBytes = (width * channels * depth) / 8;
  const strips = Math.ceil(height / ROWS_PER_STRIP);
  const stripRows = (k: number) => Math.min(ROWS_PER_STRIP, height - k * ROWS_PER_STRIP);
  const fields: [tag: number, kind: typeof SHORT, values: ArrayLike<number>][] = [
    [256, LONG8, [width]],
    [257, LONG8, [height]],
    [258, SHORT, new Array(channels).fill(depth)], // BitsPerSample
    [259, SHORT, [1]], // Compression: none
    [262, SHORT, [colors === 1 ? 1 : 2]], // PhotometricInterpretation: 0 is black, or RGB
    [273, LONG8, new Float64Array(strips)], // StripOffsets, filled in below
    [277, SHORT, [channels]], // SamplesPerPixel
    [278, LONG8, [ROWS_PER_STRIP]],
    [279, LONG8, Array.from({ length: strips }, (_, k) => stripRows(k) * rowBytes)], // StripByteCounts
    [284, SHORT, [1]], // PlanarConfiguration: the channels of a pixel side by side
    ...(channels > colors ? [[338, SHORT, [2]] as (typeof fields)[number]] : []), // ExtraSamples: alpha, colours not multiplied by it
    ...(icc ? [[34675, BYTES, icc] as (typeof fields)[number]] : []),
  ];

  // Header, the list of fields, then the values that do not fit into 8 bytes, each on a multiple of 8.
  const listEnd = 16 + 8 + 20 * fields.length + 8;
  const sizeOf = (kind: typeof SHORT, values: ArrayLike<number>) => kind.bytes * values.length;
  const aligned = (bytes: number) => Math.ceil(bytes / 8) * 8;
  const beyond = fields.filter(([, kind, values]) => sizeOf(kind, values) > 8);
  const total = beyond.reduce(
    (sum, [, kind, values]) => sum + aligned(sizeOf(kind, values)),
    aligned(listEnd),
  );
  fields.find(([tag]) => tag === 273)![2] = Float64Array.from(
    { length: strips },
    (_, k) => total + k * ROWS_PER_STRIP * rowBytes,
  );

  const file = new DataView(new ArrayBuffer(total));
  const put = (at: number, { bytes }: typeof SHORT, value: number) => {
    if (bytes === 8) file.setBigUint64(at, BigInt(value), true);
    else if (bytes === 2) file.setUint16(at, value, true);
    else file.setUint8(at, value);
  };
  file.setUint16(0, 0x4949, true); // "II": little-endian
  file.setUint16(2, 43, true); // BigTIFF
  file.setUint16(4, 8, true); // bytes of an offset
  put(8, LONG8, 16);
  put(16, LONG8, fields.length);
  let free = aligned(listEnd);
  for (const [i, [tag, kind, values]] of fields.entries()) {
    const entry = 24 + 20 * i;
    file.setUint16(entry, tag, true);
    file.setUint16(entry + 2, kind.type, true);
    put(entry + 4, LONG8, values.length);
    const size = sizeOf(kind, values);
    const at = size > 8 ? free : entry + 12;
    if (size > 8) {
      put(entry + 12, LONG8, free);
      free += aligned(size);
    }
    for (let k = 0; k < values.length; k++) put(at + k * kind.bytes, kind, values[k]);
  }
  return new Uint8Array(file.buffer);
}
