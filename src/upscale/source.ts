/** Reads pictures from the forms that they have in browsers and Node. */

import { isObject } from "../options/arguments.ts";
import { isBlob, isBytes, isOfClass, ownBytes } from "../options/classes.ts";
import { quote } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { type ColorSpace, checkImage, fillRgba, type Image, type Samples } from "../picture/image.ts";
import { toLevel } from "../picture/levels.ts";
import { type Drawable, isDrawable, readDrawn, readFileInBrowser } from "./source-browser.ts";

/**
 * - an `Image`: samples of 8 or 16 bits in a typed array, also a canvas' clamped one;
 * - an `ImageData`, from a canvas, of bytes or of float16 (read as 16 bits; what lies outside 0..1 is clipped);
 * - in browsers whatever a canvas can draw (`Drawable`), at its own size, in sRGB;
 * - a `Blob` (such as a `File`), an `ArrayBuffer` or a `Uint8Array` with the bytes of a picture file: in browsers
 *   any format that they show, in Node PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP and PPM;
 * - in browsers the address of such a file, which is fetched; in Node its path or its file URL, as text or URL;
 * - a data URL.
 */
export type PictureSource =
  | Image<Samples>
  | (Omit<Image, "data"> & { readonly data: Uint8ClampedArray })
  | ImageData
  | Drawable
  | Blob
  | ArrayBuffer
  | Uint8Array
  | string
  | URL;

/** What the samples of a picture lack of its file, or what was odd about it, for people and for programs. */
export interface PictureNote {
  /** Such as "color", "frames" or "decoder". */
  readonly kind: string;
  /** A sentence without a full stop. */
  readonly text: string;
}

/** A picture, and what its file says about the way here. */
export interface ReadPicture {
  readonly image: Image<Samples>;
  /** The quality at which a JPEG file was compressed, 1 to 100. */
  readonly jpegQuality?: number;
  readonly notes?: readonly PictureNote[];
}

/** Reads picture files: their bytes, or where they are. */
let readFile: (file: Uint8Array | string | URL, caller: string) => Promise<ReadPicture> = readFileInBrowser;

/** Called by Node's entry (node.ts). */
export function registerPictureReader(reader: typeof readFile): void {
  readFile = reader;
}

/**
 * Reads a picture in any of these forms as an `Image`, turned upright if the file says how.
 *
 * @throws DataError if it is no picture.
 */
export async function readSource(source: PictureSource, caller = "readSource"): Promise<Image<Samples>> {
  return (await readPicture(source, caller)).image;
}

/** The same, with what the file says besides. */
export async function readPicture(source: PictureSource, caller: string): Promise<ReadPicture> {
  if (typeof source === "string" || isOfClass<URL>(source, "URL")) return readFile(source, caller);
  if (isBytes(source) || isOfClass<ArrayBuffer>(source, "ArrayBuffer")) {
    return readFile(ownBytes(source), caller);
  }
  if (isBlob(source)) {
    return readFile(new Uint8Array(await source.arrayBuffer()), caller);
  }
  if (isDrawable(source)) return { image: await readDrawn(source, caller) };
  if (!isObject(source)) {
    throw new DataError(
      `a picture is an image { width, height, channels, data }, ImageData, a Blob, the bytes of a ` +
        "file, in browsers also its address or what a canvas can draw, such as an <img>, and in Node a path; " +
        `got ${quote(source)}.`,
      { caller },
    );
  }
  const image = isImageData(source) ? imageOf(source, caller) : (source as Image<Samples>);
  checkImage(image, caller);
  return { image: { ...image, data: ownSamples(image.data) } };
}

/**
 * A picture of 8 or 16 bits for a canvas: `context.putImageData(toImageData(image), 0, 0)`. It has 8 bits, and
 * the colour space of the picture. Browsers only.
 *
 * @throws RangeError or DataError if it is no such picture; Error where there is no ImageData, as in Node
 */
export function toImageData(image: Image<Samples>): ImageData {
  checkImage(image, "toImageData");
  if (typeof ImageData === "undefined") {
    throw new Error(
      "toImageData: there is no ImageData here. It is for a browser's canvas; in Node, write the picture to a file, " +
        "by writePng() of pixelgrad/data.",
    );
  }
  const pixels = new ImageData(image.width, image.height, { colorSpace: image.colorSpace });
  fillRgba(pixels.data, image);
  return pixels;
}

/** What an ImageData may have: more than TypeScript's declaration says. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number> & ArrayBufferView;
  readonly colorSpace?: string;
}

/** Whether it is an ImageData, also one of a package that has a canvas for Node. */
function isImageData(source: object): source is Pixels {
  if (isOfClass(source, "ImageData")) return true;
  const { data, channels } = source as { data?: unknown; channels?: unknown };
  return channels === undefined && isOfClass(data, "Uint8ClampedArray");
}

/** Bytes are not copied. */
function imageOf({ width, height, data, colorSpace }: Pixels, caller: string): Image<Samples> {
  if (colorSpace !== undefined && colorSpace !== "srgb" && colorSpace !== "display-p3") {
    throw new DataError(
      `this ImageData has the colour space ${quote(colorSpace)}, and srgb or display-p3 is wanted. ` +
        `Take it from the canvas with getImageData(x, y, width, height, { colorSpace: "srgb" }).`,
      { caller },
    );
  }
  if (data.length === 0) {
    throw new DataError(
      `the pixels of this ImageData are no longer here: they were transferred to another thread.`,
      { caller },
    );
  }
  const form = { width, height, channels: 4, ...ofColorSpace(colorSpace) } as const;
  if (isOfClass<Uint8ClampedArray>(data, "Uint8ClampedArray")) {
    return { ...form, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  }
  if (isOfClass<ArrayLike<number>>(data, "Float16Array", "Float32Array")) {
    const samples = new Uint16Array(data.length);
    for (let i = 0; i < samples.length; i++) samples[i] = toLevel(data[i] * 65535, 65535);
    return { ...form, data: samples };
  }
  throw new DataError(
    `the pixels of this ImageData are ${quote(data)}, and bytes or float16 are wanted. Take them from ` +
      "the canvas without the option pixelFormat.",
    { caller },
  );
}

/** The same samples in an array of this program's own class. */
function ownSamples(samples: Samples): Samples {
  if (samples instanceof Uint8Array || samples instanceof Uint16Array) return samples;
  const { buffer, byteOffset, length, BYTES_PER_ELEMENT } = samples as Samples;
  const Own = BYTES_PER_ELEMENT === 1 ? Uint8Array : Uint16Array;
  return new Own(buffer as ArrayBuffer, byteOffset, length);
}

/** The property of an image; none for sRGB, which is the default. */
export function ofColorSpace(colorSpace: ColorSpace | undefined): { colorSpace?: ColorSpace } {
  return colorSpace === undefined || colorSpace === "srgb" ? {} : { colorSpace };
}
