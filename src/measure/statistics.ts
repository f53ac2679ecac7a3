/** Statistics of several figures. */
import { ArgumentError } from "../options/arguments.ts";

export interface Statistics {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError if there is no value */
export function summarize(values: readonly number[]): Statistics {
  if (values.length === 0) {
    throw new ArgumentError(
      "summarize",
      "the list of values is empty. Measure at least once, and give the result.",
    );
  }
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
