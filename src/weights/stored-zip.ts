/**
 * Zip archives whose entries are stored as they are, as PyTorch writes them. Reading one takes no memory and
 * nothing has to be unpacked. It works in browsers as well; src/data/unzip.ts reads archives of pictures from
 * the disk, compressed ones too. The format: APPNOTE.TXT of PKWARE.
 */
import { ArgumentError } from "../options/arguments.ts";
import { excerpt } from "../options/printable.ts";
import { crc32 } from "../picture/crc.ts";

/** An archive that is damaged or of another kind. */
export class ZipError extends Error {
  override name = "ZipError";
}

// Each part of an archive begins with a number of its own.
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;

const END_LENGTH = 22;
const LOCATOR_LENGTH = 20;
const LOCAL_LENGTH = 30;
const CENTRAL_LENGTH = 46;

/** More entries than the largest network has tensors. */
const MAX_ENTRIES = 2 ** 17;

/** A number that stands for one in the extra field, where it has 8 bytes. */
const IN_EXTRA = 0xffffffff;

/** Does a file begin as an archive does that has at least one entry? */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length > 4 && viewOf(bytes).getUint32(0, true) === LOCAL;
}

/**
 * The archive's entries by name, as parts of `bytes`: those whose names fit `wanted`.
 *
 * @throws ZipError if it is damaged, an entry that is wanted is compressed or encrypted, a name comes twice, or two
 *   entries share bytes.
 */
export function readStoredZip(bytes: Uint8Array, wanted = /(?:)/): Map<string, Uint8Array> {
  const view = viewOf(bytes);
  const entries = new Map<string, Uint8Array>();
  const names = new Set<string>();
  const places: { name: string; from: number; to: number }[] = [];
  for (const entry of directoryOf(bytes, view)) {
    const { name, method, flags, size, packedSize, at } = entry;
    if (names.has(name)) throw new ZipError(`there are two entries ${excerpt(name)} in it`);
    names.add(name);
    const isWanted = wanted.test(name);
    if (isWanted && flags & 1) throw new ZipError(`its entry ${excerpt(name)} is encrypted`);
    if (isWanted && (method !== 0 || size !== packedSize)) {
      throw new ZipError(`its entry ${excerpt(name)} is compressed, which torch.save's never are`);
    }
    if (at > bytes.length - LOCAL_LENGTH || view.getUint32(at, true) !== LOCAL) {
      throw new ZipError(`the entry ${excerpt(name)} is not where its directory says`);
    }
    const from = at + LOCAL_LENGTH + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
    const to = from + packedSize;
    if (to > bytes.length) throw new ZipError(`its entry ${excerpt(name)} is cut short`);
    if (isWanted) entries.set(name, bytes.subarray(from, to));
    places.push({ name, from: at, to });
  }
  places.sort((a, b) => a.from - b.from);
  for (const [i, { name, to }] of places.entries()) {
    if (to > (places[i + 1]?.from ?? to)) throw new ZipError(`its entry ${excerpt(name)} overlaps the next`);
  }
  return entries;
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly size: number;
  readonly packedSize: number;
  /** Where its header begins. */
  readonly at: number;
}

/** What the directory at the archive's end says of its entries. */
function* directoryOf(bytes: Uint8Array, view: DataView): Iterable<Entry> {
  const { count, start } = endOf(bytes, view);
  if (count > MAX_ENTRIES) throw new ZipError(`it has ${count} entries`);
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at > bytes.length - CENTRAL_LENGTH || view.getUint32(at, true) !== CENTRAL) {
      throw new ZipError("its directory is damaged");
    }
    const nameEnd = at + CENTRAL_LENGTH + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    if (extraEnd > bytes.length) throw new ZipError("its directory is damaged");
    const wide = wideNumbers(view, nameEnd, extraEnd);
    // Of those that do not fit, the extra field has the actual ones, in this order.
    const [size, packedSize, offset] = [24, 20, 42].map((place) => {
      const number = view.getUint32(at + place, true);
      return number === IN_EXTRA ? (wide.shift() ?? number) : number;
    });
    yield {
      name: decoder.decode(bytes.subarray(at + CENTRAL_LENGTH, nameEnd)),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      size,
      packedSize,
      at: offset,
    };
    at = extraEnd + view.getUint16(at + 32, true);
  }
}

