/** The page's side of the worker: tasks as promises, and a new worker if the old one does not answer. */
import type { FromWorker, Tasks, ToWorker } from "./messages.ts";

export interface RunOptions<T extends keyof Tasks> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Tasks[T]["event"]) => void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onEvent(event: unknown): void;
}

/** So long a task may take to end after it was asked to. Some kernel may run for ever. */
const PATIENCE_MS = 4000;

export class Engine {
  #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  #count = 0;

  /** The worker does its tasks one after the other. Rejects with an AbortError if `signal` ended the task. */
  run<T extends keyof Tasks>(
    task: T,
    input: Tasks[T]["input"],
    { signal, onEvent }: RunOptions<T> = {},
  ): Promise<Tasks[T]["result"]> {
    const worker = this.#started();
    const id = this.#count++;
    const send = (message: ToWorker) => worker.postMessage(message);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = () => {
      send({ abort: id });
      timer = setTimeout(() => this.#replace(), PATIENCE_MS);
    };
    signal?.addEventListener("abort", abort);
    const done = new Promise<Tasks[T]["result"]>((resolve, reject) => {
      this.#pending.set(id, {
        resolve: resolve as (result: unknown) => void,
        reject,
        onEvent: (event) => onEvent?.(event as Tasks[T]["event"]),
      });
      send({ id, task, input } as ToWorker);
      if (signal?.aborted) abort();
    });
    return done.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    });
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#end(new Error(`The page's worker failed: ${event.message || "its file could not be loaded"}.`));
    });
    this.#worker = worker;
    return worker;
  }

  /** Ends a worker that does not answer. The next task starts another one. */
  #replace(): void {
    this.#end(new DOMException("The worker did not answer and was replaced.", "AbortError"));
  }

  #end(error: Error): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of all) reject(error);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if ("event" in message) {
      pending.onEvent(message.event);
      return;
    }
    this.#pending.delete(message.id);
    if ("result" in message) pending.resolve(message.result);
    else pending.reject(Object.assign(new Error(message.error.message), { name: message.error.name }));
  }
}
