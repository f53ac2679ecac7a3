/**
 * A learning rate that changes during training: a function from the number of finished steps to the rate of
 * the next step: `adam.lr = schedule(step)`. Names and formulas are those of torch.optim.lr_scheduler.
 */
export type Schedule = (step: number) => number;

/** Multiplies the rate by `gamma` (default 0.1) every `stepSize` steps. */
export function stepLR(
  lr: number,
  { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number },
): Schedule {
  return (step) => lr * gamma ** Math.floor(step / stepSize);
}

/** Multiplies the rate by `gamma` (default 0.1) at each of the steps in `milestones`. */
export function multiStepLR(
  lr: number,
  { milestones, gamma = 0.1 }: { milestones: readonly number[]; gamma?: number },
): Schedule {
  return (step) => lr * gamma ** milestones.filter((milestone) => step >= milestone).length;
}

/** Falls from `lr` to `etaMin` (default 0) along half a cosine over `tMax` steps, and stays there. */
export function cosineAnnealingLR(
  lr: number,
  { tMax, etaMin = 0 }: { tMax: number; etaMin?: number },
): Schedule {
  return (step) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * Math.min(step, tMax)) / tMax))) / 2;
}
