/**
 * EXIF: what a camera notes about a picture, in directories of tags, as in a small TIFF file without samples.
 * EXIF 2.32, 4.6. What a directory says is patched in place, since makers' own notes count on places.
 */

import type { Size } from "../picture/image.ts";
import { growth, type SourcePicture, subjectIn } from "./picture-places.ts";

export { orientationOf } from "../picture/turn.ts";

/** A directory's entry: `bytes` are the values, in the byte order of the file. */
export interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where the values begin in the file. */
  readonly at: number;
}

/** Pixels per inch. */
export interface Density {
  readonly x: number;
  readonly y: number;
  /** They are in no unit: only their ratio is known, by which pixels are not square. */
  readonly isRatio?: true;
}

export const tags = {
  newSubfileType: 254,
  bitsPerSample: 258,
  imageWidth: 256,
  imageHeight: 257,
  orientation: 274,
  xResolution: 282,
  yResolution: 283,
  resolutionUnit: 296,
  transferFunction: 301,
  whitePoint: 318,
  primaries: 319,
  thumbnailStart: 513,
  thumbnailLength: 514,
  subDirectories: 330,
  exif: 34665,
  gps: 34853,
  pixelWidth: 40962,
  pixelHeight: 40963,
  interoperability: 40965,
  subjectArea: 37396,
  subjectLocation: 41492,
  focalPlaneX: 41486,
  focalPlaneY: 41487,
  dngVersion: 50706,
} as const;

/** Bytes of a value, by the number of its type. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** Bytes of the parts of a value that byte order turns round. */
const unitBytes = [0, 1, 1, 2, 4, 4, 1, 1, 2, 4, 4, 4, 8, 4, 0, 0, 8, 8, 8];

/** Bytes of whole numbers, by the number of their type. */
const wholeBytes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 };

const [SHORT, LONG, RATIONAL] = [3, 4, 5];

/** As many as other than BigTIFF files can say. */
const MAX_ENTRIES = 2 ** 16 - 1;

/** Reads directories, of TIFF files as well, also of those beyond 4 GiB. */
export class Directories {
  readonly bytes: Buffer;
  readonly littleEndian: boolean;
  /** BigTIFF: 8 bytes for places and counts. */
  readonly wide: boolean;
  readonly first: number;

  /** @throws RangeError if the bytes do not begin as such a file. */
  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const order = this.bytes.toString("latin1", 0, 2);
    this.littleEndian = order === "II";
    const version = this.uint(2, 2);
    this.wide = version === 43;
    if ((order !== "II" && order !== "MM") || (version !== 42 && version !== 43)) {
      throw new RangeError("no TIFF header");
    }
    this.first = this.wide ? this.uint(8, 8) : this.uint(4, 4);
  }

  /** A number of 1, 2, 4 or 8 bytes. @throws RangeError beyond the end */
  uint(at: number, size: number): number {
    if (size === 8) {
      return Number(this.littleEndian ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at));
    }
    return this.littleEndian ? this.bytes.readUIntLE(at, size) : this.bytes.readUIntBE(at, size);
  }

  put(at: number, size: 2 | 4, value: number): void {
    if (this.littleEndian) this.bytes.writeUIntLE(value, at, size);
    else this.bytes.writeUIntBE(value, at, size);
  }

  /**
   * The entries of the directory at a place; those whose values lie outside are left out. Values may overlap
   * in hostile files: together they must not be longer than the file.
   *
   * @throws RangeError if the directory lies outside, or has more entries than any: even BigTIFF files have few
   */
  entries(directory: number): Entry[] {
    const { countBytes, entryBytes, placeBytes } = this.sizes;
    const count = this.uint(directory, countBytes);
    if (count > MAX_ENTRIES) throw new RangeError(`a directory of ${count} entries`);
    const entries: Entry[] = [];
    let room = this.bytes.length;
    for (let i = 0, at = directory + countBytes; i < count; i++, at += entryBytes) {
      const [tag, type, values] = [this.uint(at, 2), this.uint(at + 2, 2), this.uint(at + 4, placeBytes)];
      const size = (typeBytes[type] ?? 0) * values;
      const valueAt = at + 4 + placeBytes;
      const place = size <= placeBytes ? valueAt : this.uint(valueAt, placeBytes);
      if (size === 0 || place + size > this.bytes.length || size > room) continue;
      room -= size;
      entries.push({ tag, type, count: values, bytes: this.bytes.subarray(place, place + size), at: place });
    }
    return entries;
  }

  /** Makes each entry of a tag one SHORT, whatever it is. */
  setShort(directory: number, tag: number, value: number): void {
    const { countBytes, entryBytes, placeBytes } = this.sizes;
    const end = this.nextAt(directory);
    for (let at = directory + countBytes; at < end; at += entryBytes) {
      if (this.uint(at, 2) !== tag) continue;
      this.bytes.fill(0, at + 2, at + entryBytes);
      this.put(at + 2, 2, SHORT);
      this.put(at + (this.littleEndian ? 4 : placeBytes), 4, 1);
      this.put(at + 4 + placeBytes, 2, value);
    }
  }

  /** Takes an entry out of a directory. Those behind it move up, but no values. */
  remove(directory: number, tag: number): void {
    const { countBytes, entryBytes, placeBytes } = this.sizes;
    const end = this.nextAt(directory) + placeBytes;
    for (let at = directory + countBytes; at + entryBytes < end; at += entryBytes) {
      if (this.uint(at, 2) !== tag) continue;
      this.bytes.copyWithin(at, at + entryBytes, end);
      this.bytes.fill(0, end - entryBytes, end);
      const count = this.uint(directory, countBytes) - 1;
      if (this.wide) this.put(directory + (this.littleEndian ? 0 : 4), 4, count);
      else this.put(directory, 2, count);
      return;
    }
  }

  /** Where the place of the directory behind this one is written. */
  nextAt(directory: number): number {
    const { countBytes, entryBytes } = this.sizes;
    return directory + countBytes + entryBytes * this.uint(directory, countBytes);
  }

  /** The first value of an entry, if it is a whole number. */
  value(entry: Entry | undefined): number | undefined {
    const size = entry && wholeBytes[entry.type];
    return size && this.uint(entry.at, size);
  }

  /** All values of an entry; none unless they are whole numbers. */
  values(entry: Entry): number[] {
    const size = wholeBytes[entry.type];
    return size ? Array.from({ length: entry.count }, (_, i) => this.uint(entry.at + i * size, size)) : [];
  }

  find(directory: number, tag: number): Entry | undefined {
    return this.entries(directory).find((entry) => entry.tag === tag);
  }

  private get sizes() {
    return this.wide
      ? { countBytes: 8, entryBytes: 20, placeBytes: 8 }
      : { countBytes: 2, entryBytes: 12, placeBytes: 4 };
  }
}

