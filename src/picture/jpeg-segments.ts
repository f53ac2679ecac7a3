/** JPEG files as a list of segments, up to the samples: ITU-T T.81, B.1. */

export interface Segment {
  /** The second byte of its marker: 0xe1 is APP1. */
  readonly marker: number;
  readonly data: Uint8Array;
}

/** The segments in front of the first scan that are complete. */
export function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    if (marker === 0xff)
      at++; // any number of these may stand in front of a marker
    else {
      const length = bytes[at + 2] * 256 + bytes[at + 3];
      if (marker === 0xda || length < 2 || at + 2 + length > bytes.length) return;
      yield { marker, data: bytes.subarray(at + 4, at + 2 + length) };
      at += 2 + length;
    }
  }
}

/** Where the bytes behind a picture begin; undefined if the mark for its end is missing. */
export function endOfJpeg(bytes: Uint8Array): number | undefined {
  let at = 2;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xd9) return at + 2;
    // Among samples: a byte that is no marker, a restart, or a filler in front of a marker.
    if (marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else if (marker === 0xff) at++;
    else {
      const length = at + 3 < bytes.length ? bytes[at + 2] * 256 + bytes[at + 3] : 0;
      at += 2 + Math.max(2, length);
    }
  }
}
