/**
 * Times several programs in turns, by wall and by the GPU's own clock, with the adapter's ceiling before and
 * after. Whatever slows the machine for a while slows all of them, and shows in the ceiling.
 */
import { aGpuDevice, type GpuDevice } from "../device/gpu-device.ts";
import { aFunction, checkArguments, finite, isObject, listOf, type Wanted } from "../options/arguments.ts";
import { atLeastZero, text } from "../options/kinds.ts";
import { scope } from "../tensor/scope.ts";
import { type Ceilings, measureFlops, multiplyAdds, warmUp } from "./ceilings.ts";
import { summarize } from "./statistics.ts";
import { calibrate, checkTiming, gpuTime, type TimingOptions, timeOnce } from "./timing.ts";

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
  /**
   * Multiply-adds in registers per second, times two, right after its runs, by the GPU's own clock: the median. Less
   * than the ceiling if the program left the card so much to wait for that its clock fell.
   */
  readonly flopsAfter?: number;
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

export interface InTurnsOptions extends TimingOptions {
  /** Milliseconds that all runs together may take, or about that. Every program has three runs at least. */
  readonly budgetMs?: number;
  /** Called before a program's first time, when its repetitions are chosen, and before each run. */
  readonly onProgress?: (program: string, run: number) => void;
}

const aProgram: Wanted<Timed> = {
  wants: "a program { name, flops, run }",
  fits: (value): value is Timed =>
    isObject(value) && typeof value.run === "function" && finite.fits(value.flops) && text.fits(value.name),
};

const aCeiling: Wanted<Pick<Ceilings, "multiplyAdd">> = {
  wants: "what measureCeilings returned",
  fits: (value): value is Pick<Ceilings, "multiplyAdd"> => isObject(value) && isObject(value.multiplyAdd),
};

const ceilingOptions = { runs: 3, minRunMs: 20 };

/** Of one program, a number for each run. */
type Figures = Record<"wall" | "record" | "gpu" | "flopsAfter", number[]>;

/**
 * Times programs that run on `device`, run by run in turns, each compiled, and the card at its full clock. A run
 * repeats its program for at least `minRunMs`, and waits for the device once, at its end. `ceilings` are what
 * measureCeilings returned.
 */
export async function timeInTurns(
  device: GpuDevice,
  programs: readonly Timed[],
  ceilings: Pick<Ceilings, "multiplyAdd">,
  options: InTurnsOptions,
): Promise<InTurns> {
  checkArguments("timeInTurns", {
    device: [device, aGpuDevice],
    programs: [programs, listOf(aProgram)],
    ceilings: [ceilings, aCeiling],
  });
  checkTiming("timeInTurns", options, { budgetMs: atLeastZero, onProgress: aFunction });
  const { runs, minRunMs, budgetMs = Number.POSITIVE_INFINITY, signal, onProgress } = options;
  const next = (program: Timed, run: number) => {
    signal?.throwIfAborted();
    onProgress?.(program.name, run);
  };
  for (const program of programs) {
    next(program, 0);
    await timeOnce(program, device, 1); // compiles it
  }
  await warmUp(device, ceilings, signal);
  const entries = [];
  for (const program of programs) {
    signal?.throwIfAborted();
    const repetitions = await calibrate(program, device, minRunMs);
    const figures: Figures = { wall: [], record: [], gpu: [], flopsAfter: [] };
    entries.push({ program, repetitions, ...figures });
  }
  const before = await measureFlops(device, ceilings, ceilingOptions);
  const probe = multiplyAdds(device, ceilings.multiplyAdd);
  const start = performance.now();
  try {
    for (let run = 0; run < runs; run++) {
      if (run >= 3 && performance.now() - start > budgetMs) break;
      for (const { program, repetitions, wall, record, gpu, flopsAfter } of entries) {
        next(program, run + 1);
        const times = await once(program, device, repetitions);
        wall.push(times.wall / repetitions);
        record.push(times.record / repetitions);
        const probing = await gpuTime(probe, device, 1);
        if (probing !== undefined) flopsAfter.push((1e3 * probe.amount) / probing);
        const computing = await gpuTime(program, device, repetitions);
        if (computing !== undefined) gpu.push(computing);
      }
    }
  } finally {
    probe.dispose();
  }
  const after = await measureFlops(device, ceilings, ceilingOptions);
  const median = (values: number[]) => (values.length > 0 ? summarize(values).median : undefined);
  const rows = entries.map(({ program, repetitions, wall, record, gpu, flopsAfter }): Times => {
    const { median: ms, min, max } = summarize(wall);
    const perSecond = program.flops / (ms / 1e3);
    return {
      name: program.name,
      ms,
      min,
      max,
      recordMs: summarize(record).median,
      gpuMs: median(gpu),
      flopsAfter: median(flopsAfter),
      runs: wall.length,
      repetitions,
      gflops: perSecond / 1e9,
      share: perSecond / ((before + after) / 2),
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
