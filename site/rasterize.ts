/** Drawings as pictures. Not loaded before there is one. */
import { say } from "./language.ts";
import { readBytes } from "./read-bytes.ts";
import { dimensions } from "./size.ts";

/**
 * A drawing of lines and curves (SVG) as a file of pixels, as large as it wants to be. Only a page can do that,
 * no worker.
 */
export async function rasterize(file: File): Promise<File> {
  const bytes = await readBytes(file);
  const picture = document.createElement("img");
  picture.src = URL.createObjectURL(new Blob([bytes], { type: "image/svg+xml" }));
  try {
    await picture.decode();
    const size = { width: picture.naturalWidth || 512, height: picture.naturalHeight || 512 };
    const canvas = Object.assign(document.createElement("canvas"), size);
    canvas.getContext("2d")!.drawImage(picture, 0, 0, size.width, size.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    if (!blob) throw new RangeError(say.drawingTooLarge(file.name, dimensions(size)));
    return new File([blob], file.name, { type: "image/png" });
  } catch (cause) {
    throw cause instanceof RangeError ? cause : new Error(say.damagedDrawing(file.name), { cause });
  } finally {
    URL.revokeObjectURL(picture.src);
  }
}
