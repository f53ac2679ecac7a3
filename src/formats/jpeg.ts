/** What JPEG files say besides samples: how their segments are written, and what Photoshop keeps in one of them. */

export { endOfJpeg, type Segment, segmentsOf } from "../picture/jpeg-segments.ts";

/** The most bytes that a segment holds. */
export const MAX_SEGMENT = 65_533;

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

/** How Photoshop stores IPTC data and notes on copyright: as some of many resources. */
export const photoshop = "Photoshop 3.0\0";

const IPTC_ID = 0x0404;

/** What Photoshop says of copyright: the mark, a byte, and an address. */
const rightsIds: readonly number[] = [0x040a, 0x040b];

/** IPTC data as a resource, and those on copyright behind it. */
export function encodeResources(iptc: Uint8Array | undefined, rights: Uint8Array = new Uint8Array()): Buffer {
  return Buffer.concat([...(iptc ? [encodeResource(IPTC_ID, iptc)] : []), rights]);
}

function encodeResource(id: number, data: Uint8Array): Buffer {
  const head = Buffer.from("8BIM\0\0\0\0\0\0\0\0", "latin1"); // with an empty name
  head.writeUInt16BE(id, 4);
  head.writeUInt32BE(data.length, 8);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

/** The IPTC data among resources; undefined if there are none. */
export function iptcOf(resources: Uint8Array): Uint8Array | undefined {
  const bytes = withoutName(resources);
  if (bytes[0] === 0x1c) return bytes; // IPTC data without a resource around them
  for (const { id, data } of resourcesIn(bytes)) if (id === IPTC_ID && data.length > 0) return data;
  return undefined;
}

/** The resources on copyright that say something, as they are written; undefined if there are none. */
export function rightsOf(resources: Uint8Array): Uint8Array | undefined {
  const found: Buffer[] = [];
  for (const { id, data } of resourcesIn(withoutName(resources))) {
    if (rightsIds.includes(id) && data.some((byte) => byte !== 0)) found.push(encodeResource(id, data));
  }
  return found.length > 0 ? Buffer.concat(found) : undefined;
}

function withoutName(resources: Uint8Array): Buffer {
  const bytes = Buffer.from(resources);
  return startsWith(bytes, photoshop) ? bytes.subarray(photoshop.length) : bytes;
}

function* resourcesIn(bytes: Buffer): Generator<{ readonly id: number; readonly data: Buffer }> {
  for (let at = 0; at + 12 <= bytes.length && bytes.toString("latin1", at, at + 4) === "8BIM"; ) {
    const id = bytes.readUInt16BE(at + 4);
    const name = bytes[at + 6] + 1;
    const lengthAt = at + 6 + name + (name % 2);
    if (lengthAt + 4 > bytes.length) return;
    const length = bytes.readUInt32BE(lengthAt);
    const start = lengthAt + 4;
    yield { id, data: bytes.subarray(start, start + length) };
    at = start + length + (length % 2);
  }
}
