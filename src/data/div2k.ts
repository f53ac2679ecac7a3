import { existsSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { stemOf } from "../files/names.ts";
import { pathArgument } from "../files/path-of.ts";
import { picturesIn } from "../files/pictures-in.ts";
import { ArgumentError, checkArguments } from "../options/arguments.ts";
import { folder as aFolder, oneOf } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { filePairs, type PairDataset, type PairFormat, pairFormat } from "./pairs.ts";
import { partnersOf } from "./partners.ts";

/**
 * How DIV2K's LR pictures were made. "bicubic": by Matlab's imresize. "unknown": by a blur and a subsampling
 * that were not published (NTIRE 2017). "mild", "difficult", "wild": with blur, noise and a shift of some
 * pixels, so that LR is not exactly aligned with HR; in "wild" these differ from picture to picture (NTIRE
 * 2018).
 */
export type Div2kTrack = "bicubic" | "unknown" | "mild" | "difficult" | "wild";

export type Div2kSplit = "train" | "valid";

/** The published scales of each track. */
export const div2kScales: Readonly<Record<Div2kTrack, readonly number[]>> = {
  bicubic: [2, 3, 4, 8],
  unknown: [2, 3, 4],
  mild: [4],
  difficult: [4],
  wild: [4],
};

export const aSplit = oneOf<Div2kSplit>("train", "valid");
export const aTrack = oneOf(...(Object.keys(div2kScales) as Div2kTrack[]));

export interface Div2kOptions extends Partial<PairFormat> {
  /** "train": 0001 to 0800, "valid": 0801 to 0900. */
  split: Div2kSplit;
  scale: number;
  /** Default "bicubic". */
  track?: Div2kTrack;
  /** Called with a line for each folder that something is left out of. */
  onLeftOut?: (line: string) => void;
}

/**
 * DIV2K (Agustsson and Timofte, NTIRE 2017) with its own LR pictures, as its archives unpack:
 *
 *     root/DIV2K_train_HR/0001.png       root/DIV2K_train_LR_bicubic/X2/0001x2.png  (also _unknown, X3, X4)
 *     root/DIV2K_valid_HR/0801.png       root/DIV2K_train_LR_x8/0001x8.png
 *                                        root/DIV2K_train_LR_mild/0001x4m.png       (also _difficult, x4d)
 *                                        root/DIV2K_train_LR_wild/0001x4w1.png to 0001x4w4.png
 *
 * The last three may also be in a folder X8 or X4 (DIV2K_train_LR_bicubic/X8, DIV2K_train_LR_mild/X4). Each folder may
 * lie in one of its own name or of its archive's, as programs unpack it, and be named in any case. There
 * is a pair for each HR picture, in the order of their names; partnersOf finds the LR pictures. In the track
 * "wild" each training picture has several LR versions, and each version is a pair, named "0001x4w1". For
 * `colors` (default "rgb") and `inputSize` (default "low") see PairFormat.
 *
 * @throws DataError if a folder is missing or empty, or an HR picture has no LR partner. The pictures
 *   themselves are read, and their sizes compared, when they are loaded. RangeError for a track or a scale
 *   that was not published.
 */
export function openDiv2k(root: string | URL, options: Div2kOptions): PairDataset {
  const format = pairFormat("openDiv2k", options, ["split", "track", "onLeftOut"]);
  const { split, scale, track = "bicubic" } = options;
  const folder = pathArgument("openDiv2k", "root", root, aFolder);
  checkArguments("openDiv2k", {
    split: [split, aSplit],
    track: [track, aTrack],
  });
  checkPublished("openDiv2k", track, scale);
  const highFolder = highFolderIn(folder, split) ?? join(folder, highArchive(split));
  const lowFolders = lowFoldersOf(split, track, scale);
  const lowFolder =
    unpackedIn(folder, lowArchive(split, track, scale), lowFolders) ?? join(folder, lowFolders.at(-1)!);
  const missing = [highFolder, lowFolder].find((one) => !existsSync(one));
  if (missing !== undefined) {
    throw new DataError(
      `${missing}: there is no such folder. Unpack ${highArchive(split)}.zip and ` +
        `${lowArchive(split, track, scale)}.zip (data.vision.ee.ethz.ch/cvl/DIV2K) in ${folder}; ` +
        "downloadDiv2k does it.",
    );
  }

  const { pictures } = picturesIn(highFolder, options.onLeftOut);
  const partners = partnersOf(pictures, picturesIn(lowFolder, options.onLeftOut).pictures, scale);
  const files = pictures.flatMap((high, i) => {
    if (track !== "wild" && partners[i].length > 1) {
      throw new DataError(
        `${high} has more than one small version: ${partners[i].join(", ")}. Move all but one away.`,
      );
    }
    return partners[i].map((low) => ({ name: stemOf(track === "wild" ? low : high), low, high }));
  });
  const unpaired = pictures.filter((_, i) => partners[i].length === 0);
  if (unpaired.length > 0) {
    const version = track === "wild" && split === "train" ? "w1" : letters[track];
    const partner = join(lowFolder, `${stemOf(unpaired[0])}x${scale}${version}.png`);
    throw new DataError(
      `${unpaired.length} of ${pictures.length} pictures in ${highFolder} ` +
        `${unpaired.length === 1 ? "has" : "have"} no small version; ` +
        `the first one missing is ${partner}. Unpack the LR archive again, or move the HR pictures away.`,
    );
  }
  const title = track === "bicubic" ? "" : ` ${track}`;
  return filePairs(`DIV2K ${split}${title} X${scale}`, format, files);
}

/** What follows the scale in the names of LR pictures. */
const letters: Record<Div2kTrack, string> = {
  bicubic: "",
  unknown: "",
  mild: "m",
  difficult: "d",
  wild: "w",
};

/** Throws a RangeError unless DIV2K has LR pictures of this track at this scale. */
export function checkPublished(caller: string, track: Div2kTrack, scale: number): void {
  if (!div2kScales[track].includes(scale)) {
    throw new ArgumentError(
      caller,
      `DIV2K has the track "${track}" at scale ${div2kScales[track].join(", ")}, not at ${scale}. ` +
        "For another scale, openFolder makes LR pictures from DIV2K's HR pictures.",
    );
  }
}

/** The archive with the HR pictures, without ".zip", and the folder it unpacks to. */
export function highArchive(split: Div2kSplit): string {
  return `DIV2K_${split}_HR`;
}

/** The archive with the LR pictures, without ".zip". */
export function lowArchive(split: Div2kSplit, track: Div2kTrack, scale: number): string {
  if (track === "bicubic" && scale === 8) return `DIV2K_${split}_LR_x8`;
  const name = `DIV2K_${split}_LR_${track}`;
  return track === "bicubic" || track === "unknown" ? `${name}_X${scale}` : name;
}

/** The folders in which its pictures may be. The official one is last, since it may contain the other. */
export function lowFoldersOf(split: Div2kSplit, track: Div2kTrack, scale: number): string[] {
  const nested = join(`DIV2K_${split}_LR_${track}`, `X${scale}`);
  const isFlat = scale === 8 || !(track === "bicubic" || track === "unknown");
  return isFlat ? [nested, lowArchive(split, track, scale)] : [nested];
}

/** The folder of HR pictures in DIV2K's, if there is one. */
export function highFolderIn(root: string, split: Div2kSplit): string | undefined {
  return unpackedIn(root, highArchive(split), [highArchive(split)]);
}

/**
 * The first of an archive's folders that is there, wherever programs put it: Windows' "Extract all" makes a folder
 * around it that has the archive's name, others double every folder. The innermost one counts.
 */
export function unpackedIn(root: string, archive: string, folders: readonly string[]): string | undefined {
  const around = childOf(root, archive);
  const starts = around === undefined ? [root] : [around, root];
  for (const folder of folders) {
    for (const start of starts) {
      const place = folder.split(sep).reduce<string | undefined>((outer, name) => {
        const child = outer && childOf(outer, name);
        return child && (childOf(child, name) ?? child);
      }, start);
      if (place !== undefined) return place;
    }
  }
  return undefined;
}

/** What a folder has under a name, in any case. */
function childOf(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  try {
    const entry = readdirSync(folder).find((one) => one.toLowerCase() === name.toLowerCase());
    return entry && join(folder, entry);
  } catch {
    return undefined; // it is no folder, or may not be read
  }
}
