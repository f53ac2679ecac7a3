/** This page's worker, and the tasks that it does: those with tensors one after the other. */
import { language, say } from "./language.ts";
import type { Tasks } from "./messages.ts";
import { TaskEngine, type ToWorker } from "./task-engine.ts";

export class Engine extends TaskEngine<Tasks> {
  constructor() {
    super(() => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      // Nobody waits for the answer.
      worker.postMessage({ id: -1, task: "language", input: { code: language } } satisfies ToWorker<Tasks>);
      return worker;
    });
  }

  protected override sayFailed(reason?: string): string {
    return reason ? say.workerFailed(reason) : say.workerNotLoaded;
  }
}
