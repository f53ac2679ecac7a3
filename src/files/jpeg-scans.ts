/**
 * Whether a JPEG file has all its samples. Its decoder puts grey in place of lost ones and warns in words that may be
 * another picture's (see messages.ts), so that nothing may count on them.
 */

/** Bits to decode, of which at least one is no end of anything, and none looks like the zeros of lost samples. */
export const furtherSamples: readonly Uint8Array[] = ["924924", "b5b5b5"].map((digits) =>
  Buffer.from(digits.repeat(22), "hex"),
);

/**
 * The file with further samples behind each part of a scan, up to the end of the picture. A decoder skips them if
 * it has all that it wants. Otherwise it takes them for those that it lacks, and the picture becomes another one.
 *
 * @returns undefined for arithmetic coding, which may leave out zeros at the end of a part.
 */
export function withFurtherSamples(bytes: Uint8Array, further: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let [start, inScan] = [0, false];
  for (let at = 2; ; ) {
    const found = bytes.indexOf(0xff, at);
    if (found < 0) break;
    at = found + 1;
    while (bytes[at] === 0xff) at++; // any number of these may stand in front of a marker
    const marker = bytes[at++];
    if (marker === 0) continue; // a sample of 0xff
    if (marker === 0xc9 || marker === 0xca) return undefined;
    if (inScan) {
      parts.push(bytes.subarray(start, found), further);
      start = found;
    }
    if (marker === 0xd9) break;
    const isRestart = marker >= 0xd0 && marker <= 0xd7;
    inScan = marker === 0xda || (inScan && isRestart);
    if (!isRestart && at + 1 < bytes.length) at += bytes[at] * 256 + bytes[at + 1];
  }
  return Buffer.concat([...parts, bytes.subarray(start)]);
}
