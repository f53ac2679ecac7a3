/** Weight files of every format that is read. The first bytes decide which it is, not the name. */

import { aModule, type Module, type NamedArray } from "../nn/module.ts";
import { ArgumentError, bytes as bytesWanted, checkArguments, type Wanted } from "../options/arguments.ts";
import { ownBytes } from "../options/classes.ts";
import { quote } from "../options/kinds.ts";
import { excerpt } from "../options/printable.ts";
import { DataError } from "../picture/errors.ts";
import { looksLikeNcnn, parseNcnn } from "./ncnn-file.ts";
import { looksLikePytorch } from "./pytorch-archive.ts";
import { openPytorch, parsePytorch, type WeightContents } from "./pytorch-file.ts";
import { parseSafetensors, type SafetensorsOptions, serializeSafetensors, texts } from "./safetensors.ts";

/** What saveWeights wants: no optimizer, which goes into a checkpoint. */
const weightsOwner: Wanted<Module> = {
  ...aModule,
  wants: `${aModule.wants} (an optimizer goes into saveCheckpoint({ model, optimizer }))`,
};

/** What is in a weight file. */
export interface WeightFile {
  readonly tensors: Map<string, NamedArray>;
  /** What it says of them; only some programs write any. */
  readonly metadata: Record<string, string>;
}

/**
 * Reads a weight file: safetensors, PyTorch's (`.pth`, `.pt`), or ncnn's text and weights in one piece, whose
 * tensors are called after their layers. `name` is what errors call it.
 *
 * @throws DataError if the bytes are no such file or not all of it; see `parseSafetensors` and `parsePytorch`.
 */
export function parseWeights(bytes: Uint8Array, name = "the weight file"): WeightFile {
  checkArguments("parseWeights", { "the first argument": [bytes, bytesWanted] });
  const own = ownBytes(bytes);
  if (looksLikePytorch(own)) return parsePytorch(own, name);
  if (looksLikeNcnn(own)) return { tensors: parseNcnn(own, name).tensors, metadata: {} };
  return parseSafetensors(own, name);
}

/** All that a weight file holds, other things than a network's weights as well. @throws DataError */
export function openWeights(bytes: Uint8Array, name: string): WeightContents {
  const own = ownBytes(bytes);
  if (looksLikePytorch(own)) return openPytorch(own, name);
  const { tensors, metadata } = parseWeights(own, name);
  return { tensors, dictionaries: new Map([["", { metadata, names: [] }]]) };
}

/** The bytes of a safetensors file with a module's weights, its metadata(), and `metadata` besides. */
export async function saveWeights(
  module: Module,
  metadata: Readonly<Record<string, string>> = {},
  options: SafetensorsOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkArguments("saveWeights", { "the first argument": [module, weightsOwner] });
  if (!texts.fits(metadata)) {
    throw new ArgumentError(
      "saveWeights",
      `the second argument is metadata, such as { note: "first try" }, got ` +
        `${quote(metadata)}. To write the file: await writeFile(path, await saveWeights(model)).`,
    );
  }
  const allTexts = { ...module.metadata(), ...metadata };
  return serializeSafetensors(await module.stateDict(), allTexts, options);
}

/**
 * Loads a file from {@link saveWeights}, or any weight file with this module's names and shapes. Returns its
 * metadata. `name` is what errors call the file.
 *
 * @throws DataError, without changing the module, if the file is broken, belongs to another architecture, or
 *   holds values that loadStateDict refuses: NaN, or infinite parameters.
 */
export function loadWeights(module: Module, bytes: Uint8Array, name?: string): Record<string, string> {
  checkArguments("loadWeights", { "the first argument": [module, aModule] });
  if (!bytesWanted.fits(bytes)) {
    throw new ArgumentError(
      "loadWeights",
      `the second argument is the file's bytes (a Uint8Array), got ${quote(bytes)}. ` +
        `To read the file: loadWeights(model, await readFile(path), path).`,
    );
  }
  const { tensors, metadata } = parseWeights(bytes, name);
  for (const [key, own] of Object.entries(module.metadata())) {
    if (metadata[key] !== undefined && metadata[key] !== own) {
      throw new DataError(
        `${name ?? "The weight file"} holds weights of another network: its ${key} is ` +
          `${excerpt(metadata[key])}, and this network's is ${own}. Create the network with the options it was ` +
          `trained with.`,
      );
    }
  }
  module.loadStateDict(tensors, { source: name });
  return metadata;
}
