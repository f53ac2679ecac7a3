/** EXIF data and JPEG segments for tests, written by hand: they share no code with the library. */

type Value =
  | string
  | readonly number[]
  | { readonly long: number }
  | { readonly rational: readonly [number, number] }
  | { readonly raw: Uint8Array };

/** One directory: tag and value, which is a text, numbers of 16 or 32 bits, a fraction, or bytes. */
export type Directory = readonly (readonly [tag: number, value: Value])[];

export interface ExifParts {
  readonly first: Directory;
  readonly camera?: Directory;
  readonly place?: Directory;
  /** The bytes of a small JPEG. */
  readonly thumbnail?: Uint8Array;
  readonly bigEndian?: boolean;
}

/** EXIF data from their TIFF header on. */
export function exifOf({ first, camera, place, thumbnail, bigEndian = false }: ExifParts): Buffer {
  const number = (value: number, size: 2 | 4) => {
    const bytes = Buffer.alloc(size);
    if (bigEndian) bytes.writeUIntBE(value, 0, size);
    else bytes.writeUIntLE(value, 0, size);
    return bytes;
  };
  const directory = (entries: Directory, start: number, next = 0) => {
    const sorted = [...entries].sort(([a], [b]) => a - b);
    const list: Buffer[] = [number(sorted.length, 2)];
    const values: Buffer[] = [];
    let free = start + 2 + 12 * sorted.length + 4;
    for (const [tag, value] of sorted) {
      const [type, count, bytes] = encode(value, number);
      const inside = bytes.length <= 4;
      const place = inside ? Buffer.concat([bytes, Buffer.alloc(4 - bytes.length)]) : number(free, 4);
      list.push(number(tag, 2), number(type, 2), number(count, 4), place);
      if (inside) continue;
      values.push(bytes, Buffer.alloc(bytes.length % 2));
      free += bytes.length + (bytes.length % 2);
    }
    return Buffer.concat([...list, number(next, 4), ...values]);
  };
  // Places are known once everything in front has its length, which they do not change.
  let places = { camera: 0, place: 0, second: 0, thumbnail: 0 };
  for (let round = 0; ; round++) {
    const pointers: [number, Value][] = [];
    if (camera) pointers.push([0x8769, { long: places.camera }]);
    if (place) pointers.push([0x8825, { long: places.place }]);
    const parts = [directory([...first, ...pointers], 8, thumbnail ? places.second : 0)];
    const end = () => 8 + parts.reduce((sum, part) => sum + part.length, 0);
    const next = { camera: end(), place: 0, second: 0, thumbnail: 0 };
    if (camera) parts.push(directory(camera, end()));
    next.place = end();
    if (place) parts.push(directory(place, end()));
    next.second = end();
    if (thumbnail) {
      const small: Directory = [
        [0x103, [6]],
        [0x201, { long: places.thumbnail }],
        [0x202, { long: thumbnail.length }],
      ];
      parts.push(directory(small, end()));
      next.thumbnail = end();
      parts.push(Buffer.from(thumbnail));
    }
    const header = [Buffer.from(bigEndian ? "MM" : "II"), number(42, 2), number(8, 4)];
    if (round > 0) return Buffer.concat([...header, ...parts]);
    places = next;
  }
}

function encode(value: Value, number: (value: number, size: 2 | 4) => Buffer): [number, number, Buffer] {
  if (typeof value === "string") return [2, value.length + 1, Buffer.from(`${value}\0`, "latin1")];
  if ("raw" in value) return [7, value.raw.length, Buffer.from(value.raw)];
  if ("rational" in value) return [5, 1, Buffer.concat(value.rational.map((part) => number(part, 4)))];
  if ("long" in value) return [4, 1, number(value.long, 4)];
  return [3, value.length, Buffer.concat(value.map((one) => number(one, 2)))];
}

/** A JPEG file with further segments in front. */
export function withSegments(jpeg: Uint8Array, ...segments: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(0xff, 0xd8), ...segments, jpeg.subarray(2)]);
}

export function segment(marker: number, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const data = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );
  return Buffer.concat([Buffer.of(0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255), data]);
}

/** An IPTC caption as Photoshop stores it. */
export function photoshopCaption(caption: string): Buffer {
  const record = Buffer.concat([Buffer.of(0x1c, 2, 120, 0, caption.length), Buffer.from(caption, "latin1")]);
  const length = Buffer.from([0, 0, 0, record.length]);
  return Buffer.concat([
    Buffer.from("Photoshop 3.0\x008BIM\x04\x04\0\0", "latin1"),
    length,
    record,
    Buffer.alloc(record.length % 2),
  ]);
}
