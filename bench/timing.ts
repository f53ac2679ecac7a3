/** Timing beside other programs. */
import { cpus } from "node:os";
import type { Device } from "../src/device/device.ts";
import { calibrate, type TimingOptions, timeOnce } from "../src/measure/timing.ts";

/**
 * Milliseconds of one repetition: for each program, one number for each run. The programs take turns, run by run, so
 * that a slow minute of the machine counts for all of them.
 */
export async function runsInTurns(
  programs: readonly { run(): unknown }[],
  device: Device,
  { runs, minRunMs }: TimingOptions,
): Promise<number[][]> {
  const entries: { program: { run(): unknown }; repetitions: number; times: number[] }[] = [];
  for (const program of programs) {
    entries.push({ program, repetitions: await calibrate(program, device, minRunMs), times: [] });
  }
  for (let run = 0; run < runs; run++) {
    for (const { program, repetitions, times } of entries) {
      times.push((await timeOnce(program, device, repetitions)) / repetitions);
    }
  }
  return entries.map(({ times }) => times);
}

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
