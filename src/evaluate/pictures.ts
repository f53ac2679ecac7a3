/** The pictures to measure on: which files belong together, and what a method gets of them. */

import { basename } from "node:path";
import { degradationKind } from "../data/degradation-kind.ts";
import { type DegradationOptions, drawDegradation } from "../data/degrade.ts";
import { highFilesIn } from "../data/folder.ts";
import { aPairScale, type Cropped } from "../data/pair-sizes.ts";
import { type PairFiles, readFitting } from "../data/pairs.ts";
import { partnersOf } from "../data/partners.ts";
import { readWithWarning } from "../files/image-files.ts";
import { pathArgument, pathOf } from "../files/path-of.ts";
import { describeLeftOut, picturesIn } from "../files/pictures-in.ts";
import { sameFile } from "../files/same-file.ts";
import {
  ArgumentError,
  aFunction,
  checkArguments,
  checkOptions,
  isObject,
  type Wanted,
} from "../options/arguments.ts";
import { isOfClass } from "../options/classes.ts";
import { folder as aFolder, oneOf } from "../options/kinds.ts";
import { isTransparent, withoutAlpha } from "../picture/alpha.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { type Image, toRgb } from "../picture/image.ts";
import { imresize, imresizePlane } from "../picture/imresize.ts";
import type { LowSource } from "./protocol.ts";

export interface FindPicturesOptions {
  /** How many times larger than the small pictures the large ones are. */
  readonly scale: number;
  /** A folder of small pictures; partnersOf finds by its name which is whose. */
  readonly lowFolder?: string | URL;
  /** Makes the small pictures instead; it is drawn for each picture from its place in the list. */
  readonly degradation?: DegradationOptions;
  /** Called with a line for each folder of which something is left out, and for small pictures of no large one. */
  readonly onLeftOut?: (line: string) => void;
  /**
   * Called for each picture with no small version, with several, or with one that may be another one's, too; such
   * pictures are not in the list. Without it, the first of them ends all.
   */
  readonly onFailure?: (failure: Failure) => void;
}

/**
 * The pictures of a folder, in the order of their names. Their small versions are files, or made when the pictures
 * are read: by Matlab's bicubic, or by `degradation`.
 *
 * @throws DataError for a missing folder, a folder without pictures, and if no picture has a small version.
 *   The pictures themselves are read later.
 */
export function findPictures(highFolder: string | URL, options: FindPicturesOptions): PairFiles[] {
  const folder = pathArgument("findPictures", "highFolder", highFolder, aFolder);
  checkOptions("findPictures", options, optionsWanted, ["scale"]);
  const { scale, degradation, onLeftOut } = options;
  const lowFolder = options.lowFolder && pathOf(options.lowFolder);
  if (lowFolder !== undefined && degradation !== undefined) {
    throw new ArgumentError(
      "findPictures",
      "small pictures from a folder are not degraded. Give the folder or the degradation (on the " +
        "command line: --lr or --degradation).",
    );
  }
  if (lowFolder === undefined && degradation === undefined && scale === 1) {
    throw new ArgumentError(
      "findPictures",
      "at scale 1, LR pictures cannot be made of HR: they are what was done to it. Say what (on the " +
        "command line: --degradation jpeg:60, say), or give their folder (--lr FOLDER).",
    );
  }
  if (lowFolder !== undefined) return pairByNames(folder, { ...options, lowFolder });
  const large = highFilesIn(folder, scale, onLeftOut);
  if (degradation === undefined) return large;
  return large.map((files, i) => ({
    ...files,
    degradation: drawDegradation(degradation, i, scale),
    drawnFrom: degradation,
  }));
}

const folderOrUrl: Wanted<string | URL> = {
  wants: aFolder.wants,
  fits: (value): value is string | URL => aFolder.fits(value) || isOfClass(value, "URL"),
};

const optionsWanted = {
  scale: aPairScale,
  lowFolder: folderOrUrl,
  degradation: degradationKind,
  onLeftOut: aFunction,
  onFailure: aFunction,
};

/** Each picture of a folder with the one of `lowFolder` that is named after it and after no other. */
function pairByNames(
  highFolder: string,
  {
    lowFolder,
    scale,
    onLeftOut,
    onFailure = fail,
  }: Omit<FindPicturesOptions, "lowFolder"> & { readonly lowFolder: string },
): PairFiles[] {
  // If all are in one folder, the small ones are not left out.
  const together = sameFile(highFolder, lowFolder);
  const large = highFilesIn(highFolder, scale, together ? undefined : onLeftOut);
  const small = picturesIn(lowFolder, onLeftOut).pictures;
  const highs = large.map(({ high }) => high);
  const partners = partnersOf(highs, small, scale);
  /** The large pictures that a small one may belong to. */
  const owners = new Map<string, string[]>(small.map((low) => [low, []]));
  for (const [i, lows] of partners.entries()) for (const low of lows) owners.get(low)!.push(highs[i]);
  const pairs = large.flatMap(({ name, high }, i): PairFiles[] => {
    const [low, ...others] = partners[i];
    const rivals = owners.get(low) ?? [];
    if (rivals.length === 1 && others.length === 0) return [{ name, high, low }];
    onFailure({ name, error: whyUnpaired({ name, high }, partners[i], rivals, lowFolder, scale) });
    return [];
  });
  if (pairs.length === 0) {
    throw new DataError(
      `None of the pictures in ${highFolder} has a small version of its own in ${lowFolder}, for the reasons above.`,
    );
  }
  const unused = small.filter((path) => !together && owners.get(path)!.length === 0);
  if (unused.length > 0) {
    const entries = unused.map((path) => ({ name: basename(path), why: "the small version of none" }));
    onLeftOut?.(describeLeftOut(lowFolder, entries));
  }
  return pairs;
}

