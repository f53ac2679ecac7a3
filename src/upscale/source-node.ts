/** Picture files in Node. */
import { fileURLToPath } from "node:url";
import type { Image, Samples } from "../picture/image.ts";

export async function readInNode(file: Uint8Array | string | URL): Promise<Image<Samples>> {
  // Loaded when needed: the library itself works without a decoder.
  const { decodeImage, readImage } = await import("../data/files.ts");
  if (file instanceof Uint8Array) return decodeImage(file, "upscale");
  return readImage(file instanceof URL ? fileURLToPath(file) : file);
}
