/** Picture files in Node. */
import { fileURLToPath } from "node:url";
import type { Image, Samples } from "../picture/image.ts";

/** Of 8 or 16 bits, as in the file, in sRGB. */
export async function readInNode(file: Uint8Array | string | URL): Promise<Image<Samples>> {
  // Loaded when needed: the library itself works without a decoder.
  const { decodePictureFile, readPictureFile } = await import("../data/picture-file.ts");
  const target = "srgb";
  if (file instanceof Uint8Array) return (await decodePictureFile(file, "upscale", { target })).image;
  return (await readPictureFile(file instanceof URL ? fileURLToPath(file) : file, { target })).image;
}
