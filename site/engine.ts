/** The page's side of the worker: tasks as promises. */
import type { FromWorker, Tasks, ToWorker } from "./messages.ts";

export interface RunOptions<T extends keyof Tasks> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Tasks[T]["event"]) => void;
  /** After an abort, what the worker still says about the task is of no interest. */
  readonly leaveAtOnce?: boolean;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onEvent(event: unknown): void;
}

/** Computes in a worker, so that the page reacts meanwhile. */
export class Engine {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #pending = new Map<number, Pending>();
  #count = 0;
  /** Set when the worker could not be loaded. */
  #failure: Error | undefined;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#worker.addEventListener("error", (event) => {
      // A file that does not load makes an event without a message.
      const reason = (event as Partial<ErrorEvent>).message;
      const message = reason
        ? `The page's worker failed: ${reason}. Reload the page.`
        : "A file of this page could not be loaded, its worker. Check the connection and reload the page. (If " +
          "the page is yours: its folder has to be served whole, and its policy has to allow workers.)";
      this.#failure = Object.assign(new Error(message), { name: "WorkerError" });
      for (const { reject } of this.#pending.values()) reject(this.#failure);
      this.#pending.clear();
    });
  }

  /**
   * The worker does tasks with tensors one after the other. Rejects with an AbortError if `signal` ended the task,
   * and with a WorkerError if there is no worker.
   */
  run<T extends keyof Tasks>(
    task: T,
    input: Tasks[T]["input"],
    { signal, onEvent, leaveAtOnce = false }: RunOptions<T> = {},
  ): Promise<Tasks[T]["result"]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#count++;
    const abort = () => {
      this.#send({ abort: id });
      if (!leaveAtOnce) return;
      this.#pending.get(id)?.reject(new DOMException("The task was stopped.", "AbortError"));
      this.#pending.delete(id);
    };
    signal?.addEventListener("abort", abort);
    const done = new Promise<Tasks[T]["result"]>((resolve, reject) => {
      this.#pending.set(id, {
        resolve: resolve as (result: unknown) => void,
        reject,
        onEvent: (event) => onEvent?.(event as Tasks[T]["event"]),
      });
      this.#send({ id, task, input } as ToWorker);
      if (signal?.aborted) abort();
    });
    return done.finally(() => signal?.removeEventListener("abort", abort));
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
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
