/** The pictures to train on and those held out to measure with. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import {
  DataError,
  openDiv2k,
  openFolder,
  type Pair,
  type PairDataset,
  type PairFormat,
} from "../data/index.ts";
import type { TrainConfig } from "./config.ts";
import { openPhotographs } from "./photographs.ts";

export interface Pictures {
  readonly train: PairDataset;
  readonly valid: PairDataset;
  /** What they are, for people; without paths, which mean nothing elsewhere. */
  readonly description: string;
}

/**
 * Opens what the configuration names:
 *
 * - a folder in DIV2K's layout: its training pictures, and its validation pictures held out;
 * - any other folder of HR pictures: of these the last tenth by name is held out;
 * - several of such folders: all of them together;
 * - no folder: photographs from npm.
 *
 * With `valid`, a folder of HR pictures, all of `data` is trained on and those are measured with. `onLeftOut`
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
  const train = joined(parts.map((part) => part.train));
  const toMeasure =
    valid === undefined
      ? joined(parts.map((part) => part.valid!))
      : openFolder(valid, { ...format, degradation, onLeftOut });
  const from = data.length > 0 ? data.map((folder) => basename(folder)).join(", ") : "CC0 photographs";
  const others =
    valid === undefined
      ? `${toMeasure.length} held out`
      : `measured on ${toMeasure.length} of ${basename(valid)}`;
  return { train, valid: toMeasure, description: `${from}: ${train.length} pictures, ${others}` };
}

/** The first pictures of a dataset, decoded. */
export function loadPairs(dataset: PairDataset, count: number): Promise<Pair[]> {
  return Promise.all(Array.from({ length: Math.min(count, dataset.length) }, (_, i) => dataset.load(i)));
}

/** One folder of `data`; if there are others to measure on, all of it to train on. */
function openPart(
  folder: string,
  format: PairFormat,
  { track, degradation, valid }: TrainConfig,
  onLeftOut?: (line: string) => void,
): { train: PairDataset; valid?: PairDataset } {
  const holdOut = valid === undefined;
  if (existsSync(join(folder, "DIV2K_train_HR"))) {
    if (degradation) {
      throw new DataError(
        `${folder}: DIV2K has LR pictures of its own, and a degradation is for other folders. Leave it out, ` +
          `or choose one of DIV2K's by --track.`,
      );
    }
    const split = (split: "train" | "valid") => openDiv2k(folder, { split, track, onLeftOut, ...format });
    return { train: split("train"), valid: holdOut ? split("valid") : undefined };
  }
  refuseTrack(folder, track);
  const own = { ...format, degradation };
  const all = openFolder(folder, { ...own, onLeftOut });
  if (!holdOut) return { train: all };
  const paths = all.files!.map(({ high }) => high);
  const heldOut = Math.ceil(paths.length / 10);
  if (paths.length < 2) {
    throw new DataError(
      `${folder}: it has one picture, and training needs at least two: one to learn from and one held out. ` +
        `Add more.`,
    );
  }
  return { train: openFolder(paths.slice(0, -heldOut), own), valid: openFolder(paths.slice(-heldOut), own) };
}

function refuseTrack(what: string, track: string | undefined): void {
  if (track === undefined || track === "bicubic") return;
  throw new DataError(`${what}: only folders in DIV2K's layout have a track "${track}". Leave --track out.`);
}

/** Datasets of files of one format, one behind the other. */
function joined(datasets: readonly PairDataset[]): PairDataset {
  if (datasets.length === 1) return datasets[0];
  const places = datasets.flatMap((dataset) => dataset.names.map((_, i) => ({ dataset, i })));
  return {
    ...datasets[0],
    name: datasets.map(({ name }) => name).join(" and "),
    length: places.length,
    names: datasets.flatMap(({ names }) => names),
    files: datasets.flatMap(({ files }) => files!),
    load: async (index) => places[index].dataset.load(places[index].i),
  };
}
