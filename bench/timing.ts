/** What other programs do during timing. */
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
