/** Pictures between files, canvases and the library. */
import type { Image } from "../../src/data/image.ts";

/** Reads any format that the browser shows; the orientation that a camera noted is applied. */
export async function readPicture(file: Blob, name = "The file"): Promise<Image> {
  const bitmap = await createImageBitmap(file, { premultiplyAlpha: "none" }).catch(() => {
    throw new Error(`${name} is no picture that this browser can show. Choose a PNG, JPEG or WebP file.`);
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const opaque = data.every((value, i) => i % 4 !== 3 || value === 255);
  return opaque
    ? { width, height, channels: 3, data: Uint8Array.from(data.filter((_, i) => i % 4 !== 3)) }
    : { width, height, channels: 4, data: Uint8Array.from(data) };
}

/** Draws an RGB picture, with or without alpha, into a canvas, which takes on its size. */
export function draw(canvas: HTMLCanvasElement, { width, height, channels, data }: Image): void {
  canvas.width = width;
  canvas.height = height;
  const pixels = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += channels, to += 4) {
    pixels.data[to] = data[from];
    pixels.data[to + 1] = data[from + 1];
    pixels.data[to + 2] = data[from + 2];
    pixels.data[to + 3] = channels === 4 ? data[from + 3] : 255;
  }
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
}

export async function toPng(image: Image): Promise<Blob> {
  const canvas = document.createElement("canvas");
  draw(canvas, image);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) =>
      blob ? resolve(blob) : reject(new Error("The picture is too large for a PNG here.")),
    );
  });
}

/** Hands a file to the user. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
