/** Weight files on disk: one file, the two of ncnn, or one of Keras. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readWhole } from "../data/read-file.ts";
import { fromKeras, looksLikeKeras } from "./keras-file.ts";

/**
 * The bytes of a weight file, as `parseWeights` reads them. Of ncnn's two files either is named; the text comes
 * first. Keras' become safetensors.
 *
 * @throws Error of Node; DataError for a file of Keras that cannot be read, or without the package that reads it
 */
export async function readWeightFile(file: string | URL): Promise<Uint8Array> {
  const bytes = joined(await Promise.all(partsOf(file).map(readWhole)));
  return looksLikeKeras(bytes) ? fromKeras(bytes, String(file)) : bytes;
}

function partsOf(file: string | URL): (string | URL)[] {
  const path = file instanceof URL && file.protocol === "file:" ? fileURLToPath(file) : file;
  if (typeof path !== "string" || !/\.(?:param|bin)$/i.test(path)) return [file];
  const stem = path.replace(/\.\w+$/, "");
  const [text, weights] = [`${stem}.param`, `${stem}.bin`];
  // PyTorch's files may end in .bin, too.
  if (!existsSync(text) || !existsSync(weights)) return [file];
  return [text, weights];
}

function joined([first, second]: readonly Uint8Array[]): Uint8Array {
  if (second === undefined) return first;
  // Between them is one end of a line, whether the text ends in none or in several.
  const text = Buffer.from(first).toString("latin1").trimEnd();
  return Buffer.concat([Buffer.from(`${text}\n`, "latin1"), second]);
}
