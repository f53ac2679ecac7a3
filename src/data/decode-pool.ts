import { Worker } from "node:worker_threads";
import { DataError } from "../picture/errors.ts";
import type { DecodeAnswer, DecodeRequest, RawTarget } from "./decode-worker.ts";
import type { Pair, PairFiles, PairFormat } from "./pairs.ts";

interface Task {
  request: DecodeRequest;
  resolve(answer: DecodeAnswer): void;
  reject(error: DataError): void;
}

/**
 * A few worker threads that read picture pairs, first come, first served, each one at a time. Threads are started
 * when there is work for them. They keep the process alive only while they work.
 */
export class DecodePool {
  readonly #size: number;
  readonly #program: URL;
  readonly #waiting: Task[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  #closed = false;

  /** @param program the worker's file; another one only in tests. */
  constructor(size: number, program: URL = decodeWorker) {
    this.#size = size;
    this.#program = program;
  }

  /** Reads a pair; rejects with a DataError that names its file if it cannot be read or the thread dies. */
  async load(files: PairFiles, format: PairFormat): Promise<Pair> {
    const answer = (await this.#ask({ files, format })) as { pair: Pair };
    return answer.pair;
  }

  /** Reads a pair and writes it into a raw file; rejects as load() does, and if the file cannot be written. */
  async save(files: PairFiles, format: PairFormat, raw: RawTarget): Promise<void> {
    await this.#ask({ files, format, raw });
  }

  #ask(request: DecodeRequest): Promise<DecodeAnswer> {
    if (this.#closed) return Promise.reject(new DataError(`${request.files.high}: asked for after close().`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#handOut();
    });
  }

  /** Gives up what has not begun, waits for what has, and ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#waiting.splice(0)) {
      task.reject(new DataError(`${task.request.files.high}: not read, because the loader was closed.`));
    }
    // Not terminate(): it would cut off the native decoder in the middle of its work.
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
    while (this.#waiting.length > 0 && (this.#idle.length > 0 || this.#busy.size < this.#size)) {
      const worker = this.#idle.pop() ?? this.#start();
      const task = this.#waiting.shift()!;
      this.#busy.set(worker, task);
      worker.ref();
      worker.postMessage(task.request);
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#program);
    let failure = "it ended by itself";
    worker.on("error", (error: Error) => {
      failure = error.message;
    });
    worker.on("message", (answer: DecodeAnswer) => {
      const task = this.#busy.get(worker)!;
      this.#busy.delete(worker);
      this.#idle.push(worker);
      worker.unref();
      if ("error" in answer) task.reject(new DataError(answer.error));
      else task.resolve(answer);
      this.#handOut();
    });
    worker.on("exit", () => {
      const task = this.#busy.get(worker);
      this.#busy.delete(worker);
      task?.reject(
        new DataError(
          `${task.request.files.high}: the thread that was reading it died (${failure}). ` +
            "If this picture kills it again, leave the picture out.",
        ),
      );
      if (this.#idle.includes(worker)) this.#idle.splice(this.#idle.indexOf(worker), 1);
      this.#handOut();
    });
    return worker;
  }
}

/** This folder is TypeScript in the repository and JavaScript in the published package. */
const fromSource = import.meta.url.endsWith(".ts");
const decodeWorker = new URL(fromSource ? "./decode-worker.dev.mjs" : "./decode-worker.js", import.meta.url);
