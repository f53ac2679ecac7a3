/** AVIF files as boxes within boxes: ISO/IEC 14496-12 and, for pictures, 23008-12. */
import type { Read } from "./png.ts";

export interface Box {
  readonly type: string;
  /** Where its content begins, and where it ends; in a file that was cut short, that lies outside. */
  readonly start: number;
  readonly end: number;
}

/** The boxes in a part of a file. */
export function* boxesOf(read: Read, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const bytes = read(at, 16);
    if (bytes.length < 8) return;
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = head.readUInt32BE();
    const isLong = size === 1 && head.length === 16;
    const end = size === 0 ? to : at + (isLong ? Number(head.readBigUInt64BE(8)) : size);
    const start = at + (isLong ? 16 : 8);
    if (end < start) return; // damaged
    yield { type: head.toString("latin1", 4, 8), start, end };
    at = end;
  }
}

/** Whether colours of an AVIF picture are stored multiplied by their alpha: an item refers to its alpha by "prem". */
export function isPremultiplied(read: Read, length: number): boolean {
  const within = (box: Box | undefined, type: string) =>
    // Both have a version and flags in front of their boxes.
    box && [...boxesOf(read, box.start + 4, Math.min(box.end, length))].find((inner) => inner.type === type);
  const meta = [...boxesOf(read, 0, length)].find(({ type }) => type === "meta");
  return within(within(meta, "iref"), "prem") !== undefined;
}
