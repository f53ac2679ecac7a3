/**
 * A checkpoint is one safetensors file with everything that training needs to go on as if it had never
 * stopped: the weights (`model.*`), Adam's running sums (`adam.*`), the weights' moving average (`average.*`)
 * and, as JSON in its metadata, the configuration and all counters. It replaces the previous one when it is
 * whole and on the disk, and a copy of the previous one stays for the day on which the disk damages it: a
 * checksum tells.
 *
 * The first one is of step 0 and has no tensors, as the first weights follow from the configuration. So a run
 * folder has a checkpoint from its first moment on.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DataError, type LoaderState } from "../data/index.ts";
import { readBytes } from "../files/image-files.ts";
import { pathArgument } from "../files/path-of.ts";
import { statsWithin } from "../files/same-file.ts";
import { type Module, type NamedArray, parseSafetensors, serializeSafetensors } from "../node.ts";
import { aFunction, checkArguments, isObject } from "../options/arguments.ts";
import { folder as aFolder } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { textOf } from "../picture/errors.ts";
import { resultFiles } from "../weights/run-files.ts";
import type { TrainConfig } from "./config.ts";
import { checkConfig } from "./settings.ts";

export const checkpointFile = "checkpoint.safetensors";
export const previousCheckpointFile = "checkpoint.previous.safetensors";

export interface Checkpoint {
  /** The file that it was read from, which says whether it is the newest. */
  readonly file?: string;
  readonly state: CheckpointState;
  readonly weights: Map<string, NamedArray>;
  readonly average: Map<string, NamedArray> | undefined;
  readonly sums: Readonly<Record<string, Float32Array>>;
}

/** Names of the pictures, by which others are noticed when training is resumed. */
export interface PictureNames {
  readonly train: readonly string[];
  readonly valid: readonly string[];
  /** Bytes of all files to train on, which tell others of the same names; older versions did not save it. */
  readonly trainBytes?: number;
}

/** Bytes of each file of a run that grows during training. */
export interface Lengths {
  readonly log: number;
  readonly events: number;
}

export interface CheckpointState {
  /** Version of the format. */
  readonly version: 1;
  /** Without `out`: where a run lies is no setting, and its folder may move. */
  readonly config: TrainConfig;
  /** The folder that relative paths in the configuration begin from; older versions did not save it. */
  readonly workingFolder?: string;
  /** The device's name: on another one, results may differ in their last bits. */
  readonly device: string;
  /** Steps done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Where the next batch begins among the endless patches. Nothing else is random after the start. */
  readonly loader: LoaderState;
  readonly pictures: PictureNames;
  /** PSNR of the last evaluation, dB. */
  readonly psnr: number | undefined;
  /** The best evaluation; its weights are in best.safetensors. */
  readonly best: { readonly step: number; readonly psnr: number } | undefined;
  /** What bicubic reaches on the held-out pictures, dB, which tells other ones of the same names. */
  readonly bicubic?: number;
  readonly lengths: Lengths;
}

/** The weights of a network, without the markers by which files are recognized: versions before them read it, too. */
export function weightsAlone(
  network: Module,
  state: ReadonlyMap<string, NamedArray>,
): Map<string, NamedArray> {
  const tensors = network.namedTensors();
  return new Map([...state].filter(([name]) => tensors.has(name)));
}

export function serializeCheckpoint({ state, weights, average, sums }: Checkpoint): Uint8Array {
  const tensors = new Map<string, NamedArray>();
  for (const [name, array] of weights) tensors.set(`model.${name}`, array);
  for (const [name, array] of average ?? []) tensors.set(`average.${name}`, array);
  for (const [name, data] of Object.entries(sums))
    tensors.set(`adam.${name}`, { shape: [data.length], data });
  const text = JSON.stringify(state);
  const sha256 = checksum(text, tensors);
  return serializeSafetensors(tensors, { pixelgrad: "checkpoint", state: text, sha256 });
}