/** How many entries there are and where the directory begins. */
function endOf(bytes: Uint8Array, view: DataView): { count: number; start: number } {
  // Behind it there may be a comment of up to 2^16 bytes.
  const first = Math.max(0, bytes.length - END_LENGTH - 0xffff);
  let at = bytes.length - END_LENGTH;
  while (at >= first && view.getUint32(at, true) !== END) at--;
  if (at < first) throw new ZipError("its directory is missing, as in a file that is cut short");
  const locator = at - LOCATOR_LENGTH;
  if (locator >= 0 && view.getUint32(locator, true) === LOCATOR_64) {
    const wide = Number(view.getBigUint64(locator + 8, true));
    if (wide > bytes.length - 56 || view.getUint32(wide, true) !== END_64) {
      // Several archives, one behind another, of which each says where things are in itself.
      throw new ZipError("its directory is damaged, or it is a part of a distributed checkpoint");
    }
    const numbers = [32, 48].map((place) => Number(view.getBigUint64(wide + place, true)));
    return { count: numbers[0], start: numbers[1] };
  }
  return { count: view.getUint16(at + 10, true), start: view.getUint32(at + 16, true) };
}

/** The numbers of 8 bytes in an extra field. */
function wideNumbers(view: DataView, from: number, to: number): number[] {
  for (let at = from; at + 4 <= to; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && end <= to) {
      const numbers: number[] = [];
      for (let place = at + 4; place + 8 <= end; place += 8) {
        numbers.push(Number(view.getBigUint64(place, true)));
      }
      return numbers;
    }
    at = end;
  }
  return [];
}

/** Where PyTorch wants the contents of entries to begin: at multiples of this. */
const ALIGNMENT = 64;

/** Nothing that is written here needs numbers of 8 bytes. */
const MAX_LENGTH = 2 ** 32 - 2 ** 20;

/** An archive with these entries, in this order. @throws RangeError above 4 GiB */
export function writeStoredZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const names = [...entries.keys()].map((name) => encoder.encode(name));
  const contents = [...entries.values()];
  const places: { at: number; padding: number; crc: number }[] = [];
  let length = 0;
  for (const [i, content] of contents.entries()) {
    const at = length;
    const plain = at + LOCAL_LENGTH + names[i].length + 4;
    const padding = (ALIGNMENT - (plain % ALIGNMENT)) % ALIGNMENT;
    places.push({ at, padding, crc: crc32(content) });
    length = plain + padding + content.length;
  }
  const directory = length;
  for (const name of names) length += CENTRAL_LENGTH + name.length;
  if (length > MAX_LENGTH)
    throw new ArgumentError("writeStoredZip", `${length} bytes are more than a file can have.`);

  const bytes = new Uint8Array(length + END_LENGTH);
  const view = viewOf(bytes);
  /** What both kinds of header have: version, flags (names are UTF-8), method, time, date (1 January 1980). */
  const common = (start: number, i: number) => {
    view.setUint16(start, 10, true);
    view.setUint16(start + 2, 0x800, true);
    view.setUint16(start + 8, 0x21, true);
    view.setUint32(start + 10, places[i].crc, true);
    view.setUint32(start + 14, contents[i].length, true);
    view.setUint32(start + 18, contents[i].length, true);
    view.setUint16(start + 22, names[i].length, true);
  };
  let at = directory;
  for (const [i, name] of names.entries()) {
    const { at: local, padding } = places[i];
    view.setUint32(local, LOCAL, true);
    common(local + 4, i);
    view.setUint16(local + 28, 4 + padding, true);
    bytes.set(name, local + LOCAL_LENGTH);
    const extra = local + LOCAL_LENGTH + name.length;
    view.setUint16(extra, 0x4246, true); // "FB", as PyTorch calls its padding
    view.setUint16(extra + 2, padding, true);
    bytes.set(contents[i], extra + 4 + padding);

    view.setUint32(at, CENTRAL, true);
    view.setUint16(at + 4, 10, true);
    common(at + 6, i);
    view.setUint32(at + 42, local, true);
    bytes.set(name, at + CENTRAL_LENGTH);
    at += CENTRAL_LENGTH + name.length;
  }
  view.setUint32(at, END, true);
  view.setUint16(at + 8, names.length, true);
  view.setUint16(at + 10, names.length, true);
  view.setUint32(at + 12, at - directory, true);
  view.setUint32(at + 16, directory, true);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
