/** Files that commands write: checked before the work begins, and never written over an input. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { fileId } from "../data/same-file.ts";
import { DataError } from "../picture/errors.ts";
import { UsageError } from "./flags.ts";

/** Throws a DataError if there is no folder for the file: better before an hour of work than after it. */
export function checkFolderOf(path: string | undefined): void {
  if (path === undefined || statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return;
  throw new DataError(
    `${path}: there is no folder ${dirname(path)} to write it to. Make it, or name another file.`,
  );
}

/** The files that a command reads, for checkNotInput. Weights that come with the library are none of them. */
export function idsOf(paths: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(
    paths.filter((path) => path !== undefined && path !== "pretrained").map((path) => fileId(path!)),
  );
}

/** Nothing is written over an input, not even through links. @throws UsageError that names the flag */
export function checkNotInput(path: string, flag: string, inputs: ReadonlySet<string>): void {
  if (inputs.has(fileId(path))) throw new UsageError(`${path} is an input; ${flag} must name another place`);
}

/** Does nothing without a path. */
export async function writeJson(path: string | undefined, value: unknown): Promise<void> {
  if (path === undefined) return;
  const { writeWhole } = await import("../data/files.ts");
  await writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}
