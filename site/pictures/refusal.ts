/** Why a file was refused. Not loaded before one is. */
import { type PictureFormat, pictureFormats } from "../../src/picture/formats.ts";
import { browserFormatNames } from "../../src/picture/index.ts";
import { dimensions } from "../size.ts";
import { say } from "../worker-language.ts";
import { nameOfForeign } from "./foreign.ts";
import { TooLarge } from "./picture-file.ts";

/** Why a file was refused, and what to do. */
export async function refusal(
  bytes: Uint8Array,
  format: PictureFormat | undefined,
  name: string,
  cause: unknown,
): Promise<string> {
  const start = String.fromCharCode(...bytes.subarray(4, 12));
  if (/^ftyp(hei|hev|mif1|msf1)/.test(start) && format !== "avif") {
    return say.heic(name);
  }
  if (format === "tiff") return say.tiff(name);
  if (format === undefined) {
    const what = await nameOfForeign(bytes, name);
    return what ? say.foreign(name, what, browserFormatNames) : say.noPicture(name, browserFormatNames);
  }
  const { name: kind } = pictureFormats[format];
  if (cause instanceof TooLarge) return say.tooLargeFile(name, dimensions(cause.size));
  // Not all browsers read it.
  if (format === "avif") return say.unsupported(name, kind);
  return say.damaged(name, kind, format === "png" && cause instanceof Error ? cause.message : "");
}
