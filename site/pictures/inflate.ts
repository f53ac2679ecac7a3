/** zlib, for the small parts of files: profiles and texts. Samples go through the browser's own streams. */
import { Unzlib } from "fflate";

/** @throws Error for damaged bytes, and for more than `most` bytes of them */
export function inflate(bytes: Uint8Array, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  const unzlib = new Unzlib((part, final) => {
    parts.push(part);
    length += part.length;
    ended = final;
    if (length > most) throw new Error(`more than ${most} bytes`);
  });
  // In pieces, so that a few bytes that stand for gigabytes are noticed early.
  for (let at = 0; at < bytes.length; at += 4096) {
    unzlib.push(bytes.subarray(at, at + 4096), at + 4096 >= bytes.length);
  }
  if (!ended) throw new Error("cut short");
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
