import {
  cosineAnnealingLR,
  multiStepLR,
  type Schedule,
  type ScheduleConfig,
  stepLR,
  warmup,
} from "../node.ts";
import { isObject, listOf, optional, type Wanted } from "../options/arguments.ts";
import { atLeastZero, type Kind, positive, whole } from "../options/kinds.ts";
import { andList, orList } from "../options/lists.ts";
import type { TrainConfig } from "./config.ts";

/** The learning rate of every step: the schedule's, after a linear rise over the first `warmup` steps. */
export function learningRate(config: TrainConfig): Schedule {
  return warmup(falling(config), config.warmup);
}

/**
 * What becomes of the rate if a run goes on with another number of steps, in one line; undefined if it stays as
 * it was to be. A cosine without a length of its own ends with the run: it is drawn anew over the new number.
 *
 * @param done steps so far.
 */
export function rateAfterResume(
  before: Pick<TrainConfig, "steps">,
  config: TrainConfig,
  done: number,
): string | undefined {
  const { schedule, steps } = config;
  if (schedule.kind !== "cosine" || steps === before.steps || steps === done) return undefined;
  const rate = learningRate(config);
  const at = (step: number) => atLeastZero.write(Number(rate(step).toPrecision(3)));
  if (schedule.tMax === undefined) {
    return `The cosine now ends at step ${steps}, not ${before.steps}: the rate goes on at ${at(done)}`;
  }
  const from = Math.max(schedule.tMax, config.warmup); // a warm-up that is longer than the cosine still rises
  if (from >= steps) return undefined;
  return (
    `The cosine ends at step ${schedule.tMax}: from step ${from} to step ${steps} the rate stays ${at(steps - 1)}. ` +
    "For a whole schedule, begin a new run by `init` from these weights"
  );
}

function falling({ lr, schedule, steps }: TrainConfig): Schedule {
  switch (schedule.kind) {
    case "constant":
      return () => lr;
    case "step":
      return stepLR(lr, { stepSize: schedule.stepSize, gamma: schedule.gamma });
    case "multistep":
      return multiStepLR(lr, { milestones: schedule.milestones, gamma: schedule.gamma });
    case "cosine":
      // Saved runs say only that the cosine is open. Another last rate would change what they become.
      return cosineAnnealingLR(lr, { tMax: schedule.tMax ?? steps, etaMin: schedule.etaMin ?? lr / 100 });
  }
}

type Fields = Readonly<Record<string, Wanted>>;

const stepCount = whole(1);
const stepCounts: Wanted = {
  wants: "a list of whole numbers of at least 1",
  fits: (value): value is number[] => listOf(stepCount).fits(value) && value.length > 0,
};

/** What each kind of schedule has besides its name. */
const fields: Readonly<Record<ScheduleConfig["kind"], Fields>> = {
  constant: {},
  step: { stepSize: stepCount, gamma: positive },
  multistep: { milestones: stepCounts, gamma: positive },
  cosine: { tMax: optional(stepCount), etaMin: optional(atLeastZero) },
};

function hasKind(value: unknown): value is Record<string, unknown> & Pick<ScheduleConfig, "kind"> {
  return isObject(value) && typeof value.kind === "string" && Object.hasOwn(fields, value.kind);
}

/** A schedule as a text: "step:200000:0.5". The factor is 0.5 by default. */
export const scheduleKind: Kind<ScheduleConfig> = {
  wants: "constant, cosine[:[STEPS][:LAST_RATE]], step:STEPS[:FACTOR] or multistep:STEP,STEP,…[:FACTOR]",
  symbol: "FORM",
  wantsOf(value) {
    if (typeof value === "string") return undefined;
    if (!hasKind(value)) return `an object whose kind is ${orList(Object.keys(fields))}`;
    const own = Object.entries(fields[value.kind]).map(([name, { wants }]) => `${name} (${wants})`);
    return `a ${value.kind} schedule with ${own.length > 0 ? andList(own) : "no other field"}`;
  },
  fits(value): value is ScheduleConfig {
    if (!hasKind(value)) return false;
    const { kind, ...values } = value;
    const wanted = fields[kind];
    const isKnown = (name: string) => Object.hasOwn(wanted, name) || values[name] === undefined;
    return (
      Object.keys(values).every(isKnown) &&
      Object.entries(wanted).every(([name, { fits }]) => fits(values[name]))
    );
  },
  read(text) {
    const [kind, first, second, ...rest] = text.split(":");
    const number = (part?: string) => (part ? Number(part) : undefined);
    if (rest.length > 0 || second === "") return undefined;
    if (first === "" && !(kind === "cosine" && second !== undefined)) return undefined;
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
        if (schedule.etaMin === undefined) return ["cosine", schedule.tMax ?? []].flat().join(":");
        return `cosine:${schedule.tMax ?? ""}:${atLeastZero.write(schedule.etaMin)}`;
    }
  },
};
