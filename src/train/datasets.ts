/** The pictures to train on, and those held out to measure with. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError, openDiv2k, openFolder, type PairDataset, type PairFormat } from "../data/index.ts";
import { filePairs } from "../data/pairs.ts";
import type { TrainConfig } from "./config.ts";
import { openPhotographs } from "./photographs.ts";

export interface Pictures {
  readonly train: PairDataset;
  readonly valid: PairDataset;
  /** In words, without paths, which mean nothing elsewhere. */
  readonly description: string;
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
 * With `valid`, a folder of HR pictures, all of `data` is for training, and those are measured. `onLeftOut`
 * is called with a line for each folder of which something is left out.
 */
export function openPictures(
  config: TrainConfig,
  format: PairFormat,
  onLeftOut?: (line: string) => void,
): Pictures {
  const { data, valid, track, degradation } = config;
  if (data.length === 0) refuseTrack("the photographs", track);
  const parts =
    data.length > 0
      ? data.map((folder) => openPart(folder, format, config, onLeftOut))
      : [openPhotographs({ ...format, degradation })];
  const train = joined(
    parts.map((part) => part.train),
    format,
  );
  const from = data.length > 0 ? data.map((folder) => basename(folder)).join(", ") : "CC0 photographs";
  const description = `${from}: ${train.length} pictures`;
  if (valid === undefined) {
    const heldOut = joined(
      parts.map((part) => part.valid!),
      format,
    );
    return { train, valid: heldOut, description: `${description}, ${heldOut.length} held out` };
  }
  const others = openFolder(valid, { ...format, degradation, onLeftOut });
  const measured = `measured on ${others.length} of ${basename(valid)}`;
  return { train, valid: others, description: `${description}, ${measured}` };
}

/** One folder of `data`; nothing of it is held out if there are other pictures to measure on. */
function openPart(
  folder: string,
  format: PairFormat,
  { track, degradation, valid }: TrainConfig,
  onLeftOut?: (line: string) => void,
): { train: PairDataset; valid?: PairDataset } {
  const holdOut = valid === undefined;
  if (existsSync(join(folder, "DIV2K_train_HR"))) {
    if (degradation && track !== undefined) {
      throw new DataError(
        `${folder}: --track chooses among DIV2K's own LR pictures, and --degradation makes others. Leave one ` +
          "of them out.",
      );
    }
    const split = (split: "train" | "valid") =>
      degradation
        ? openFolder(join(folder, `DIV2K_${split}_HR`), { ...format, degradation, onLeftOut })
        : openDiv2k(folder, { split, track, onLeftOut, ...format });
    return { train: split("train"), valid: holdOut ? split("valid") : undefined };
  }
  refuseTrack(folder, track);
  const options = { ...format, degradation };
  const all = openFolder(folder, { ...options, onLeftOut });
  if (!holdOut) return { train: all };
  const paths = all.files!.map(({ high }) => high);
  if (paths.length < 2) {
    throw new DataError(
      `${folder}: it has one picture, and training needs at least two: one to learn from and one held out. ` +
        `Add more.`,
    );
  }
  const count = paths.length - Math.ceil(paths.length / 10);
  return {
    train: openFolder(paths.slice(0, count), options),
    valid: openFolder(paths.slice(count), options),
  };
}

function refuseTrack(pictures: string, track: string | undefined): void {
  if (track === undefined || track === "bicubic") return;
  throw new DataError(
    `${pictures}: only folders in DIV2K's layout have a track "${track}". Leave --track out.`,
  );
}

/** Datasets of files as one. */
function joined(datasets: readonly PairDataset[], format: PairFormat): PairDataset {
  const name = datasets.map((dataset) => dataset.name).join(" and ");
  const files = datasets.flatMap((dataset) => dataset.files!);
  return { ...filePairs(name, format, files), names: datasets.flatMap(({ names }) => names) };
}
