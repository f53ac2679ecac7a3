/** What a file seems to be, before it is read. */
import { formatOfName } from "../../src/picture/formats.ts";

export type FileKind = Pick<File, "name" | "type">;

/** Not all systems know the types of all pictures: PPM has none in a browser. */
export function isPicture({ name, type }: FileKind): boolean {
  return type.startsWith("image/") || formatOfName(name) !== undefined;
}

/** Names of video files whose type not all systems know. */
const videoFileName = /\.(?:mp4|m4v|mov|webm|mkv|avi|mts|m2ts)$/i;

export function isVideo({ name, type }: FileKind): boolean {
  return type.startsWith("video/") || videoFileName.test(name);
}
