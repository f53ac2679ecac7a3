/** How long a program takes on a device. */
import type { Device } from "../device/device.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

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
