import { cosineAnnealingLR, multiStepLR, type Schedule, type ScheduleConfig, stepLR } from "../node.ts";
import { atLeastZero, type Kind, positive, whole } from "../options/kinds.ts";
import type { TrainConfig } from "./config.ts";

/** The learning rate of every step: the schedule's, after a linear rise over the first `warmup` steps. */
export function learningRate(config: TrainConfig): Schedule {
  const rate = falling(config.lr, completeSchedule(config));
  return (step) => rate(step) * Math.min(1, (step + 1) / (config.warmup + 1));
}

/** The schedule with nothing left open, so that more steps after a resume do not change it. */
export function completeSchedule({ schedule, lr, steps }: TrainConfig): ScheduleConfig {
  if (schedule.kind !== "cosine") return schedule;
  return { kind: "cosine", tMax: schedule.tMax ?? steps, etaMin: schedule.etaMin ?? lr / 100 };
}

function falling(lr: number, schedule: ScheduleConfig): Schedule {
  switch (schedule.kind) {
    case "constant":
      return () => lr;
    case "step":
      return stepLR(lr, { stepSize: schedule.stepSize, gamma: schedule.gamma });
    case "multistep":
      return multiStepLR(lr, { milestones: schedule.milestones, gamma: schedule.gamma });
    case "cosine":
      return cosineAnnealingLR(lr, { tMax: schedule.tMax!, etaMin: schedule.etaMin });
  }
}

const stepCount = whole(1);

/** A schedule as a text: "step:200000:0.5". The factor is 0.5 by default. */
export const scheduleKind: Kind<ScheduleConfig> = {
  wants: "constant, cosine[:STEPS[:LAST_RATE]], step:STEPS[:FACTOR] or multistep:STEP,STEP,…[:FACTOR]",
  symbol: "FORM",
  fits(value): value is ScheduleConfig {
    const schedule = value as ScheduleConfig | undefined;
    switch (schedule?.kind) {
      case "constant":
        return true;
      case "step":
        return stepCount.fits(schedule.stepSize) && positive.fits(schedule.gamma);
      case "multistep":
        return schedule.milestones.every(stepCount.fits) && positive.fits(schedule.gamma);
      case "cosine":
        return stepCount.fits(schedule.tMax ?? 1) && atLeastZero.fits(schedule.etaMin ?? 0);
      default:
        return false;
    }
  },
  read(text) {
    const [kind, first, second, ...rest] = text.split(":");
    const number = (part?: string) => part && Number(part);
    if (rest.length > 0 || first === "" || second === "") return undefined;
    switch (kind) {
      case "constant":
        return first === undefined ? { kind } : undefined;
      case "step":
        return { kind, stepSize: number(first), gamma: number(second) ?? 0.5 };
      case "multistep":
        return { kind, milestones: (first ?? "").split(",").map(Number), gamma: number(second) ?? 0.5 };
      case "cosine":
        return { kind, tMax: number(first), etaMin: number(second) };
      default:
        return undefined;
    }
  },
  write(schedule) {
    switch (schedule.kind) {
      case "constant":
        return "constant";
      case "step":
        return `step:${schedule.stepSize}:${schedule.gamma}`;
      case "multistep":
        return `multistep:${schedule.milestones}:${schedule.gamma}`;
      case "cosine":
        return ["cosine", schedule.tMax, schedule.etaMin].filter((part) => part !== undefined).join(":");
    }
  },
};
