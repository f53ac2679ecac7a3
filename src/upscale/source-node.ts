/** Files in Node. */

import { fileURLToPath } from "node:url";
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";

/** Of 8 or 16 bits, as in the file, in sRGB. */
export async function readInNode(file: Uint8Array | string | URL): Promise<Image<Samples>> {
  // Loaded when needed: the library itself works without a decoder.
  const { decodePictureFile, readPictureFile } = await import("../data/picture-file.ts");
  const target = "srgb";
  if (file instanceof Uint8Array) return (await decodePictureFile(file, "upscale", { target })).image;
  if (file instanceof URL && file.protocol !== "file:") {
    throw new DataError(
      `upscale: ${file} is no file. Fetch it first: upscale(await (await fetch(url)).blob()).`,
    );
  }
  return (await readPictureFile(file instanceof URL ? fileURLToPath(file) : file, { target })).image;
}

/** The bytes of a weight file. */
export async function readFileInNode(file: URL | string): Promise<Uint8Array> {
  const { readWeightFile } = await import("../data/weight-files.ts");
  return readWeightFile(file);
}
