/**
 * Times several programs in turns, by wall and by the GPU's own clock, with the adapter's ceiling before and
 * after. Whatever slows the machine for a while slows all of them, and shows in the ceiling.
 */
import type { GpuDevice } from "../device/gpu-device.ts";
import { scope } from "../tensor/scope.ts";
import { type Ceilings, measureFlops } from "./ceilings.ts";
import { summarize } from "./statistics.ts";
import { calibrate, gpuTime } from "./timing.ts";

export interface Timed {
  readonly name: string;
  /** Floating-point operations of one repetition; 0 if it does no multiply-adds. */
  readonly flops: number;
  run(): unknown;
}

export interface Times {
  readonly name: string;
  /** Milliseconds of one repetition: the median, the best and the worst run, waiting included. */
  readonly ms: number;
  readonly min: number;
  readonly max: number;
  /** Of these, until JavaScript had recorded all launches. */
  readonly recordMs: number;
  /** How long the GPU itself computed, in runs between those by wall. Undefined without timestamps. */
  readonly gpuMs?: number;
  readonly runs: number;
  readonly repetitions: number;
  readonly gflops: number;
  /** Of the multiply-adds that registers alone reached, before and after on average. */
  readonly share: number;
}

export interface InTurns {
  /** Multiply-adds in registers per second, times two, just before and just after. */
  readonly ceiling: { readonly before: number; readonly after: number };
  readonly rows: readonly Times[];
}

export interface InTurnsOptions {
  readonly runs: number;
  /** A run repeats its program until it lasts so long. */
  readonly minRunMs: number;
  /** Milliseconds that all runs together may take, or about that. Every program has three runs at least. */
  readonly budgetMs?: number;
}

const ceilingOptions = { runs: 3, minRunMs: 20 };

export async function timeInTurns(
  device: GpuDevice,
  programs: readonly Timed[],
  ceilings: Ceilings,
  { runs, minRunMs, budgetMs = Number.POSITIVE_INFINITY }: InTurnsOptions,
): Promise<InTurns> {
  const entries = [];
  for (const program of programs) {
    const repetitions = await calibrate(program, device, minRunMs);
    entries.push({ program, repetitions, wall: [] as number[], record: [] as number[], gpu: [] as number[] });
  }
  const before = await measureFlops(device, ceilings, ceilingOptions);
  const start = performance.now();
  for (let run = 0; run < runs; run++) {
    if (run >= 3 && performance.now() - start > budgetMs) break;
    for (const { program, repetitions, wall, record, gpu } of entries) {
      const times = await once(program, device, repetitions);
      wall.push(times.wall / repetitions);
      record.push(times.record / repetitions);
      const computing = await gpuTime(program, device, repetitions);
      if (computing !== undefined) gpu.push(computing);
    }
  }
  const after = await measureFlops(device, ceilings, ceilingOptions);
  const rows = entries.map(({ program, repetitions, wall, record, gpu }): Times => {
    const gpuMs = gpu.length > 0 ? summarize(gpu).median : undefined;
    const { median, min, max } = summarize(wall);
    const perSecond = program.flops / (median / 1e3);
    return {
      ...{ name: program.name, ms: median, min, max, recordMs: summarize(record).median, gpuMs },
      ...{
        runs: wall.length,
        repetitions,
        gflops: perSecond / 1e9,
        share: perSecond / ((before + after) / 2),
      },
    };
  });
  return { ceiling: { before, after }, rows };
}

async function once({ run }: Timed, device: GpuDevice, repetitions: number) {
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) {
    using _ = scope();
    run();
  }
  const record = performance.now() - start;
  await device.sync();
  return { wall: performance.now() - start, record };
}

/** Did the machine change its speed meanwhile, by more than measurements vary? */
export function isUnsteady({ before, after }: InTurns["ceiling"]): boolean {
  return Math.max(before, after) > 1.2 * Math.min(before, after);
}
