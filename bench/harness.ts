/**
 * Check first, then time. A bench says what is computed (the same program for every device and variant),
 * which results are compared with the plain TypeScript references, and how much work it is. `runBench`
 * compares, then times the variants in turn, and returns figures; report.ts prints them.
 */

import type { CpuDevice } from "../src/device/cpu-device.ts";
import type { Device } from "../src/device/device.ts";
import type { GpuDevice } from "../src/device/gpu-device.ts";
import { setDefaultDevice } from "../src/device/open.ts";
import { type Ceilings, measureFlops, warmUp } from "../src/measure/ceilings.ts";
import { limitOf, type Work } from "../src/measure/limits.ts";
import { type Statistics, summarize } from "../src/measure/statistics.ts";
import { calibrate, gpuTime, type TimingOptions, timeOnce } from "../src/measure/timing.ts";
import { scope } from "../src/tensor/scope.ts";
import type { GradientOf, Tensor } from "../src/tensor/tensor.ts";
import { coresOfOthers } from "./timing.ts";

/** Makes the program on the default device. `variant` is one of the bench's; the references ignore it. */
export type Make = (variant: string) => Program;

/** Something that can be computed again and again on tensors it owns. */
export interface Program {
  run(): Tensor[];
  /** Frees what the surrounding scope does not. */
  dispose?(): void;
}

/** A program small enough for the references: all its results are compared with theirs. */
export interface WholeCheck {
  readonly what: string;
  readonly make: Make;
  readonly work: Work;
  /** How many runs in a row are compared, for programs that change their own state. Default 1. */
  readonly rounds?: number;
  /**
   * The same with other inputs, for programs with kinks. Where a relu's argument is 0 but for rounding, its
   * derivative may be 0 or 1, and gradients differ. About one check in a hundred meets such a place; then
   * these inputs decide. A wrong kernel fails on both.
   */
  readonly again?: Make;
}

/** A program too large for the references: only some elements of its first result are compared. */
export interface SampledCheck {
  readonly what: string;
  readonly make: Make;
  /** Elements by the references. Called while their device is the default one. */
  samples(): readonly Sample[];
}

export interface Sample {
  readonly index: number;
  readonly value: number;
}

export interface Bench {
  /** Words joined by dashes: `npm run bench -- conv2d` runs all benches whose first word is conv2d. */
  readonly name: string;
  /** What is timed, in words. */
  readonly shape: string;
  /** Ways to compute the same; [""] if there is only one. */
  readonly variants: readonly string[];
  readonly make: Make;
  readonly work: Work;
  readonly whole: WholeCheck;
  /** Needed unless the timed program is that of `whole`. */
  readonly sampled?: readonly SampledCheck[];
  /** Largest error allowed, as a share of the largest value of the same result. Default 1e-5. */
  readonly tolerance?: number;
  /** Seconds. A variant that takes longer for one repetition is left out. Default 5. */
  readonly maxSeconds?: number;
  /** For benches of one name that make a curve in the plot of growth: where on its x axis this one stands. */
  readonly at?: number;
}

/** One variant's figures. `status` says how far it got. */
export interface Row {
  readonly variant: string;
  readonly status: "timed" | "wrong" | "skipped" | "unsupported";
  /** Why it was not timed. */
  readonly reason?: string;
  /** The largest error in each check, as a share of the largest value. */
  readonly checks: readonly { readonly what: string; readonly error: number }[];
  /** The largest of these errors; NaN if nothing was checked. */
  readonly error: number;
  /** The error on the first inputs, if it was too large and other inputs decided (see WholeCheck.again). */
  readonly kinkError?: number;
  /** The very first call, on the shape of the check, and how many pipelines it compiled. */
  readonly first?: { readonly ms: number; readonly pipelines: number };
  readonly timing?: Timing;
}

export interface Timing extends Statistics {
  /** Milliseconds per repetition, one for each run. */
  readonly runs: readonly number[];
  /** Repetitions in each run. */
  readonly repetitions: number;
  /** Milliseconds that the GPU itself computes per repetition. Undefined without timestamps. */
  readonly gpu?: number;
  readonly gflops: number;
  readonly gbytes: number;
  /** Which ceiling binds, and the share of it that was reached. */
  readonly ceiling: { readonly kind: "multiply-add" | "bytes"; readonly share: number };
  /** How many times faster than the references, by their rate on the checked shape. */
  readonly speedup: number;
}

