/** Pictures between the library and canvases. (site/pictures reads and writes files.) */
import { toImageData } from "../src/index.ts";
import type { Image } from "../src/picture/index.ts";

/** Draws a picture into a canvas of the same size. */
export function draw(canvas: HTMLCanvasElement, image: Image): void {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")!.putImageData(toImageData(image), 0, 0);
}
