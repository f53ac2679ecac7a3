/** What a run folder says about the run in it: its configuration, and where to go on. */
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { DataError } from "../data/index.ts";
import { textOf } from "../picture/errors.ts";
import { isPretrained } from "../upscale/method-names.ts";
import {
  type Checkpoint,
  checkpointFile,
  previousCheckpointFile,
  readCheckpoint,
  resultFilesIn,
} from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { readLog } from "./run-folder.ts";
import { checkConfig } from "./settings.ts";

export interface SavedRun {
  readonly config: TrainConfig;
  /** Where to go on; undefined if nothing has been learned, so that the run begins anew. */
  readonly checkpoint: Checkpoint | undefined;
}

/** @throws DataError if the folder holds no run, or nothing of it is whole. */
export function readSavedRun(folder: string, onMessage: (line: string) => void): SavedRun {
  const anew = () => onMessage(`${folder}: the run was stopped before its first checkpoint, and begins anew`);
  const hasCheckpoint = [checkpointFile, previousCheckpointFile].some((file) =>
    existsSync(join(folder, file)),
  );
  // A run that begins anew would replace the weights of one that has lost its checkpoints.
  const logged = hasCheckpoint || resultFilesIn(folder).length > 0 ? undefined : configOfLog(folder);
  if (logged) {
    anew();
    return { config: logged, checkpoint: undefined };
  }
  const checkpoint = readCheckpoint(folder, onMessage);
  const { config, workingFolder, step } = checkpoint.state;
  if (step === 0) anew();
  return { config: resolvePaths(config, workingFolder), checkpoint: step === 0 ? undefined : checkpoint };
}

/** Earlier versions had no first checkpoint: a run that was killed before it left its log alone. */
function configOfLog(folder: string): TrainConfig | undefined {
  const entry = readLog(folder).find(({ config }) => config !== undefined);
  if (entry === undefined) return undefined;
  try {
    const config = entry.config as TrainConfig;
    checkConfig(config);
    return config;
  } catch (cause) {
    throw new DataError(
      `${folder}: there is no checkpoint, and the configuration in its log is damaged ` +
        `(${textOf(cause as Error)}). Remove the folder and begin the run again.`,
      { cause },
    );
  }
}

/** Relative paths as the run was begun with, unless what they name has moved along with the program. */
function resolvePaths(config: TrainConfig, from = process.cwd()): TrainConfig {
  if (from === process.cwd()) return config;
  const locate = (path: string) => {
    const original = resolve(from, path);
    return !isAbsolute(path) && existsSync(original) ? original : path;
  };
  const { data, valid, cache, init } = config;
  return {
    ...config,
    data: data.map(locate),
    ...(valid !== undefined && { valid: locate(valid) }),
    ...(cache !== undefined && { cache: locate(cache) }),
    ...(init !== undefined && { init: isPretrained(init) ? init : locate(init) }),
  };
}
