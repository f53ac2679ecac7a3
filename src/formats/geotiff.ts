/**
 * Where the pixels of a picture lie on the earth, in tags of a TIFF file: OGC GeoTIFF 1.1,
 * https://docs.ogc.org/is/19-008r4/19-008r4.html
 */
import type { PictureFormat } from "../picture/formats.ts";
import type { Size } from "../picture/image.ts";
import { Directories, DOUBLE, type Entry } from "./directories.ts";
import { encodeExif, readTree } from "./encode-directories.ts";
import type { Gap } from "./notes.ts";
import { growth, type SourcePicture } from "./picture-places.ts";

/** A pixel's width and height; points of the picture and of the earth; the same as a matrix of 4 x 4. */
const [PIXEL_SCALE, TIE_POINTS, MATRIX] = [33550, 33922, 34264];
/** What coordinates these are: keys, and the numbers and texts that keys point to. */
const [KEYS, NUMBERS, TEXTS] = [34735, 34736, 34737];

export const geoTags: readonly number[] = [PIXEL_SCALE, TIE_POINTS, MATRIX, KEYS, NUMBERS, TEXTS];

/** In words, to follow "without". */
const turnedGeoreference = "its place on the map (GeoTIFF), as the picture was turned";
const damagedGeoreference = "its place on the map (GeoTIFF), which is damaged";
const otherFormat = "its place on the map (GeoTIFF), which only TIFF results get";

const RASTER_TYPE = 1025;
const IS_POINT = 2;

/** EXIF data of which a result of that format can keep the georeference, if there is one. */
export function fitGeoreference(
  exif: Uint8Array,
  format: PictureFormat,
  source?: SourcePicture,
): { readonly exif?: Uint8Array; readonly gaps: readonly Gap[] } {
  try {
    const file = new Directories(exif);
    const state = georeferenceIn(file);
    if (!state) return { exif, gaps: [] };
    const misfit =
      format !== "tiff" ? otherFormat : source?.orientation !== 1 ? turnedGeoreference : undefined;
    const gap = state === "damaged" ? damagedGeoreference : misfit;
    if (!gap) return { exif, gaps: [] };
    const { entries, children } = readTree(file, file.first);
    const rest = entries.filter(({ tag }) => !geoTags.includes(tag));
    return { exif: encodeExif({ entries: rest, children }, file.littleEndian), gaps: [gap] };
  } catch {
    return { exif, gaps: [] }; // damaged, which others say
  }
}

/** Is there a georeference? "damaged" is one that nobody could move. */
function georeferenceIn(file: Directories): "sound" | "damaged" | undefined {
  const entries = file.entries(file.first).filter(({ tag }) => geoTags.includes(tag));
  if (entries.length === 0) return undefined;
  const isSound = ({ tag, type, count }: Entry) => {
    if (tag === PIXEL_SCALE) return type === DOUBLE && count >= 2;
    if (tag === TIE_POINTS) return type === DOUBLE && count % 6 === 0;
    return tag !== MATRIX || (type === DOUBLE && count === 16);
  };
  const areUnique = new Set(entries.map(({ tag }) => tag)).size === entries.length;
  return areUnique && entries.every(isSound) ? "sound" : "damaged";
}

/** Makes a georeference that of a result, which shows the same land with more pixels; where nobody can, it goes. */
export function moveGeoreference(file: Directories, result: Size, source?: SourcePicture): void {
  const state = georeferenceIn(file);
  if (!state) return;
  if (state === "damaged" || source?.orientation !== 1) {
    file.remove(file.first, ...geoTags);
    return;
  }
  const { x, y } = growth(source, result);
  const entryOf = (tag: number) => file.find(file.first, tag);
  const change = (entry: Entry | undefined, next: (values: readonly number[]) => readonly number[]) => {
    if (!entry) return;
    const values = Array.from({ length: entry.count }, (_, i) => file.double(entry.at + 8 * i));
    for (const [i, value] of next(values).entries()) file.putDouble(entry.at + 8 * i, value);
  };
  // Coordinates in the picture begin at the corner of the first pixel, or in the middle of it.
  const begin = isPoint(file, entryOf(KEYS)) ? 0.5 : 0;
  const grown = (value: number, factor: number) => (value + begin) * factor - begin;
  change(entryOf(PIXEL_SCALE), ([width, height, ...depth]) => [width / x, height / y, ...depth]);
  change(entryOf(TIE_POINTS), (values) =>
    values.map((value, i) => (i % 6 === 0 ? grown(value, x) : i % 6 === 1 ? grown(value, y) : value)),
  );
  change(entryOf(MATRIX), (values) =>
    [0, 4, 8, 12].flatMap((row) => {
      const [across, down, deep, origin] = values.slice(row, row + 4);
      // What the pixel at 0, 0 of the result was in the picture.
      const [column, line] = [begin / x - begin, begin / y - begin];
      return [across / x, down / y, deep, origin + across * column + down * line];
    }),
  );
}

/** Are places those of the middles of pixels? Keys are four numbers each, behind four of a header. */
function isPoint(file: Directories, keys: Entry | undefined): boolean {
  const numbers = keys ? file.values(keys) : [];
  for (let i = 4; i + 4 <= numbers.length; i += 4) {
    const [key, place, , value] = numbers.slice(i, i + 4);
    if (key === RASTER_TYPE && place === 0) return value === IS_POINT;
  }
  return false;
}
