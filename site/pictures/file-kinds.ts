/** What a file seems to be, before it is read, and what its format is like. */
import { formatOfName, type PictureFormat, pictureFormats } from "../../src/picture/formats.ts";

export type FileKind = Pick<File, "name" | "type">;

/** Not all systems know the types of all pictures: PPM has none in a browser. */
export function isPicture({ name, type }: FileKind): boolean {
  return type.startsWith("image/") || formatOfName(name) !== undefined;
}

/** With which the name of a new file ends: ".jpg". */
export function extensionOf(format: PictureFormat): string {
  return pictureFormats[format].extensions[0];
}

/** Whether there is a quality to choose. */
export function isLossy(format: PictureFormat): boolean {
  return pictureFormats[format].writes?.lossy === true;
}

/** Names of video files whose type not all systems know. */
const videoFileName = /\.(?:mp4|m4v|mov|webm|mkv|avi|mts|m2ts)$/i;

export function isVideo({ name, type }: FileKind): boolean {
  return type.startsWith("video/") || videoFileName.test(name);
}
