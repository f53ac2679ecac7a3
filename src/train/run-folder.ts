import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DataError, writeWhole } from "../data/index.ts";
import { makeFolder, removeEmpty, writeError } from "../files/image-files.ts";
import { Lock, refuseLocked } from "../files/lock.ts";
import { statsOf, statsWithin } from "../files/same-file.ts";
import { removeTemporary, temporaryDone, temporaryFor } from "../files/temporary.ts";
import { toDiskSync } from "../files/to-disk.ts";
import { isObject } from "../options/arguments.ts";
import { eventFileHeader } from "../report/tensorboard.ts";
import { resultFiles } from "../weights/run-files.ts";
import {
  type Checkpoint,
  checkIsFolder,
  checkpointFile,
  type Lengths,
  previousCheckpointFile,
  readCheckpoint,
} from "./checkpoint.ts";
import { lockFile, runPlace } from "./run-lock.ts";

/** Files that grow during training. All others are replaced as a whole. */
const growing = { log: "log.jsonl", events: "events.out.tfevents.pixelgrad" } as const;

/** A line of log.jsonl. */
export type LogEntry = Readonly<Record<string, unknown>> & { readonly step?: number };

/**
 * What training leaves behind:
 *
 *     best.safetensors        the weights of the best evaluation, for use
 *     last.safetensors        those of the last evaluation, or of the end
 *     checkpoint.safetensors  everything that is needed to go on: see checkpoint.ts
 *     checkpoint.previous.…   the one before it
 *     log.jsonl               a line for each reading of the loss, and for each evaluation
 *     events.out.tfevents.…   the same and a picture, for TensorBoard
 *     report.html             the same and pictures, for people; made of curves.* and comparison.png
 *     run.lock                while a process trains there: see run-lock.ts
 *
 * `begin` makes the folder, with a first checkpoint in it, so that every folder of a run can be resumed: a
 * run that fails before its first step leaves nothing.
 */
export class RunFolder {
  readonly #target: { readonly path: string; readonly numbered: boolean };
  readonly #onMessage: (line: string) => void;
  #path: string | undefined;
  #lock: Lock | undefined;
  /** Lines and records that are not in their files yet: those of no step wait for the first that has one. */
  #pending: { file: string; bytes: Uint8Array | string }[] = [];

