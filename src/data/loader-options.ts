/** What a PatchLoader is told, and what it makes of it. */
import { dirname } from "node:path";
import { memoryForPictures, threadsForPictures } from "../files/resources.ts";
import { sameFile } from "../files/same-file.ts";
import { ArgumentError, checkOptions, type Wanted } from "../options/arguments.ts";
import { folder as aFolder, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { defaultRandom } from "../tensor/random.ts";
import { checkDataset } from "./check-dataset.ts";
import { type PairDataset, type PairFiles, pathsOf } from "./pairs.ts";

export interface LoaderOptions {
  /** Patches per batch. */
  batch: number;
  /**
   * Side of a patch in LR pixels; its HR side is `scale` times that. EDSR: 48 (Lim et al. 2017, HR 96 at x2).
   */
  patch: number;
  /** Determines the order of the pictures and every crop. Any whole number; default: drawn as `manualSeed` has it. */
  seed?: number;
  /**
   * Bytes of decoded pictures to keep in memory: those that are read first. The others are decoded again for every
   * patch. Default: half of the memory that is free when the loader is made (on macOS, a quarter of all), at
   * least 512 MiB or, in a container, a quarter of its memory. All of DIV2K X2 takes about 8 GB.
   */
  cacheBytes?: number;
  /**
   * For datasets that do not fit into memory: decoded pictures are kept as files in this folder, and little
   * more than a patch is read from them. The folder may be deleted at any time, and pictures that have changed
   * are decoded again. Not together with cacheBytes.
   */
  cacheFolder?: string;
  /**
   * Threads that read and degrade pictures, and cut patches. Default: one fewer than the processors, two fewer if
   * there are more than 4; 1 to 32.
   */
  workers?: number;
}

const byteCount: Wanted<number> = {
  wants: "a number of at least 0, or Infinity",
  fits: (value): value is number => typeof value === "number" && value >= 0,
};

const optionsWanted: Readonly<Record<keyof LoaderOptions, Wanted>> = {
  batch: whole(1, 2 ** 16),
  patch: whole(1, 2 ** 16),
  seed: whole(),
  cacheBytes: byteCount,
  cacheFolder: aFolder,
  workers: whole(1, 2 ** 16),
};

/** The options with their defaults. */
export type LoaderSettings = Required<Omit<LoaderOptions, "cacheFolder">> &
  Pick<LoaderOptions, "cacheFolder">;

/** @throws RangeError for options that are wrong, or do not fit the dataset; DataError for one without pictures. */
export function settingsFor(dataset: PairDataset, options: LoaderOptions): LoaderSettings {
  checkDataset("PatchLoader", dataset);
  checkOptions("PatchLoader", options, optionsWanted, ["batch", "patch"]);
  const {
    batch,
    patch,
    seed = defaultRandom().next(),
    cacheBytes = memoryForPictures(),
    cacheFolder,
    workers = threadsForPictures(),
  } = options;
  if (cacheFolder !== undefined && options.cacheBytes !== undefined) {
    throw new ArgumentError(
      "PatchLoader",
      "pictures are kept in memory or in files; give cacheBytes or cacheFolder.",
    );
  }
  if (cacheFolder !== undefined && dataset.files === undefined) {
    throw new ArgumentError(
      "PatchLoader",
      `cacheFolder is for pictures in files, and the dataset ${dataset.name} has none. Leave it out.`,
    );
  }
  if (cacheFolder !== undefined && dataset.files) refuseAmongPictures(cacheFolder, dataset.files);
  return { batch, patch, seed, workers, cacheBytes, cacheFolder };
}

/** Files of a cache would lie among the pictures, and be left out of them each time. */
function refuseAmongPictures(cacheFolder: string, files: readonly PairFiles[]): void {
  for (const folder of new Set(files.flatMap(pathsOf).map(dirname))) {
    if (!sameFile(cacheFolder, folder)) continue;
    throw new DataError(
      `${cacheFolder}: pictures of the dataset are in this folder, and a cache would fill it with files of its own. ` +
        "Choose another cacheFolder (on the command line: --cache).",
    );
  }
}
