/**
 * A page's side of its worker: tasks as promises. Both pages have one, each with its own table of tasks. The
 * worker's side is serve-tasks.ts.
 */

/** What a task is given, what it tells meanwhile, and what it results in. */
export interface Task {
  input: unknown;
  event: unknown;
  result: unknown;
}

export type TaskTable<Table> = { readonly [T in keyof Table]: Task };

/** A task for the worker, or a request to end one. */
export type ToWorker<Table extends TaskTable<Table>> =
  | { [T in keyof Table]: { id: number; task: T; input: Table[T]["input"] } }[keyof Table]
  | { abort: number };

export type FromWorker = { id: number } & (
  | { event: unknown }
  | { result: unknown }
  | { error: { name: string; message: string } }
);

/** What the worker sends of a task that was left. */
export interface Late<Event, Result> {
  readonly event?: Event;
  readonly result?: Result;
}

export interface RunOptions<Event, Result> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Event) => void;
  /** With it, an abort leaves the task at once. What the worker has sent by then comes here, to be freed. */
  readonly onLate?: (late: Late<Event, Result>) => void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onEvent(event: unknown): void;
}

/** Computes in a worker, so that the page reacts meanwhile. */
export abstract class TaskEngine<Table extends TaskTable<Table>> {
  readonly #start: () => Worker;
  readonly #patience: number;
  #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  /** `onLate` of tasks that were left and that the worker has not ended. */
  readonly #left = new Map<number, (late: Late<unknown, unknown>) => void>();
  #count = 0;
  /** Called when the worker has ended, with all that it knew. The next task starts another one. */
  onEnd: () => void = () => {};

  /**
   * @param start makes the worker, at the first task and after the end of the one before. (Bundlers find the
   *   worker's file where `new Worker(new URL(…))` is written out.)
   * @param patience milliseconds that a task may take to end after an abort, before the worker is replaced.
   */
  constructor(start: () => Worker, patience = Number.POSITIVE_INFINITY) {
    this.#start = start;
    this.#patience = patience;
  }

  /**
   * Rejects with an AbortError if `signal` ended the task, and with a WorkerError if the worker's file does not
   * load, or the worker itself fails.
   */
  run<T extends keyof Table>(
    task: T,
    input: Table[T]["input"],
    { signal, onEvent, onLate }: RunOptions<Table[T]["event"], Table[T]["result"]> = {},
  ): Promise<Table[T]["result"]> {
    const worker = this.#running();
    const id = this.#count++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = () => {
      worker.postMessage({ abort: id } satisfies ToWorker<Table>);
      if (onLate) this.#leave(id, onLate as (late: Late<unknown, unknown>) => void);
      else if (Number.isFinite(this.#patience)) timer = setTimeout(() => this.#replace(), this.#patience);
    };
    signal?.addEventListener("abort", abort);
    const result = new Promise<Table[T]["result"]>((resolve, reject) => {
      this.#pending.set(id, {
        resolve: resolve as (result: unknown) => void,
        reject,
        onEvent: (event) => onEvent?.(event as Table[T]["event"]),
      });
      worker.postMessage({ id, task, input });
      if (signal?.aborted) abort();
    });
    return result.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    });
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.#start();
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker !== this.#worker) return; // news of one that was replaced
      // A file that does not load makes an event without a message.
      const message = this.sayFailed((event as Partial<ErrorEvent>).message);
      this.#end(Object.assign(new Error(message), { name: "WorkerError" }));
    });
    this.#worker = worker;
    return worker;
  }

  /** What to say when the worker failed for a reason, or for none, because a file of it does not load. */
  protected abstract sayFailed(reason?: string): string;

  #leave(id: number, onLate: (late: Late<unknown, unknown>) => void): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    this.#left.set(id, onLate);
    pending.reject(new DOMException("The task was stopped.", "AbortError"));
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
    this.#left.clear();
    this.onEnd();
    for (const { reject } of all) reject(error);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    if (!pending) {
      this.#receiveLate(message);
      return;
    }
    if ("event" in message) {
      pending.onEvent(message.event);
      return;
    }
    this.#pending.delete(message.id);
    if ("result" in message) pending.resolve(message.result);
    else pending.reject(Object.assign(new Error(message.error.message), { name: message.error.name }));
  }

  #receiveLate({ id, ...late }: FromWorker): void {
    const onLate = this.#left.get(id);
    if (!("event" in late)) this.#left.delete(id);
    if (!("error" in late)) onLate?.(late);
  }
}
