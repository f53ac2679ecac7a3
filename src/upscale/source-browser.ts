/** Pictures that a browser reads: files in any format that it shows, and what a canvas can draw. */

import { adviceInNode } from "../device/environment.ts";
import { turnOfWebp, upright } from "../formats/turn.ts";
import { isBytes, isOfClass } from "../options/classes.ts";
import { quote } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { browserFormatNames, formatOfStart } from "../picture/formats.ts";
import type { Image } from "../picture/image.ts";
import { jpegQualityOfFile } from "../picture/jpeg-quality.ts";

/** What a canvas can draw; of a video, the frame that it shows. */
export type Drawable =
  | HTMLImageElement
  | SVGImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame;

export function isDrawable(source: unknown): source is Drawable {
  return (
    isOfClass(source, "HTMLImageElement", "SVGImageElement", "HTMLVideoElement", "HTMLCanvasElement") ||
    isOfClass(source, "OffscreenCanvas", "ImageBitmap", "VideoFrame")
  );
}

/** The pixels of a file, in sRGB: of its bytes, or of those at an address. Of a JPEG file, its quality, too. */
export async function readFileInBrowser(
  file: Uint8Array | string | URL,
  caller: string,
): Promise<{ image: Image; jpegQuality?: number }> {
  const inNode = adviceInNode();
  if (inNode) throw new Error(`${caller}: ${inNode}`);
  const bytes = isBytes(file) ? file : await fetchBytes(file);
  const isWebp = formatOfStart(bytes) === "webp";
  const { orientation, unturned } = isWebp ? turnOfWebp(bytes) : { orientation: 1, unturned: bytes };
  const blob = new Blob([unturned as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob, asItIs).catch((cause: Error) => {
    const start = new TextDecoder().decode(bytes.subarray(0, 1000));
    const advice = /<svg|<\?xml/.test(start)
      ? "It looks like an SVG, whose pixels depend on how large it is drawn: show it in an <img> of the size that " +
        "you want, and pass that."
      : `Pass a ${browserFormatNames} file.`;
    const text = `these ${bytes.length} bytes are no picture that this browser can show (${cause.message}). ${advice}`;
    if (isBytes(file)) throw new DataError(text, { caller, cause });
    throw new DataError(`${quote(String(file))}: ${text}`, { cause });
  });
  return { image: upright(imageOf(bitmap), orientation), jpegQuality: jpegQualityOfFile(bytes) };
}

async function fetchBytes(address: string | URL): Promise<Uint8Array> {
  const name = quote(String(address));
  const response = await fetch(address).catch((cause: Error) => {
    throw new DataError(
      `${name} cannot be fetched (${cause.message}). In browsers a text is the address of a picture, ` +
        "which must be on this page's server or on one that allows other pages to read it (CORS).",
      { cause },
    );
  });
  const page = response.headers.get("content-type")?.startsWith("text/html");
  if (response.ok && !page) return new Uint8Array(await response.arrayBuffer());
  const answer = page ? "the server answers with a page" : `${response.status} ${response.statusText}`.trim();
  throw new DataError(`${name} is the address of no picture: ${answer}.`);
}

/**
 * What is drawn at the moment of the call, at its own size.
 *
 * @throws DataError if there is nothing to draw, or if it may not be read.
 */
export async function readDrawn(source: Drawable, caller: string): Promise<Image> {
  const bitmap = await bitmapOf(source, caller);
  try {
    return imageOf(bitmap);
  } catch (cause) {
    if ((cause as Error).name !== "SecurityError") throw cause;
    throw unreadable(source, caller, cause as Error);
  }
}

/** The same as a bitmap, which can be sent to a worker. */
export async function bitmapOf(source: Drawable, caller: string): Promise<ImageBitmap> {
  const what = quote(source);
  if ("decode" in source) {
    // An <img> that is still loading.
    await source.decode().catch((cause: Error) => {
      throw new DataError(`${what} shows no picture (${cause.message}). Look at its source.`, {
        caller,
        cause,
      });
    });
  }
  return createImageBitmap(source, asItIs).catch((cause: Error) => {
    throw new DataError(`there is nothing to draw in ${what} (${cause.message}).`, { caller, cause });
  });
}

/** The error for what a browser shows, and lets no script read. */
export function unreadable(source: Drawable, caller: string, cause: Error): DataError {
  return new DataError(
    `the browser lets nobody read the pixels of ${quote(source)}, since they come from another ` +
      'server. Load them with crossorigin="anonymous" (the server must allow it), or fetch the file and pass it.',
    { caller, cause },
  );
}

const asItIs = { premultiplyAlpha: "none" } as const;

/** The picture that a bitmap shows. Closes it. */
function imageOf(bitmap: ImageBitmap): Image {
  try {
    return withoutFullAlpha(bitmap.width, bitmap.height, pixelsOf(bitmap));
  } finally {
    bitmap.close();
  }
}

/** Pixels that a canvas holds at a time. Phones have no room for one as large as a photograph. */
const STRIP_PIXELS = 2 ** 22;

/** RGBA in sRGB. */
function pixelsOf(bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap;
  const rows = Math.min(height, Math.ceil(STRIP_PIXELS / width));
  const context = new OffscreenCanvas(width, rows).getContext("2d", { willReadFrequently: true })!;
  context.globalCompositeOperation = "copy";
  const pixels = new Uint8Array(width * height * 4);
  for (let top = 0; top < height; top += rows) {
    context.drawImage(bitmap, 0, -top);
    const strip = context.getImageData(0, 0, width, Math.min(rows, height - top));
    pixels.set(strip.data, top * width * 4);
  }
  return pixels;
}

/** An opaque picture has three channels, as it has in Node. */
function withoutFullAlpha(width: number, height: number, pixels: Uint8Array): Image {
  for (let i = 3; i < pixels.length; i += 4) {
    if (pixels[i] !== 255) return { width, height, channels: 4, data: pixels };
  }
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    data[to++] = pixels[from];
    data[to++] = pixels[from + 1];
    data[to++] = pixels[from + 2];
  }
  return { width, height, channels: 3, data };
}
