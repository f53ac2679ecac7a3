/** Directories of tags as bytes: one, or a tree of them. */
import { type Directories, type Entry, LONG, tags } from "./directories.ts";

/** How a file writes numbers, as `Directories` has it. */
export interface Order {
  readonly littleEndian: boolean;
  /** BigTIFF: 8 bytes for places and counts. */
  readonly wide: boolean;
}

/** Bytes of the parts of a value that byte order turns round. */
const unitBytes = [0, 1, 1, 2, 4, 4, 1, 1, 2, 4, 4, 4, 8, 4, 0, 0, 8, 8, 8];

/** A directory that begins at `start`, with the values that do not fit into it behind it. */
export function encodeDirectory(
  entries: readonly Omit<Entry, "at">[],
  start: number,
  { littleEndian, wide }: Order,
): Buffer {
  const [countBytes, entryBytes, placeBytes] = wide ? [8, 20, 8] : [2, 12, 4];
  const sorted = [...entries].sort((a, b) => a.tag - b.tag);
  const list = Buffer.alloc(countBytes + entryBytes * sorted.length + placeBytes);
  const put = (at: number, size: number, value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    const part = bytes.subarray(0, size);
    list.set(littleEndian ? part : part.reverse(), at);
  };
  put(0, countBytes, sorted.length);
  const values: Buffer[] = [];
  let end = list.length;
  for (const [i, { tag, type, count, bytes }] of sorted.entries()) {
    const at = countBytes + entryBytes * i;
    put(at, 2, tag);
    put(at + 2, 2, type);
    put(at + 4, placeBytes, count);
    if (bytes.length <= placeBytes) list.set(bytes, at + 4 + placeBytes);
    else {
      put(at + 4 + placeBytes, placeBytes, start + end);
      values.push(Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)])); // places are even
      end += bytes.length + (bytes.length % 2);
    }
  }
  return Buffer.concat([list, ...values]);
}

/** The values of an entry, which are of the type with that number, as bytes. */
export function encode(type: number, values: readonly number[], { littleEndian }: Order): Uint8Array {
  const size = unitBytes[type];
  const bytes = Buffer.alloc(size * values.length);
  for (const [i, value] of values.entries()) {
    if (littleEndian) bytes.writeUIntLE(value, i * size, size);
    else bytes.writeUIntBE(value, i * size, size);
  }
  return bytes;
}

/** A number as numerator and denominator of 32 bits; undefined if it is too large for them, or too small. */
export function fraction(value: number): [number, number] | undefined {
  if (value === 0) return [0, 1];
  const denominator = Number.isInteger(value) || value > 4e5 ? 1 : value < 1 ? 1e9 : 10_000;
  const numerator = Math.round(value * denominator);
  return numerator >= 1 && numerator < 2 ** 32 ? [numerator, denominator] : undefined;
}

/** A directory with those that it leads to. */
export interface Tree {
  readonly entries: readonly Omit<Entry, "at">[];
  readonly children: readonly { readonly tag: number; readonly tree: Tree }[];
}

/** Tags that lead to further directories. */
const pointers: readonly number[] = [tags.exif, tags.gps, tags.interoperability];

/** @throws RangeError if a directory lies outside */
export function readTree(file: Directories, directory: number, depth = 0): Tree {
  const all = file.entries(directory);
  const isPointer = ({ tag }: Entry) => pointers.includes(tag);
  const places = new Map<number, number>();
  for (const entry of depth < 3 ? all.filter(isPointer) : []) {
    const place = file.value(entry);
    if (place !== undefined && !places.has(entry.tag)) places.set(entry.tag, place);
  }
  const children = [...places].map(([tag, place]) => ({ tag, tree: readTree(file, place, depth + 1) }));
  return { entries: all.filter((entry) => !isPointer(entry)), children };
}

/** A tree that begins at `start`, an even place. */
export function encodeTree({ entries, children }: Tree, start: number, order: Order): Buffer {
  const withPlaces = (places: readonly number[]) =>
    children.map(({ tag }, i) => ({ tag, type: LONG, count: 1, bytes: encode(LONG, [places[i]], order) }));
  const none = children.map(() => 0);
  let end = start + encodeDirectory([...entries, ...withPlaces(none)], start, order).length;
  const places: number[] = [];
  const parts: Buffer[] = [];
  for (const { tree } of children) {
    places.push(end);
    parts.push(encodeTree(tree, end, order));
    end += parts[parts.length - 1].length;
  }
  return Buffer.concat([encodeDirectory([...entries, ...withPlaces(places)], start, order), ...parts]);
}

/** A tree as EXIF data; undefined if nothing is in it. */
export function encodeExif(tree: Tree, littleEndian: boolean): Uint8Array | undefined {
  if (tree.entries.length + tree.children.length === 0) return undefined;
  const header = littleEndian ? "49492a0008000000" : "4d4d002a00000008";
  return Buffer.concat([Buffer.from(header, "hex"), encodeTree(tree, 8, { littleEndian, wide: false })]);
}

/** The same tree for a file of the other byte order. */
export function withBytesTurned({ entries, children }: Tree): Tree {
  return {
    entries: entries.map((entry) => ({ ...entry, bytes: swapUnits(entry.bytes, unitBytes[entry.type]) })),
    children: children.map(({ tag, tree }) => ({ tag, tree: withBytesTurned(tree) })),
  };
}

function swapUnits(bytes: Uint8Array, unit: number): Uint8Array {
  return bytes.map((_, i) => bytes[i - (i % unit) + (unit - 1 - (i % unit))]);
}
