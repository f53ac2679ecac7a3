/** The resolution of a picture, as files of all formats state it, and as entries of a directory. */
import { Directories, type Entry, RATIONAL, SHORT, tags } from "./directories.ts";
import { encode, fraction, type Order } from "./encode-directories.ts";

/** Pixels per inch. */
export interface Density {
  readonly x: number;
  readonly y: number;
  /** They are in no unit: only their ratio is known, by which pixels are not square. */
  readonly isRatio?: true;
}

/** Pixels that are not square, where a file says no more than that; undefined for square ones. */
export function ratioOf(x: number, y: number): Density | undefined {
  return x === y ? undefined : { x, y, isRatio: true };
}

/** The resolution that EXIF data or a TIFF file state in their first directory. */
export function densityOf(exif: Uint8Array | undefined): Density | undefined {
  try {
    const file = exif && new Directories(exif);
    return file && densityIn(file, file.first);
  } catch {
    return undefined; // no directory is where it should be
  }
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
