/** Learning rates that change during training. */
import { aFunction, checkArguments, checkOptions, listOf, type Wanted } from "../options/arguments.ts";
import { atLeastZero, positive, whole } from "../options/kinds.ts";

/**
 * A function from the number of finished steps, at first 0, to the learning rate of the next step. Set it before each
 * step: `optimizer.lr = schedule(step)`, then `optimizer.step(gradients)`. It remembers nothing, so training goes on
 * from any step. Any function of this kind will do, such as `(step) => 1e-3 / (1 + step / 1000)`. Those that are made
 * here throw a RangeError for a step that is not a number of at least 0.
 */
export type Schedule = (step: number) => number;

/** Multiplies the rate by `gamma` (default 0.1) every `stepSize` steps, as PyTorch's StepLR. */
export function stepLR(lr: number, options: { stepSize: number; gamma?: number }): Schedule {
  checkSchedule("stepLR", lr, options, { stepSize: whole(1), gamma: atLeastZero }, ["stepSize"]);
  const { stepSize, gamma = 0.1 } = options;
  return schedule("stepLR", (step) => lr * gamma ** Math.floor(step / stepSize));
}

/** Multiplies the rate by `gamma` (default 0.1) at each of the steps in `milestones`, as PyTorch's MultiStepLR. */
export function multiStepLR(
  lr: number,
  options: { milestones: readonly number[]; gamma?: number },
): Schedule {
  const wanted = { milestones: listOf(whole(0)), gamma: atLeastZero };
  checkSchedule("multiStepLR", lr, options, wanted, ["milestones"]);
  const { milestones, gamma = 0.1 } = options;
  return schedule("multiStepLR", (step) => lr * gamma ** milestones.filter((at) => step >= at).length);
}

/**
 * Falls from `lr` to `etaMin` (default 0) along half a cosine over `tMax` steps, as PyTorch's CosineAnnealingLR, and
 * stays there. (PyTorch's rises again.)
 */
export function cosineAnnealingLR(lr: number, options: { tMax: number; etaMin?: number }): Schedule {
  checkSchedule("cosineAnnealingLR", lr, options, { tMax: positive, etaMin: atLeastZero }, ["tMax"]);
  const { tMax, etaMin = 0 } = options;
  return schedule("cosineAnnealingLR", (step) => {
    return etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * Math.min(step, tMax)) / tMax))) / 2;
  });
}

/**
 * Another schedule whose first `steps` rates rise evenly to it: the rate of step k, counted from 0, is multiplied by
 * (k + 1) / (steps + 1). Many networks diverge when they begin with the full rate. In PyTorch, this is a LinearLR with
 * `start_factor=1/(steps+1), total_iters=steps`, chained with the other one.
 */
export function warmup(rate: Schedule, steps: number): Schedule {
  checkArguments("warmup", { "the first argument": [rate, aSchedule], steps: [steps, whole(0)] });
  return schedule("warmup", (step) => rate(step) * Math.min(1, (step + 1) / (steps + 1)));
}

const aSchedule: Wanted = { ...aFunction, wants: "a schedule, such as cosineAnnealingLR() makes" };

/** Refuses what is no number of steps. */
function schedule(name: string, rate: Schedule): Schedule {
  return (step) => {
    checkArguments(`The schedule of ${name}`, { step: [step, atLeastZero] });
    return rate(step);
  };
}

function checkSchedule(
  name: string,
  lr: number,
  options: unknown,
  wanted: Readonly<Record<string, Wanted>>,
  needed: readonly string[],
): void {
  checkArguments(name, { lr: [lr, atLeastZero] });
  checkOptions(name, options, wanted, needed);
}
