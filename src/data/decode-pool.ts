import { Worker } from "node:worker_threads";
import type { ThreadData } from "../files/resources.ts";
import { threadProgram } from "../files/thread-program.ts";
import { IncompleteError, isMissingProgram, missingProgram } from "../options/incomplete.ts";
import { DataError } from "../picture/errors.ts";
import type { BatchFormat, Cut, Patches } from "./cut.ts";
import type { CutRequest, DecodeAnswer, DecodeRequest } from "./decode-worker.ts";
import { formatOnly, type Pair, type PairFiles, type PairFormat } from "./pairs.ts";

interface Task {
  request: DecodeRequest | CutRequest;
  /** What it reads, for errors. */
  label: string;
  resolve(answer: DecodeAnswer): void;
  reject(error: Error): void;
}

/**
 * Worker threads that read picture pairs in the order of requests, each thread one at a time, and cut batches out
 * of them. Cutting comes first: it is quick, and training waits for it. A thread starts when there is work for it,
 * and keeps the process alive only while it works.
 */
export class DecodePool {
  readonly size: number;
  readonly #program?: URL;
  readonly #toRead: Task[] = [];
  readonly #toCut: Task[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  #closed = false;

  /** @param program the worker's file; only tests pass another one. */
  constructor(size: number, program?: URL) {
    this.size = size;
    this.#program = program;
  }

  /**
   * Reads a pair, or without a format HR alone; with `shared` into memory that all threads see. Rejects with a
   * DataError that names its file if it cannot be read or the thread dies; with an IncompleteError, as the others, if
   * a part of the library is missing.
   */
  async load(files: PairFiles, format?: PairFormat, shared = false): Promise<Pair> {
    return (await this.#ask({ files, format: format && formatOnly(format), shared }, files.high)).pair!;
  }

  /**
   * As load(), but writes the pair into a raw file; rejects also if the file cannot be written.
   */
  async save(files: PairFiles, format: PairFormat | undefined, raw: DecodeRequest["raw"]): Promise<void> {
    await this.#ask({ files, format: format && formatOnly(format), raw }, files.high);
  }

  /**
   * Cuts a batch out of pictures that load() or save() made; rejects with a DataError that names the one that
   * is at fault, if one is.
   */
  async cut(cuts: readonly Cut[], format: BatchFormat): Promise<Patches> {
    return (await this.#ask({ cuts, format }, cuts[0].label)).patches!;
  }

  async #ask(request: DecodeRequest | CutRequest, label: string): Promise<DecodeAnswer> {
    if (this.#closed) throw new DataError(`${label}: asked for after close().`);
    return new Promise((resolve, reject) => {
      const queue = "cuts" in request ? this.#toCut : this.#toRead;
      queue.push({ request, label, resolve, reject });
      this.#handOut();
    });
  }

  /** Rejects requests that have not begun, waits for the others, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const task of [...this.#toCut.splice(0), ...this.#toRead.splice(0)]) {
      task.reject(new DataError(`${task.label}: not read, because the loader was closed.`));
    }
    // Not terminate(): it would interrupt the native decoder in the middle of its work.
    const workers = [...this.#idle, ...this.#busy.keys()];
    await Promise.all(
      workers.map((worker) => {
        worker.ref();
        worker.postMessage("close");
        return new Promise((resolve) => worker.once("exit", resolve));
      }),
    );
  }

  #handOut(): void {
    while (this.#idle.length > 0 || this.#busy.size < this.size) {
      const task = this.#toCut.shift() ?? this.#toRead.shift();
      if (task === undefined) return;
      const worker = this.#idle.pop() ?? this.#start();
      this.#busy.set(worker, task);
      worker.ref();
      worker.postMessage(task.request);
    }
  }

  #start(): Worker {
    const workerData: ThreadData = { pictureThreads: this.size };
    const program = this.#program ?? threadProgram(() => new URL("./decode-worker.js", import.meta.url));
    const worker = new Worker(program, { workerData });
    let failure: Error | undefined;
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("message", (answer: DecodeAnswer) => {
      const task = this.#busy.get(worker)!;
      this.#busy.delete(worker);
      this.#idle.push(worker);
      if (!this.#closed) worker.unref(); // close() waits for its end
      if (answer.incomplete) task.reject(new IncompleteError(answer.error));
      else if (answer.error !== undefined) task.reject(new DataError(answer.error));
      else task.resolve(answer);
      this.#handOut();
    });
    worker.on("exit", () => {
      const task = this.#busy.get(worker);
      this.#busy.delete(worker);
      task?.reject(deathOf(task, failure));
      if (this.#idle.includes(worker)) this.#idle.splice(this.#idle.indexOf(worker), 1);
      this.#handOut();
    });
    return worker;
  }
}

/**
 * The error for a thread that died. The picture that it was reading may be the cause, or not; one that is cut has been
 * decoded before, and is not.
 */
function deathOf({ request, label }: Task, failure: Error | undefined): Error {
  if (failure && isMissingProgram(failure)) return missingProgram(failure);
  const cause = failure === undefined ? "it ended by itself" : failure.message || failure.name;
  return new DataError(
    "cuts" in request
      ? `The thread that was cutting patches died (${cause}). Start again, with smaller batches if memory was short.`
      : `${label}: the thread that was reading it died (${cause}). If it happens again with this picture alone, ` +
          "leave it out.",
  );
}
