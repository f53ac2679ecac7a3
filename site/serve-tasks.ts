/** A worker's side of its page: does the tasks that a `TaskEngine` sends. */
import type { FromWorker, Task, TaskTable, ToWorker } from "./task-engine.ts";

/** What a task may use besides its input. */
export interface Context<Event> {
  readonly signal: AbortSignal;
  readonly report: (event: Event) => void;
  /** The next task waits for this one's leftovers. The result does not: Stop must not wait for the GPU. */
  readonly leave: (leftover: Promise<unknown>) => void;
  /** For a long task beside others: work with tensors, when no other task works with them. */
  readonly inTurn: <R>(work: () => Promise<R>) => Promise<R>;
}

/** How a task is done. */
export type Performer<T extends Task> = (
  input: T["input"],
  context: Context<T["event"]>,
) => Promise<T["result"]>;

export type Performers<Table extends TaskTable<Table>, Names extends keyof Table = keyof Table> = {
  readonly [T in Names]: Performer<Table[T]>;
};

/** What the page is told about an error. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
}

/** Parts of a result or an event that are handed over to the page, and not copied. */
const transfers = new WeakMap<object, Transferable[]>();

export function handOver<T extends object>(message: T, parts: Transferable[] = [message as Transferable]): T {
  transfers.set(message, parts);
  return message;
}

/**
 * Does the page's tasks, for as long as the worker lives: those of `exclusive` one after the other, because scopes
 * of tensors allow only one at a time, and those of `beside` at once.
 *
 * @param inWords what to say about an error. An abort by the page remains one.
 */
export function serveTasks<Table extends TaskTable<Table>, Exclusive extends keyof Table = keyof Table>(
  exclusive: Performers<Table, Exclusive>,
  beside: Performers<Table, Exclude<keyof Table, Exclusive>>,
  inWords: (error: Error) => ErrorText = ({ name, message }) => ({ name, message }),
): void {
  const tasks = { ...exclusive, ...beside } as Performers<Table>;
  const controllers = new Map<number, AbortController>();
  /** Resolves when all exclusive work so far has ended. */
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <R>(work: () => Promise<R>): Promise<R> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };

  const perform = async <T extends keyof Table>(
    { id, task, input }: { id: number; task: T; input: Table[T]["input"] },
    signal: AbortSignal,
  ): Promise<void> => {
    const leftovers: Promise<unknown>[] = [];
    const report = (event: Table[T]["event"]) => send({ id, event }, event);
    const leave = (leftover: Promise<unknown>) => leftovers.push(leftover);
    try {
      const result = await tasks[task](input, { signal, report, leave, inTurn });
      send({ id, result }, result);
    } catch (error) {
      const { message } = error as Error;
      send({ id, error: signal.aborted ? { name: "AbortError", message } : inWords(error as Error) });
    } finally {
      controllers.delete(id);
      await Promise.allSettled(leftovers);
    }
  };

  self.addEventListener("message", ({ data }: MessageEvent<ToWorker<Table>>) => {
    if ("abort" in data) {
      controllers.get(data.abort)?.abort();
      return;
    }
    const { id } = data;
    const controller = new AbortController();
    const { signal } = controller;
    controllers.set(id, controller);
    // What has not begun ends at once, however long it would have to wait.
    const refuse = () => {
      controllers.delete(id);
      send({ id, error: { name: "AbortError", message: (signal.reason as Error).message } });
    };
    signal.addEventListener("abort", refuse);
    const work = async () => {
      signal.removeEventListener("abort", refuse);
      if (!signal.aborted) await perform(data, signal);
    };
    void (data.task in exclusive ? inTurn(work) : work());
  });
}

function send(message: FromWorker, content?: unknown): void {
  postMessage(message, { transfer: transfers.get(content as object) ?? [] });
}
