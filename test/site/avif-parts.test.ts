/** AVIF files that were made to break their reader: what they say of metadata is left out, at once. */
import { expect, test } from "vitest";
import { partsOfAvif } from "../../site/pictures/avif-parts.ts";

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
}

const zeros = (length: number) => Buffer.alloc(length);
const uint16 = (...values: number[]) =>
  Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)));

/** A file whose EXIF data are item 1, with this list of places. */
function withPlaces(iloc: Buffer): Buffer {
  const entry = box("infe", Buffer.of(2, 0, 0, 0), uint16(1, 0), Buffer.from("Exif\0"));
  const meta = box("meta", zeros(4), box("iinf", zeros(4), uint16(1), entry), box("iloc", iloc));
  return Buffer.concat([box("ftyp", Buffer.from("avif"), zeros(4)), meta]);
}

test("the item's own places are read, behind those of another item", () => {
  const tail = Buffer.from("\0\0\0\0II*\0\x08\0\0\0", "latin1");
  const places = (start: number) =>
    withPlaces(
      Buffer.concat([
        ...[zeros(4), Buffer.of(0x44, 0), uint16(2)],
        ...[uint16(2, 0, 2), zeros(16)], // item 2 in two places
        ...[uint16(1, 0, 1), uint16(0, start, 0, tail.length)],
      ]),
    );
  const start = places(0).length;
  const { exif } = partsOfAvif(Buffer.concat([places(start), tail]));
  expect(exif && [...exif]).toEqual([...tail.subarray(4)]);
});

test("places without bytes of their own cost no time", () => {
  // Item 2 again and again, each with 65535 places that take no bytes in the list.
  const items = Array.from({ length: 65535 }, () => uint16(2, 0, 65535));
  const file = withPlaces(Buffer.concat([zeros(4), uint16(0, items.length), ...items]));
  const began = performance.now();
  expect(partsOfAvif(file).exif).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(2000); // it took minutes
});

test("all of the file again and again is no item", () => {
  const places = Array.from({ length: 9 }, () => uint16(0, 100));
  const file = withPlaces(
    Buffer.concat([zeros(4), Buffer.of(0x04, 0), uint16(1), uint16(1, 0, 9), ...places]),
  );
  expect(partsOfAvif(file).exif).toBeUndefined();
});

test("a list of frames that ends with the file has none", () => {
  const stsz = box("stsz", zeros(8));
  const movie = ["stbl", "minf", "mdia", "trak", "moov"].reduce((inner, type) => box(type, inner), stsz);
  expect(partsOfAvif(movie).frames).toBe(1);
});
