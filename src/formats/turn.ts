/**
 * Pictures that were stored on their side or upside down, as EXIF data say: orientation 1 (upright) to 8. The library
 * imports this in browsers. So, unlike the rest of this folder, it does without Node's Buffer.
 */
import type { Image, Samples } from "../picture/image.ts";
import { riffChunks } from "./riff.ts";

const ORIENTATION = 274;
const [RATIONAL, SRATIONAL] = [5, 10];

/** Bytes of a value, by its type. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** Bytes of whole numbers that are no places, of which some may be negative. */
const numberBytes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4 };

/**
 * How a picture must be turned, 1 to 8; 1 if the data do not say, or are damaged. It should be one SHORT, but decoders
 * turn pictures by the first of any numbers.
 *
 * @param exif from the header of TIFF on
 */
export function orientationOf(exif: Uint8Array): number {
  try {
    const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
    const isLittle = view.getUint16(0) === 0x4949;
    const uint = (at: number, bytes: number) => {
      if (bytes === 1) return view.getUint8(at);
      return bytes === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
    };
    if ((!isLittle && view.getUint16(0) !== 0x4d4d) || uint(2, 2) !== 42) return 1;
    const first = uint(4, 4);
    for (let i = 0, at = first + 2; i < uint(first, 2); i++, at += 12) {
      if (uint(at, 2) !== ORIENTATION) continue;
      const type = uint(at + 2, 2);
      const size = (typeBytes[type] ?? 0) * uint(at + 4, 4);
      const valueAt = size <= 4 ? at + 8 : uint(at + 8, 4);
      if (size === 0 || valueAt + size > exif.length) continue; // decoders pass over such an entry
      const isRatio = type === RATIONAL || type === SRATIONAL;
      if (!isRatio && numberBytes[type] === undefined) return 1;
      const value = isRatio ? uint(valueAt, 4) / uint(valueAt + 4, 4) : uint(valueAt, numberBytes[type]);
      return Number.isInteger(value) && value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
  } catch {
    return 1;
  }
}

/** Of a WebP file's VP8X chunk: there are EXIF data. */
const EXIF_FLAG = 8;

/** Files begin EXIF data with this, except PNG. */
const exifPrefix = "Exif\0\0";

/**
 * The orientation of a WebP file, and the file without its EXIF data. Browsers show WebP as it is stored; should one
 * turn it some day, as they do JPEG, it will not be turned twice.
 */
export function turnOfWebp(bytes: Uint8Array): {
  readonly orientation: number;
  readonly unturned: Uint8Array;
} {
  const unturned = Uint8Array.from(bytes); // slice() of a Buffer would share its memory
  let hasExif = false;
  let orientation: number | undefined;
  for (const { name, data } of riffChunks(bytes)) {
    const at = data.byteOffset - bytes.byteOffset;
    if (name === "VP8X" && data.length > 0) {
      hasExif = (data[0] & EXIF_FLAG) !== 0;
      unturned[at] &= ~EXIF_FLAG;
    }
    if (name !== "EXIF") continue;
    unturned.set(new TextEncoder().encode("none"), at - 8); // a chunk that decoders do not know
    const isPrefixed = String.fromCharCode(...data.subarray(0, 6)) === exifPrefix;
    if (hasExif) orientation ??= orientationOf(isPrefixed ? data.subarray(6) : data);
  }
  return { orientation: orientation ?? 1, unturned };
}

/** The picture as its camera was held. */
export function upright<S extends Samples>(image: Image<S>, orientation: number): Image<S> {
  if (orientation === 1) return image;
  const { width: columns, height: rows, channels } = image;
  const turned = orientation >= 5;
  const [width, height] = turned ? [rows, columns] : [columns, rows];
  const data = image.data.slice() as S;
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = turned ? [y, x] : [x, y];
      const column = mirrorX ? columns - 1 - u : u;
      const row = mirrorY ? rows - 1 - v : v;
      for (let c = 0; c < channels; c++) data[to++] = image.data[(row * columns + column) * channels + c];
    }
  }
  return { width, height, channels, data };
}
