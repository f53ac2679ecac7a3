/** The names of results, and which of the pictures are results of earlier runs. */
import { basename, dirname, join } from "node:path";
import { stemOf } from "../files/names.ts";
import { sizeOfPictureFile } from "../files/picture-file.ts";
import { fileId } from "../files/same-file.ts";
import { firstOf } from "../options/lists.ts";
import { type PictureFormat, pictureFormats, writtenFormats } from "../picture/formats.ts";
import type { Size } from "../picture/image.ts";
import { scales } from "../picture/scales.ts";
import { resultSizes } from "./methods.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

/** A picture among the inputs. */
export interface Source {
  readonly path: string;
  /** Its folder within the input, and so within the output. */
  readonly folder: string;
  /** The name of the folder that was given, or that a given file lies in. */
  readonly label: string;
  /** It was named itself, and not found in a folder. */
  readonly isNamed: boolean;
}

/** A picture with the name of its result. */
export interface NamedResult {
  readonly source: Source;
  readonly output: string;
  /** Why it cannot be written. */
  readonly error?: string;
}

interface ResultNames {
  readonly results: NamedResult[];
  /** Pictures that are taken for results of others, and are not enlarged; and these others. */
  readonly earlier: ReadonlyMap<Source, Source>;
}

/** What names and sizes follow from; the format is that of the results. */
type Settings = UpscaleFlags & { readonly format: PictureFormat };

interface Sizes {
  /** The size of a picture; undefined if it cannot be read. */
  of(source: Source): Promise<Size | undefined>;
  /** The size of the result of a picture of some size. */
  ofResult(picture: Size): Promise<Size>;
}

/**
 * Names the results in the output folder. Where the usual name, `a.png` for `a.jpg`, would be that of several
 * pictures, they keep more of theirs: `a.jpg.png`, or the name of the folder that they come from.
 *
 * If results go where the pictures are, those of earlier runs are found among the pictures. Nothing in a file says
 * that it is one. So a picture is taken for the result of another one if it has the name that this would get, in
 * any format, and a size that it may have got: this run's, or a multiple of the other one's. A large original beside
 * its small copy looks like that, too, so nothing among the pictures is ever replaced.
 */
export async function nameResults(sources: readonly Source[], settings: Settings): Promise<ResultNames> {
  const { output, format, overwrite } = settings;
  const placeOf = placeFinder();
  const byPlace = new Map(sources.map((source) => [placeOf(source.path), source]));
  const atOutput = (name: string) => byPlace.get(placeOf(join(output, name)));
  const sizes: Sizes = { of: sizeReader(), ofResult: resultSizes(settings) };
  const earlier = await earlierResults(sources, settings.format, atOutput, sizes);
  const originals = sources.filter((source) => !earlier.has(source));
  const names = namesFor(originals, format, (name, source) => {
    const existing = atOutput(name);
    return existing === undefined || existing === source || earlier.has(existing);
  });

  const results = originals.map((source): NamedResult => {
    const name = names.get(source);
    const path = join(output, name ?? nameOf(source, 0, format));
    if (name === undefined) {
      const error = `${source.path}: ${path} would be written twice. Rename one of the pictures.`;
      return { source, output: path, error };
    }
    const existing = atOutput(name);
    const isAmongPictures = existing !== undefined && existing !== source;
    return { source, output: path, error: overwrite && isAmongPictures ? mayBeOriginal(path) : undefined };
  });
  return { results, earlier };
}

/** A line that says what is taken for results of earlier runs. */
export function describeEarlier(earlier: ReadonlyMap<Source, Source>): string {
  const paths = [...earlier.keys()].map(({ path }) => path);
  const others = [...new Set([...earlier].map(([result, original]) => originalName(result, original)))];
  return `left out ${firstOf(paths)} (taken for the result${paths.length > 1 ? "s" : ""} of ${firstOf(others)})`;
}

/** How the report names what a picture is taken for the result of. */
export function originalName(result: Source, original: Source): string {
  return dirname(result.path) === dirname(original.path) ? basename(original.path) : original.path;
}

function mayBeOriginal(path: string): string {
  return (
    `${path} is not replaced: it lies among the pictures, and may be an original. If it is a result, delete it; or ` +
    "choose another folder for the results."
  );
}

// ---- Names

/** How much of a picture's name its result may keep: at level 0 its usual name, `a.png`. */
const levels = [0, 1, 2, 3] as const;

