/** The worker: everything that computes. Tasks come from engine.ts and run one after the other. */

import type { FromWorker, ToWorker } from "../task-engine.ts";
import { Card, describeDevice } from "./card.ts";
import { type Context, Ladder } from "./ladder.ts";
import type { Tasks } from "./messages.ts";
import { Training } from "./training.ts";

type TaskTable = {
  [T in keyof Tasks]: (
    input: Tasks[T]["input"],
    context: Context<Tasks[T]["event"]>,
  ) => Promise<Tasks[T]["result"]>;
};

const card = new Card();
const ladder = new Ladder(card);
const training = new Training(card);

const tasks: TaskTable = {
  open: async () => describeDevice(await card.device()),

  suggest: (_, { signal }) => ladder.suggest(signal),

  describe: async ({ layer }) => ladder.describe(layer),

  async measure({ layer }, context) {
    try {
      return await ladder.measure(layer, context);
    } catch (error) {
      if (context.signal.aborted || !(await card.lost(error))) throw error;
      context.report({ kind: "lost", message: (error as Error).message });
      return await ladder.measure(layer, context); // on a new device, from the beginning
    }
  },

  tryEdit: (edit, context) => ladder.tryEdit(edit, context),

  train: (input) => training.step(input),
};

const running = new Map<number, AbortController>();
/** Resolves when all tasks so far have ended. Scopes of tensors allow only one at a time. */
let last: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data }: MessageEvent<ToWorker<Tasks>>) => {
  if ("abort" in data) {
    running.get(data.abort)?.abort();
    return;
  }
  running.set(data.id, new AbortController());
  last = last.then(() => perform(data));
});

async function perform<T extends keyof Tasks>(message: {
  id: number;
  task: T;
  input: Tasks[T]["input"];
}): Promise<void> {
  const { id, task, input } = message;
  const { signal } = running.get(id)!;
  try {
    signal.throwIfAborted();
    const result = await tasks[task](input, { signal, report: (event) => say({ id, event }) });
    say({ id, result });
  } catch (error) {
    const { name, message } = error as Error;
    say({ id, error: { name, message } });
  } finally {
    running.delete(id);
  }
}

function say(message: FromWorker): void {
  postMessage(message);
}
