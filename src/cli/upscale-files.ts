/** Pictures from files to files: one after the other, each in strips, with a line for each. */
import { statSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { makeFolder } from "../data/files.ts";
import {
  formatOfName,
  listFormats,
  type PictureFormat,
  pictureFormats,
  stemOf,
  writtenFormats,
} from "../data/formats.ts";
import { type Note, PictureWriter, readPictureFile, sizeOfPictureFile } from "../data/picture-file.ts";
import { picturesIn } from "../data/pictures-in.ts";
import { fileId } from "../data/same-file.ts";
import { type Bands, type UpscaleReport, type Upscaler, upscaleBands } from "../node.ts";
import { isTransparent } from "../picture/alpha.ts";
import { DataError } from "../picture/errors.ts";
import type { Image, Samples } from "../picture/image.ts";
import { formatDuration, Progress } from "../report/progress.ts";
import { UsageError } from "./flags.ts";
import { methodOf } from "./methods.ts";
import { checkNotInput, idsOf } from "./outputs.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

interface Job {
  readonly input: string;
  readonly output: string;
}

type Size = Pick<Bands, "width" | "height" | "channels" | "depth">;

/** What became of a picture, as --json has it. `ms` includes reading and writing. */
export interface Report extends Job, Partial<UpscaleReport>, Partial<Size> {
  /** The output existed and was left alone. */
  readonly skipped?: true;
  readonly error?: string;
  /** What the result lacks of its original, and what was odd about that. */
  readonly notes?: readonly Note[];
  /** The most memory that the process has had so far. */
  readonly peakProcessBytes?: number;
}

type Settings = UpscaleFlags & { readonly format: PictureFormat };

/** @throws UsageError or DataError if nothing can begin; errors of single pictures are in their reports. */
export async function upscaleFiles(flags: UpscaleFlags, signal: AbortSignal): Promise<Report[]> {
  const settings = { ...flags, format: flags.format ?? formatOfName(flags.output) ?? "png" };
  checkFormat(settings);
  const jobs = jobsOf(settings);
  const { default: sharp } = await import("sharp");
  sharp.cache(false); // every picture is read once
  const opened = await methodOf(flags);
  try {
    const start = performance.now();
    const pixels = jobs.length > 1 ? await pixelsOf(jobs, settings, signal) : [0];
    let [done, left] = [0, pixels.reduce((sum, count) => sum + count)];
    const reports: Report[] = [];
    for (const [i, job] of jobs.entries()) {
      signal.throwIfAborted();
      const report = await upscaleFile(job, opened.upscaler, settings, signal);
      reports.push(report);
      left -= pixels[i];
      if (report.tiles) done += pixels[i];
      const number = String(i + 1).padStart(`${jobs.length}`.length);
      const count = jobs.length > 1 ? `[${number}/${jobs.length}] ` : "";
      const seconds = ((performance.now() - start) / 1e3) * (left / done);
      const timeLeft = report.tiles && left > 0 ? `  ETA ${formatDuration(seconds)}` : "";
      console.error(count + lineOf(report) + timeLeft);
      for (const { text } of report.notes ?? []) console.error(`  ${text}`);
    }
    return reports;
  } finally {
    opened.close();
  }
}

function checkFormat({ format, depth, alpha, quality }: Settings): void {
  const { name, writes } = pictureFormats[format];
  if (!writes) {
    throw new UsageError(`${name} is only read; ${listFormats(writtenFormats, "and")} are written`);
  }
  const those = (holds: (format: PictureFormat) => boolean) =>
    listFormats(writtenFormats.filter(holds), "and");
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

function jobsOf(settings: Settings): Job[] {
  const { input, output, format } = settings;
  const source = statSync(input, { throwIfNoEntry: false });
  if (!source) throw new DataError(`${input}: there is no such file or folder. Check the path.`);
  const target = statSync(output, { throwIfNoEntry: false });
  const [extension] = pictureFormats[format].extensions;
  if (!source.isDirectory()) {
    const inFolder = target?.isDirectory() || output.endsWith("/") || output.endsWith(sep);
    if (inFolder) makeFolder(output);
    const path = inFolder ? join(output, stemOf(input) + extension) : output;
    return checked([{ input, output: path }], settings);
  }
  if (target && !target.isDirectory()) {
    throw new UsageError(`--input is a folder, so --output must be one as well, and ${output} is a file`);
  }
  const { pictures } = picturesIn(input, console.error);
  makeFolder(output);
  const counts = new Map<string, number>();
  for (const stem of pictures.map(stemOf)) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  const jobs = pictures.map((path) => {
    const stem = stemOf(path);
    // a.jpg and a.png become a.jpg.png and a.png.png.
    return {
      input: path,
      output: join(output, (counts.get(stem) === 1 ? stem : basename(path)) + extension),
    };
  });
  return checked(jobs, settings);
}

/** Throws a UsageError if something would be written over an input, or twice. */
function checked(jobs: Job[], { method, json }: Settings): Job[] {
  const inputs = idsOf([...jobs.map(({ input }) => input), method]);
  const written = new Set<string>();
  const outputs = jobs.map(({ output }) => ["--output", output]);
  for (const [flag, path] of json === undefined ? outputs : [...outputs, ["--json", json]]) {
    checkNotInput(path, flag, inputs);
    const id = fileId(path);
    if (written.has(id)) {
      throw new UsageError(
        `${path} would be written twice; rename a picture, or let ${flag} name another place`,
      );
    }
    written.add(id);
  }
  return jobs;
}

function isSkipped({ output }: Job, { overwrite }: Settings): boolean {
  return !overwrite && statSync(output, { throwIfNoEntry: false }) !== undefined;
}

/** How much work each picture is: its pixels, by its header. Nothing if it will be skipped or fail. */
async function pixelsOf(jobs: readonly Job[], settings: Settings, signal: AbortSignal): Promise<number[]> {
  const counts: number[] = [];
  for (const job of jobs) {
    signal.throwIfAborted();
    const { width, height } = isSkipped(job, settings)
      ? { width: 0, height: 0 }
      : await sizeOfPictureFile(job.input).catch(() => ({ width: 0, height: 0 }));
    counts.push(width * height);
  }
  return counts;
}

/** Reads, enlarges and writes. Errors become the picture's report; only the signal ends everything. */
async function upscaleFile(
  job: Job,
  upscaler: Upscaler,
  settings: Settings,
  signal: AbortSignal,
): Promise<Report> {
  if (isSkipped(job, settings)) return { ...job, skipped: true };
  try {
    return { ...job, ...(await upscaleOne(job, upscaler, settings, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...job, error: (error as Error).message };
  }
}

async function upscaleOne(
  { input, output }: Job,
  upscaler: Upscaler,
  { format, depth, quality, alpha, tile, "max-memory": memory }: Settings,
  signal: AbortSignal,
): Promise<Partial<Report>> {
  const start = performance.now();
  const { writes } = pictureFormats[format];
  const { image, notes: fromFile, ...metadata } = await readPictureFile(input, { target: format });
  const notes = [...fromFile, ...losses(image, format, { depth, alpha })];
  let progress: Progress | undefined;
  const bands = await upscaleBands(image, {
    method: upscaler,
    alpha: alpha ?? (writes!.alpha ? "keep" : "white"),
    depth: depth ?? (writes!.depth > 8 && image.data instanceof Uint16Array ? 16 : 8),
    tile,
    // Two fifths of the rest stay free: JavaScript collects what tiles leave behind only now and then, and at
    // the end the result is encoded.
    maxMemory: memory && Math.max(1, 0.6 * (memory - process.memoryUsage.rss())),
    signal,
    onProgress({ done, total }) {
      progress ??= new Progress({ total, unit: "tiles", stream: process.stderr });
      progress.update(done);
    },
  });
  const { width, height, channels } = bands;
  const size: Size = { width, height, channels, depth: bands.depth };
  const writer = await PictureWriter.create(output, { ...metadata, ...size, format, quality });
  try {
    for await (const { rows } of bands) await writer.write(rows.data);
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  } finally {
    progress?.clear();
  }
  const peakProcessBytes = process.resourceUsage().maxRSS * 1024;
  const ms = performance.now() - start;
  return { ...bands.report, ...size, ms, peakProcessBytes, notes: notes.length > 0 ? notes : undefined };
}

/** What a format cannot hold of a picture's samples, unless flags asked for that. */
function losses(
  image: Image<Samples>,
  format: PictureFormat,
  { depth, alpha }: Pick<Settings, "depth" | "alpha">,
): Note[] {
  const { name, writes } = pictureFormats[format];
  const notes: Note[] = [];
  if (image.data instanceof Uint16Array && depth !== 8 && writes!.depth < 16) {
    notes.push({ kind: "depth", text: `16 bits per sample became ${writes!.depth}: ${name} holds no more` });
  }
  if (!writes!.alpha && alpha === undefined && isTransparent(image)) {
    notes.push({ kind: "alpha", text: `put on white: ${name} holds no transparency (--alpha chooses)` });
  }
  return notes;
}

function lineOf({ input, output, skipped, error, method, scale, width, height, tiles, ms }: Report): string {
  if (error !== undefined)
    return error.startsWith(input) || error.startsWith(output) ? error : `${input}: ${error}`;
  if (skipped) return `${output} exists and is left alone; --overwrite replaces it`;
  const time = ms! < 60_000 ? `${(ms! / 1e3).toFixed(1)} s` : formatDuration(ms! / 1e3);
  const count = `${tiles} tile${tiles === 1 ? "" : "s"}`;
  return `${output}  ${width}x${height}  ${method} x${scale}  ${count}  ${time}`;
}
