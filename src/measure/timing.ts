/** How long a program takes on a device. */
import type { Device } from "../device/device.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { aSignal, checkOptions, type Wanted } from "../options/arguments.ts";
import { atLeastZero, whole } from "../options/kinds.ts";
import { scope } from "../tensor/scope.ts";

/** Something that can be computed again and again. Its results go with the scope around it. */
interface Program {
  run(): unknown;
}

export interface TimingOptions {
  /** How many runs are timed. */
  readonly runs: number;
  /** The minimum duration of a run, which repeats the program until then. */
  readonly minRunMs: number;
  /** Ends the measurement early: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Throws a RangeError unless options are good for timing; `more` are options besides. */
export function checkTiming(
  name: string,
  options: TimingOptions,
  more: Readonly<Record<string, Wanted>> = {},
): void {
  const wanted = { runs: whole(1), minRunMs: atLeastZero, signal: aSignal, ...more };
  checkOptions(name, options, wanted, ["runs", "minRunMs"]);
}

/** Milliseconds until the device has finished a number of repetitions. */
export async function timeOnce(program: Program, device: Device, repetitions: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) {
    using _ = scope();
    program.run();
  }
  await device.sync();
  return performance.now() - start;
}

/**
 * Milliseconds that the GPU itself computes for one repetition. What wall time has besides is launching and
 * waiting. Undefined without timestamps; see GpuDevice.timePasses.
 */
export async function gpuTime(
  program: Program,
  device: GpuDevice,
  repetitions: number,
): Promise<number | undefined> {
  const milliseconds = await device.timePasses(() => {
    for (let i = 0; i < repetitions; i++) {
      using _ = scope();
      program.run();
    }
  });
  return milliseconds === undefined ? undefined : milliseconds / repetitions;
}

/** Warms up, and returns how many repetitions last `minRunMs`. */
export async function calibrate(program: Program, device: Device, minRunMs: number): Promise<number> {
  await timeOnce(program, device, 1);
  for (let repetitions = 1; ; ) {
    const ms = await timeOnce(program, device, repetitions);
    if (ms >= minRunMs) return repetitions;
    // A little more than the measurement asks for, but no more than ten times as many: short runs vary.
    repetitions = Math.ceil(repetitions * Math.min(10, Math.max(1.2, (1.2 * minRunMs) / ms)));
  }
}
