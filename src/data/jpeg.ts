/** What JPEG files say besides samples: how their segments are written, and IPTC data in one of them. */

export { endOfJpeg, type Segment, segmentsOf } from "../picture/jpeg-segments.ts";

/** The most bytes that a segment holds. */
export const maxSegment = 65_533;

export function encodeSegment(marker: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const data = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );
  const head = Buffer.of(0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255);
  return Buffer.concat([head, data]);
}

export function startsWith(data: Uint8Array, text: string): boolean {
  return Buffer.from(data.subarray(0, text.length)).toString("latin1") === text;
}

/** How Photoshop stores IPTC data: as one of several resources. */
export const photoshop = "Photoshop 3.0\0";

/** IPTC data as a resource. */
export function encodeIptc(iptc: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(iptc.length);
  return Buffer.concat([
    Buffer.from("8BIM\x04\x04\0\0", "latin1"),
    length,
    iptc,
    Buffer.alloc(iptc.length % 2),
  ]);
}

/** The IPTC data among resources; undefined if there are none. */
export function iptcOf(resources: Uint8Array): Uint8Array | undefined {
  let bytes = Buffer.from(resources);
  if (startsWith(bytes, photoshop)) bytes = bytes.subarray(photoshop.length);
  if (bytes[0] === 0x1c) return bytes; // IPTC data without a resource around them
  for (let at = 0; at + 12 <= bytes.length && bytes.toString("latin1", at, at + 4) === "8BIM"; ) {
    const id = bytes.readUInt16BE(at + 4);
    const name = bytes[at + 6] + 1;
    const lengthAt = at + 6 + name + (name % 2);
    if (lengthAt + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(lengthAt);
    const start = lengthAt + 4;
    if (id === 0x0404 && length > 0) return bytes.subarray(start, start + length);
    at = start + length + (length % 2);
  }
  return undefined;
}
