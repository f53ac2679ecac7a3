/** The limits of a run, as its flags have them. */
import { whole } from "../../../src/options/kinds.ts";
import type { SoakLimits } from "./soak.ts";

/** The flags' values; an absent one is undefined. */
export interface LimitFlags {
  readonly tries?: string;
  readonly seconds?: string;
  readonly seed: string;
  readonly from: string;
}

/**
 * The limits of a module that makes `tries` of its own accord. With `--seconds` alone only time counts.
 *
 * @throws RangeError for a value that is no whole number, or too small
 */
export function limitsOf(flags: LimitFlags, tries: number): Omit<SoakLimits, "adapter"> {
  const numberOf = (name: keyof LimitFlags, min: number) => {
    const [text, { read, fits, wants }] = [flags[name], whole(min)];
    if (text === undefined) return undefined;
    const value = read(text);
    if (fits(value)) return value;
    throw new RangeError(`--${name} wants ${wants}, got ${JSON.stringify(text)}.`);
  };
  const seconds = numberOf("seconds", 1);
  return {
    tries: numberOf("tries", 1) ?? (seconds === undefined ? tries : Infinity),
    seconds: seconds ?? Infinity,
    seed: numberOf("seed", 0)!,
    from: numberOf("from", 0)!,
  };
}