/**
 * EXIF data for a picture that was turned upright and has a new size: orientation 1, the new width and height
 * wherever the old ones stand, and no thumbnail, which would show the old picture. With `density`, they have
 * that resolution if they had none. With `source`, the picture that they speak of, places in it move along.
 *
 * @returns undefined if the data are damaged.
 */
export function forNewPicture(
  exif: Uint8Array,
  size: Size,
  density?: Density,
  source?: SourcePicture,
): Uint8Array | undefined {
  try {
    const file = new Directories(Uint8Array.from(exif));
    const patch = (directory: number, tag: number, value: number) => {
      const entry = file.find(directory, tag);
      // A value of 4 bytes stands in its entry, where those of 2 bytes stand, too.
      if (entry?.count !== 1 || (entry.type !== SHORT && entry.type !== LONG)) return;
      file.put(entry.at - 6, 2, LONG);
      file.put(entry.at, 4, value);
    };
    file.setShort(file.first, tags.orientation, 1);
    patch(file.first, tags.imageWidth, size.width);
    patch(file.first, tags.imageHeight, size.height);
    const exifDirectory = file.value(file.find(file.first, tags.exif));
    if (exifDirectory !== undefined) {
      patch(exifDirectory, tags.pixelWidth, size.width);
      patch(exifDirectory, tags.pixelHeight, size.height);
      if (source) moveSubjects(file, exifDirectory, source, size);
    }
    const bytes = withoutThumbnail(file);
    return density ? withDensity(bytes, density) : bytes;
  } catch {
    return undefined;
  }
}

/** Where the subject is, in the new picture, and how many of its pixels a unit on the sensor takes. */
function moveSubjects(file: Directories, directory: number, source: SourcePicture, size: Size): void {
  for (const tag of [tags.subjectArea, tags.subjectLocation]) {
    const entry = file.find(directory, tag);
    if (entry?.type !== SHORT || entry.count < 2 || entry.count > 4) continue;
    const moved = subjectIn(file.values(entry), source, size);
    if (Math.max(...moved) > 0xffff) file.remove(directory, tag);
    else for (const [i, value] of moved.entries()) file.put(entry.at + 2 * i, 2, Math.max(0, value));
  }
  const factor = growth(source, size);
  const [x, y] = [tags.focalPlaneX, tags.focalPlaneY].map((tag) => file.find(directory, tag));
  if (x?.type !== RATIONAL || y?.type !== RATIONAL) return;
  const [perX, perY] = [x, y].map(({ at }) => file.uint(at, 4) / file.uint(at + 4, 4));
  const isTurned = source.orientation >= 5;
  const moved = [(isTurned ? perY : perX) * factor.x, (isTurned ? perX : perY) * factor.y];
  if (!moved.every(Number.isFinite)) return; // unknown
  const [newX, newY] = moved.map(fraction);
  for (const [tag, { at }, parts] of [
    [tags.focalPlaneX, x, newX],
    [tags.focalPlaneY, y, newY],
  ] as const) {
    if (newX && newY && parts) for (const [i, part] of parts.entries()) file.put(at + 4 * i, 4, part);
    else file.remove(directory, tag);
  }
}

