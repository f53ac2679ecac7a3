/** The pictures to train on, and those held out to measure with. */
import { basename, dirname, join } from "node:path";
import { highFolderIn } from "../data/div2k.ts";
import { DataError, openDiv2k, openFolder, type PairDataset, type PairFormat } from "../data/index.ts";
import { filePairs } from "../data/pairs.ts";
import { describeLeftOut, type LeftOut } from "../files/pictures-in.ts";
import { alsoAmong, inOtherFormats } from "../files/same-content.ts";
import { fileId, sameFile } from "../files/same-file.ts";
import { firstOf, quantity } from "../options/lists.ts";
import type { TrainConfig } from "./config.ts";
import { openPhotographs } from "./photographs.ts";

export interface Pictures {
  readonly train: PairDataset;
  readonly valid: PairDataset;
  /** The pictures in words, without paths, which mean nothing elsewhere. */
  readonly description: string;
  /** What makes the figures of these pictures worth less, a paragraph each. */
  readonly warnings: readonly string[];
}

/**
 * Opens what the configuration names:
 *
 * - a folder in DIV2K's layout: its training pictures; its validation pictures are held out. With a
 *   degradation, LR is made of its HR pictures;
 * - any other folder of HR pictures: the last tenth by name is held out;
 * - several such folders: all of them together;
 * - no folder: photographs from npm.
 *
 * With `valid`, a folder of HR pictures, all of `data` is for training, and those are measured. A folder or a
 * file that `data` leads to twice counts once. `onLeftOut` is called with a line for each folder of which
 * something is left out.
 */
export function openPictures(
  config: TrainConfig,
  format: PairFormat,
  onLeftOut?: (line: string) => void,
): Pictures {
  const { data, valid, track, degradation } = config;
  if (data.length === 0) refuseTrack("the photographs", track);
  const folders = data.filter((folder, i) => {
    const first = data.findIndex((other) => sameFile(folder, other));
    if (first < i) onLeftOut?.(`${folder}: counts once, as it is the same folder as ${data[first]}`);
    return first === i;
  });
  const pathById = new Map<string, string>();
  const parts =
    data.length > 0
      ? folders.map((folder) => openPart(folder, format, config, pathById, onLeftOut))
      : [openPhotographs({ ...format, degradation })];
  const train = concatDatasets(
    parts.map((part) => part.train),
    format,
  );
  const from = data.length > 0 ? folders.map((folder) => basename(folder)).join(", ") : "CC0 photographs";
  const description = `${from}: ${quantity(train.length, "picture")}`;
  if (valid === undefined) {
    const heldOut = concatDatasets(
      parts.map((part) => part.valid!),
      format,
    );
    const warnings = warningsAbout(train, heldOut, config);
    return { train, valid: heldOut, description: `${description}, ${heldOut.length} held out`, warnings };
  }
  const others = openFolder(valid, { ...format, degradation, onLeftOut });
  const measured = `measured on ${others.length} of ${basename(valid)}`;
  const warnings = warningsAbout(train, others, config);
  return { train, valid: others, description: `${description}, ${measured}`, warnings };
}

/** Pictures that a network has learned from do not tell how it does on others. */
function warningsAbout(
  train: PairDataset,
  heldOut: PairDataset,
  { valid, validPictures }: TrainConfig,
): string[] {
  const pathsOf = ({ files }: PairDataset) => files!.map(({ high }) => high);
  const measured = pathsOf(heldOut).slice(0, validPictures);
  const copies = alsoAmong(measured, pathsOf(train));
  const twins = inOtherFormats(measured, pathsOf(train)).filter(({ path }) => !copies.includes(path));
  const both = [
    ...copies.map((path) => basename(path)),
    ...twins.map(({ path, other }) => `${basename(path)} (as ${basename(other)})`),
  ];
  if (both.length === 0) return [];
  const advice =
    valid === undefined
      ? "Leave the copies out of `data`"
      : "Name other pictures by `valid`, or leave `valid` out, and some of the data are held out";
  return [
    `Of ${quantity(measured.length, "picture")} to measure on, ${both.length} ` +
      `${both.length === 1 ? "is" : "are"} also trained on: ${firstOf(both)}. ` +
      `The figures will be too good, and the best weights may be those that have learned them by heart. ${advice}.`,
  ];
}

/**
 * One folder of `data`; nothing of it is held out if there are other pictures to measure on.
 *
 * @param pathById the pictures of the folders before it, by their fileId; gets those of this one.
 */
function openPart(
  folder: string,
  format: PairFormat,
  { track, degradation, valid }: TrainConfig,
  pathById: Map<string, string>,
  onLeftOut?: (line: string) => void,
): { train: PairDataset; valid?: PairDataset } {
  const holdOut = valid === undefined;
  if (highFolderIn(folder, "train") !== undefined) {
    if (degradation && track !== undefined) {
      throw new DataError(
        `${folder}: \`track\` chooses among DIV2K's own LR pictures, and \`degradation\` makes others. Leave one ` +
          "of them out.",
      );
    }
    const split = (split: "train" | "valid") =>
      degradation
        ? openFolder(highFolderIn(folder, split) ?? join(folder, `DIV2K_${split}_HR`), {
            ...format,
            degradation,
            onLeftOut,
          })
        : openDiv2k(folder, { split, track, onLeftOut, ...format });
    return { train: split("train"), valid: holdOut ? split("valid") : undefined };
  }
  refuseTrack(folder, track);
  const options = { ...format, degradation };
  const all = openFolder(folder, { ...options, onLeftOut });
  const repeated: LeftOut[] = [];
  const paths = all
    .files!.map(({ high }) => high)
    .filter((path) => {
      const id = fileId(path);
      const first = pathById.get(id);
      if (first === undefined) pathById.set(id, path);
      else repeated.push({ name: basename(path), why: `the same file as in ${basename(dirname(first))}` });
      return first === undefined;
    });
  if (repeated.length > 0) onLeftOut?.(describeLeftOut(folder, repeated));
  const open = (files: readonly string[]) =>
    files.length > 0 ? openFolder(files, options) : filePairs(all.name, format, []);
  if (!holdOut) return { train: repeated.length > 0 ? open(paths) : all };
  if (paths.length < 2) {
    if (repeated.length > 0) return { train: open(paths), valid: open([]) };
    throw new DataError(
      `${folder}: it has one picture, and training needs at least two: one to learn from and one held out. ` +
        `Add more.`,
    );
  }
  const count = paths.length - Math.ceil(paths.length / 10);
  return { train: open(paths.slice(0, count)), valid: open(paths.slice(count)) };
}

function refuseTrack(pictures: string, track: string | undefined): void {
  if (track === undefined || track === "bicubic") return;
  throw new DataError(
    `${pictures}: only folders in DIV2K's layout have a track "${track}". Leave \`track\` out.`,
  );
}

/** Datasets of files as one. */
function concatDatasets(datasets: readonly PairDataset[], format: PairFormat): PairDataset {
  const name = datasets.map((dataset) => dataset.name).join(" and ");
  const files = datasets.flatMap((dataset) => dataset.files!);
  return { ...filePairs(name, format, files), names: datasets.flatMap(({ names }) => names) };
}