/** The name of a result within the output folder. */
function nameOf({ path, folder, label }: Source, level: number, format: PictureFormat): string {
  const [extension] = pictureFormats[format].extensions;
  const name = (level % 2 === 0 ? stemOf(path) : basename(path)) + extension;
  return level < 2 ? join(folder, name) : join(label, folder, name);
}

/**
 * Of pictures whose usual names are the same, all keep their extensions, or else all get the names of their
 * folders, and the extensions those that need them.
 *
 * @param isFree says of a name in the output folder that no other original bears it.
 */
function namesFor(
  sources: readonly Source[],
  format: PictureFormat,
  isFree: (name: string, source: Source) => boolean,
): Map<Source, string> {
  const names = new Map<Source, string>();
  const used = new Set<string>();
  const give = (source: Source, name: string): void => {
    names.set(source, name);
    used.add(name);
  };
  const groups = groupBy(sources, (source) => nameOf(source, 0, format));
  const alone = [...groups].filter(([name, group]) => group.length === 1 && isFree(name, group[0]));
  for (const [name, [source]] of alone) give(source, name);
  for (const group of groups.values()) {
    if (names.has(group[0])) continue;
    const uses = levels.map((level) => groupBy(group, (source) => nameOf(source, level, format)));
    const fits = (source: Source, level: number): boolean => {
      const name = nameOf(source, level, format);
      return uses[level].get(name)!.length === 1 && !used.has(name) && isFree(name, source);
    };
    const allFit = group.every((source) => fits(source, 1));
    for (const source of group) {
      const level = allFit ? 1 : [2, 3].find((one) => fits(source, one));
      if (level !== undefined) give(source, nameOf(source, level, format));
    }
  }
  return names;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

// ---- Results of earlier runs

/** See nameResults. What was named itself is no such result, unless its own result would have its name. */
async function earlierResults(
  sources: readonly Source[],
  ownFormat: PictureFormat,
  atOutput: (name: string) => Source | undefined,
  sizes: Sizes,
): Promise<Map<Source, Source>> {
  const earlier = new Map<Source, Source>();
  const isWanted = (source: Source) => source.isNamed && atOutput(nameOf(source, 0, ownFormat)) !== source;
  /** At scale 1, two pictures may each look like the other one's result. */
  const comesFrom = (source: Source | undefined, other: Source): boolean =>
    source !== undefined && (source === other || comesFrom(earlier.get(source), other));
  for (const source of sources) {
    for (const { other, format } of candidatesOf(source, atOutput)) {
      if (earlier.has(other) || isWanted(other) || comesFrom(source, other)) continue;
      if (await isResultOf(source, other, format === ownFormat, sizes)) earlier.set(other, source);
    }
  }
  return earlier;
}

/** The pictures that have a name that a picture's result would get, and the format for which it would get it. */
function* candidatesOf(
  source: Source,
  atOutput: (name: string) => Source | undefined,
): Generator<{ readonly other: Source; readonly format: PictureFormat }> {
  for (const format of writtenFormats) {
    for (const level of levels) {
      const other = atOutput(nameOf(source, level, format));
      if (other) yield { other, format };
    }
  }
}

/** By their sizes. One of the same size and another format than this run's would as well be an original. */
async function isResultOf(
  source: Source,
  other: Source,
  isOwnFormat: boolean,
  sizes: Sizes,
): Promise<boolean> {
  const [from, to] = [await sizes.of(source), await sizes.of(other)];
  if (from === undefined || to === undefined) return false;
  const isMultiple = scales.some(
    (scale) => scale > 1 && isSame(to, { width: scale * from.width, height: scale * from.height }),
  );
  const mayBeOurs = isOwnFormat || to.width > from.width;
  return isMultiple || (mayBeOurs && isSame(to, await sizes.ofResult(from)));
}

function isSame(a: Size | undefined, b: Size | undefined): boolean {
  return a !== undefined && b !== undefined && a.width === b.width && a.height === b.height;
}

/** The sizes of pictures, each read once. That of one that cannot be read is undefined. */
function sizeReader(): (source: Source) => Promise<Size | undefined> {
  const sizes = new Map<Source, Promise<Size | undefined>>();
  return (source) => {
    const size = sizes.get(source) ?? sizeOfPictureFile(source.path).catch(() => undefined);
    sizes.set(source, size);
    return size;
  };
}

/** Says where a file lies, by whatever path it was named. Links to one file lie in places of their own. */
export function placeFinder(): (path: string) => string {
  const folders = new Map<string, string>();
  return (path) => {
    const folder = dirname(path);
    const id = folders.get(folder) ?? fileId(folder);
    folders.set(folder, id);
    return join(id, basename(path));
  };
}
