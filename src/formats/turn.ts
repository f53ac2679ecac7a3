/** Pictures that were stored on their side or upside down, as EXIF data say: orientation 1 (upright) to 8. */
import type { Image, Samples } from "../picture/image.ts";
import { riffChunks } from "./riff.ts";

const ORIENTATION = 274;
const [RATIONAL, SRATIONAL] = [5, 10];

/** Bytes of a number, by its type. */
const numberBytes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 5: 8, 6: 1, 8: 2, 9: 4, 10: 8 };

/**
 * How a picture must be turned, 1 to 8; 1 if the data do not say, or are damaged. It should be one SHORT, but decoders
 * turn pictures by the first of any numbers.
 *
 * @param exif from the header of TIFF on
 */
export function orientationOf(exif: Uint8Array): number {
  try {
    const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
    const isLittle = view.getUint8(0) === 0x49;
    const uint = (at: number, bytes: number) => {
      if (bytes === 1) return view.getUint8(at);
      return bytes === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
    };
    if (uint(2, 2) !== 42) return 1;
    const first = uint(4, 4);
    const places = Array.from({ length: uint(first, 2) }, (_, i) => first + 2 + 12 * i);
    const at = places.find((place) => uint(place, 2) === ORIENTATION)!;
    const type = uint(at + 2, 2);
    const isInside = numberBytes[type] * uint(at + 4, 4) <= 4;
    const valueAt = isInside ? at + 8 : uint(at + 8, 4);
    const isRatio = type === RATIONAL || type === SRATIONAL;
    const value = isRatio ? uint(valueAt, 4) / uint(valueAt + 4, 4) : uint(valueAt, numberBytes[type]);
    return Number.isInteger(value) && value >= 1 && value <= 8 ? value : 1;
  } catch {
    return 1;
  }
}

/** Files begin EXIF data with this, except PNG. */
const exifPrefix = "Exif\0\0";

/**
 * Of a WebP file, its orientation, and the file without its EXIF data, so that no browser turns it: they leave it as it
 * is stored, or may turn it one day, as JPEG.
 */
export function turnOfWebp(bytes: Uint8Array): {
  readonly orientation: number;
  readonly unturned: Uint8Array;
} {
  const unturned = bytes.slice();
  let orientation = 1;
  for (const { name, data } of riffChunks(bytes)) {
    const at = data.byteOffset - bytes.byteOffset;
    if (name === "VP8X") unturned[at] &= ~8; // it has no EXIF data
    if (name !== "EXIF") continue;
    unturned.set(new TextEncoder().encode("none"), at - 8); // a chunk that decoders do not know
    const isPrefixed = String.fromCharCode(...data.subarray(0, 6)) === exifPrefix;
    orientation = orientationOf(isPrefixed ? data.subarray(6) : data);
  }
  return { orientation, unturned };
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
