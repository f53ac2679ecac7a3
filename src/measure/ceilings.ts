/**
 * What an adapter can do at best: multiply-adds per second in registers, and bytes per second of a plain
 * copy. Kernels that do nothing else measure both, on the machine as it is at that time.
 */
import { aGpuDevice, type GpuDevice } from "../device/gpu-device.ts";
import { kernel, linearGrid } from "../device/kernel.ts";
import { checkArguments } from "../options/arguments.ts";
import { calibrate, checkTiming, type TimingOptions, timeOnce } from "./timing.ts";

export interface Ceilings {
  /** Floating-point operations per second, two for each multiply-add. */
  readonly flops: number;
  /** How many independent sums, and how many unrolled rounds, reached it. */
  readonly multiplyAdd: { readonly chains: number; readonly unroll: number };
  /** Bytes read and written per second, by the size of the copy: small ones stay in the caches. */
  readonly copies: readonly { readonly bytes: number; readonly rate: number }[];
}

/**
 * Both ceilings, each from the best of several ways to launch and to unroll: a second or two on a GPU. Without a
 * `runs` of three or so, another program's work may pass for a low ceiling.
 */
export async function measureCeilings(device: GpuDevice, options: TimingOptions): Promise<Ceilings> {
  checkArguments("measureCeilings", { device: [device, aGpuDevice] });
  checkTiming("measureCeilings", options);
  await warmUp(device, { multiplyAdd: { chains: 16, unroll: 4 } }, options.signal);
  let best = { flops: 0, multiplyAdd: { chains: 0, unroll: 0 } };
  for (const [chains, unroll] of [
    [8, 8],
    [12, 8],
    [16, 4],
    [16, 8],
    [32, 4],
  ]) {
    const flops = await bestRate(device, multiplyAdds(device, { chains, unroll }), options);
    if (flops > best.flops) best = { flops, multiplyAdd: { chains, unroll } };
  }
  const copies: { bytes: number; rate: number }[] = [];
  for (const bytes of [1, 4, 16, 64].map((mebibytes) => mebibytes * 2 ** 20)) {
    let rate = 0;
    for (const each of [1, 4, 16]) {
      rate = Math.max(rate, await bestRate(device, copying(device, bytes, each), options));
    }
    copies.push({ bytes: 2 * bytes, rate });
  }
  return { ...best, copies };
}

/**
 * Multiply-adds in registers once more, in the way that was fastest: is the machine as fast as it was? Much
 * quicker than all of `measureCeilings`.
 */
export async function measureFlops(
  device: GpuDevice,
  { multiplyAdd }: Pick<Ceilings, "multiplyAdd">,
  options: TimingOptions,
): Promise<number> {
  return bestRate(device, multiplyAdds(device, multiplyAdd), options);
}

/**
 * Keeps a device busy until its multiply-adds get no faster. A card that had nothing to do, while the driver compiled
 * perhaps, has lowered its clock, and raises it only after some work (docs/gpus.md): what is timed before that is too
 * slow. Between two runs it waits for a fraction of a millisecond, too short for its clock to fall; `timeInTurns`
 * looks whether it did.
 */
export async function warmUp(
  device: GpuDevice,
  { multiplyAdd }: Pick<Ceilings, "multiplyAdd">,
  signal?: AbortSignal,
): Promise<void> {
  const program = multiplyAdds(device, multiplyAdd);
  const start = performance.now();
  let [fastest, steadyRuns, repetitions] = [0, 0, 1];
  for (let elapsed = 0; elapsed < 500 || (steadyRuns < 5 && elapsed < 3000); ) {
    if (signal?.aborted) break;
    const ms = await timeOnce(program, device, repetitions);
    const rate = repetitions / ms;
    steadyRuns = rate > 1.02 * fastest ? 0 : steadyRuns + 1;
    fastest = Math.max(fastest, rate);
    repetitions = Math.max(1, Math.round(30 * fastest)); // those of 30 ms
    elapsed = performance.now() - start;
  }
  program.dispose();
  signal?.throwIfAborted();
}

/** Repetitions per second in the best run: a ceiling is what is possible, not what is usual. */
async function bestRate(
  device: GpuDevice,
  program: CeilingProgram,
  { runs, minRunMs, signal }: TimingOptions,
): Promise<number> {
  const repetitions = await calibrate(program, device, minRunMs);
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) shortest = Math.min(shortest, await timeOnce(program, device, repetitions));
  program.dispose();
  signal?.throwIfAborted();
  return (1e3 * program.amount * repetitions) / shortest;
}

/** A launch that does nothing but what a ceiling counts. */
export interface CeilingProgram {
  /** Floating-point operations, or bytes read and written, of one launch. */
  readonly amount: number;
  run(): void;
  dispose(): void;
}

const ROUNDS = 512;

export function multiplyAdds(device: GpuDevice, { chains, unroll }: Ceilings["multiplyAdd"]): CeilingProgram {
  const threads = device.profile.threadsToSaturate;
  const y = device.allocate(threads);
  const rounds = ROUNDS / unroll;
  const launch = {
    constants: { CHAINS: chains, UNROLL: unroll },
    buffers: { y },
    params: { rounds },
    grid: linearGrid(threads, 64),
  };
  return {
    amount: 2 * chains * unroll * rounds * threads,
    run: () => device.run(multiplyAddKernel, launch),
    dispose: () => device.release(y),
  };
}

/** Copies `bytes`, `each` vectors by every thread. */
export function copying(device: GpuDevice, bytes: number, each: number): CeilingProgram {
  const x = device.allocate(bytes / 4);
  const y = device.allocate(bytes / 4);
  const vectors = bytes / 16;
  const launch = {
    constants: { EACH: each },
    buffers: { x, y },
    params: { vectors },
    grid: linearGrid(Math.ceil(vectors / each), 64),
  };
  return {
    amount: 2 * bytes,
    run: () => device.run(copyKernel, launch),
    dispose() {
      device.release(x);
      device.release(y);
    },
  };
}

/**
 * Every sum depends only on its own last value, so CHAINS multiply-adds can be under way at once. UNROLL
 * rounds are written out: counting them would cost a software adapter as much as several multiply-adds.
 */
const multiplyAddKernel = kernel(
  "ceilings/multiply-add",
  /* wgsl */ `
struct Params { rounds: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let thread = id.x + id.y * groups.x * 64;
  let a = 0.999 + f32(thread) * 1e-9; let b = 0.5 + f32(thread) * 1e-9; // unknown to the compiler
  var sums: array<f32, CHAINS>;
  for (var i = 0; i < CHAINS; i++) { // @unroll
    sums[i] = b * f32(i + 1);
  }
  for (var round = 0u; round < p.rounds; round++) {
    for (var u = 0; u < UNROLL; u++) { // @unroll
      for (var i = 0; i < CHAINS; i++) { // @unroll
        sums[i] = sums[i] * a + b;
      }
    }
  }
  var sum = 0.0;
  for (var i = 0; i < CHAINS; i++) { // @unroll
    sum += sums[i];
  }
  if (thread < arrayLength(&y)) { y[thread] = sum; }
}
`,
);

/** EACH vectors per thread, the threads of a workgroup side by side. */
const copyKernel = kernel(
  "ceilings/copy",
  /* wgsl */ `
struct Params { vectors: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let first = (group.x + group.y * groups.x) * 64 * EACH + local;
  for (var k = 0u; k < EACH; k++) {
    let i = first + 64 * k;
    if (i < p.vectors) { y[i] = x[i]; }
  }
}
`,
);
