import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { DataError, writeWhole } from "../data/index.ts";
import { eventFileHeader } from "../report/tensorboard.ts";

/** Files that grow during training. All others are replaced as a whole. */
const growing = { log: "log.jsonl", events: "events.out.tfevents.pixelgrad" } as const;

/** Bytes of each growing file. */
export type Lengths = Record<keyof typeof growing, number>;

/** A line of log.jsonl. */
export type LogEntry = Readonly<Record<string, unknown>> & { readonly step?: number };

/**
 * What training leaves behind:
 *
 *     best.safetensors        the weights of the best evaluation, for use
 *     last.safetensors        those of the last evaluation, or of the end
 *     checkpoint.safetensors  everything that is needed to go on: see checkpoint.ts
 *     log.jsonl               a line for each reading of the loss, and for each evaluation
 *     events.out.tfevents.…   the same and a picture, for TensorBoard
 *     report.html             the same and pictures, for people; made of curves.* and comparison.png
 *
 * The folder is made when there is something to put in it: a run that fails before its first step leaves
 * nothing.
 */
export class RunFolder {
  readonly path: string;
  readonly #onCreate: (path: string) => void;
  #exists: boolean;
  /** Lines and records that are not in their files yet: those of no step wait for the first that has one. */
  #pending: { file: string; bytes: Uint8Array | string }[] = [];

  private constructor(path: string, exists: boolean, onCreate: (path: string) => void) {
    this.path = path;
    this.#exists = exists;
    this.#onCreate = onCreate;
  }

  /**
   * For a new run. Without `out`: a new folder under runs/ of that name, so that nothing is overwritten.
   * `onCreate` is called when the folder is made.
   */
  static create(out: string | undefined, name: string, onCreate: (path: string) => void): RunFolder {
    const path = out ?? unusedPath(join("runs", name));
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
      throw new DataError(`${path} is a file, and results go into a folder. Name another one with --out.`);
    }
    const old = ["checkpoint.safetensors", "log.jsonl", "last.safetensors"].find((file) =>
      existsSync(join(path, file)),
    );
    if (old) {
      throw new DataError(
        `${path} already holds a run (${old}). Go on with it by --resume, name another folder with --out, ` +
          `or remove this one.`,
      );
    }
    const folder = new RunFolder(path, false, onCreate);
    folder.event(eventFileHeader());
    return folder;
  }

  /** Goes back to the state at a checkpoint: what the growing files gained after it is cut off. */
  static reopen(path: string, lengths: Lengths): RunFolder {
    const files = Object.entries(growing) as [keyof Lengths, string][];
    for (const [key, file] of files) {
      const size = statSync(join(path, file), { throwIfNoEntry: false })?.size ?? 0;
      if (size < lengths[key]) {
        throw new DataError(
          `${join(path, file)} has ${size} bytes, but ${lengths[key]} when the checkpoint was made: ` +
            `something else has changed it. Put it back to resume, or begin a new run with --init.`,
        );
      }
    }
    for (const [key, file] of files) truncateSync(join(path, file), lengths[key]);
    // Files that were being written when the process was killed.
    for (const file of readdirSync(path)) {
      if (file.endsWith(".tmp")) rmSync(join(path, file));
    }
    return new RunFolder(path, true, () => {});
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Adds a line to the log. */
  log(entry: LogEntry): void {
    this.#pending.push({ file: growing.log, bytes: `${JSON.stringify(entry)}\n` });
    if (entry.step !== undefined) this.#flush();
  }

  /** The lines of the log that are in its file. */
  readLog(): LogEntry[] {
    if (!existsSync(this.file(growing.log))) return [];
    const lines = readFileSync(this.file(growing.log), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  }

  /** Adds a record to TensorBoard's file. */
  event(record: Uint8Array): void {
    this.#pending.push({ file: growing.events, bytes: record });
  }

  async save(name: string, bytes: Uint8Array | string): Promise<void> {
    this.#create();
    await writeWhole(this.file(name), bytes);
  }

  /** Brings the growing files to the disk: the returned lengths will be there even after a power cut. */
  settle(): Lengths {
    this.#flush();
    const length = (file: string) => {
      const open = openSync(this.file(file), "a");
      try {
        fsyncSync(open);
      } finally {
        closeSync(open);
      }
      return statSync(this.file(file)).size;
    };
    return { log: length(growing.log), events: length(growing.events) };
  }

  #flush(): void {
    this.#create();
    const pending = this.#pending;
    this.#pending = [];
    for (const { file, bytes } of pending) {
      try {
        appendFileSync(this.file(file), bytes);
      } catch (cause) {
        throw new DataError(
          `${this.file(file)}: cannot be written: ${(cause as Error).message}. Is there room on the disk?`,
          { cause },
        );
      }
    }
  }

  #create(): void {
    if (this.#exists) return;
    mkdirSync(this.path, { recursive: true });
    this.#exists = true;
    this.#onCreate(this.path);
  }
}

/** The path, or the first one of `path`-2, `path`-3, … that nothing has yet. */
function unusedPath(path: string): string {
  let free = path;
  for (let i = 2; existsSync(free); i++) free = `${path}-${i}`;
  return free;
}
