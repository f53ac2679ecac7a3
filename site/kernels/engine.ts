/** This page's worker, and the tasks that it does, one after the other. */
import { TaskEngine } from "../task-engine.ts";
import { say } from "./language.ts";
import type { Tasks } from "./messages.ts";

/** So long a task may take to end after it was asked to. Some kernel may run for ever. */
const PATIENCE_MS = 4000;

export class Engine extends TaskEngine<Tasks> {
  constructor() {
    super(() => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }), PATIENCE_MS);
  }

  protected override sayFailed(reason?: string): string {
    return reason ? say.workerFailed(reason) : say.workerNotLoaded;
  }
}
