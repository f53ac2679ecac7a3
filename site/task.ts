/** What the parts of the worker have in common: the form of a task, and words for errors. */

import { NotLoaded } from "./load-part.ts";
import type { Tasks } from "./messages.ts";
import type { ErrorText, Performers } from "./serve-tasks.ts";
import { say } from "./worker-language.ts";

/** Unused buffers of the device. Tiles of many sizes would leave many. */
export const POOL_BYTES = 256 * 2 ** 20;

/** How tasks are done. */
export type TaskTable<Names extends keyof Tasks = keyof Tasks> = Performers<Tasks, Names>;

/**
 * Errors that users can do something about, in words for them. WebGPU calls its errors aborts when a device is
 * gone, and there may be no other. And a part of the worker may not load when it is needed.
 */
export function inWords(error: ErrorText & { readonly code?: string }): ErrorText {
  const { name, message, code } = error;
  if (name === "AbortError" || name === "DeviceLostError") {
    return { name: "DeviceLostError", message: say.deviceLost };
  }
  // What the library advises then is for programmers.
  if (code === "NO_ADAPTER") return { name: "DeviceLostError", message: say.deviceGone };
  if (error instanceof NotLoaded) return { name: "WorkerError", message: say.fileNotLoaded };
  return { name, message };
}
