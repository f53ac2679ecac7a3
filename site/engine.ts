/** This page's worker, and the tasks that it does: those with tensors one after the other. */
import type { Tasks } from "./messages.ts";
import { TaskEngine } from "./task-engine.ts";

export class Engine extends TaskEngine<Tasks> {
  constructor() {
    super(() => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));
  }
}
