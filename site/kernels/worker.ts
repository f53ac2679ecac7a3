/** The worker: everything that computes. Tasks come from engine.ts and run one after the other. */
import { type Performers, serveTasks } from "../serve-tasks.ts";
import { Card, describeDevice } from "./card.ts";
import { Ladder } from "./ladder.ts";
import type { Tasks } from "./messages.ts";
import { Training } from "./training.ts";

const card = new Card();
const ladder = new Ladder(card);
const training = new Training(card);

const tasks: Performers<Tasks> = {
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

serveTasks<Tasks>(tasks, {});