/** @throws DataError if there is no folder of a run to go on with. */
export function checkIsFolder(path: string): void {
  const stats = statsWithin(path);
  if (!stats) {
    throw new DataError(`${path}: there is no such folder, and so no training to resume. Check the path.`);
  }
  if (!stats.isDirectory()) {
    throw new DataError(
      `${path} is a file, and a run is resumed by its folder: \`resume\` ${dirname(path)}, say.`,
    );
  }
}

/**
 * Reads the newest whole checkpoint of a run folder. If it is not the newest there, `onMessage` is called
 * with a line that says so.
 *
 * @throws DataError if there is none that this version can read; it says what else in the folder is whole.
 */
export function readCheckpoint(
  runFolder: string | URL,
  onMessage: (line: string) => void = () => {},
): Checkpoint {
  const folder = pathArgument("readCheckpoint", "folder", runFolder, aFolder);
  checkArguments("readCheckpoint", { onMessage: [onMessage, aFunction] });
  checkIsFolder(folder);
  const files = [checkpointFile, previousCheckpointFile].filter((file) => existsSync(join(folder, file)));
  if (files.length === 0) {
    throw new DataError(
      resultFilesIn(folder).length > 0
        ? `${folder}: ${checkpointFile} is missing, and with it what training needs to go on. ${adviceWithout(folder)}`
        : `${folder}: there is no training to resume (no ${checkpointFile}). Name the folder of an earlier run.`,
    );
  }
  const problems: string[] = [];
  for (const file of files) {
    try {
      const checkpoint = parseCheckpoint(readFileSync(join(folder, file)), join(folder, file));
      for (const problem of problems) {
        onMessage(`${problem} Going on from the one before it, of step ${checkpoint.state.step}.`);
      }
      return { ...checkpoint, file };
    } catch (error) {
      if (error instanceof NewerFormatError) throw error;
      problems.push(
        error instanceof DataError ? error.message : damageError(join(folder, file), error).message,
      );
    }
  }
  throw new DataError(`${problems.join(" ")} ${adviceWithout(folder)}`);
}

/** A checkpoint that another version wrote. It is whole, so none before it is taken instead. */
class NewerFormatError extends DataError {}

/** @throws DataError if the bytes are no checkpoint, or not all of one; other errors if they are nonsense. */
function parseCheckpoint(bytes: Uint8Array, path: string): Checkpoint {
  const { tensors, metadata } = tensorsOf(bytes);
  if (metadata.pixelgrad !== "checkpoint") {
    throw new DataError(
      `${path}: these are weights without the state of training. Begin with them by \`init\`.`,
    );
  }
  const state = stateIn(metadata.state);
  if (Number.isInteger(state.version) && state.version !== 1) {
    throw new NewerFormatError(
      `${path} is a checkpoint of format ${state.version}, and this version reads format 1. Resume it with ` +
        `the version that wrote it.`,
    );
  }
  if (metadata.sha256 !== undefined && metadata.sha256 !== checksum(metadata.state, tensors)) {
    throw damageError(path, new Error("its checksum differs"));
  }
  checkState(state);
  const startingWith = (prefix: string) =>
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, array]) => [name.slice(prefix.length), array] as const);
  const average = startingWith("average.");
  const checkpoint: Checkpoint = {
    state,
    weights: new Map(startingWith("model.")),
    average: average.length > 0 ? new Map(average) : undefined,
    sums: Object.fromEntries(startingWith("adam.").map(([name, { data }]) => [name, data])),
  };
  if (state.step > 0) {
    if (state.config.ema !== undefined && average.length === 0) throw new Error("it lacks the average");
    if (checkpoint.weights.size === 0) throw new Error("it has no weights");
  }
  for (const [name, { data }] of tensors) {
    if (!data.every(Number.isFinite)) throw new Error(`${name} holds values that are not finite`);
  }
  return checkpoint;
}

