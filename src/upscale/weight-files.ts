/** Weight files on disk: one file, the two of ncnn, or one of Keras. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathOf } from "../files/path-of.ts";
import { readError, readWhole } from "../files/read-file.ts";
import { statsOf } from "../files/same-file.ts";
import { firstOf } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import { bestFile, lastFile } from "../weights/run-files.ts";
import { fromKeras, looksLikeKeras } from "./keras-file.ts";

/**
 * The bytes of a weight file, as `parseWeights` reads them. Of ncnn's two files, either name stands for both, if both
 * are there; the text comes first. Keras' become safetensors.
 *
 * @throws DataError for a file that cannot be read; for a folder or a checkpoint, which names the weight files there;
 *   and for a file of Keras without the package that reads it
 */
export async function readWeightFile(file: string | URL): Promise<Uint8Array> {
  return weightBytesOf(file).catch((cause) => {
    throw readError(String(file), cause);
  });
}

/** The same for those who have other words for a file that cannot be read: they get the system's error. */
export async function weightBytesOf(file: string | URL): Promise<Uint8Array> {
  const path = pathOf(file);
  refuseFolder(path);
  const bytes = joinParts(await Promise.all(weightPathsOf(file).map(readWhole)));
  refuseCheckpoint(path, bytes);
  return looksLikeKeras(bytes) ? fromKeras(bytes, path) : bytes;
}

/** Files of weights. Those of a checkpoint are no network. */
const isWeightFile = (name: string) =>
  /\.(?:safetensors|pth|pt|ckpt|param|h5|keras)$/i.test(name) && !/^checkpoint\b/.test(name);

/** A checkpoint holds weights among much else, which differ from those that were measured. */
function refuseCheckpoint(path: string, bytes: Uint8Array): void {
  const start = new TextDecoder().decode(bytes.subarray(8, 2 ** 20));
  if (!/^\{"__metadata__":\{[^}]*?"pixelgrad":"checkpoint"/.test(start)) return;
  const files = [bestFile, lastFile]
    .map((name) => join(dirname(path), name))
    .filter((name) => existsSync(name));
  const advice = files.length > 0 ? `Its weights are in ${files[0]}` : "It has no weights for use yet";
  throw new DataError(
    `${path}: this is the checkpoint of a training run, from which resume() goes on (on the command line: ` +
      `pixelgrad train --resume ${dirname(path)}). ${advice}.`,
  );
}

function refuseFolder(folder: string): void {
  if (!statsOf(folder)?.isDirectory()) return;
  const files = readdirSync(folder)
    .filter(isWeightFile)
    .sort()
    .map((name) => join(folder, name));
  const advice =
    files.length === 0
      ? "There is no weight file in it. Check the path"
      : files.length === 1
        ? `Name the weight file in it: ${files[0]}`
        : `Name one of the weight files in it: ${firstOf(files, 5)}`;
  throw new DataError(`${folder}: this is a folder, and a weight file was wanted. ${advice}.`);
}

/**
 * The paths of the files that hold a network's weights: of ncnn's two, both, whichever is named.
 *
 * @throws DataError for the URL of something that is no file
 */
export function weightPathsOf(file: string | URL): string[] {
  const path = pathOf(file);
  if (!/\.(?:param|bin)$/i.test(path)) return [path];
  const stem = path.replace(/\.\w+$/, "");
  const [text, weights] = [".param", ".bin"].map((end) => fileCalled(`${stem}${end}`));
  // PyTorch's files may end in .bin, too.
  return text === undefined || weights === undefined ? [path] : [text, weights];
}

/** A file of this name, or the only one whose name has the same letters, large or small. */
function fileCalled(path: string): string | undefined {
  if (existsSync(path)) return path;
  const name = basename(path).toLowerCase();
  try {
    const names = readdirSync(dirname(path)).filter((other) => other.toLowerCase() === name);
    return names.length === 1 ? join(dirname(path), names[0]) : undefined;
  } catch {
    return undefined; // reading it will say what is wrong with the folder
  }
}

function joinParts([first, second]: readonly Uint8Array[]): Uint8Array {
  if (second === undefined) return first;
  // Between them is one end of a line, whether the text ends in none or in several.
  const text = Buffer.from(first).toString("latin1").trimEnd();
  return Buffer.concat([Buffer.from(`${text}\n`, "latin1"), second]);
}
