/** What TIFF files say besides samples: the same directories as EXIF data, in the file's own first directory. */
import { open } from "node:fs/promises";
import {
  type Density,
  Directories,
  densityEntries,
  type Entry,
  encodeTree,
  readTree,
  type Tree,
  tags,
  withBytesTurned,
} from "./exif.ts";
import { type ColorNumbers, srgbPrimaries } from "./icc.ts";
import type { Read } from "./png.ts";

const [IPTC_TAG, PHOTOSHOP_TAG] = [33723, 34377];
const resolutionTags: readonly number[] = [tags.xResolution, tags.yResolution, tags.resolutionUnit];

/** Tags that say how samples lie in a file, or stand elsewhere: compression, resolution, XMP, profile… */
function isStructural(tag: number): boolean {
  const outside = [tags.orientation, ...resolutionTags, 700, 32997];
  const others = [...outside, IPTC_TAG, PHOTOSHOP_TAG, 34675, 42112, 42113];
  const describing = [269, 270, 271, 272, 285, 305, 306, 315, 316];
  return others.includes(tag) || (tag <= 532 && !describing.includes(tag));
}

/**
 * Whether a TIFF file is a camera's raw file: its first picture is a thumbnail of the one that counts, in directories
 * of their own. Such files have their first directory in front.
 */
export function isCameraRaw(read: Read): boolean {
  try {
    const header = read(0, 16);
    const { first } = new Directories(header);
    const isCanons = first === header.length && Buffer.from(header).toString("latin1", 8, 11) === "CR\x02";
    if (isCanons) return true;
    if (first > 2 ** 16) return false;
    const file = new Directories(read(0, first + 2 ** 16));
    const entries = file.entries(file.first);
    const entryOf = (tag: number) => entries.find((entry) => entry.tag === tag);
    const isReduced = ((file.value(entryOf(tags.newSubfileType)) ?? 0) & 1) === 1;
    return (
      entryOf(tags.dngVersion) !== undefined || (isReduced && entryOf(tags.subDirectories) !== undefined)
    );
  } catch {
    return false; // no directory is where it should be
  }
}

/** The most values of a curve that go into a profile. */
const MAX_CURVE = 1024;

/** What a TIFF file says of its colours in tags of its own. Without primaries, its white is left out. */
export function colorsOfTiff(bytes: Uint8Array): (ColorNumbers & { whiteAlone: boolean }) | undefined {
  try {
    const file = new Directories(bytes);
    const entries = file.entries(file.first);
    const entryOf = (tag: number) => entries.find((entry) => entry.tag === tag);
    const fractions = (tag: number) => {
      const { type, count, at } = entryOf(tag) ?? { type: 0, count: 0, at: 0 };
      const [rational, bytesOfOne] = [5, 8];
      if (type !== rational) return [];
      const places = Array.from({ length: count }, (_, i) => at + i * bytesOfOne);
      return places.map((place) => file.uint(place, 4) / file.uint(place + 4, 4));
    };
    const [white, colors] = [fractions(tags.whitePoint), fractions(tags.primaries)];
    const curves = entryOf(tags.transferFunction);
    const values = curves ? file.values(curves) : [];
    const length = 2 ** (file.value(entryOf(tags.bitsPerSample)) ?? 0);
    const tables = [values.length, values.length / 3].includes(length)
      ? Array.from({ length: values.length / length }, (_, i) => values.slice(i * length, (i + 1) * length))
      : undefined;
    const usual = srgbPrimaries[0];
    const [x, y] = white.length === 2 ? white : usual;
    const isUsual = Math.abs(x - usual[0]) < 0.005 && Math.abs(y - usual[1]) < 0.005;
    return {
      whiteAlone: colors.length !== 6 && !isUsual,
      tables: tables?.map(shortenCurve),
      primaries:
        colors.length === 6
          ? [
              [x, y],
              [colors[0], colors[1]],
              [colors[2], colors[3]],
              [colors[4], colors[5]],
            ]
          : undefined,
    };
  } catch {
    return undefined; // no directory is where it should be
  }
}

/** A curve by fewer values, the first and the last one among them. */
function shortenCurve(values: readonly number[]): readonly number[] {
  if (values.length <= MAX_CURVE) return values;
  const step = (values.length - 1) / (MAX_CURVE - 1);
  return Array.from({ length: MAX_CURVE }, (_, i) => values[Math.round(i * step)]);
}

