/**
 * Stand-ins for networks that come with the library at some scales only: files of the same names, made while a test
 * runs. So a test of what becomes of damaged pictures needs no trained network.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Wren } from "../../src/models/wren.ts";
import { Random } from "../../src/tensor/random.ts";
import {
  type PretrainedName,
  type PretrainedScale,
  pretrainedFiles,
} from "../../src/upscale/method-names.ts";
import { saveWeights } from "../../src/weights/weight-file.ts";

type Files = Partial<Record<PretrainedScale, () => URL>>;

/** Writes tiny networks, no two alike, to files such as `wren-photo-x2.safetensors`. A device must be open. */
export async function writeStandIns(
  folder: string,
  name: PretrainedName,
  scales: readonly PretrainedScale[],
): Promise<void> {
  for (const scale of scales) {
    const random = new Random(10 * name.length + scale);
    const model = new Wren({ scale, blocks: 1, channels: 4, random });
    // A new network's tail is zero, and the network interpolates.
    for (const parameter of model.tail.parameters()) {
      parameter.assign(Float32Array.from({ length: parameter.size }, () => 0.02 * (random.uniform() - 0.5)));
    }
    writeFileSync(join(folder, `${name}-x${scale}.safetensors`), await saveWeights(model));
    model.dispose();
  }
}

/** Puts the files of a folder into the library's table of networks, until the result is called. */
export function useStandIns(folder: string): () => void {
  const before = new Map<Files, Files>();
  for (const file of readdirSync(folder)) {
    const [, name, scale] = /^(.+)-x(\d)\.safetensors$/.exec(file) ?? [];
    if (name === undefined) continue;
    const files: Files = pretrainedFiles[name as PretrainedName];
    if (!before.has(files)) before.set(files, { ...files });
    files[Number(scale) as PretrainedScale] = () => pathToFileURL(join(folder, file));
  }
  return () => {
    for (const [files, old] of before) {
      for (const scale of [1, 2, 3, 4] as const) delete files[scale];
      Object.assign(files, old);
    }
  };
}

/** The same for scales that a test needs to lack. */
export function withoutFiles(name: PretrainedName): () => void {
  const files: Files = pretrainedFiles[name];
  const old = { ...files };
  for (const scale of [1, 2, 3, 4] as const) delete files[scale];
  return () => void Object.assign(files, old);
}