/** The advice at the end of the error, to download the file again, is not for a checkpoint. */
function tensorsOf(bytes: Uint8Array): ReturnType<typeof parseSafetensors> {
  try {
    return parseSafetensors(bytes, "it");
  } catch (cause) {
    throw new Error((cause as Error).message.replace(/\. [^.]*\.$/, ""), { cause });
  }
}

function stateIn(text: string): CheckpointState {
  let state: CheckpointState;
  try {
    state = JSON.parse(text);
  } catch (cause) {
    throw new Error("its state is no JSON", { cause });
  }
  if (!isObject(state)) throw new Error("its state is no object");
  const parts = (["config", "loader", "pictures", "lengths"] as const).filter(
    (name) => !isObject(state[name]),
  );
  if (parts.length > 0) throw new Error(`its state lacks ${andList(parts)}`);
  // JSON has no infinity: a network without any error was written as null.
  const decibels = (value: number | null | undefined) => (value === null ? Infinity : value);
  const { best } = state;
  return {
    ...state,
    psnr: decibels(state.psnr),
    best: isObject(best) ? { ...best, psnr: decibels(best.psnr)! } : best,
  };
}

/** Throws unless a state is one that training can go on from. */
function checkState(state: CheckpointState): void {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isNumber = (value: unknown) =>
    value === undefined || (typeof value === "number" && !Number.isNaN(value));
  const areNames = (value: unknown) =>
    Array.isArray(value) && value.every((name) => typeof name === "string");
  const { config, step, seconds, loader, pictures, psnr, best, lengths, workingFolder, device } = state;
  checkConfig(config);
  const holds: Readonly<Record<string, boolean>> = {
    step: isCount(step) && step <= config.steps,
    seconds: Number.isFinite(seconds) && seconds >= 0,
    device: typeof device === "string",
    workingFolder: workingFolder === undefined || typeof workingFolder === "string",
    loader:
      [loader.epoch, loader.position, loader.pictures].every(isCount) &&
      loader.position < loader.pictures &&
      loader.seed === config.seed,
    pictures: areNames(pictures.train) && areNames(pictures.valid),
    psnr: isNumber(psnr),
    best:
      best === undefined ||
      (isObject(best) && isCount(best.step) && best.step <= step && isNumber(best.psnr)),
    lengths: isCount(lengths.log) && isCount(lengths.events),
  };
  const wrong = Object.keys(holds).find((name) => !holds[name]);
  if (wrong) throw new Error(`its ${wrong} cannot be`);
}

/** A hash of the state and all values: a bit that the disk turned is noticed. */
function checksum(state: string, tensors: ReadonlyMap<string, NamedArray>): string {
  const hash = createHash("sha256").update(state);
  for (const [name, { shape, data }] of tensors) {
    hash.update(`${name} [${shape}]`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

function damageError(path: string, cause: unknown): DataError {
  return new DataError(`${path} is damaged (${textOf(cause as Error)}).`, { cause });
}

/** The files of results that are there. */
export function resultFilesIn(folder: string): string[] {
  return resultFiles.filter((file) => existsSync(join(folder, file)));
}

/** The step at which the weights in a file were saved; undefined if it is missing or damaged. */
export async function stepIn(path: string): Promise<number | undefined> {
  try {
    return Number(parseSafetensors(await readBytes(path), path).metadata.step);
  } catch {
    return undefined;
  }
}

/** What is left of a run without a whole checkpoint. */
function adviceWithout(folder: string): string {
  const whole = resultFiles.filter((file) => {
    try {
      return parseSafetensors(readFileSync(join(folder, file)), file).tensors.size > 0;
    } catch {
      return false;
    }
  });
  if (whole.length === 0) return "Nothing else in the folder is whole: begin a new run with another `out`.";
  return (
    `Whole in this folder: ${whole.join(" and ")}. Begin a new run with these weights, by \`init\` ` +
    `${join(folder, whole[0])} and another \`out\`.`
  );
}