/** Whether a TIFF file has a channel besides its colours of which it does not say that it is transparency. */
export function hasUnspecifiedChannel(read: Read): boolean {
  try {
    // Its first directory, wherever that lies, right behind the header. The value is in its entry.
    const header = read(0, 16);
    const directory = read(new Directories(header).first, 2 ** 16);
    const file = new Directories(Buffer.concat([header, directory]));
    const extraSamples = file.find(header.length, 338);
    return extraSamples?.count === 1 && file.value(extraSamples) === 0;
  } catch {
    return false; // no directory is where it should be
  }
}

/** EXIF data with what a TIFF file says about its picture; undefined if that is nothing. */
export function exifOfTiff(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const file = new Directories(bytes);
    const tree = withoutStructure(readTree(file, file.first));
    if (tree.entries.length + tree.children.length === 0) return undefined;
    const order = { littleEndian: file.littleEndian, wide: false };
    const header = file.littleEndian ? "49492a0008000000" : "4d4d002a00000008";
    return Buffer.concat([Buffer.from(header, "hex"), encodeTree(tree, 8, order)]);
  } catch {
    return undefined; // no directory is where it should be
  }
}

/** Without what is structural, and without types that only files beyond 4 GiB have. */
function withoutStructure({ entries, children }: Tree): Tree {
  return { entries: entries.filter(({ tag, type }) => !isStructural(tag) && type < 16), children };
}

interface TiffMetadata {
  readonly exif?: Uint8Array;
  readonly iptc?: Uint8Array;
  readonly rights?: Uint8Array;
  readonly density?: Density;
}

/**
 * Adds metadata to a TIFF file, by a new first directory behind its end. libvips' resolution, which it makes
 * up, goes.
 */
export async function addToTiff(path: string, { exif, iptc, rights, density }: TiffMetadata): Promise<void> {
  const tree = exif ? treeOf(exif) : { entries: [], children: [] };
  const handle = await open(path, "r+");
  try {
    const read = async (at: number, length: number) =>
      (await handle.read(Buffer.alloc(length), 0, length, at)).buffer;
    const header = new Directories(await read(0, 16));
    const { wide, first } = header;
    const order = { littleEndian: header.littleEndian, wide };
    const [countBytes, entryBytes] = wide ? [8, 20] : [2, 12];
    const number = (bytes: Buffer, at: number, size: number) =>
      order.littleEndian ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
    const count = number(await read(first, countBytes), 0, Math.min(countBytes, 6));
    const list = await read(first + countBytes, count * entryBytes);
    const all = Array.from({ length: count }, (_, i) => {
      const entry = list.subarray(i * entryBytes, (i + 1) * entryBytes);
      const [tag, type] = [number(entry, 0, 2), number(entry, 2, 2)];
      // A value that lies elsewhere stays there; its place counts as the value.
      return { tag, type, count: number(entry, 4, 4), bytes: entry.subarray(wide ? 12 : 8) };
    });
    const own = all.filter(({ tag }) => !resolutionTags.includes(tag));
    const texts = [
      { tag: IPTC_TAG, bytes: iptc },
      { tag: PHOTOSHOP_TAG, bytes: rights },
    ].flatMap(({ tag, bytes }): Omit<Entry, "at">[] =>
      bytes ? [{ tag, type: 7, count: bytes.length, bytes }] : [],
    );
    const treeInOrder = order.littleEndian === tree.littleEndian ? tree : withBytesTurned(tree);
    const names = new Set(own.map(({ tag }) => tag));
    const entries = [
      ...own,
      ...densityEntries(density, order),
      ...texts,
      ...treeInOrder.entries.filter(({ tag }) => !names.has(tag)),
    ];
    const { size } = await handle.stat();
    const start = size + (size % 2);
    await handle.write(
      encodeTree({ entries, children: treeInOrder.children }, start, order),
      0,
      undefined,
      start,
    );
    const place = Buffer.alloc(wide ? 8 : 4);
    if (order.littleEndian) place.writeUIntLE(start, 0, wide ? 6 : 4);
    else place.writeUIntBE(start, wide ? 2 : 0, wide ? 6 : 4);
    await handle.write(place, 0, place.length, wide ? 8 : 4);
  } finally {
    await handle.close();
  }
}

function treeOf(exif: Uint8Array): Tree & { readonly littleEndian?: boolean } {
  try {
    const file = new Directories(exif);
    return { ...withoutStructure(readTree(file, file.first)), littleEndian: file.littleEndian };
  } catch {
    return { entries: [], children: [] };
  }
}