export interface Result {
  readonly name: string;
  readonly shape: string;
  readonly at?: number;
  readonly work: Work;
  readonly tolerance: number;
  /** The references' time for the whole check. */
  readonly reference: { readonly what: string; readonly ms: number; readonly work: Work };
  readonly rows: readonly Row[];
  /** How many cores other programs kept busy during timing. */
  readonly foreignCores: number;
  /** Multiply-adds in registers, in floating-point operations per second, just before and after timing. */
  readonly flops: { readonly before: number; readonly after: number };
}

/** Runs one bench. `cpu` computes the references, in float64 to be an exact yardstick. */
export async function runBench(
  bench: Bench,
  device: GpuDevice,
  cpu: CpuDevice,
  ceilings: Ceilings,
  options: TimingOptions,
): Promise<Result> {
  const tolerance = bench.tolerance ?? 1e-5;
  const reference = await runReference(bench.whole, cpu);
  const checked: Row[] = [];
  for (const variant of bench.variants) {
    checked.push(await checkVariant(bench, variant, tolerance, reference, device, cpu));
  }
  await warmUp(device, ceilings);
  const before = await measureFlops(device, ceilings, ceilingOptions);
  const { timings, foreignCores } = await timeInTurn(
    bench,
    checked.filter(({ status }) => status === "timed").map(({ variant }) => variant),
    device,
    options,
  );
  const flops = { before, after: await measureFlops(device, ceilings, ceilingOptions) };
  const referenceRate = amount(bench.whole.work) / reference.ms;
  const rows = checked.map((row) => {
    const timed = timings.get(row.variant);
    if (!timed) return row;
    const statistics = summarize(timed.runs);
    const seconds = statistics.median / 1e3;
    const timing: Timing = {
      ...timed,
      ...statistics,
      gflops: bench.work.flops / seconds / 1e9,
      gbytes: bench.work.bytes / seconds / 1e9,
      ceiling: limitOf(bench.work, seconds, ceilings),
      speedup: amount(bench.work) / referenceRate / statistics.median,
    };
    return { ...row, timing };
  });
  const { name, shape, at, work } = bench;
  return {
    name,
    shape,
    at,
    work,
    tolerance,
    reference: { what: bench.whole.what, ms: reference.ms, work: bench.whole.work },
    rows,
    foreignCores,
    flops,
  };
}

/** Short: only to see whether the machine has become slower or faster. */
const ceilingOptions = { runs: 3, minRunMs: 10 };

/** Work as one number, to compare programs of one kind. */
function amount({ flops, bytes }: Work): number {
  return flops || bytes;
}

// ---- Checking

interface Reference {
  readonly results: Float32Array[];
  readonly ms: number;
}

async function runReference(check: WholeCheck, cpu: CpuDevice): Promise<Reference> {
  const { results, ms } = await runRounds(check, "", cpu);
  // The first run is slower until JavaScript's compiler is done. In a long run that does not matter.
  const again = ms < 300 ? (await runRounds(check, "", cpu)).ms : ms;
  return { results, ms: Math.min(ms, again) / (check.rounds ?? 1) };
}

/** All results of all rounds, in order, and the time to compute them. */
async function runRounds(
  { make, rounds = 1 }: WholeCheck,
  variant: string,
  device: Device,
): Promise<{ results: Float32Array[]; ms: number; firstMs: number; pipelines: number }> {
  setDefaultDevice(device);
  using _ = scope();
  const program = make(variant);
  await device.sync(); // making the program may have computed something
  const before = device.memory().pipelines;
  const results: Float32Array[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    using _ = scope();
    const start = performance.now();
    const tensors = program.run();
    await device.sync();
    times.push(performance.now() - start);
    for (const each of tensors) results.push(await each.data());
  }
  program.dispose?.();
  const pipelines = device.memory().pipelines - before;
  return { results, ms: times.reduce((sum, ms) => sum + ms, 0), firstMs: times[0], pipelines };
}

