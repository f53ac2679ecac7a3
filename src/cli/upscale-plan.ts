/** What `pixelgrad upscale` will read and write: settled before the first picture is computed. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { formatOfName, type PictureFormat, pictureFormats, stemOf, writtenFormats } from "../data/formats.ts";
import { maxNameBytes } from "../data/path-of.ts";
import { type LeftOut, picturesIn } from "../data/pictures-in.ts";
import { fileId, isStream, statsOf, statsWithin } from "../data/same-file.ts";
import { orList } from "../options/lists.ts";
import { DataError, textOf } from "../picture/errors.ts";
import { UsageError } from "./flags.ts";
import { checkOutputs, checkWritable, idsOf, jsonOutput, profileOutput } from "./outputs.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

export type UpscaleSettings = UpscaleFlags & {
  /** Of the results. */
  readonly format: PictureFormat;
  /** --output is a folder, or will be. */
  readonly intoFolder: boolean;
};

/** A picture to enlarge. */
export interface Job {
  readonly input: string;
  /** Missing where `error` says that there is no such input. */
  readonly output?: string;
  /** The output is there already, and among the pictures to enlarge, so that it must not be replaced. */
  readonly isInput?: true;
  /** Why it cannot be enlarged. */
  readonly error?: string;
}

export interface Plan {
  readonly jobs: readonly Job[];
  /** What the folders contain besides, and why it is not enlarged. */
  readonly leftOut: readonly LeftOutEntry[];
  /** The files that are read, as fileId names them: nothing may be written there. */
  readonly inputs: ReadonlySet<string>;
}

/** Something in a folder that is not enlarged, as --json has it. */
export interface LeftOutEntry {
  readonly input: string;
  /** The reason, such as "a folder". */
  readonly leftOut: string;
}

/** A picture among the inputs. */
interface Source {
  readonly path: string;
  /** Its folder within the input, and so within the output. */
  readonly folder: string;
  /** The name of the folder that was given, or that a given file lies in. */
  readonly label: string;
}

/**
 * Finds the pictures and names their results. Pictures that cannot be enlarged become jobs with an error.
 *
 * @param onLeftOut called with a line for each folder of which something is left out.
 * @throws UsageError or DataError if nothing can be done at all.
 */
export function planOf(settings: UpscaleSettings, onLeftOut: (line: string) => void): Plan {
  const { input, output, intoFolder, method, json, profile } = settings;
  const { sources, leftOut, failed } = find(settings, onLeftOut);
  if (sources.length === 0 && failed.length === 1) throw new DataError(failed[0].error!);
  if (!intoFolder) checkWritable(output);
  const { jobs, earlier } = intoFolder
    ? namedJobs(sources, settings)
    : { jobs: [{ input: input[0], output }], earlier: [] };
  for (const path of earlier) leftOut.push({ input: path, leftOut: "the result of another picture" });

  const inputs = idsOf([...sources.map(({ path }) => path), method]);
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

/** The pictures that the inputs name or contain. */
function find({ input: inputs, output, recursive }: UpscaleSettings, onLeftOut: (line: string) => void) {
  const sources: Source[] = [];
  const failed: Job[] = [];
  const leftOut: LeftOutEntry[] = [];
  const places = new Set<string>();
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
          add({ path, folder: relative(input, dirname(path)), label: basename(resolve(input)) });
        }
        leftOut.push(...content.leftOut.filter((one) => !one.unreadable).map((one) => entryOf(input, one)));
        failed.push(...content.leftOut.filter((one) => one.unreadable).map((one) => failureOf(input, one)));
      } else {
        checkFile(input);
        add({ path: input, folder: "", label: basename(dirname(resolve(input))) });
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      failed.push({ input, error: textOf(error) });
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
  if (statsWithin(path) === undefined) {
    // A name that is no UTF-8 reaches a program with this character in place of its bytes.
    const hint = path.includes("\ufffd")
      ? "A name that is not UTF-8 cannot be opened: rename it"
      : "Check the path";
    throw new DataError(`${path}: there is no such file or folder. ${hint}.`);
  }
  if (isStream(path)) {
    throw new DataError(
      `${path}: this is a pipe or a device. Pictures are read from files; video comes by -i - and -o -.`,
    );
  }
}

/** Where a file lies, by whatever path it was named. Links to one file lie in places of their own. */
function placeOf(path: string): string {
  return join(fileId(dirname(path)), basename(path));
}

/**
 * Names the results in the output folder. Where the usual name, `a.png` for `a.jpg`, would be that of several
 * pictures, they keep more of theirs: `a.jpg.png`, or the name of the folder that they come from.
 *
 * If results go where the pictures are, those of an earlier run are found among the pictures. What bears the
 * name of another picture's result is taken for that, listed in `earlier`, and neither enlarged nor replaced.
 */
function namedJobs(
  sources: readonly Source[],
  { output, format }: UpscaleSettings,
): { jobs: Job[]; earlier: string[] } {
  const [extension] = pictureFormats[format].extensions;
  const namesOf = ({ path, folder, label }: Source) => [
    join(folder, stemOf(path) + extension),
    join(folder, basename(path) + extension),
    join(label, folder, stemOf(path) + extension),
    join(label, folder, basename(path) + extension),
  ];
  const byPlace = new Map(sources.map((source) => [placeOf(source.path), source]));
  const names = new Map<Source, string>();
  const earlier = new Set<Source>();
  const usedNames = new Set<string>();
  let unnamed = [...sources];
  /** They would replace themselves, unless they are the results of others. */
  const ownNamed: Source[] = [];
  for (let level = 0; level < 4; level++) {
    for (const [name, group] of groupBy(unnamed, (source) => namesOf(source)[level])) {
      const existing = byPlace.get(placeOf(join(output, name)));
      const others = group.filter((source) => source !== existing);
      if (others.length === 0) ownNamed.push(...group);
      if (others.length !== 1 || usedNames.has(name)) continue;
      names.set(others[0], name);
      usedNames.add(name);
      if (existing) earlier.add(existing);
    }
    unnamed = unnamed.filter((one) => !names.has(one) && !earlier.has(one) && !ownNamed.includes(one));
  }
  const jobs = sources.flatMap((source): Job[] => {
    if (earlier.has(source)) return [];
    const { path } = source;
    const name = names.get(source) ?? namesOf(source)[0];
    const job = { input: path, output: join(output, name) };
    if (names.has(source) || ownNamed.includes(source)) return [job];
    return [{ ...job, error: `${path}: ${job.output} would be written twice. Rename one of the pictures.` }];
  });
  return { jobs, earlier: [...earlier].map(({ path }) => path) };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
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
    if (length > maxNameBytes) {
      return `${output}: this name would have ${length} bytes, and file systems take ${maxNameBytes}.`;
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
