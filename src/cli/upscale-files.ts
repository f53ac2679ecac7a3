/** Pictures from files to files: one after the other, each in strips, with a line for each. */
import { dirname } from "node:path";
import { makeFolder, removeEmpty } from "../files/image-files.ts";
import {
  checkPictureSize,
  type Note,
  PictureWriter,
  readPictureFile,
  sizeOfPictureFile,
} from "../files/picture-file.ts";
import { fileId, isStream } from "../files/same-file.ts";
import { loadSharp } from "../files/sharp.ts";
import { removeLeftovers } from "../files/temporary.ts";
import { fitSamples, type SampleFit } from "../formats/fit-samples.ts";
import { englishNotes, type NoteSentences, noteInEnglish } from "../formats/notes.ts";
import { type Bands, type Choice, span, type UpscaleReport, type Upscaler, upscaleBands } from "../node.ts";
import { andList, firstOf } from "../options/lists.ts";
import { DataError, textOf } from "../picture/errors.ts";
import { namesOfFormats, type PictureFormat, pictureFormats, writtenFormats } from "../picture/formats.ts";
import type { Image, Samples } from "../picture/image.ts";
import { sizeWithin, type TargetSize } from "../picture/target-size.ts";
import { formatDuration, Progress } from "../report/progress.ts";
import { isBug, printStack, withReport } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { type MethodsOfRun, methodsOf } from "./methods.ts";
import { writeJson } from "./outputs.ts";
import { printError } from "./print.ts";
import { withProfile } from "./profile.ts";
import { tileMemory, withOwnMemory } from "./tile-memory.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";
import { isLeftAlone, type Job, planOf, settingsOf, type UpscaleSettings } from "./upscale-plan.ts";

type Size = Pick<Bands, "width" | "height" | "channels" | "depth">;

/** What became of a picture, as --json has it. `ms` includes reading and writing. */
export interface Report extends Job, Partial<UpscaleReport>, Partial<Size> {
  /** The output existed and was left alone. */
  readonly skipped?: true;
  /** Where no method was named: which network was chosen, and by what in the picture. */
  readonly choice?: Choice;
  /** What the result lacks of its original, and what was odd about that. */
  readonly notes?: readonly Note[];
  /** The most memory that the process has had so far. */
  readonly peakProcessBytes?: number;
}

/**
 * Enlarges pictures, and writes what became of them as --json. Stops early, with the reports so far, if the signal asks
 * for it.
 *
 * @throws UsageError or DataError if nothing can begin; DataError if a picture was not enlarged, after all others were.
 */
export async function upscaleFiles(flags: UpscaleFlags, signal: AbortSignal): Promise<void> {
  const settings = settingsOf(flags);
  checkFormat(settings);
  const { jobs, leftOut, inputs } = await planOf(settings, printError);
  const firstMade = settings.intoFolder ? makeFolder(settings.output) : undefined;
  try {
    await withProfile(settings.profile, inputs, async () => {
      const pictures = await upscaleJobs(jobs, settings, signal);
      const refuse = () => {
        signal.throwIfAborted();
        refuseFailures(pictures);
      };
      const entries = pictures.map(({ cause, ...entry }) => entry);
      await withReport(refuse, () => writeJson(settings.json, [...entries, ...leftOut]));
    });
  } finally {
    removeEmpty(settings.output, firstMade);
  }
}

/** @throws DataError, or the picture's own error if that is a bug, if a picture was not enlarged */
function refuseFailures(pictures: readonly Report[]): void {
  const failed = pictures.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return;
  if (pictures.length === 1) {
    const [{ error = "", cause }] = failed;
    throw isBug(cause) ? cause : new DataError(error, { cause });
  }
  const names = failed.map((one) => one.input);
  throw new DataError(
    `${failed.length} of ${pictures.length} pictures ${failed.length === 1 ? "was" : "were"} not enlarged, ` +
      "for the reasons above: " +
      `${firstOf(names, 10)}.`,
  );
}

async function upscaleJobs(
  jobs: readonly Job[],
  settings: UpscaleSettings,
  signal: AbortSignal,
): Promise<Report[]> {
  for (const { output } of jobs) if (output !== undefined) removeLeftovers(output);
  if (jobs.every((job) => job.error !== undefined || isLeftAlone(job.output!, settings))) {
    const work = jobs.map((job) => ({ job, pixels: 0 }));
    return upscaleAll(work, undefined, settings, signal);
  }
  const sharp = await loadSharp();
  sharp.cache(false); // every picture is read once
  const methods = await methodsOf({ ...settings, size: targetOf(settings) });
  try {
    const work = await lookAt(jobs, methods, settings, signal);
    return await upscaleAll(work, methods, settings, signal);
  } finally {
    methods.close();
  }
}

