/** AVIF files as boxes within boxes: ISO/IEC 14496-12 and, for pictures, 23008-12. */
import { DataError } from "../picture/errors.ts";
import { asBuffer, type Read } from "./read.ts";

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

/** These have a version and flags in front of their boxes. */
const withVersion: readonly string[] = ["meta", "iref"];

/** The first box of a type in a file, in that the first of another type, and so on. */
export function boxWithin(read: Read, length: number, ...types: readonly string[]): Box | undefined {
  let found: Box = { type: "", start: 0, end: length };
  for (const type of types) {
    const start = found.start + (withVersion.includes(found.type) ? 4 : 0);
    const [next] = [...boxesOf(read, start, Math.min(found.end, length))].filter((box) => box.type === type);
    if (!next) return undefined;
    found = next;
  }
  return found;
}

/** Whether colours of an AVIF picture are stored multiplied by their alpha: an item refers to its alpha by "prem". */
export function isPremultiplied(read: Read, length: number): boolean {
  return boxWithin(read, length, "meta", "iref", "prem") !== undefined;
}
