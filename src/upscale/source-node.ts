/** Picture files in Node. */

import { fileURLToPath } from "node:url";
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";

export async function readInNode(file: Uint8Array | string | URL): Promise<Image<Samples>> {
  // Loaded when needed: the library itself works without a decoder.
  const { decodeImage, readImage } = await import("../data/files.ts");
  if (file instanceof Uint8Array) return decodeImage(file, "upscale");
  if (!(file instanceof URL)) return readImage(file);
  if (file.protocol !== "file:") {
    throw new DataError(
      `upscale: ${file} is no file. Fetch it first: upscale(await (await fetch(url)).blob()).`,
    );
  }
  return readImage(fileURLToPath(file));
}
