/** AVIF files as boxes within boxes: ISO/IEC 14496-12 and, for pictures, 23008-12. */
import { DataError } from "../picture/errors.ts";
import { asBuffer, type Read, readFrom } from "./read.ts";

export interface Box {
  readonly type: string;
  /** Where its content begins, and where it ends; in a file that was cut short, that lies outside. */
  readonly start: number;
  readonly end: number;
}

/** More than side by side in any picture. */
const MOST_BOXES = 10_000;

/** Decoders read all boxes one by one. @throws DataError for a file of so many that they were made to take time */
export function refuseManyBoxes(name: string, read: Read, length: number): void {
  let count = 0;
  for (const _ of boxesOf(read, 0, length)) count++;
  if (count <= MOST_BOXES) return;
  throw new DataError(
    `${name}: this AVIF picture has more than ${MOST_BOXES} parts, and others have a few. ` +
      "It is damaged; download or copy it again, or leave it out.",
  );
}

/** The boxes in a part of a file; of too many, one more than are allowed. */
export function* boxesOf(read: Read, from: number, to: number): Generator<Box> {
  for (let [at, count] = [from, 0]; at + 8 <= to && count <= MOST_BOXES; count++) {
    const bytes = read(at, 16);
    if (bytes.length < 8) return;
    const head = asBuffer(bytes);
    const size = head.readUInt32BE();
    const isLong = size === 1 && head.length === 16;
    const end = size === 0 ? to : at + (isLong ? Number(head.readBigUInt64BE(8)) : size);
    const start = at + (isLong ? 16 : 8);
    if (end < start) return; // damaged
    yield { type: head.toString("latin1", 4, 8), start, end };
    at = end;
  }
}

/** Boxes that have a version and flags in front of their content. */
const versionedBoxes = new Set(["meta", "iref"]);

/** The first box of each of these types in the one before. */
export function boxAt(read: Read, length: number, types: readonly string[]): Box | undefined {
  let box: Box = { type: "", start: 0, end: length };
  for (const type of types) {
    const start = box.start + (versionedBoxes.has(box.type) ? 4 : 0);
    const found = firstOf(type, boxesOf(read, start, Math.min(box.end, length)));
    if (found === undefined) return undefined;
    box = found;
  }
  return box;
}

function firstOf(type: string, boxes: Iterable<Box>): Box | undefined {
  for (const box of boxes) if (box.type === type) return box;
  return undefined;
}

/**
 * What a file says of its main picture alone: one list has the properties of all pictures in it, such as alpha and
 * thumbnails, and another says whose they are. In the order in which they hold; none, if that is damaged.
 */
export function propertiesOfMain(read: Read, length: number): readonly Box[] {
  const main = boxAt(read, length, ["meta", "pitm"]);
  const properties = boxAt(read, length, ["meta", "iprp"]);
  const list = boxAt(read, length, ["meta", "iprp", "ipco"]);
  if (!main || !properties || !list) return [];
  const inside = ({ start, end }: Box) => [...boxesOf(read, start, Math.min(end, length))];
  const all = inside(list);
  try {
    const head = asBuffer(read(main.start, 8));
    const mainId = head.readUIntBE(4, head[0] === 0 ? 2 : 4);
    for (const { type, start, end } of inside(properties)) {
      if (type !== "ipma") continue;
      const bytes = asBuffer(read(start, Math.min(end, length) - start));
      const [idBytes, placeBytes] = [bytes[0] === 0 ? 2 : 4, bytes[3] & 1 ? 2 : 1];
      for (let [items, at] = [bytes.readUInt32BE(4), 8]; items > 0; items--) {
        const id = bytes.readUIntBE(at, idBytes);
        const count = bytes.readUInt8(at + idBytes);
        at += idBytes + 1;
        // The uppermost bit says whether it may be passed over.
        const places = Array.from(
          { length: count },
          (_, i) => bytes.readUIntBE(at + i * placeBytes, placeBytes) % 2 ** (8 * placeBytes - 1),
        );
        if (id === mainId) return places.flatMap((place) => all[place - 1] ?? []);
        at += count * placeBytes;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a list ends too early
  }
  return [];
}

/** Whether colours of an AVIF picture are stored multiplied by their alpha: an item refers to its alpha by "prem". */
export function isPremultiplied(read: Read, length: number): boolean {
  return boxAt(read, length, ["meta", "iref", "prem"]) !== undefined;
}

/** What the first box of an AVIF file begins with: its kind. */
const KIND_AT = 8;

/** Whether a file is an animation that has its first picture as a still one, too, as it should: ISO/IEC 23000-22, 7. */
export function isSequence(read: Read, length: number): boolean {
  const isAnimation = asBuffer(read(KIND_AT, 4)).toString("latin1") === "avis";
  return isAnimation && boxAt(read, length, ["meta", "pitm"]) !== undefined;
}

/** How many pictures an animation has. */
export function framesOfSequence(read: Read, length: number): number {
  const sizes = boxAt(read, length, ["moov", "trak", "mdia", "minf", "stbl", "stsz"]);
  const content = sizes && asBuffer(read(sizes.start, 12));
  return content?.length === 12 ? content.readUInt32BE(8) : 1;
}

/** An animation as a still picture, which libvips reads: it is of no other kind, and has no track. */
export function asStill(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes); // a copy
  for (const { type, start, end } of boxesOf(readFrom(bytes), 0, bytes.length)) {
    if (type === "ftyp") {
      for (let at = start; at + 4 <= Math.min(end, file.length); at += 4) {
        if (kindsOfSequences.includes(file.toString("latin1", at, at + 4))) file.write("avif", at, "latin1");
      }
    }
    // The type stands in front of the content, or in front of a length of 8 bytes.
    if (type === "moov") file.write("free", file.lastIndexOf(type, start - 4, "latin1"), "latin1");
  }
  return file;
}

const kindsOfSequences = ["avis", "msf1"];
