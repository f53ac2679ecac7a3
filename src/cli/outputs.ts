/** Files that commands write: checked before the work begins, and never written over an input. */
import { accessSync, constants } from "node:fs";
import { basename, dirname } from "node:path";
import { refuseReadOnly, writeError, writeWhole } from "../files/image-files.ts";
import { MAX_NAME_BYTES } from "../files/path-of.ts";
import { fileId, isStream, sameFile, standardStreamOf, statsOf, targetOf } from "../files/same-file.ts";
import { DataError } from "../picture/errors.ts";
import { formatOfName } from "../picture/formats.ts";
import { isMethodName } from "../upscale/method-names.ts";
import { weightPathsOf } from "../upscale/weight-files.ts";
import { UsageError } from "./flags.ts";
import { takeOutput } from "./print.ts";

/**
 * The files that a command reads, for checkOutputs.
 *
 * @param methods as people name them: a weight file may be given as a URL, or be one of two. What comes with the
 *   library is none of the files.
 * @throws DataError for the URL of something that is no file
 */
export function inputsOf(
  paths: readonly string[],
  methods: readonly (string | undefined)[] = [],
): ReadonlySet<string> {
  const files = methods.filter((method) => method !== undefined && !isMethodName(method)) as string[];
  return new Set([...paths, ...files.flatMap(weightPathsOf)].map(fileId));
}

/** A file that a command will write, and the flag that names it. */
export interface Output {
  readonly flag: string;
  readonly path: string | undefined;
  /** It is no picture, and must not have the name of one. */
  readonly isText?: boolean;
  /** It may also go to standard output. */
  readonly isPrintable?: boolean;
}

/** What `--profile` names. */
export function profileOutput(path: string | undefined): Output {
  return { flag: "--profile", path, isText: true };
}

/** What `--json` names. */
export function jsonOutput(path: string | undefined): Output {
  return { flag: "--json", path, isText: true, isPrintable: true };
}

/**
 * Nothing is written over an input, nor two outputs into one file, not even through links, and no text under
 * the name of a picture. Pipes and devices may be named again and again, but for standard output.
 *
 * @throws UsageError that names the flag
 */
export function checkOutputs(outputs: readonly Output[], inputs: ReadonlySet<string>): void {
  const outputIds = new Set<string>();
  let printed: string | undefined;
  for (const { flag, path, isText, isPrintable } of outputs) {
    if (path === undefined) continue;
    if (isStandardOutput(path)) {
      if (printed !== undefined)
        throw new UsageError(`${printed} and ${flag} cannot both be standard output`);
      printed = flag;
      if (isPrintable) continue;
    }
    if (path === "-")
      throw new UsageError(`${flag} - would be standard output, which is for video and --json`);
    const id = fileId(path);
    // The shell's >> and 1<> may have opened a file behind /dev/stdout.
    const keeps = !isStream(path) || statsOf(path)?.isFile();
    if (keeps && inputs.has(id)) throw new UsageError(`${path} is an input; ${flag} must name another place`);
    if (isStream(path)) continue;
    if (outputIds.has(id))
      throw new UsageError(`${path} would be written twice; ${flag} must name another place`);
    outputIds.add(id);
    if (isText && formatOfName(path) !== undefined) {
      throw new UsageError(`${flag} writes text, and ${path} is the name of a picture; take one in .json`);
    }
  }
}

/** "-", as for video; or a name that the system has for it. */
export function isStandardOutput(path: string): boolean {
  return path === "-" || standardStreamOf(path) === 1;
}

/**
 * To be called before anything is printed: JSON that goes to standard output stands there alone.
 *
 * @param newFolder a folder that the run will make, for files in which there is nothing to check yet.
 * @throws DataError if it could not be written
 */
export function prepareJson(path: string | undefined, newFolder?: string): void {
  const isTaken = path !== undefined && isStandardOutput(path);
  takeOutput(isTaken);
  if (!isTaken) checkWritable(path, newFolder);
}

/**
 * Could a file be written there? Asked before the work, since the answer comes too late after an hour of it.
 *
 * @param newFolder as in prepareJson.
 * @throws DataError
 */
export function checkWritable(path: string | undefined, newFolder?: string): void {
  if (path === undefined || isStream(path)) return;
  refuseMisnamed(path);
  if (liesIn(newFolder, path)) return;
  refuseReadOnly(path);
  const code = problemOf(path);
  if (code !== undefined) throw writeError(path, Object.assign(new Error(code), { code }));
}

/** Is a file to be directly in that folder? */
export function liesIn(folder: string | undefined, path: string | undefined): boolean {
  return folder !== undefined && path !== undefined && sameFile(dirname(path), folder);
}

/**
 * A name that is no UTF-8 reaches a program with "\ufffd" in place of its bytes, and would be written so.
 *
 * @throws DataError if such a path is new
 */
export function refuseMisnamed(path: string): void {
  if (!path.includes("\ufffd") || statsOf(path)) return;
  throw new DataError(
    `${path}: this name is not UTF-8, and would get other characters. Choose another name.`,
  );
}

/** The code of the error that writing would meet. */
function problemOf(path: string): string | undefined {
  const folder = dirname(targetOf(path));
  if (!statsOf(folder)?.isDirectory()) return "ENOENT";
  if (Buffer.byteLength(basename(path)) > MAX_NAME_BYTES) return "ENAMETOOLONG";
  if (statsOf(path)?.isDirectory()) return "EISDIR";
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Does nothing without a path. */
export async function writeJson(path: string | undefined, value: unknown): Promise<void> {
  if (path === undefined) return;
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (!isStandardOutput(path)) return writeWhole(path, text);
  await new Promise<void>((done, fail) =>
    process.stdout.write(text, (error) => (error ? fail(error) : done())),
  );
}
