import { ArgumentError } from "../options/arguments.ts";
/** Statistics of several figures. */

export interface Statistics {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Statistics {
  if (values.length === 0) throw new ArgumentError("summarize", "there are no values.");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
