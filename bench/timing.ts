/** How long a program takes on a device, and what to say about several such figures. */
import { cpus } from "node:os";
import type { Device } from "../src/tensor/device.ts";
import { scope } from "../src/tensor/scope.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

/** Something that can be computed again and again on tensors it owns. */
export interface Program {
  run(): Tensor[];
  /** Frees what the surrounding scope does not. */
  dispose?(): void;
}

export interface Options {
  /** Timed runs per variant; at least 5. */
  readonly runs: number;
  /** A run repeats the program until it lasts so long. */
  readonly minRunMs: number;
}

/** Milliseconds for a number of repetitions, until the device has finished them. */
export async function timeOnce(program: Program, device: Device, repetitions: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) {
    using _ = scope();
    program.run();
  }
  await device.sync();
  return performance.now() - start;
}

/** Warms up, and finds how many repetitions last `minRunMs`. */
export async function calibrate(program: Program, device: Device, minRunMs: number): Promise<number> {
  await timeOnce(program, device, 1);
  for (let repetitions = 1; ; ) {
    const ms = await timeOnce(program, device, repetitions);
    if (ms >= minRunMs) return repetitions;
    // A little more than seems to be needed; but one short measurement is not trusted further than tenfold.
    repetitions = Math.ceil(repetitions * Math.min(10, Math.max(1.2, (1.2 * minRunMs) / ms)));
  }
}

/** Starts watching; the returned function tells how many cores other programs used since, on average. */
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
