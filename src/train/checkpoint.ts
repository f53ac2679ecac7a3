/**
 * A checkpoint is one safetensors file with everything that training needs to go on as if it had never
 * stopped: the weights (`model.*`), Adam's running sums (`adam.*`), the weights' moving average (`average.*`)
 * and, as JSON in its metadata, the configuration and all counters. It replaces the previous one when it is
 * whole and on the disk, so that there is always one that can be read.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError, type LoaderState } from "../data/index.ts";
import { type NamedArray, parseSafetensors, serializeSafetensors } from "../node.ts";
import { checkArguments } from "../options/arguments.ts";
import { folder as aFolder } from "../options/kinds.ts";
import type { TrainConfig } from "./config.ts";
import type { Lengths } from "./run-folder.ts";

export const checkpointFile = "checkpoint.safetensors";

export interface Checkpoint {
  readonly state: CheckpointState;
  readonly weights: Map<string, NamedArray>;
  readonly average: Map<string, NamedArray> | undefined;
  readonly sums: Readonly<Record<string, Float32Array>>;
}

/** By their names, other pictures are noticed when training is resumed. */
export interface PictureNames {
  readonly train: readonly string[];
  readonly valid: readonly string[];
}

export interface CheckpointState {
  /** Version of the format. */
  readonly version: 1;
  readonly config: TrainConfig;
  /** The device's name: on another one, results may differ in their last bits. */
  readonly device: string;
  /** Steps done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Where the next batch begins among the endless patches. Nothing else is random after the start. */
  readonly loader: LoaderState;
  readonly pictures: PictureNames;
  /** Of the last evaluation, dB. */
  readonly psnr: number | undefined;
  /** The best evaluation; its weights are in best.safetensors. */
  readonly best: { readonly step: number; readonly psnr: number } | undefined;
  readonly lengths: Lengths;
}

export function serializeCheckpoint({ state, weights, average, sums }: Checkpoint): Uint8Array {
  const tensors = new Map<string, NamedArray>();
  for (const [name, array] of weights) tensors.set(`model.${name}`, array);
  for (const [name, array] of average ?? []) tensors.set(`average.${name}`, array);
  for (const [name, data] of Object.entries(sums))
    tensors.set(`adam.${name}`, { shape: [data.length], data });
  return serializeSafetensors(tensors, { pixelgrad: "checkpoint", state: JSON.stringify(state) });
}

/** Reads the checkpoint of a run folder. Throws a DataError if there is none that this version can read. */
export function readCheckpoint(folder: string): Checkpoint {
  checkArguments("readCheckpoint", { folder: [folder, aFolder] });
  const path = join(folder, checkpointFile);
  if (!existsSync(path)) {
    throw new DataError(
      `${folder}: there is no training to resume (no ${checkpointFile}). Name the folder of an earlier run.`,
    );
  }
  const { tensors, metadata } = parseSafetensors(readFileSync(path), path);
  if (metadata.pixelgrad !== "checkpoint") {
    throw new DataError(
      `${path}: these are weights without the state of training. Begin with them by --init.`,
    );
  }
  const state: CheckpointState = JSON.parse(metadata.state);
  if (state.version !== 1) {
    throw new DataError(
      `${path} is a checkpoint of format ${state.version}, and this version reads format 1. Resume it with ` +
        `the version that wrote it.`,
    );
  }
  const named = (prefix: string) =>
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, array]) => [name.slice(prefix.length), array] as const);
  const average = named("average.");
  return {
    state,
    weights: new Map(named("model.")),
    average: average.length > 0 ? new Map(average) : undefined,
    sums: Object.fromEntries(named("adam.").map(([name, { data }]) => [name, data])),
  };
}
