/** Reads pictures from the forms that they have in browsers and Node. */

import { isObject } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { browserFormatNames } from "../picture/formats.ts";
import { checkImage, type Image, type Samples } from "../picture/image.ts";

/**
 * - an `Image`: samples of 8 or 16 bits in a typed array;
 * - an `ImageData`, from a canvas;
 * - a `Blob` (such as a `File`) or a `Uint8Array` with the bytes of a picture file: in browsers any format
 *   that they show, in Node PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP and PPM;
 * - in Node also the path or the file URL of such a file.
 */
export type PictureSource = Image<Samples> | ImageData | Blob | Uint8Array | string | URL;

/** Reads picture files: bytes, and in Node paths. */
let readPicture = readInBrowser;

/** Called by Node's entry (node.ts). */
export function registerPictureReader(reader: typeof readPicture): void {
  readPicture = reader;
}

/**
 * Reads a picture in any of these forms as an `Image`, turned upright if the file says how.
 *
 * @throws DataError if it is no picture.
 */
export async function readSource(source: PictureSource, caller = "readSource"): Promise<Image<Samples>> {
  if (typeof source === "string" || source instanceof URL || source instanceof Uint8Array)
    return readPicture(source);
  if (source instanceof Blob) return readPicture(new Uint8Array(await source.arrayBuffer()));
  if (isImageData(source)) {
    const { width, height, data } = source;
    return { width, height, channels: 4, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  }
  if (!isObject(source)) {
    throw new DataError(
      `${caller}: a picture is an image { width, height, channels, data }, ImageData, a Blob, the bytes of a ` +
        `file, or in Node a path; got ${quote(source)}.`,
    );
  }
  checkImage(source, caller);
  return source;
}

/** A picture of 8 bits for a canvas: `context.putImageData(toImageData(image), 0, 0)`. Browsers only. */
export function toImageData({ width, height, channels, data }: Image): ImageData {
  const pixels = new ImageData(width, height);
  const grey = channels <= 2;
  for (let from = 0, to = 0; to < pixels.data.length; from += channels, to += 4) {
    pixels.data[to] = data[from];
    pixels.data[to + 1] = data[grey ? from : from + 1];
    pixels.data[to + 2] = data[grey ? from : from + 2];
    pixels.data[to + 3] = channels % 2 === 0 ? data[from + channels - 1] : 255;
  }
  return pixels;
}

function isImageData(source: Image<Samples> | ImageData): source is ImageData {
  return typeof ImageData !== "undefined" && source instanceof ImageData;
}

async function readInBrowser(file: Uint8Array | string | URL): Promise<Image<Samples>> {
  if (!(file instanceof Uint8Array)) {
    throw new DataError(
      `upscale: ${file} is the name of a file, which browsers cannot read. ` +
        "Pass a Blob, such as await (await fetch(url)).blob().",
    );
  }
  const bitmap = await createImageBitmap(new Blob([file as Uint8Array<ArrayBuffer>]), {
    premultiplyAlpha: "none",
  }).catch((cause: Error) => {
    throw new DataError(
      `upscale: these ${file.length} bytes are no picture that this browser can show (${cause.message}). ` +
        `Pass a ${browserFormatNames} file.`,
      { cause },
    );
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const data = new Uint8Array(context.getImageData(0, 0, width, height).data.buffer);
  const opaque = data.every((value, i) => i % 4 !== 3 || value === 255);
  return opaque
    ? { width, height, channels: 3, data: data.filter((_, i) => i % 4 !== 3) }
    : { width, height, channels: 4, data };
}