function fail({ error }: Failure): never {
  throw new DataError(error);
}

/** @param owners the large pictures that the first partner may belong to. */
function whyUnpaired(
  { name, high }: PairFiles,
  partners: readonly string[],
  owners: readonly string[],
  lowFolder: string,
  scale: number,
): string {
  if (partners.length === 0) {
    return (
      `${high} has no small version in ${lowFolder}: it should be called ${name}x${scale}.png, ` +
      `${name}_LR.png, ${name}_lq.png, LR_${name}.png or ${name}.png, say. Add it, or move the large one away.`
    );
  }
  if (partners.length > 1) {
    return (
      `${high} has ${partners.length} small versions in ${lowFolder} ` +
      `(${partners.map((path) => basename(path)).join(", ")}). Move all but one away.`
    );
  }
  return (
    `${partners[0]} may be the small version of ${owners.join(" and of ")}, by their names. Rename the small one ` +
    "after one of them, or move the other large one away."
  );
}

/** A picture that could not be measured, and the message that says why. */
export interface Failure {
  name: string;
  error: string;
}

/** A picture to measure on: HR and LR in RGB, and of both what protocol "y" compares. */
export interface Picture {
  readonly name: string;
  /** The HR file. */
  readonly path: string;
  readonly high: Image;
  readonly low: Image;
  /** Y of `high`, rounded, as a picture of one channel. */
  readonly highY: Image;
  /** Y of LR for methods to enlarge, [height, width] in 16..235: see protocol.ts. */
  readonly lowY: ArrayLike<number>;
  readonly lowSource: LowSource;
  /** What LR was degraded by, as a text. */
  readonly degradation?: string;
  /** What the files have lost. */
  readonly cropped: Cropped;
  /** What decoders warn of, by the path of the file. */
  readonly warnings?: ReadonlyMap<string, string>;
}

/** Whether it has been read, or is files still. */
export function isLoaded(one: PairFiles | Picture): one is Picture {
  return "highY" in one;
}

export function lowSourceOf(one: PairFiles | Picture): LowSource {
  if (isLoaded(one)) return one.lowSource;
  if (one.low !== undefined) return "files";
  return one.degradation ? "degraded" : "made";
}

/** What LR is degraded by, as a text; undefined if it is not, or was not drawn from options. */
export function degradationOf(one: PairFiles | Picture): string | undefined {
  if (isLoaded(one)) return one.degradation;
  return one.low === undefined && one.drawnFrom ? degradationKind.write(one.drawnFrom) : undefined;
}

const pairFiles: Wanted<PairFiles> = {
  wants: "the files of a picture, { name, high }",
  fits: (value): value is PairFiles => isObject(value) && typeof value.high === "string",
};

/**
 * Reads a picture, cropped as readFitting says. Grey files count as RGB with equal channels.
 *
 * @param options.transparency what becomes of transparent pixels, which no protocol measures: the picture is
 *   refused (the default), or put on white. An alpha channel that is opaque throughout is left out.
 * @throws DataError that names the file if it cannot be read, has transparency, or its size does not fit.
 */
export async function loadPicture(
  files: PairFiles,
  scale: number,
  options: { readonly transparency?: "refuse" | "white" } = {},
): Promise<Picture> {
  checkArguments("loadPicture", { files: [files, pairFiles], scale: [scale, aPairScale] });
  checkOptions("loadPicture", options, { transparency: oneOf("refuse", "white") });
  const { transparency = "refuse" } = options;
  const warnings = new Map<string, string>();
  const read = async (path: string, colors?: "srgb") => {
    const { image, warning, ...rest } = await readWithWarning(path, colors);
    if (warning !== undefined) warnings.set(path, warning);
    if (transparency === "refuse") refuseTransparency(image, path);
    return { ...rest, image: toRgb(withoutAlpha(image, "white")) };
  };
  const { high, low, cropped } = await readFitting(files, scale, read);
  const highY = lumaOf(high);
  const source = { lowSource: lowSourceOf(files), degradation: degradationOf(files) };
  const picture = { name: files.name, path: files.high, ...source, high, highY, cropped, warnings };
  if (low) return { ...picture, low, lowY: lumaOf(low).data };
  const size = { width: high.width / scale, height: high.height / scale };
  return { ...picture, low: imresize(high, size), lowY: imresizePlane(highY.data, high, size) };
}

function refuseTransparency(image: Image, path: string): void {
  if (!isTransparent(image)) return;
  throw new DataError(
    `${path}: it has ${image.channels} channels, the last one for transparency, which no protocol measures. ` +
      "Save it as RGB (3 channels) or grey (1).",
  );
}
