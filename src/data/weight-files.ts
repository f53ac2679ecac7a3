/** Weight files on disk: one file, or the two of ncnn. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readWhole } from "./read-file.ts";

/** The bytes of a weight file. Of ncnn's two files either is named; the text comes first. @throws Error of Node */
export async function readWeightFile(file: string | URL): Promise<Uint8Array> {
  return joined(await Promise.all(partsOf(file).map(readWhole)));
}

/** The same at once. */
export function readWeightFileSync(file: string): Uint8Array {
  return joined(partsOf(file).map((part) => readFileSync(part)));
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
