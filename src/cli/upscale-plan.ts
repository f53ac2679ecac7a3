/** What `pixelgrad upscale` will read and write: settled before the first picture is computed. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { MAX_NAME_BYTES } from "../files/path-of.ts";
import { type LeftOut, picturesIn } from "../files/pictures-in.ts";
import { fileId, isStream, statsOf, statsWithin } from "../files/same-file.ts";
import { orList } from "../options/lists.ts";
import { DataError, textOf } from "../picture/errors.ts";
import { formatOfName, type PictureFormat, pictureFormats, writtenFormats } from "../picture/formats.ts";
import { UsageError } from "./flags.ts";
import {
  checkOutputs,
  checkWritable,
  inputsOf,
  jsonOutput,
  profileOutput,
  refuseMisnamed,
} from "./outputs.ts";
import { describeEarlier, nameResults, originalName, placeFinder, type Source } from "./result-names.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

export type UpscaleSettings = UpscaleFlags & {
  /** Format of the results. */
  readonly format: PictureFormat;
  /** --output is a folder, or will be. */
  readonly intoFolder: boolean;
};

/** A picture to enlarge. */
export interface Job {
  readonly input: string;
  /** Missing where the input is none that can be read: `error` says why. */
  readonly output?: string;
  /** The output is there already, and among the pictures to enlarge, so that it must not be replaced. */
  readonly isInput?: true;
  /** Why it cannot be enlarged. */
  readonly error?: string;
  /** The error behind it, if there is one; no part of --json. */
  readonly cause?: unknown;
}

export interface Plan {
  readonly jobs: readonly Job[];
  /** What the folders contain besides, and why it is not enlarged. */
  readonly leftOut: readonly LeftOutEntry[];
  /** The files that are not to be replaced, as fileId names them: the pictures, and the network's. */
  readonly inputs: ReadonlySet<string>;
}

/** Something in a folder that is not enlarged, as --json has it. */
export interface LeftOutEntry {
  readonly input: string;
  /** The reason, such as "a folder". */
  readonly leftOut: string;
}

/**
 * Finds the pictures and names their results. Pictures that cannot be enlarged become jobs with an error.
 *
 * @param onLeftOut called with a line for each folder of which something is left out.
 * @throws UsageError or DataError if nothing can be done at all.
 */
export async function planOf(settings: UpscaleSettings, onLeftOut: (line: string) => void): Promise<Plan> {
  const { output, intoFolder, method, json, profile } = settings;
  const { sources, leftOut, failed } = find(settings, onLeftOut);
  if (sources.length === 0 && failed.length === 1) throw new DataError(failed[0].error!);
  if (intoFolder) refuseMisnamed(output);
  else if (!isLeftAlone(output, settings)) checkWritable(output);
  const { results, earlier } = intoFolder
    ? await nameResults(sources, settings)
    : { results: sources.map((source) => ({ source, output })), earlier: new Map() };
  const jobs = results.map(({ source, ...result }): Job => ({ input: source.path, ...result }));
  for (const [source, original] of earlier) {
    leftOut.push({
      input: source.path,
      leftOut: `taken for the result of ${originalName(source, original)}`,
    });
  }
  if (earlier.size > 0) onLeftOut(describeEarlier(earlier));

  const inputs = inputsOf(
    sources.map(({ path }) => path),
    [method],
  );
  const checked = checkResults(jobs, inputs, settings);
  const outputs = checked
    .filter(({ error, isInput }) => error === undefined && !isInput)
    .map((job) => ({ flag: "--output", path: job.output }));
  checkOutputs([...outputs, jsonOutput(json), profileOutput(profile)], inputs);
  return { jobs: [...checked, ...failed], leftOut, inputs };
}

/** Where results go and in which format. @throws UsageError */
export function settingsOf(flags: UpscaleFlags): UpscaleSettings {
  const { input, output } = flags;
  const target = statsOf(output);
  const isFolder = input.length === 1 && statsOf(input[0])?.isDirectory() === true;
  const intoFolder = input.length > 1 || isFolder || target?.isDirectory() === true || /[/\\]$/.test(output);
  const byName = formatOfName(output);
  if (intoFolder) {
    const what = input.length > 1 ? "there are several inputs" : "--input is a folder";
    if (target && !target.isDirectory()) {
      throw new UsageError(`${what}, so --output must be one as well, and ${output} is a file`);
    }
    if (!target && byName !== undefined && !/[/\\]$/.test(output)) {
      throw new UsageError(`${what}, so --output must be a folder, and ${output} is the name of a picture`);
    }
    return { ...flags, intoFolder, format: flags.format ?? "png" };
  }
  const format = flags.format ?? byName ?? (isStream(output) ? "png" : undefined);
  if (format === undefined) {
    const extensions = writtenFormats.flatMap((one) => pictureFormats[one].extensions);
    throw new UsageError(
      `--output ${output} does not end in ${orList(extensions)}; choose one of these, or a format by --format`,
    );
  }
  return { ...flags, intoFolder, format };
}

