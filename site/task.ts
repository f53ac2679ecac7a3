/** What the parts of the worker have in common: the form of a task, what needs no copy, and words for errors. */
import type { Tasks } from "./messages.ts";
import { say } from "./worker-language.ts";

/** Unused buffers of the device. Tiles of many sizes would leave many. */
export const POOL_BYTES = 256 * 2 ** 20;

export interface Context<T extends keyof Tasks> {
  readonly signal: AbortSignal;
  readonly report: (event: Tasks[T]["event"]) => void;
  /** The next task waits for this one's leftovers. The result does not: Stop must not wait for the GPU. */
  readonly leave: (leftover: Promise<unknown>) => void;
  /** For a long task beside others: work with tensors, when no other task works with them. */
  readonly inTurn: <R>(work: () => Promise<R>) => Promise<R>;
}

type Perform<T extends keyof Tasks> = (
  input: Tasks[T]["input"],
  context: Context<T>,
) => Promise<Tasks[T]["result"]>;

export type TaskTable<Names extends keyof Tasks = keyof Tasks> = { [T in Names]: Perform<T> };

/** By the result or event that it is a part of. */
const transfers = new WeakMap<object, Transferable[]>();

export function handOver<T extends object>(message: T, parts: Transferable[] = [message as Transferable]): T {
  transfers.set(message, parts);
  return message;
}

export function transfersOf(message?: object): Transferable[] {
  return (message && transfers.get(message)) || [];
}

/**
 * Errors that users can do something about, in words for them. WebGPU calls its errors aborts when a device is
 * gone, and there may be no other. And a part of the worker may not load when it is needed.
 */
export function inWords({ name, message }: Error): { name: string; message: string } {
  if (name === "AbortError" || name === "DeviceLostError") {
    return { name: "DeviceLostError", message: say.deviceLost };
  }
  // What the library advises then is for programmers.
  if (/^There is no WebGPU adapter\./.test(message))
    return { name: "DeviceLostError", message: say.deviceGone };
  if (name === "TypeError" && /import/i.test(message))
    return { name: "WorkerError", message: say.fileNotLoaded };
  return { name, message };
}
