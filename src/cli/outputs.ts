/** Files that commands write: checked before the work begins, and never written over an input. */
import { accessSync, constants } from "node:fs";
import { basename, dirname } from "node:path";
import { formatOfName } from "../data/formats.ts";
import { fileId, isStream, statsOf, targetOf } from "../data/same-file.ts";
import { maxNameBytes } from "../data/temporary.ts";
import { DataError } from "../picture/errors.ts";
import { UsageError } from "./flags.ts";

/** The files that a command reads. Weights that come with the library are none of them. */
export function idsOf(paths: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(
    paths.filter((path) => path !== undefined && path !== "pretrained").map((path) => fileId(path!)),
  );
}

/** A file that a command will write, and the flag that names it. */
export interface Output {
  readonly flag: string;
  readonly path: string | undefined;
}

/**
 * Nothing is written over an input, nor two outputs into one file, not even through links, and no JSON over
 * any picture. Pipes and devices may be named again and again.
 *
 * @throws UsageError that names the flag
 */
export function checkOutputs(outputs: readonly Output[], inputs: ReadonlySet<string>): void {
  const taken = new Set<string>();
  for (const { flag, path } of outputs) {
    if (path === undefined || isStream(path)) continue;
    const id = fileId(path);
    if (inputs.has(id)) throw new UsageError(`${path} is an input; ${flag} must name another place`);
    if (taken.has(id))
      throw new UsageError(`${path} would be written twice; ${flag} must name another place`);
    taken.add(id);
    if (flag === "--json" && formatOfName(path) !== undefined) {
      throw new UsageError(`--json writes text, and ${path} is the name of a picture; take one in .json`);
    }
  }
}

/**
 * Could a file be written there? Asked before the work, since the answer comes too late after an hour of it.
 *
 * @throws DataError
 */
export function checkWritable(path: string | undefined): void {
  if (path === undefined || isStream(path)) return;
  const problem = problemOf(path);
  if (problem) throw new DataError(`${path}: cannot be written: ${problem}.`);
}

function problemOf(path: string): string | undefined {
  const folder = dirname(targetOf(path));
  const length = Buffer.byteLength(basename(path));
  if (!statsOf(folder)?.isDirectory()) {
    return `there is no folder ${dirname(path)}. Make it, or name another file`;
  }
  if (length > maxNameBytes) return `its name has ${length} bytes, and file systems take ${maxNameBytes}`;
  if (statsOf(path)?.isDirectory()) {
    return "there is a folder of this name. Move it away, or name another file";
  }
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    const isReadOnly = (error as NodeJS.ErrnoException).code === "EROFS";
    return isReadOnly
      ? "this disk is read-only. Choose another folder"
      : "you may not write there. Choose another folder";
  }
}

/** Does nothing without a path. */
export async function writeJson(path: string | undefined, value: unknown): Promise<void> {
  if (path === undefined) return;
  const { writeWhole } = await import("../data/files.ts");
  await writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}
