/** What a PatchLoader is told, and what it makes of it. */
import { dirname } from "node:path";
import { memoryForPictures, threadsForPictures } from "../files/resources.ts";
import { sameFile } from "../files/same-file.ts";
import {
  ArgumentError,
  checkArguments,
  checkIsObject,
  checkNames,
  keysOf,
  optional,
} from "../options/arguments.ts";
import { folder as aFolder, quote, whole } from "../options/kinds.ts";
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

const optionNames = keysOf<LoaderOptions>({
  batch: true,
  patch: true,
  seed: true,
  cacheBytes: true,
  cacheFolder: true,
  workers: true,
});

/** The options with their defaults. */
export type LoaderSettings = Required<Omit<LoaderOptions, "cacheFolder">> &
  Pick<LoaderOptions, "cacheFolder">;

/** @throws RangeError for options that are wrong, or do not fit the dataset; DataError for one without pictures. */
export function settingsFor(dataset: PairDataset, options: LoaderOptions): LoaderSettings {
  checkDataset("PatchLoader", dataset);
  checkIsObject("PatchLoader", options, "such as { batch: 16, patch: 48, seed: 1 }");
  checkNames("PatchLoader", options, optionNames);
  const {
    batch,
    patch,
    seed = defaultRandom().next(),
    cacheBytes = memoryForPictures(),
    cacheFolder,
  } = options;
  const { name, files } = dataset;
  const { workers = threadsForPictures() } = options;
  for (const [name, value] of Object.entries({ batch, patch, workers })) {
    if (!Number.isInteger(value) || value < 1 || value > 2 ** 16) {
      throw new ArgumentError(
        "PatchLoader",
        `${name} must be a whole number of at least 1, at most 65536, not ${quote(value)}.`,
      );
    }
  }
  checkArguments("PatchLoader", {
    seed: [seed, whole()],
    cacheFolder: [cacheFolder, optional(aFolder)],
  });
  if (!(typeof cacheBytes === "number" && cacheBytes >= 0)) {
    throw new ArgumentError(
      "PatchLoader",
      `cacheBytes must be a number of at least 0, not ${quote(cacheBytes)}.`,
    );
  }
  if (cacheFolder !== undefined && options.cacheBytes !== undefined) {
    throw new ArgumentError(
      "PatchLoader",
      "pictures are kept in memory or in files; give cacheBytes or cacheFolder.",
    );
  }
  if (cacheFolder !== undefined && files === undefined) {
    throw new ArgumentError(
      "PatchLoader",
      `cacheFolder is for pictures in files, and the dataset ${name} has none. Leave it out.`,
    );
  }
  if (cacheFolder !== undefined && files) refuseAmongPictures(cacheFolder, files);
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
