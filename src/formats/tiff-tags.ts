/** What TIFF files say besides samples: the same directories as EXIF data, in the file's own first directory. */
import { ASCII, Directories, tags } from "./directories.ts";
import { encodeExif, readTree, type Tree } from "./encode-directories.ts";
import { geoTags } from "./geotiff.ts";
import { type ColorNumbers, srgbPrimaries } from "./icc.ts";
import type { Gap } from "./notes.ts";
import type { Read } from "./read.ts";
import { decodeText } from "./texts.ts";
import { furtherPictures } from "./xmp.ts";

export const [IPTC_TAG, PHOTOSHOP_TAG] = [33723, 34377];
const IMAGE_DESCRIPTION = 270;
export const resolutionTags: readonly number[] = [tags.xResolution, tags.yResolution, tags.resolutionUnit];

/** Texts of TIFF 6.0 about a picture: its name, what it shows, with what, when and by whom it was made. */
const baseline: readonly number[] = [269, 270, 271, 272, 285, 305, 306, 315, 316];

/** Tags that say how samples lie in a file, or stand elsewhere: compression, resolution, XMP, profile… */
function isStructural(tag: number): boolean {
  const outside = [tags.orientation, ...resolutionTags, 700, IPTC_TAG, PHOTOSHOP_TAG, 34675];
  const ofSamples = [559, 32995, 32996, 32997, 32998]; // strips of any height, as SGI's tiles and depths
  const ofDirectory = [36864, 37398, 40961]; // versions of EXIF and TIFF/EP, and colours, which a profile says
  const padding = [59932, 59933]; // room that Windows leaves
  const silent = [...outside, ...ofSamples, ...ofDirectory, ...padding];
  return silent.includes(tag) || (tag <= 532 && !baseline.includes(tag));
}

/**
 * What stays of a TIFF file's first directory. Any program may have tags of its own, often of megabytes: layers, values
 * of single samples, places in the old file. What nobody here knows would hold for the old picture alone, and crowd
 * out EXIF data where there is little room. So these are the tags that stay, and not those that go.
 */
const kept: readonly number[] = [
  ...baseline,
  ...geoTags,
  ...[18246, 18249], // stars
  ...[33432, 40091, 40092, 40093, 40094, 40095], // copyright, and texts of Windows
  // What EXIF has in a directory of its own, and TIFF/EP here: exposure, dates, lens, owner, sensor, air and water.
  ...[33434, 33437, 34850, 34852, 34855, 34858, 34859, 36867, 36868, 36880, 36881, 36882],
  ...[37377, 37378, 37379, 37380, 37381, 37382, 37383, 37384, 37385, 37386, 37387, 37388],
  ...[37393, 37394, 37395, 37397, 37399, 37510, 37520, 37521, 37522],
  ...[37888, 37889, 37890, 37891, 37892, 37893, 41495],
  ...[42016, 42032, 42033, 42034, 42035, 42036, 42037, 42240],
  ...[50708, 50735, 50736, 50827], // DNG: the camera, its number, its lens, and the raw file's name
  50341, // how it is printed
];

/** What goes, in words to follow "without", by its tag. */
const namesOfLost: Readonly<Record<number, Gap>> = {
  [tags.subDirectories]: furtherPictures,
  37724: "Photoshop's layers",
  42112: "GDAL's notes",
  42113: "GDAL's mark of pixels without data",
};

/**
 * Descriptions that programs write for themselves, mostly with sizes: ImageJ, tifffile, scanners', and XML files as
 * OME's. People write `<untitled>`, and use HTML.
 */
const ofProgram = /^\s*(?:ImageJ=|SCANIMAGE\b|Aperio Image|shape=\(\d|\{"shape":|<\?xml|<!--|<OME\b)/;
const descriptionGap = "its description, in which a program states the old size";

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

/** EXIF data with what a TIFF file says about its picture, and what of that no result can have. */
export function exifOfTiff(bytes: Uint8Array): {
  readonly exif?: Uint8Array;
  readonly gaps: readonly Gap[];
} {
  try {
    const file = new Directories(bytes);
    const { entries, children } = readTree(file, file.first);
    const isOfProgram = ({ tag, type, bytes }: Tree["entries"][number]) =>
      tag === IMAGE_DESCRIPTION && type === ASCII && ofProgram.test(decodeText(bytes.subarray(0, 64)));
    const rest = entries.filter(
      (entry) => kept.includes(entry.tag) && entry.type < 16 && !isOfProgram(entry),
    );
    const gaps = new Set<Gap>();
    const others = new Set<string>();
    for (const { tag } of entries) {
      if (namesOfLost[tag]) gaps.add(namesOfLost[tag]);
      else if (!kept.includes(tag) && !isStructural(tag)) others.add(`tag ${tag}`);
    }
    if (entries.some(isOfProgram)) gaps.add(descriptionGap);
    if (others.size > 0) gaps.add({ code: "chunks", names: [...others] });
    return { exif: encodeExif({ entries: rest, children }, file.littleEndian), gaps: [...gaps] };
  } catch {
    return { gaps: [] }; // no directory is where it should be
  }
}

/**
 * Without what is structural or holds for the old picture alone (GDAL's mark would hide pixels), and without types that
 * only files beyond 4 GiB have.
 */
function withoutStructure({ entries, children }: Tree): Tree {
  const stays = (tag: number) => !isStructural(tag) && !namesOfLost[tag];
  return { entries: entries.filter(({ tag, type }) => stays(tag) && type < 16), children };
}

/** The directories of EXIF data, without what no TIFF file may take from others; none if they are damaged. */
export function treeOf(exif: Uint8Array): Tree & { readonly littleEndian?: boolean } {
  try {
    const file = new Directories(exif);
    return { ...withoutStructure(readTree(file, file.first)), littleEndian: file.littleEndian };
  } catch {
    return { entries: [], children: [] };
  }
}
