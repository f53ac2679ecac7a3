/**
 * Times the ways to compute one workload by the GPU's own clock: all in turns, in one stream of commands that never
 * waits, so that the card keeps its clock. Each is checked before.
 */
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import type { Kernel } from "../../src/device/kernel.ts";
import type { Launch } from "../../src/device/launch.ts";
import { type Ceilings, copying, multiplyAdds, warmUp } from "../../src/measure/ceilings.ts";
import type { Work } from "../../src/measure/limits.ts";
import { type Statistics, summarize } from "../../src/measure/statistics.ts";
import { scope } from "../../src/tensor/scope.ts";
import { evenly } from "../evenly.ts";
import { largestError } from "../harness.ts";
import { type EditedKernel, type EditedVariant, withEdited } from "./edited.ts";
import { withLaunches, withNaNs } from "./launches.ts";
import type { Variant, Workload } from "./workloads.ts";

/** One way to compute a workload. */
export interface KernelRow {
  readonly name: string;
  /** This is what operations launch. */
  readonly byRule: boolean;
  /** The largest difference from the references, as a share of the largest value. Null stands for NaN. */
  readonly error: number | null;
  /** Why an edited text was not launched; it has no error then but null. */
  readonly problem?: string;
  /** Milliseconds. Undefined if the result is wrong, or if there is none. */
  readonly time?: Statistics;
  /** Floating-point operations, or bytes where the workload has none, per second. */
  readonly rate?: number;
  /** Of the ceiling. */
  readonly share?: number;
}

export interface KernelTimes {
  readonly workload: string;
  readonly work: Work;
  /** Per second in the same stream: multiply-adds in registers, times two; bytes of a copy where there are none. */
  readonly ceiling: Statistics;
  readonly rounds: number;
  readonly rows: readonly KernelRow[];
}

export interface StreamOptions {
  /** Only variants with this text in their names, beside the one by rule. */
  readonly variant?: string;
  /** So many beside the one by rule, at most. */
  readonly most?: number;
  /** Texts to time beside the library's own. */
  readonly edited?: readonly EditedKernel[];
  readonly signal?: AbortSignal;
}

const TOLERANCE = 2e-5;
/** Rounds that count, and those before them. */
const [ROUNDS, WARM_UP_ROUNDS] = [5, 2];
/** Milliseconds of one variant in one round, or one launch if that takes longer. */
const TURN = 2;

export async function timeKernels(
  device: GpuDevice,
  workload: Workload,
  ceilings: Pick<Ceilings, "multiplyAdd">,
  { edited = [], signal, ...choice }: StreamOptions = {},
): Promise<KernelTimes> {
  if (!device.gpu.features.has("timestamp-query")) {
    throw new Error(`${device.name} has no timestamps (WebGPU's feature timestamp-query).`);
  }
  using _ = scope();
  const { name, work } = workload;
  const checked: { variant: EditedVariant; error: number }[] = [];
  const samples = workload.samples();
  for (const own of chosen(workload.variants(device), choice)) {
    signal?.throwIfAborted();
    const launches = launchesOf(device, own);
    for (const each of [own, ...(await withEdited(device, own, launches, edited))]) {
      if ("problem" in each) {
        checked.push({ variant: each, error: Number.NaN });
        continue;
      }
      const result = await resultOf(device, each);
      const got = Float32Array.from(samples, ({ index }) => result[index]);
      checked.push({
        variant: each,
        error: largestError([got], [Float32Array.from(samples, ({ value }) => value)]),
      });
    }
  }
  const right = checked.flatMap(({ variant, error }) =>
    "problem" in variant || !(error <= TOLERANCE) ? [] : [variant],
  );

  const probe =
    work.flops > 0 ? multiplyAdds(device, ceilings.multiplyAdd) : copying(device, megabytes(work), 4);
  try {
    await warmUp(device, ceilings, signal);
    const times = await inTurns(device, [probe, ...right], signal);
    const [ceilingTimes] = times;
    const ceiling = summarize(ceilingTimes.map((ms) => (1e3 * probe.amount) / ms));
    const rows = checked.map(({ variant, error }): KernelRow => {
      if ("problem" in variant) return { ...variant, byRule: false, error: null };
      const { name, byRule } = variant;
      const common = { name, byRule, error: Number.isNaN(error) ? null : error };
      const i = right.indexOf(variant);
      if (i < 0) return common;
      const time = summarize(times[i + 1]);
      const rate = (1e3 * (work.flops || work.bytes)) / time.median;
      return { ...common, time, rate, share: rate / ceiling.median };
    });
    return { workload: name, work, ceiling, rounds: ROUNDS, rows };
  } finally {
    probe.dispose();
  }
}

