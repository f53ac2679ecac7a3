/** Kills training at random moments, resumes it, and compares the weights with those of a run in peace. */
import { killAndResume } from "../../test/support/kill-resume.ts";
import type { Soak } from "./support/soak.ts";

const KILLS = 5;

export const soak: Soak = {
  what: `Training killed ${KILLS} times, by SIGKILL or SIGTERM, and resumed: the same weights, to the last bit`,
  tries: 20,
  async run(soak) {
    for (const { index, random } of soak.tries()) {
      await soak.attempt(`try ${index}`, () =>
        killAndResume({
          adapter: soak.adapter,
          kills: KILLS,
          steps: 100,
          seed: random.next(),
          say: (line) => soak.say(line),
        }),
      );
    }
    return { kills: KILLS * soak.count };
  },
};