/** The folder of the results, if the run will make it. @throws UsageError */
export function newFolderOf(flags: UpscaleFlags): string | undefined {
  const { input, output } = flags;
  if ([output, ...input].includes("-") || statsOf(output)) return undefined; // "-" is video
  return settingsOf(flags).intoFolder ? output : undefined;
}

/** Is a result there already, and not to be replaced? */
export function isLeftAlone(output: string, { overwrite }: UpscaleSettings): boolean {
  return !overwrite && !isStream(output) && statsOf(output) !== undefined;
}

/** The pictures that the inputs name or contain. */
function find({ input: inputs, output, recursive }: UpscaleSettings, onLeftOut: (line: string) => void) {
  const sources: Source[] = [];
  const failed: Job[] = [];
  const leftOut: LeftOutEntry[] = [];
  const places = new Set<string>();
  const placeOf = placeFinder();
  const add = (source: Source): void => {
    const place = placeOf(source.path);
    if (!places.has(place)) sources.push(source);
    places.add(place);
  };
  for (const input of inputs) {
    try {
      if (statsOf(input)?.isDirectory()) {
        const content = picturesIn(input, onLeftOut, { recursive, except: output });
        for (const path of content.pictures) {
          add({
            path,
            folder: relative(input, dirname(path)),
            label: basename(resolve(input)),
            isNamed: false,
          });
        }
        leftOut.push(...content.leftOut.filter((one) => !one.unreadable).map((one) => entryOf(input, one)));
        failed.push(...content.leftOut.filter((one) => one.unreadable).map((one) => failureOf(input, one)));
      } else {
        checkFile(input);
        add({ path: input, folder: "", label: basename(dirname(resolve(input))), isNamed: true });
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      failed.push({ input, error: textOf(error), cause: error });
    }
  }
  return { sources, failed, leftOut };
}

function entryOf(folder: string, { name, why }: LeftOut): LeftOutEntry {
  return { input: join(folder, name), leftOut: why };
}

function failureOf(folder: string, { name, why }: LeftOut): Job {
  const input = join(folder, name);
  return { input, error: `${input}: ${why}` };
}

/** Opening a pipe would wait for somebody who writes to it. @throws DataError */
function checkFile(path: string): void {
  const stats = statsWithin(path);
  if (stats === undefined) {
    // A name that is no UTF-8 reaches a program with this character in place of its bytes.
    const hint = path.includes("\ufffd")
      ? "A name that is not UTF-8 cannot be opened: rename it"
      : "Check the path";
    throw new DataError(`${path}: there is no such file or folder. ${hint}.`);
  }
  // The shell's < makes a file of /dev/stdin and /dev/fd/0.
  if (!stats.isFile()) {
    throw new DataError(
      `${path}: this is a pipe or a device. Pictures are read from files; video comes by -i - and -o -.`,
    );
  }
}

/**
 * The jobs, with an error where the result cannot be written. No original is ever replaced, not even with
 * --overwrite.
 *
 * @throws UsageError if that is so for all of them.
 */
function checkResults(
  jobs: readonly Job[],
  inputs: ReadonlySet<string>,
  { overwrite }: UpscaleSettings,
): Job[] {
  const outputIds = new Set<string>();
  const problemOf = ({ input, output = "" }: Job): string | undefined => {
    const stats = statsOf(output);
    const id = fileId(output);
    // The shell's >> and 1<> may have opened a picture behind /dev/stdout.
    if (isStream(output)) return id === fileId(input) ? replacesInput(output) : undefined;
    if (stats?.isDirectory()) return `${output}: cannot be written: there is a folder of this name.`;
    if (id === fileId(input) || (overwrite && inputs.has(id))) return replacesInput(output);
    if (stats && !overwrite) return undefined; // it will be left alone
    const length = Buffer.byteLength(basename(output));
    if (length > MAX_NAME_BYTES) {
      return `${output}: this name would have ${length} bytes, and file systems take ${MAX_NAME_BYTES}.`;
    }
    if (outputIds.has(id)) return `${output} would be written twice, since a link leads to it.`;
    outputIds.add(id);
    return undefined;
  };
  const checked = jobs.map((job): Job => {
    const isInput = statsOf(job.output!) && inputs.has(fileId(job.output!)) ? true : undefined;
    return { ...job, isInput, error: job.error ?? problemOf(job) };
  });
  if (checked.length > 0 && checked.every(({ output, error }) => error === replacesInput(output))) {
    throw new UsageError(checked[0].error!);
  }
  return checked;
}

function replacesInput(path = ""): string {
  return `${path} is an input; --output must name another place`;
}