/** The kernels that `timeKernels` would launch. Nothing is compiled or launched for that. */
export function kernelsOf(
  device: GpuDevice,
  workload: Workload,
  choice: Pick<StreamOptions, "variant" | "most"> = {},
): Kernel[] {
  using _ = scope();
  const kernels = new Map<string, Kernel>();
  withLaunches(
    device,
    (kernel) => kernels.set(kernel.name, kernel),
    () => {
      for (const each of chosen(workload.variants(device), choice)) each.run();
    },
  );
  return [...kernels.values()];
}

/** The one by rule, and those that were asked for. */
function chosen(
  all: readonly Variant[],
  { variant = "", most = Number.POSITIVE_INFINITY }: Pick<StreamOptions, "variant" | "most">,
): Variant[] {
  const others = all.filter((each) => !each.byRule && each.name.includes(variant));
  return [...all.filter((each) => each.byRule), ...evenly(others, most)];
}

/** Milliseconds of each program in each round that counts. */
async function inTurns(
  device: GpuDevice,
  programs: readonly { run(): void }[],
  signal?: AbortSignal,
): Promise<number[][]> {
  const stream = async (bodies: readonly (() => void)[]) => {
    const times = await device.timeEach(bodies);
    if (!times) throw new Error(`${device.name}: its clock was set back, or a stream has too many launches.`);
    return times;
  };
  const once = await stream(programs.map((program) => () => program.run()));
  const repetitions = once.map((ms) => Math.max(1, Math.min(256, Math.ceil(TURN / Math.max(ms, 1e-3)))));
  const round = () =>
    stream(
      programs.map((program, i) => () => {
        for (let k = 0; k < repetitions[i]; k++) program.run();
      }),
    );
  const results: number[][] = programs.map(() => []);
  let before: Promise<number[]> | undefined;
  let now: Promise<number[]> | undefined;
  try {
    for (let i = 0; i <= WARM_UP_ROUNDS + ROUNDS; i++) {
      signal?.throwIfAborted();
      // The next round is given before the last one is waited for.
      now = i < WARM_UP_ROUNDS + ROUNDS ? round() : undefined;
      now?.catch(() => {}); // it may fail while the one before is waited for, which then fails, too
      const times = await before;
      if (times && i > WARM_UP_ROUNDS) {
        for (const [k, ms] of times.entries()) results[k].push(ms / repetitions[k]);
      }
      before = now;
    }
    return results;
  } finally {
    await Promise.allSettled([before, now]);
  }
}

/** What a variant launches. */
function launchesOf(device: GpuDevice, { run }: Variant): { kernel: Kernel; launch: Launch }[] {
  const launches: { kernel: Kernel; launch: Launch }[] = [];
  withLaunches(
    device,
    (kernel, launch, run) => {
      launches.push({ kernel, launch });
      run(kernel, launch);
    },
    run,
  );
  return launches;
}

/** What a variant computes, with NaN where it computes nothing. */
function resultOf(device: GpuDevice, { run, result }: Variant): Promise<Float32Array> {
  return withNaNs(device, () => {
    run();
    return result();
  });
}

/** Half of a workload's bytes, which a copy then reads and writes, in whole megabytes. */
function megabytes({ bytes }: Work): number {
  return 2 ** 20 * Math.max(1, Math.round(bytes / 2 / 2 ** 20));
}
