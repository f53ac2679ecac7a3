/** What other programs do during timing, and statistics of several figures. */
import { cpus } from "node:os";

/** Starts watching. The returned function says how many cores other programs have used since, on average. */
export function coresOfOthers(): () => number {
  const busyMs = () =>
    cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const startBusy = busyMs();
  const startOwn = process.cpuUsage();
  const start = performance.now();
  return () => {
    const own = process.cpuUsage(startOwn);
    const others = busyMs() - startBusy - (own.user + own.system) / 1e3;
    return Math.max(0, others / (performance.now() - start));
  };
}

export interface Statistics {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Statistics {
  if (values.length === 0) throw new RangeError("summarize: there are no values.");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