function targetOf({ width, height }: UpscaleFlags): TargetSize | undefined {
  return width === undefined && height === undefined ? undefined : { width, height };
}

function checkFormat({ format, depth, alpha, quality }: UpscaleSettings): void {
  const { name, writes } = pictureFormats[format];
  if (!writes) {
    throw new UsageError(`${name} is only read; ${andList(namesOfFormats(writtenFormats))} are written`);
  }
  const those = (holds: (format: PictureFormat) => boolean) =>
    andList(namesOfFormats(writtenFormats.filter(holds)));
  if (depth === 16 && writes.depth === 8) {
    const deep = those((other) => pictureFormats[other].writes!.depth > 8);
    throw new UsageError(`--depth 16 is for ${deep}, and the output is ${name}`);
  }
  if (alpha === "keep" && !writes.alpha) {
    throw new UsageError(
      `--alpha keep is not for ${name}, which has no transparency; choose drop, white or black`,
    );
  }
  if (quality !== undefined && !writes.lossy) {
    const lossy = those((other) => pictureFormats[other].writes!.lossy);
    throw new UsageError(`--quality is for ${lossy}, and ${name} loses nothing`);
  }
}

/** A picture to enlarge, and how much work that is: its pixels. None if it will be left alone, or cannot be. */
interface Work {
  readonly job: Job;
  readonly pixels: number;
}

/** Reads the headers: what they can tell is known before anything is computed. */
async function lookAt(
  jobs: readonly Job[],
  methods: MethodsOfRun,
  settings: UpscaleSettings,
  signal: AbortSignal,
): Promise<Work[]> {
  const work: Work[] = [];
  for (const job of jobs) {
    if (signal.aborted) break;
    if (job.error !== undefined || isLeftAlone(job.output!, settings)) {
      work.push({ job, pixels: 0 });
      continue;
    }
    try {
      const { width, height } = await sizeOfPictureFile(job.input);
      const target = targetOf(settings);
      const scale = methods.scaleFor({ width, height });
      const large = { width: scale * width, height: scale * height };
      checkPictureSize(job.output!, target ? sizeWithin({ width, height }, target) : large, settings.format);
      work.push({ job, pixels: width * height });
    } catch (error) {
      work.push({ job: { ...job, error: textOf(error as Error), cause: error }, pixels: 0 });
    }
  }
  return work;
}

/** Says first what cannot be done, and then does the rest, which without methods is nothing. */
async function upscaleAll(
  work: readonly Work[],
  methods: MethodsOfRun | undefined,
  settings: UpscaleSettings,
  signal: AbortSignal,
): Promise<Report[]> {
  const reports = new Map<Job, Report>();
  const tell = (i: number, report: Report, more = "") => {
    reports.set(work[i].job, report);
    const number = String(i + 1).padStart(`${work.length}`.length);
    if (work.length > 1) printError(`[${number}/${work.length}] ${lineOf(report)}${more}`);
    else if (report.error === undefined) printError(lineOf(report)); // the error ends the program
    if (work.length > 1 && report.cause !== undefined) printStack(report.cause);
    for (const { text } of report.notes ?? []) printError(`  ${text}`);
  };
  for (const [i, { job }] of work.entries()) if (job.error !== undefined) tell(i, job);

  const start = performance.now();
  let [done, rest] = [0, work.reduce((sum, { pixels }) => sum + pixels, 0)];
  /** Where names in upper and lower case are the same, two results may be one file. */
  const jobOfFile = new Map<string, Job>();
  for (const [i, { job, pixels }] of work.entries()) {
    if (job.error !== undefined) continue;
    if (signal.aborted) break;
    const other = jobOfFile.get(fileId(job.output!));
    const report = other
      ? { ...job, error: `${job.output} is the result for ${other.input}. Rename one of the pictures.` }
      : await upscaleFile(job, methods, settings, signal);
    if (report === undefined) break;
    if (report.tiles && !isStream(job.output!)) jobOfFile.set(fileId(job.output!), job);
    rest -= pixels;
    if (report.tiles) done += pixels;
    const seconds = ((performance.now() - start) / 1e3) * (rest / done);
    tell(i, report, report.tiles && rest > 0 ? `  ETA ${formatDuration(seconds)}` : "");
  }
  return work.flatMap(({ job }) => reports.get(job) ?? []);
}