  private constructor(
    target: { readonly path: string; readonly numbered: boolean },
    onMessage: (line: string) => void,
    path?: string,
    lock?: Lock,
  ) {
    this.#target = target;
    this.#onMessage = onMessage;
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * For a new run. Without `out`: a new folder under runs/ of that name, with a number behind it if there are
   * others, so that nothing is overwritten.
   *
   * @throws DataError if `out` is a file, holds a run that has learned something or is going on, or cannot be written.
   */
  static create(out: string | undefined, name: string, onMessage: (line: string) => void): RunFolder {
    if (out !== undefined) checkFree(out);
    const path = out ?? join("runs", name);
    refuseUnwritable(path, out !== undefined && existsSync(out) ? out : dirname(path));
    return new RunFolder({ path, numbered: out === undefined }, onMessage);
  }

  /** Opens the folder of a run that goes on, and locks it. @throws DataError if another process has it */
  static async open(path: string, onMessage: (line: string) => void): Promise<RunFolder> {
    checkIsFolder(path);
    refuseFolders(path);
    const lock = await Lock.acquire(runPlace(path), onMessage);
    return new RunFolder({ path, numbered: false }, onMessage, path, lock);
  }

  /** Where the results are, or will be. */
  get path(): string {
    return this.#path ?? this.#target.path;
  }

  /** Is there a folder, with a checkpoint of this run in it? */
  get begun(): boolean {
    return this.#path !== undefined && existsSync(this.file(checkpointFile));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Makes the folder of a new run, locked and with its first checkpoint. */
  async begin(checkpoint: Uint8Array): Promise<void> {
    const { path, numbered } = this.#target;
    for (let i = 1; this.#lock === undefined && (i === 1 || numbered); i++) {
      this.#path = i === 1 ? path : `${path}-${i}`;
      if (!existsSync(this.#path)) this.#lock = await makeLocked(this.#path, checkpoint);
    }
    if (this.#lock === undefined) {
      // The folder was there already, or another process has just made it.
      checkFree(path);
      this.#lock = await Lock.acquire(runPlace(path), this.#onMessage);
    }
    await this.save(checkpointFile, checkpoint);
    for (const file of [...Object.values(growing), ...temporaryFiles(this.path)]) {
      rmSync(this.file(file), { force: true });
    }
    this.#onMessage(`Results: ${this.path}/`);
  }

  /**
   * Goes back to the state at a checkpoint, or to the beginning: what the growing files have gained since is
   * cut off. What was to be written is forgotten.
   */
  rewind(checkpoint?: Checkpoint): void {
    const lengths = checkpoint?.state.lengths ?? { log: 0, events: 0 };
    this.#pending = [];
    if (this.#path === undefined || lengths.events === 0) this.event(eventFileHeader());
    if (this.#path === undefined) return;
    this.#lock?.check();
    for (const file of temporaryFiles(this.path)) rmSync(this.file(file), { force: true });
    // The newer one is damaged, and must not become the previous one.
    if (checkpoint?.file === previousCheckpointFile)
      renameSync(this.file(checkpoint.file), this.file(checkpointFile));
    const [log, events] = [growing.log, growing.events].map((name) => this.file(name));
    const size = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const length = size(log);
    if (length > lengths.log) truncateSync(log, lengths.log);
    const { damagedLines } = parseLog(this.path);
    if (length < lengths.log || damagedLines > 0) {
      const what =
        length < lengths.log
          ? `has ${length} bytes, but ${lengths.log} when the checkpoint was made`
          : `has ${damagedLines} damaged ${damagedLines === 1 ? "line" : "lines"}`;
      this.#onMessage(
        `${log} ${what}: something else has changed it. Training goes on; the curves lack what is missing there`,
      );
      if (length > 0) appendFileSync(log, "\n"); // its last line may be cut short
    }
    if (size(events) > lengths.events) truncateSync(events, lengths.events);
    if (size(events) < lengths.events) {
      this.#onMessage(`${events} has been changed by something else, and begins anew`);
      rmSync(events, { force: true });
      this.event(eventFileHeader());
    }
  }

  /** Lets others use the folder. */
  close(): void {
    this.#lock?.release();
  }

  /** Adds a line to the log. */
  log(entry: LogEntry): void {
    this.#pending.push({ file: growing.log, bytes: `${JSON.stringify(entry)}\n` });
    if (entry.step !== undefined) this.#flush();
  }

  /** The lines of the log that are in its file, but for damaged ones. */
  readLog(): LogEntry[] {
    return readLog(this.path);
  }

  /** Adds a record to TensorBoard's file. */
  event(record: Uint8Array): void {
    this.#pending.push({ file: growing.events, bytes: record });
  }

  async save(name: string, bytes: Uint8Array | string): Promise<void> {
    this.#lock?.check();
    await writeWhole(this.file(name), bytes);
  }

  /**
   * Writes what people look at. Where that fails, on a full disk say, a line tells it, and training goes on: nothing
   * that it has learned is lost.
   *
   * @throws DataError if another process has the folder
   */
  async draw(write: () => Promise<void>): Promise<void> {
    this.#lock?.check();
    await write().catch((error) => {
      if (!(error instanceof DataError)) throw error;
      this.#onMessage(
        `${error.message} Training goes on without it; the next evaluation, or \`resume\` ${this.path}, draws it anew`,
      );
    });
  }

  /** Replaces the checkpoint, which stays as the previous one. */
  async saveCheckpoint(bytes: Uint8Array, { keepPrevious }: { keepPrevious: boolean }): Promise<void> {
    this.#lock?.check();
    const [current, previous] = [this.file(checkpointFile), this.file(previousCheckpointFile)];
    if (keepPrevious && existsSync(current)) {
      try {
        rmSync(previous, { force: true });
        try {
          linkSync(current, previous);
        } catch {
          copyFileSync(current, previous); // not every file system has links
        }
      } catch (error) {
        throw writeError(previous, error);
      }
    }
    await this.save(checkpointFile, bytes);
  }

  /** Brings the growing files to the disk: the returned lengths will be there even after a power cut. */
  settle(): Lengths {
    this.#flush();
    const length = (name: string) => {
      const file = this.file(name);
      try {
        const open = openSync(file, "a");
        try {
          toDiskSync(open);
        } finally {
          closeSync(open);
        }
        return statSync(file).size;
      } catch (cause) {
        throw writeError(file, cause);
      }
    };
    return { log: length(growing.log), events: length(growing.events) };
  }

  #flush(): void {
    this.#lock?.check();
    const pending = this.#pending;
    this.#pending = [];
    for (const { file, bytes } of pending) {
      try {
        appendFileSync(this.file(file), bytes);
      } catch (cause) {
        throw writeError(this.file(file), cause);
      }
    }
  }
}

/** The lines of a run's log that can be read. */
export function readLog(folder: string): LogEntry[] {
  return parseLog(folder).entries;
}

function parseLog(folder: string): { entries: LogEntry[]; damagedLines: number } {
  const path = join(folder, growing.log);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = text.split("\n").filter((line) => line !== "");
  const entries = lines.flatMap((line): LogEntry[] => {
    try {
      const entry = JSON.parse(line);
      return isObject(entry) && ["undefined", "number"].includes(typeof entry.step) ? [entry] : [];
    } catch {
      return [];
    }
  });
  return { entries, damagedLines: lines.length - entries.length };
}

/**
 * Throws a DataError if a new run must not use this folder. One whose run was killed before it had learned
 * anything is free.
 */
function checkFree(path: string): void {
  const stats = statsWithin(path);
  if (stats?.isFile()) {
    throw new DataError(`${path} is a file, and results go into a folder. Name another one with \`out\`.`);
  }
  refuseFolders(path);
  refuseLocked(runPlace(path));
  const isOfRun = readLog(path).some(({ config }) => config !== undefined);
  const isValuable = (file: string) => {
    const size = statsWithin(join(path, file))?.size;
    if (size === undefined) return false;
    if (file === checkpointFile) return stepOf(path) !== 0;
    return file !== growing.log || (size > 0 && !isOfRun);
  };
  const old = [...saved, growing.log].find(isValuable);
  if (old !== undefined) {
    throw new DataError(
      `${path} already holds a run (${old}). Go on with it by \`resume\`, name another folder with \`out\`, ` +
        `or remove this one.`,
    );
  }
  const foreign = isOfRun ? undefined : written.find((file) => existsSync(join(path, file)));
  if (foreign !== undefined) {
    throw new DataError(
      `${path} already holds a file called ${foreign}, which a run would replace. Name another folder with \`out\`.`,
    );
  }
}

/** What a run has learned. */
const saved = [checkpointFile, previousCheckpointFile, ...resultFiles];
/** What a run makes besides. */
const written = ["report.html", "comparison.png", "curves.png", "curves.svg", growing.events];

/** The names of all files that a run writes. */
export const runFiles: readonly string[] = [lockFile, growing.log, ...written, ...saved];

/** A run cannot replace a folder by a file. */
function refuseFolders(path: string): void {
  const folder = runFiles.find((file) => statsOf(join(path, file))?.isDirectory());
  if (folder === undefined) return;
  throw new DataError(
    `${join(path, folder)} is a folder, and a run writes a file of that name. Move it away, or name another ` +
      `folder with \`out\`.`,
  );
}

/** The step of a folder's checkpoint, if that is whole. */
function stepOf(folder: string): number | undefined {
  try {
    return readCheckpoint(folder).state.step;
  } catch {
    return undefined;
  }
}

/**
 * Throws a DataError if `begin` could not make the folder `path` in `place`, or could not write where both are one. It
 * would find out only when all pictures have been looked at. Nothing stays behind.
 */
function refuseUnwritable(path: string, place: string): void {
  const firstMade = makeFolder(place, adviceOnOut);
  const probe = temporaryFor(join(place, checkpointFile));
  try {
    mkdirSync(probe);
    rmdirSync(probe);
  } catch (cause) {
    throw writeError(path, cause);
  } finally {
    temporaryDone(probe);
    removeEmpty(place, firstMade);
  }
}

const adviceOnOut = "Name another one with `out`.";

/**
 * Makes a folder with a lock and a checkpoint, all at once: it gets its name when they are in it. Returns
 * undefined if another process has made one of this name meanwhile.
 */
async function makeLocked(path: string, checkpoint: Uint8Array): Promise<Lock | undefined> {
  makeFolder(dirname(path), adviceOnOut);
  const unfinished = temporaryFor(path);
  try {
    mkdirSync(unfinished);
    const file = openSync(join(unfinished, checkpointFile), "w");
    try {
      writeFileSync(file, checkpoint);
      toDiskSync(file);
    } finally {
      closeSync(file);
    }
    const lock = Lock.create(runPlace(unfinished));
    try {
      renameSync(unfinished, path);
      temporaryDone(unfinished);
      return lock.moved(runPlace(path));
    } catch (error) {
      lock.release();
      if (!existsSync(path)) throw error;
    }
  } catch (cause) {
    throw writeError(path, cause);
  } finally {
    await removeTemporary(unfinished); // unless it has its name
  }
  return undefined;
}

/** Files of a run that were being written when a process was killed. Others of that ending may be somebody's. */
function temporaryFiles(folder: string): string[] {
  const starts = [...saved, ...written].map((name) => `${name}.`);
  return readdirSync(folder).filter(
    (file) => file.endsWith(".tmp") && starts.some((start) => file.startsWith(start)),
  );
}
