/** Pictures between files, canvases and the library. */
import { readSource, toImageData } from "../src/index.ts";
import { browserFormatNames, type Image } from "../src/picture/index.ts";

/** Reads any format that the browser shows, and applies the orientation that a camera noted. */
export async function readPicture(file: Blob, name: string): Promise<Image> {
  try {
    return (await readSource(file)) as Image; // browsers give bytes
  } catch (cause) {
    throw new Error(
      `${name} is no picture that this browser can show. Choose a ${browserFormatNames} file.`,
      { cause },
    );
  }
}

/** Draws a picture into a canvas of the same size. */
export function draw(canvas: HTMLCanvasElement, image: Image): void {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")!.putImageData(toImageData(image), 0, 0);
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
