import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../picture/errors.ts";
import { stemOf } from "./formats.ts";
import { filePairs, type PairDataset, type PairFormat, pairFormat } from "./pairs.ts";
import { partnersOf } from "./partners.ts";
import { picturesIn } from "./pictures-in.ts";

/**
 * How DIV2K's small pictures were made. "bicubic": Matlab's imresize. "unknown": by a blur and a subsampling
 * that were not published (NTIRE 2017). "mild", "difficult", "wild": with blur, noise and a shift of some
 * pixels, that of "wild" being different for each picture (NTIRE 2018). HR and LR do not lie exactly above
 * each other in these three.
 */
export type Div2kTrack = "bicubic" | "unknown" | "mild" | "difficult" | "wild";

export type Div2kSplit = "train" | "valid";

/** The scales that were published for each track. */
export const div2kScales: Readonly<Record<Div2kTrack, readonly number[]>> = {
  bicubic: [2, 3, 4, 8],
  unknown: [2, 3, 4],
  mild: [4],
  difficult: [4],
  wild: [4],
};

export interface Div2kOptions extends Partial<PairFormat> {
  /** train: 0001 to 0800, valid: 0801 to 0900. */
  split: Div2kSplit;
  scale: number;
  /** Default "bicubic". */
  track?: Div2kTrack;
  /** Called with a line for each folder of which something is left out. */
  onLeftOut?: (line: string) => void;
}

/**
 * DIV2K (Agustsson and Timofte, NTIRE 2017) with the LR pictures that come with it, as its archives unpack:
 *
 *     root/DIV2K_train_HR/0001.png           root/DIV2K_train_LR_bicubic/X2/0001x2.png   (also _unknown, X3, X4)
 *     root/DIV2K_valid_HR/0801.png           root/DIV2K_train_LR_x8/0001x8.png
 *                                            root/DIV2K_train_LR_mild/0001x4m.png        (also _difficult, x4d)
 *                                            root/DIV2K_train_LR_wild/0001x4w1.png to 0001x4w4.png
 *
 * The three last may also lie in a folder X8 or X4 of their own (DIV2K_train_LR_bicubic/X8,
 * DIV2K_train_LR_mild/X4). The pairs are those in the HR folder, in the order of their names; partnersOf
 * finds the small ones. In the track "wild" each training picture has several small versions, and each
 * version is a pair, named "0001x4w1". `colors` ("rgb") and `inputSize` ("low") are those of PairFormat.
 *
 * @throws DataError if a folder is missing or empty, or an HR picture has no LR partner. The pictures
 *   themselves are read, and their sizes compared, when they are loaded. RangeError for a track and scale
 *   that were not published.
 */
export function openDiv2k(root: string, options: Div2kOptions): PairDataset {
  const { split, scale, track = "bicubic" } = options;
  const format = pairFormat(options);
  checkPublished(track, scale);
  const hrFolder = join(root, `DIV2K_${split}_HR`);
  const lrFolders = lrFoldersOf(split, track, scale).map((folder) => join(root, folder));
  const lrFolder = lrFolders.find(existsSync) ?? lrFolders.at(-1)!;
  for (const folder of [hrFolder, lrFolder]) {
    if (!existsSync(folder)) {
      throw new DataError(
        `${folder}: there is no such folder. Unpack ${hrArchive(split)}.zip and ` +
          `${lrArchive(split, track, scale)}.zip (data.vision.ee.ethz.ch/cvl/DIV2K) in ${root}; ` +
          "downloadDiv2k does it.",
      );
    }
  }

  const large = picturesIn(hrFolder, options.onLeftOut).pictures;
  const small = picturesIn(lrFolder, options.onLeftOut).pictures;
  const files = partnersOf(large, small, scale).flatMap((partners, i) => {
    const [high, name] = [large[i], stemOf(large[i])];
    if (track === "wild") return partners.map((low) => ({ name: stemOf(low), low, high }));
    if (partners.length > 1) {
      throw new DataError(
        `${high} has more than one small version: ${partners.join(", ")}. Move all but one away.`,
      );
    }
    return partners.map((low) => ({ name, low, high }));
  });
  const paired = new Set(files.map(({ high }) => high));
  const lonely = large.filter((path) => !paired.has(path));
  if (lonely.length > 0) {
    const version = track === "wild" && split === "train" ? "w1" : letters[track];
    const partner = `${stemOf(lonely[0])}x${scale}${version}.png`;
    throw new DataError(
      `${lonely.length} of ${large.length} pictures in ${hrFolder} have no small version, the first being ` +
        `${join(lrFolder, partner)}. Unpack the LR archive again, or move the HR pictures away.`,
    );
  }
  const title = track === "bicubic" ? "" : ` ${track}`;
  return filePairs(`DIV2K ${split}${title} X${scale}`, format, files);
}

/** What the small pictures' names have after the scale. */
const letters: Record<Div2kTrack, string> = {
  bicubic: "",
  unknown: "",
  mild: "m",
  difficult: "d",
  wild: "w",
};

/** Throws a RangeError unless DIV2K has small pictures of this kind. */
export function checkPublished(track: Div2kTrack, scale: number): void {
  if (!(track in div2kScales)) {
    throw new RangeError(`DIV2K has no track "${track}"; choose of ${Object.keys(div2kScales).join(", ")}.`);
  }
  if (!div2kScales[track].includes(scale)) {
    throw new RangeError(
      `DIV2K has the track "${track}" at scale ${div2kScales[track].join(", ")}, not at ${scale}. ` +
        "For another scale, openFolder makes small pictures from DIV2K's large ones.",
    );
  }
}

/** The archive with the large pictures, and the one folder it unpacks to. */
export function hrArchive(split: Div2kSplit): string {
  return `DIV2K_${split}_HR`;
}

/** The archive with the small pictures, without ".zip". */
export function lrArchive(split: Div2kSplit, track: Div2kTrack, scale: number): string {
  if (track === "bicubic" && scale === 8) return `DIV2K_${split}_LR_x8`;
  const name = `DIV2K_${split}_LR_${track}`;
  return track === "bicubic" || track === "unknown" ? `${name}_X${scale}` : name;
}

/**
 * The folders in which its pictures may lie, the official one last: where it is but holds the other, that is
 * wanted.
 */
export function lrFoldersOf(split: Div2kSplit, track: Div2kTrack, scale: number): string[] {
  const nested = join(`DIV2K_${split}_LR_${track}`, `X${scale}`);
  const isFlat = scale === 8 || !(track === "bicubic" || track === "unknown");
  return isFlat ? [nested, lrArchive(split, track, scale)] : [nested];
}
