/** zlib, for the small parts of files: profiles and texts. */
import { inflateSync } from "node:zlib";

/** @throws Error for damaged bytes, and for more than `most` bytes of them */
export function inflate(bytes: Uint8Array, most: number): Uint8Array {
  return inflateSync(bytes, { maxOutputLength: most });
}
