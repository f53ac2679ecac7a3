/**
 * Whether a JPEG file has all its samples. Its decoder puts grey in place of lost ones and warns in words that may be
 * another picture's (see files/messages.ts), so that nothing may count on them.
 */
import type { Image, Samples } from "../picture/image.ts";
import { asBuffer } from "./read.ts";

/** Whether a JPEG file becomes another picture with further samples behind its own. */
export async function dependsOnFurther(
  bytes: Uint8Array,
  { data }: Image<Samples>,
  decodeAgain: (bytes: Uint8Array) => Promise<Image<Samples>>,
): Promise<boolean> {
  for (const further of furtherSamples) {
    const longer = withFurtherSamples(bytes, further);
    if (longer === "unknown") return false;
    if (longer === "cut") return true;
    const other = await decodeAgain(longer).catch(() => undefined);
    if (other === undefined || !asBuffer(other.data).equals(asBuffer(data))) return true;
  }
  return false;
}

/**
 * Bits to decode, of which at least one is no end of anything, and none looks like the zeros of lost samples. They fill
 * more than the blocks that lie outside of the picture where its sides are no multiples of 16: samples in these are not
 * seen.
 */
export const furtherSamples: readonly Uint8Array[] = ["924924", "b5b5b5"].map((digits) =>
  Buffer.from(digits.repeat(700), "hex"),
);

/**
 * The file with further samples behind each part of a scan, up to the end of the picture. A decoder skips them if
 * it has all that it wants. Otherwise it takes them for those that it lacks, and the picture becomes another one.
 *
 * @returns "unknown" for arithmetic coding, which may leave out zeros at the end of a part; "cut" if the file ends within
 *   a header, which it takes the mark of its end for a part of
 */
export function withFurtherSamples(
  bytes: Uint8Array,
  further: Uint8Array,
): Uint8Array<ArrayBuffer> | "unknown" | "cut" {
  const parts: Uint8Array[] = [];
  let [start, inScan] = [0, false];
  let end = bytes.length;
  while (bytes[end - 2] === 0xff && bytes[end - 1] === 0xd9) end -= 2;
  for (let at = 2; ; ) {
    const found = bytes.indexOf(0xff, at);
    if (found < 0) return "cut";
    at = found + 1;
    while (bytes[at] === 0xff) at++; // any number of these may stand in front of a marker
    const marker = bytes[at++];
    if (marker === 0) continue; // a sample of 0xff
    if (marker === 0xc9 || marker === 0xca) return "unknown";
    if (inScan) {
      parts.push(bytes.subarray(start, found), further);
      start = found;
    }
    if (marker === 0xd9) break;
    const isRestart = marker >= 0xd0 && marker <= 0xd7;
    inScan = marker === 0xda || (inScan && isRestart);
    if (!isRestart && at + 1 < bytes.length) at += bytes[at] * 256 + bytes[at + 1];
    if (at > end) return "cut";
  }
  return Buffer.concat([...parts, bytes.subarray(start)]);
}