async function checkVariant(
  bench: Bench,
  variant: string,
  tolerance: number,
  reference: Reference,
  device: GpuDevice,
  cpu: CpuDevice,
): Promise<Row> {
  const checks: { what: string; error: number }[] = [];
  const finish = (status: Row["status"], reason?: string): Row => {
    const error = checks.length > 0 ? Math.max(...checks.map((each) => each.error)) : Number.NaN;
    return { variant, status, reason, checks, error, kinkError, first };
  };
  let first: Row["first"];
  let kinkError: number | undefined;
  const { whole } = bench;
  try {
    const cold = await runRounds(whole, variant, device);
    first = { ms: cold.firstMs, pipelines: cold.pipelines };
    let error = largestError(cold.results, reference.results);
    if (!(error <= tolerance) && whole.again) {
      kinkError = error;
      const other = { ...whole, make: whole.again };
      const want = await runRounds(other, "", cpu);
      error = largestError((await runRounds(other, variant, device)).results, want.results);
    }
    checks.push({ what: whole.what, error });

    // The rate on the small program, now compiled, predicts the time of the large one.
    const warm = await runRounds(whole, variant, device);
    const expected = (warm.ms / (whole.rounds ?? 1) / 1e3) * (amount(bench.work) / amount(whole.work));
    if (expected > (bench.maxSeconds ?? 5)) {
      return finish("skipped", `too slow (about ${expected.toPrecision(2)} s each)`);
    }
    for (const sampled of bench.sampled ?? []) {
      checks.push({ what: sampled.what, error: await sampledError(sampled, variant, device, cpu) });
    }
  } catch (error) {
    // Operations refuse with a RangeError what they cannot do. Any other error is a bug.
    if (!(error instanceof RangeError)) throw error;
    return finish("unsupported", error.message);
  }
  const wrong = checks.find(({ error }) => !(error <= tolerance)); // NaN is wrong, too
  if (!wrong) return finish("timed");
  return finish("wrong", `${wrong.what}: error ${wrong.error.toExponential(1)} is above ${tolerance}`);
}

async function sampledError(
  check: SampledCheck,
  variant: string,
  device: GpuDevice,
  cpu: CpuDevice,
): Promise<number> {
  setDefaultDevice(device);
  using _ = scope();
  const program = check.make(variant);
  const result = await program.run()[0].data();
  program.dispose?.();
  setDefaultDevice(cpu);
  const samples = check.samples();
  const got = Float32Array.from(samples, ({ index }) => result[index]);
  return largestError([got], [Float32Array.from(samples, ({ value }) => value)]);
}

/**
 * The largest |got - want| in any array, as a share of the largest |want| of that array: what the error means
 * for the result as a whole. NaN if lengths differ, or if a difference is NaN.
 */
export function largestError(got: readonly Float32Array[], want: readonly Float32Array[]): number {
  if (got.length !== want.length) return Number.NaN;
  let worst = 0;
  for (const [k, wanted] of want.entries()) {
    if (got[k].length !== wanted.length) return Number.NaN;
    let error = 0;
    let size = 0;
    for (let i = 0; i < wanted.length; i++) {
      const difference = Math.abs(got[k][i] - wanted[i]);
      if (Number.isNaN(difference)) return Number.NaN;
      error = Math.max(error, difference);
      size = Math.max(size, Math.abs(wanted[i]));
    }
    // Where all values should be 0, errors count as they are.
    worst = Math.max(worst, error / (size || 1));
  }
  return worst;
}

// ---- Timing

type Timed = Pick<Timing, "runs" | "repetitions" | "gpu">;

/**
 * Times the variants in turn, run by run: whatever slows the machine for a while slows all of them. Programs
 * are warm: nothing is compiled during the runs, and no memory is allocated anew.
 */
async function timeInTurn(
  bench: Bench,
  variants: readonly string[],
  device: GpuDevice,
  { runs, minRunMs }: TimingOptions,
): Promise<{ timings: Map<string, Timed>; foreignCores: number }> {
  setDefaultDevice(device);
  using _ = scope();
  const entries = [];
  for (const variant of variants) {
    const program = bench.make(variant);
    const repetitions = await calibrate(program, device, minRunMs);
    entries.push({ variant, program, repetitions, runs: [] as number[], gpuRuns: [] as number[] });
  }
  const cores = coresOfOthers();
  for (let run = 0; run < runs; run++) {
    for (const { program, repetitions, runs, gpuRuns } of entries) {
      runs.push((await timeOnce(program, device, repetitions)) / repetitions);
      const computing = await gpuTime(program, device, repetitions);
      if (computing !== undefined) gpuRuns.push(computing);
    }
  }
  const foreignCores = cores();
  for (const { program } of entries) program.dispose?.();
  return {
    timings: new Map(
      entries.map(({ variant, runs, repetitions, gpuRuns }) => {
        const gpu = gpuRuns.length > 0 ? summarize(gpuRuns).median : undefined;
        return [variant, { runs, repetitions, gpu }];
      }),
    ),
    foreignCores,
  };
}

/** What an operation's rule computes for an input that has no other uses. */
export function gradientOf(rule: GradientOf): Tensor {
  return typeof rule === "object" ? rule.plus(undefined) : rule();
}
