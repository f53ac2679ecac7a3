import { cosineAnnealingLR, multiStepLR, type Schedule, type ScheduleConfig, stepLR } from "../node.ts";
import type { Kind } from "../options/kinds.ts";
import type { TrainConfig } from "./config.ts";

/** The learning rate of every step: the schedule, and over the first `warmup` steps a rising share of it. */
export function learningRate(config: TrainConfig): Schedule {
  const fall = falling(config.lr, completeSchedule(config));
  return (step) => fall(step) * Math.min(1, (step + 1) / (config.warmup + 1));
}

/** The schedule with nothing left open: when training is resumed for more steps, it stays what it was. */
export function completeSchedule({ schedule, lr, steps }: TrainConfig): ScheduleConfig {
  if (schedule.kind !== "cosine") return schedule;
  return { kind: "cosine", tMax: schedule.tMax ?? steps, etaMin: schedule.etaMin ?? lr / 100 };
}

function falling(lr: number, schedule: ScheduleConfig): Schedule {
  switch (schedule.kind) {
    case "constant":
      return () => lr;
    case "step":
      return stepLR(lr, schedule);
    case "multistep":
      return multiStepLR(lr, schedule);
    case "cosine":
      return cosineAnnealingLR(lr, { tMax: schedule.tMax!, etaMin: schedule.etaMin });
  }
}

/** A schedule as a text: "step:200000:0.5". */
export const scheduleKind: Kind<ScheduleConfig> = {
  wants: "constant, cosine[:STEPS[:LAST_RATE]], step:STEPS[:FACTOR] or multistep:STEP,STEP,…[:FACTOR]",
  symbol: "FORM",
  fits: isSchedule,
  read: parseSchedule,
  write: formatSchedule,
};

/** One of the forms above as an object; undefined for any other text. The factor is 0.5 by default. */
export function parseSchedule(text: string): ScheduleConfig | undefined {
  const [kind, ...parts] = text.split(":");
  const [first, second] = parts.map((part) => (part === "" ? Number.NaN : Number(part)));
  const forms: Record<string, () => ScheduleConfig> = {
    constant: () => ({ kind: "constant" }),
    cosine: () => ({ kind: "cosine", tMax: first, etaMin: second }),
    step: () => ({ kind: "step", stepSize: first, gamma: second ?? 0.5 }),
    multistep: () => ({
      kind: "multistep",
      milestones: (parts[0] ?? "").split(",").map(Number),
      gamma: second ?? 0.5,
    }),
  };
  if (!Object.hasOwn(forms, kind) || parts.length > (kind === "constant" ? 0 : 2)) return undefined;
  const schedule = forms[kind]();
  return isSchedule(schedule) ? schedule : undefined;
}

/** Is a value a schedule with sensible numbers? */
export function isSchedule(value: unknown): value is ScheduleConfig {
  const schedule = value as ScheduleConfig | undefined;
  const isCount = (step: number) => Number.isSafeInteger(step) && step > 0;
  const isPositive = (number: number) => number > 0 && number < Infinity;
  switch (schedule?.kind) {
    case "constant":
      return true;
    case "step":
      return isCount(schedule.stepSize) && isPositive(schedule.gamma);
    case "multistep":
      return schedule.milestones.every(isCount) && isPositive(schedule.gamma);
    case "cosine":
      return isCount(schedule.tMax ?? 1) && ((schedule.etaMin ?? 0) === 0 || isPositive(schedule.etaMin!));
    default:
      return false;
  }
}

/** The opposite of parseSchedule. */
export function formatSchedule(schedule: ScheduleConfig): string {
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
}