/** Reads, enlarges and writes. Errors become the picture's report; there is none if the signal ended it. */
async function upscaleFile(
  job: Job,
  methods: MethodsOfRun | undefined,
  settings: UpscaleSettings,
  signal: AbortSignal,
): Promise<Report | undefined> {
  if (isLeftAlone(job.output!, settings) || methods === undefined) return { ...job, skipped: true };
  try {
    return { ...job, ...(await upscaleOne(job, methods, settings, signal)) };
  } catch (error) {
    if (signal.aborted) return undefined;
    return { ...job, error: textOf(error as Error), cause: error };
  }
}

async function upscaleOne(
  { input, output = "" }: Job,
  methods: MethodsOfRun,
  settings: UpscaleSettings,
  signal: AbortSignal,
): Promise<Partial<Report>> {
  const start = performance.now();
  const { format, quality, intoFolder } = settings;
  const { image, samples, jpegQuality, notes, ...metadata } = await readJob(input, settings);
  const { upscaler, choice } = await span("choose a method", () => methods.methodFor({ image, jpegQuality }));
  const progress = new TileProgress();
  const bands = await bandsFor(image, samples, upscaler, settings, progress, signal);
  const { width, height, channels, depth } = bands;
  const size: Size = { width, height, channels, depth };
  if (intoFolder) makeFolder(dirname(output));
  const writer = await PictureWriter.create(output, { ...metadata, ...size, format, quality });
  try {
    await writeBands(bands, writer);
  } finally {
    progress.clear();
  }
  return {
    ...bands.report,
    ...size,
    choice,
    ms: performance.now() - start,
    peakProcessBytes: process.resourceUsage().maxRSS * 1024,
    notes: notes.length > 0 ? notes : undefined,
  };
}

/** A picture file, what its result will have of its samples, and among the notes all that it will lack. */
async function readJob(input: string, { format, depth, alpha }: UpscaleSettings) {
  const read = await span("read the picture", () => readPictureFile(input, { target: format }));
  const samples = fitSamples(read.image, { format, depth, alpha });
  const notes = samples.notes.map((note) => noteInEnglish(note, notesWithFlags));
  return { ...read, samples, notes: [...read.notes, ...notes] };
}

const notesWithFlags: NoteSentences = {
  ...englishNotes,
  onWhite: (note) => `${englishNotes.onWhite(note)} (--alpha chooses)`,
};

/** Plans the work. @throws what `upscaleBands` does; for too little memory, with what the program itself takes */
function bandsFor(
  image: Image<Samples>,
  { alpha, depth }: SampleFit,
  method: Upscaler,
  settings: UpscaleSettings,
  progress: TileProgress,
  signal: AbortSignal,
): Promise<Bands> {
  const { tile, "max-memory": memory } = settings;
  return upscaleBands(image, {
    method,
    size: targetOf(settings),
    alpha,
    depth,
    tile,
    maxMemory: tileMemory(memory),
    signal,
    onProgress: (tiles) => progress.update(tiles),
  }).catch((error) => {
    throw withOwnMemory(error, memory);
  });
}

/** Writes the whole file, or nothing. */
async function writeBands(bands: Bands, writer: PictureWriter): Promise<void> {
  try {
    for await (const { rows } of bands) await span("write rows", () => writer.write(rows.data));
    await span("finish the file", () => writer.finish());
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/**
 * A line of progress. The speed is that of the tiles after the first two, which begin together, and before which
 * there is much else to do.
 */
class TileProgress {
  #line: Progress | undefined;

  update({ done, total }: { readonly done: number; readonly total: number }): void {
    if (this.#line) this.#line.update(done);
    else if (done > 1)
      this.#line = new Progress({ total, start: done, unit: "tiles", stream: process.stderr });
  }

  clear(): void {
    this.#line?.clear();
  }
}

function lineOf({
  input,
  output,
  skipped,
  isInput,
  error,
  method,
  scale,
  choice,
  width,
  height,
  tiles,
  ms,
}: Report): string {
  if (error !== undefined)
    return [input, output].some((path) => path && error.startsWith(path)) ? error : `${input}: ${error}`;
  if (skipped) return `${output} exists and is left alone${isInput ? "" : "; --overwrite replaces it"}`;
  const time = ms! < 60_000 ? `${(ms! / 1e3).toFixed(1)} s` : formatDuration(ms! / 1e3);
  const count = `${tiles} tile${tiles === 1 ? "" : "s"}`;
  const why = choice ? `, ${choice.why}` : "";
  return `${output}  ${width}x${height}  ${method} x${scale}${why}  ${count}  ${time}`;
}
