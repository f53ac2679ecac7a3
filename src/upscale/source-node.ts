/** Files in Node. */

import { pathOf } from "../files/path-of.ts";
import { isOfClass } from "../options/classes.ts";
import { quote } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import type { ReadPicture } from "./source.ts";

/** Reads a picture file: 8 or 16 bits, as it has them, in sRGB. */
export async function readInNode(file: Uint8Array | string | URL, caller: string): Promise<ReadPicture> {
  // Loaded when needed: the library itself works without a decoder.
  const { decodePictureFile, readPictureFile } = await import("../files/picture-file.ts");
  const target = "srgb";
  if (file instanceof Uint8Array) return decodePictureFile(file, caller, { target });
  if (file === "") throw new DataError(`the path of the picture is empty. Name a file.`, { caller });
  const [scheme] = /^[a-z]+:/i.exec(String(file)) ?? [];
  if (scheme === "data:") {
    return decodePictureFile(await bytesOf(file), "the data URL", { target });
  }
  if (scheme === "http:" || scheme === "https:" || (isOfClass(file, "URL") && scheme !== "file:")) {
    throw new DataError(
      `${quote(String(file))} is no file. Fetch it first: ` + `${caller}(await (await fetch(url)).blob()).`,
    );
  }
  return readPictureFile(pathOf(file), { target });
}

/** The bytes that a data URL holds. */
async function bytesOf(dataUrl: string | URL): Promise<Uint8Array> {
  const response = await fetch(dataUrl).catch((cause: Error) => {
    throw new DataError(
      `${quote(String(dataUrl))} is no data URL that can be read. One begins with ` +
        `"data:image/png;base64," for instance, and goes on with the bytes of a picture file.`,
      { cause },
    );
  });
  return new Uint8Array(await response.arrayBuffer());
}

/** The bytes of a weight file. An error of the system is put in words, to which the caller adds its own. */
export async function readFileInNode(file: URL | string): Promise<Uint8Array> {
  const { weightBytesOf } = await import("./weight-files.ts");
  return weightBytesOf(file).catch(async (cause) => {
    const { reasonForReading } = await import("../files/read-file.ts");
    throw cause instanceof DataError ? cause : new Error(reasonForReading(cause, String(file)), { cause });
  });
}
