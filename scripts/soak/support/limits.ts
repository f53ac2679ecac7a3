/** The limits of a run, as its flags have them. */
import type { SoakLimits } from "./soak.ts";

/** The flags' values. */
export interface LimitFlags {
  readonly tries?: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly from?: number;
}

/** The limits of a module that makes `ownTries` of its own accord. With `--seconds` alone only time counts. */
export function limitsOf(
  { tries, seconds, seed, from = 0 }: LimitFlags,
  ownTries: number,
): Omit<SoakLimits, "adapter"> {
  return {
    tries: tries ?? (seconds === undefined ? ownTries : Infinity),
    seconds: seconds ?? Infinity,
    seed,
    from,
  };
}
