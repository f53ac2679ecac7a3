/** Pictures from files to files: one after the other, each in strips, with a line for each. */
import { statSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { makeFolder } from "../data/files.ts";
import { formatOfName, pictureFormats, stemOf } from "../data/formats.ts";
import {
  type OutputFormat,
  PictureWriter,
  readPictureFile,
  sizeOfPictureFile,
} from "../data/picture-file.ts";
import { picturesIn } from "../data/pictures-in.ts";
import { fileId } from "../data/same-file.ts";
import { type UpscaleReport, type Upscaler, upscaleBands } from "../node.ts";
import { DataError } from "../picture/errors.ts";
import { formatDuration, Progress } from "../report/progress.ts";
import { type Context, UsageError } from "./flags.ts";
import { methodOf } from "./methods.ts";
import { checkNotRead, idsOf } from "./results.ts";
import type { UpscaleFlags } from "./upscale-flags.ts";

/** What became of a picture, as --json has it. */
export interface Report extends Partial<UpscaleReport> {
  readonly input: string;
  readonly output: string;
  /** It existed and was left alone. */
  readonly skipped?: true;
  readonly error?: string;
  /** Of the result. */
  readonly width?: number;
  readonly height?: number;
  readonly channels?: number;
  readonly depth?: 8 | 16;
  /** All of it: reading, enlarging and writing. */
  readonly ms?: number;
  /** The most memory the process has had so far. */
  readonly peakProcessBytes?: number;
}

interface Job {
  readonly input: string;
  readonly output: string;
}

/** @throws UsageError or DataError if nothing can begin; errors of single pictures are in their reports. */
export async function upscaleFiles(flags: UpscaleFlags, { signal }: Context): Promise<Report[]> {
  const format = flags.format ?? formatOfName(flags.output) ?? "png";
  checkFormat(flags, format);
  const jobs = jobsOf(flags, format);
  const { default: sharp } = await import("sharp");
  sharp.cache(false); // every picture is read once
  const opened = await methodOf(flags);
  try {
    const queue = new Queue(jobs);
    const reports: Report[] = [];
    for (const job of jobs) {
      signal.throwIfAborted();
      const report = await upscaleFile(job, opened.upscaler, { ...flags, format }, signal);
      reports.push(report);
      await queue.tell(report);
    }
    return reports;
  } finally {
    opened.close();
  }
}

function checkFormat({ depth, alpha, quality }: UpscaleFlags, format: OutputFormat): void {
  if (depth === 16 && format !== "png")
    throw new UsageError(`--depth 16 is for png, and the output is ${format}`);
  if (alpha === "keep" && format === "jpeg") {
    throw new UsageError(
      "--alpha keep is not for jpeg, which has no transparency; choose drop, white or black",
    );
  }
  if (quality !== undefined && format === "png")
    throw new UsageError("--quality is for jpeg and webp, and png loses nothing");
}

function jobsOf(flags: UpscaleFlags, format: OutputFormat): Job[] {
  const { input, output } = flags;
  const given = statSync(input, { throwIfNoEntry: false });
  if (!given) throw new DataError(`${input}: there is no such file or folder. Check the path.`);
  const target = statSync(output, { throwIfNoEntry: false });
  const [extension] = pictureFormats[format].extensions;
  if (!given.isDirectory()) {
    const inFolder = target?.isDirectory() || output.endsWith("/") || output.endsWith(sep);
    if (inFolder) makeFolder(output);
    return checked([{ input, output: inFolder ? join(output, stemOf(input) + extension) : output }], flags);
  }
  if (target && !target.isDirectory()) {
    throw new UsageError(`--input is a folder, so --output must be one as well, and ${output} is a file`);
  }
  const { pictures } = picturesIn(input, console.error);
  makeFolder(output);
  const count = new Map<string, number>();
  for (const stem of pictures.map(stemOf)) count.set(stem, (count.get(stem) ?? 0) + 1);
  // Of a.jpg and a.png both become pictures: a.jpg.png and a.png.png.
  const nameOf = (path: string) => (count.get(stemOf(path))! > 1 ? basename(path) : stemOf(path)) + extension;
  return checked(
    pictures.map((path) => ({ input: path, output: join(output, nameOf(path)) })),
    flags,
  );
}

/** Nothing is to be written over what is read, or twice. */
function checked(jobs: Job[], { method, json }: UpscaleFlags): Job[] {
  const read = idsOf([...jobs.map(({ input }) => input), method]);
  const written = new Set<string>();
  const outputs = jobs.map(({ output }) => ["--output", output] as const);
  for (const [flag, path] of json === undefined ? outputs : [...outputs, ["--json", json] as const]) {
    checkNotRead(path, flag, read);
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

/** Reads, enlarges and writes. Errors of this picture become its report; only a stop ends all. */
async function upscaleFile(
  job: Job,
  upscaler: Upscaler,
  flags: UpscaleFlags & { readonly format: OutputFormat },
  signal: AbortSignal,
): Promise<Report> {
  if (!flags.overwrite && statSync(job.output, { throwIfNoEntry: false })) return { ...job, skipped: true };
  try {
    return { ...job, ...(await upscaleOne(job, upscaler, flags, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...job, error: (error as Error).message };
  }
}

async function upscaleOne(
  { input, output }: Job,
  upscaler: Upscaler,
  {
    format,
    depth,
    quality,
    alpha,
    tile,
    "max-memory": most,
  }: UpscaleFlags & { readonly format: OutputFormat },
  signal: AbortSignal,
): Promise<Partial<Report>> {
  const start = performance.now();
  const { image, icc } = await readPictureFile(input);
  let progress: Progress | undefined;
  const bands = await upscaleBands(image, {
    method: upscaler,
    alpha: alpha ?? (format === "jpeg" ? "white" : "keep"),
    depth: depth ?? (format === "png" && image.data instanceof Uint16Array ? 16 : 8),
    tile,
    maxMemory: most && workingMemory(most),
    signal,
    onProgress({ done, total }) {
      progress ??= new Progress({ total, unit: "tiles", stream: process.stderr });
      progress.update(done);
    },
  });
  const { width, height, channels } = bands;
  const size = { width, height, channels, depth: bands.depth };
  const writer = await PictureWriter.create(output, { ...size, icc, format, quality });
  try {
    for await (const { rows } of bands) await writer.write(rows.data);
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  } finally {
    progress?.clear();
  }
  return {
    ...bands.report,
    ...size,
    ms: performance.now() - start,
    peakProcessBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/**
 * What of the memory that the program may take is left for tiles. Of what it does not have already, two
 * fifths stay free: JavaScript collects what tiles have left behind only now and then, and at the end the
 * result is encoded.
 */
function workingMemory(most: number): number {
  return Math.max(1, (most - process.memoryUsage.rss()) * 0.6);
}

/** Tells of each picture, and how long the rest will take. */
class Queue {
  readonly #total: number;
  readonly #start = performance.now();
  readonly #waiting: Job[];
  #number = 0;
  #done = 0;
  #left: number | undefined;

  constructor(jobs: readonly Job[]) {
    this.#total = jobs.length;
    this.#waiting = [...jobs];
  }

  async tell(report: Report): Promise<void> {
    this.#number++;
    this.#waiting.shift();
    const count =
      this.#total > 1 ? `[${String(this.#number).padStart(`${this.#total}`.length)}/${this.#total}] ` : "";
    console.error(`${count}${lineOf(report)}${await this.#timeLeft(report)}`);
  }

  /** By pixels, which the headers of the files tell; those to be skipped or to fail are few, or seen soon. */
  async #timeLeft({ width = 0, height = 0, scale = 1 }: Report): Promise<string> {
    const pixels = (width * height) / scale ** 2;
    if (this.#total === 1 || pixels === 0) return "";
    this.#left = this.#left === undefined ? await pixelsOf(this.#waiting) : this.#left - pixels;
    this.#done += pixels;
    if (this.#waiting.length === 0) return "";
    const seconds = (performance.now() - this.#start) / 1e3;
    return `  ETA ${formatDuration((seconds * this.#left) / this.#done)}`;
  }
}

async function pixelsOf(jobs: readonly Job[]): Promise<number> {
  let pixels = 0;
  for (const { input } of jobs) {
    const { width, height } = await sizeOfPictureFile(input).catch(() => ({ width: 0, height: 0 }));
    pixels += width * height;
  }
  return pixels;
}

function lineOf({ input, output, skipped, error, method, scale, width, height, tiles, ms }: Report): string {
  if (error !== undefined)
    return error.startsWith(input) || error.startsWith(output) ? error : `${input}: ${error}`;
  if (skipped) return `${output} exists and is left alone; --overwrite replaces it`;
  return `${output}  ${width}x${height}  ${method} x${scale}  ${tiles} tile${tiles === 1 ? "" : "s"}  ${formatSeconds(ms!)}`;
}

function formatSeconds(ms: number): string {
  return ms < 60_000 ? `${(ms / 1e3).toFixed(1)} s` : formatDuration(ms / 1e3);
}