/** Data that say the resolution alone. */
export function exifOfDensity(density: Density): Uint8Array {
  return withDensity(Buffer.from("49492a00080000000000" + "00000000", "hex"), density);
}

/** The second directory belongs to a thumbnail. It is unlinked, and the picture in it erased. */
function withoutThumbnail(file: Directories): Uint8Array {
  const { bytes, first } = file;
  const link = file.nextAt(first);
  const second = link + 4 <= bytes.length ? file.uint(link, 4) : 0;
  if (second === 0) return bytes;
  file.put(link, 4, 0);
  const start = file.value(file.find(second, tags.thumbnailStart));
  const length = file.value(file.find(second, tags.thumbnailLength));
  if (start === undefined || length === undefined || start < 8) return bytes;
  if (start + length >= bytes.length) return bytes.subarray(0, Math.min(start, bytes.length));
  return bytes.fill(0, start, start + length);
}

/** Adds resolution tags to the first directory, which moves to the end. What has them stays as it is. */
function withDensity(bytes: Uint8Array, density: Density): Uint8Array {
  const file = new Directories(bytes);
  const entries = file.entries(file.first);
  if (entries.some(({ tag }) => tag === tags.xResolution)) return bytes;
  const added = densityEntries(density, file);
  const kept = entries.filter(({ tag }) => !added.some((entry) => entry.tag === tag));
  const start = bytes.length + (bytes.length % 2);
  const directory = encodeDirectory([...kept, ...added], start, file);
  const result = Buffer.concat([bytes, Buffer.alloc(start - bytes.length), directory]);
  new Directories(result).put(4, 4, start);
  return result;
}

/** The entries for a resolution from 0.1 to 65,535; if it is unknown, pixels are as wide as high. */
export function densityEntries(density: Density | undefined, order: Order): Omit<Entry, "at">[] {
  const { x, y, isRatio = false } = density ?? { x: 1, y: 1, isRatio: true };
  const [noUnit, inch] = [1, 2];
  return [
    { tag: tags.xResolution, type: RATIONAL, values: fraction(x)! },
    { tag: tags.yResolution, type: RATIONAL, values: fraction(y)! },
    { tag: tags.resolutionUnit, type: SHORT, values: [isRatio ? noUnit : inch] },
  ].map(({ tag, type, values }) => ({ tag, type, count: 1, bytes: encode(type, values, order) }));
}

function encode(type: number, values: readonly number[], { littleEndian }: Order): Uint8Array {
  const size = unitBytes[type];
  const bytes = Buffer.alloc(size * values.length);
  for (const [i, value] of values.entries()) {
    if (littleEndian) bytes.writeUIntLE(value, i * size, size);
    else bytes.writeUIntBE(value, i * size, size);
  }
  return bytes;
}

interface Order {
  readonly littleEndian: boolean;
  readonly wide: boolean;
}

/** A directory that begins at `start`, with the values that do not fit into it behind it. */
function encodeDirectory(
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

/** A number as numerator and denominator of 32 bits; undefined if it is too large for them, or too small. */
function fraction(value: number): [number, number] | undefined {
  if (value === 0) return [0, 1];
  const denominator = Number.isInteger(value) || value > 4e5 ? 1 : value < 1 ? 1e9 : 10_000;
  const numerator = Math.round(value * denominator);
  return numerator >= 1 && numerator < 2 ** 32 ? [numerator, denominator] : undefined;
}

/** Pixels that are not square, where a file says no more than that; undefined for square ones. */
export function ratioOf(x: number, y: number): Density | undefined {
  return x === y ? undefined : { x, y, isRatio: true };
}

/** The resolution that a directory states; undefined without one. */
export function densityIn(file: Directories, directory: number): Density | undefined {
  const entries = file.entries(directory);
  const unit = file.value(entries.find(({ tag }) => tag === tags.resolutionUnit)) ?? 2;
  const read = (wanted: number) => {
    const entry = entries.find(({ tag, type }) => tag === wanted && type === RATIONAL);
    return entry && file.uint(entry.at, 4) / file.uint(entry.at + 4, 4);
  };
  const [x, y] = [read(tags.xResolution), read(tags.yResolution)];
  if (!x || !y || !Number.isFinite(x * y)) return undefined;
  if (unit !== 2 && unit !== 3) return ratioOf(x, y);
  const perInch = unit === 3 ? 2.54 : 1;
  return { x: x * perInch, y: y * perInch };
}
