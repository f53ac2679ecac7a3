/** What TIFF files say besides samples: the same directories as EXIF data, in the file's own first directory. */
import { Directories, tags } from "./directories.ts";
import { encodeTree, readTree, type Tree } from "./encode-directories.ts";
import { type ColorNumbers, srgbPrimaries } from "./icc.ts";
import type { Read } from "./read.ts";

export const [IPTC_TAG, PHOTOSHOP_TAG] = [33723, 34377];
export const resolutionTags: readonly number[] = [tags.xResolution, tags.yResolution, tags.resolutionUnit];

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

/** The directories of EXIF data, without what is structural; none if they are damaged. */
export function treeOf(exif: Uint8Array): Tree & { readonly littleEndian?: boolean } {
  try {
    const file = new Directories(exif);
    return { ...withoutStructure(readTree(file, file.first)), littleEndian: file.littleEndian };
  } catch {
    return { entries: [], children: [] };
  }
}
