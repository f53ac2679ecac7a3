/**
 * A learning rate that changes during training: a function from the number of finished steps to the rate of
 * the next step: `adam.lr = schedule(step)`. Names and formulas are those of torch.optim.lr_scheduler.
 */

import { checkArguments, checkOptions, listOf, type Wanted } from "../options/arguments.ts";
import { atLeastZero, positive, whole } from "../options/kinds.ts";

export type Schedule = (step: number) => number;

/** Multiplies the rate by `gamma` (default 0.1) every `stepSize` steps. */
export function stepLR(lr: number, options: { stepSize: number; gamma?: number }): Schedule {
  checkSchedule("stepLR", lr, options, { stepSize: whole(1), gamma: atLeastZero }, ["stepSize"]);
  const { stepSize, gamma = 0.1 } = options;
  return (step) => lr * gamma ** Math.floor(step / stepSize);
}

/** Multiplies the rate by `gamma` (default 0.1) at each of the steps in `milestones`. */
export function multiStepLR(
  lr: number,
  options: { milestones: readonly number[]; gamma?: number },
): Schedule {
  const wanted = { milestones: listOf(whole(0)), gamma: atLeastZero };
  checkSchedule("multiStepLR", lr, options, wanted, ["milestones"]);
  const { milestones, gamma = 0.1 } = options;
  return (step) => lr * gamma ** milestones.filter((milestone) => step >= milestone).length;
}

/** Falls from `lr` to `etaMin` (default 0) along half a cosine over `tMax` steps, and stays there. */
export function cosineAnnealingLR(lr: number, options: { tMax: number; etaMin?: number }): Schedule {
  checkSchedule("cosineAnnealingLR", lr, options, { tMax: positive, etaMin: atLeastZero }, ["tMax"]);
  const { tMax, etaMin = 0 } = options;
  return (step) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * Math.min(step, tMax)) / tMax))) / 2;
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
