/**
 * Kills training at random moments, resumes it, and checks that the weights end up the same, to the last bit:
 *
 *     npx tsx scripts/kill-resume.ts --adapter lavapipe --kills 10
 */
import { parseArgs } from "node:util";
import { killAndResume } from "../test/support/kill-resume.ts";

const { values } = parseArgs({
  options: {
    adapter: { type: "string", default: "lavapipe" },
    kills: { type: "string", default: "10" },
    steps: { type: "string", default: "100" },
    seed: { type: "string", default: `${Date.now()}` },
  },
});
const { adapter } = values;
const [kills, steps, seed] = [Number(values.kills), Number(values.steps), Number(values.seed)];
console.log(`${adapter}: ${steps} steps, ${kills} kills, seed ${seed}`);
const stepsKilled = await killAndResume({ adapter, kills, steps, seed, say: console.log });
console.log(
  `Killed at steps ${stepsKilled.join(", ")}: the weights equal the undisturbed run's, to the last bit.`,
);
