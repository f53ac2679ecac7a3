/** Directories of tags, which TIFF files and EXIF data consist of, read and patched in place. */
import { asBuffer } from "./read.ts";

/** A directory's entry: `bytes` are the values, in the byte order of the file. */
export interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where the values begin in the file. */
  readonly at: number;
}

/** Where the values of an entry lie. */
export interface Place extends Pick<Entry, "tag" | "type" | "count" | "at"> {
  readonly size: number;
  /** They are so short that they stand in the directory itself. */
  readonly isWithin: boolean;
}

export const tags = {
  newSubfileType: 254,
  imageWidth: 256,
  imageHeight: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
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
  extraSamples: 338,
  yCbCrCoefficients: 529,
  yCbCrSubsampling: 530,
  referenceBlackWhite: 532,
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

/** Types of values, by their numbers. */
export const [ASCII, SHORT, LONG, RATIONAL, DOUBLE] = [2, 3, 4, 5, 12];

/** Bytes of a value, by the number of its type. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** Bytes of whole numbers, by the number of their type. */
const wholeBytes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 };

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
    this.bytes = asBuffer(bytes);
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

  double(at: number): number {
    return this.littleEndian ? this.bytes.readDoubleLE(at) : this.bytes.readDoubleBE(at);
  }

  putDouble(at: number, value: number): void {
    if (this.littleEndian) this.bytes.writeDoubleLE(value, at);
    else this.bytes.writeDoubleBE(value, at);
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
    const entries: Entry[] = [];
    let room = this.bytes.length;
    for (const { tag, type, count, size, at } of this.#fields(directory)) {
      if (at + size > this.bytes.length || size > room) continue;
      room -= size;
      entries.push({ tag, type, count, bytes: this.bytes.subarray(at, at + size), at });
    }
    return entries;
  }

  /**
   * Where the values of a tag lie: `size` bytes from `at` on, which may be behind the end of these bytes unless they
   * are within the directory.
   *
   * @throws RangeError as `entries`
   */
  placeOf(directory: number, tag: number): Place | undefined {
    for (const field of this.#fields(directory)) if (field.tag === tag) return field;
    return undefined;
  }

  *#fields(directory: number): Generator<Place> {
    const { countBytes, entryBytes, placeBytes } = this.sizes;
    const count = this.uint(directory, countBytes);
    if (count > MAX_ENTRIES) throw new RangeError(`a directory of ${count} entries`);
    for (let i = 0, at = directory + countBytes; i < count; i++, at += entryBytes) {
      const [tag, type, values] = [this.uint(at, 2), this.uint(at + 2, 2), this.uint(at + 4, placeBytes)];
      const size = (typeBytes[type] ?? 0) * values;
      if (size === 0) continue;
      const valueAt = at + 4 + placeBytes;
      const isWithin = size <= placeBytes;
      yield {
        tag,
        type,
        count: values,
        size,
        at: isWithin ? valueAt : this.uint(valueAt, placeBytes),
        isWithin,
      };
    }
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

  /** Takes entries out of a directory. Those behind them move up, but no values. */
  remove(directory: number, ...unwanted: readonly number[]): void {
    const { countBytes, entryBytes, placeBytes } = this.sizes;
    const [start, next] = [directory + countBytes, this.nextAt(directory)];
    let end = start;
    for (let at = start; at < next; at += entryBytes) {
      if (unwanted.includes(this.uint(at, 2))) continue;
      this.bytes.copyWithin(end, at, at + entryBytes);
      end += entryBytes;
    }
    if (end === next) return;
    // Where the directory ends the data, some files lack the place of a next one: it is none.
    const place = Uint8Array.from(this.bytes.subarray(next, next + placeBytes));
    this.bytes
      .subarray(end, next + placeBytes)
      .fill(0)
      .set(place);
    const count = (end - start) / entryBytes;
    if (this.wide) this.put(directory + (this.littleEndian ? 0 : 4), 4, count);
    else this.put(directory, 2, count);
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
  values(entry: Pick<Entry, "type" | "count" | "at">): number[] {
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
