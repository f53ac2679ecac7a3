/**
 * What an adapter can do at best: multiply-adds per second in registers, and bytes per second of a plain
 * copy. Kernels that do nothing else measure both, on the machine as it is at that time.
 */
import { aGpuDevice, type GpuDevice } from "../device/gpu-device.ts";
import { kernel, linearGrid } from "../device/kernel.ts";
import { checkArguments } from "../options/arguments.ts";
import { calibrate, checkTiming, type Options, timeOnce } from "./timing.ts";

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
export async function measureCeilings(device: GpuDevice, options: Options): Promise<Ceilings> {
  checkArguments("measureCeilings", { device: [device, aGpuDevice] });
  checkTiming("measureCeilings", options);
  let best = { flops: 0, multiplyAdd: { chains: 0, unroll: 0 } };
  for (const [chains, unroll] of [
    [8, 8],
    [12, 8],
    [16, 4],
    [16, 8],
    [32, 4],
  ]) {
    const flops = await multiplyAddRate(device, chains, unroll, options);
    if (flops > best.flops) best = { flops, multiplyAdd: { chains, unroll } };
  }
  const copies: { bytes: number; rate: number }[] = [];
  for (const bytes of [1, 4, 16, 64].map((mebibytes) => mebibytes * 2 ** 20)) {
    let rate = 0;
    for (const each of [1, 4, 16]) rate = Math.max(rate, await copyRate(device, bytes, each, options));
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
  { multiplyAdd: { chains, unroll } }: Pick<Ceilings, "multiplyAdd">,
  options: Options,
): Promise<number> {
  return multiplyAddRate(device, chains, unroll, options);
}

/** Repetitions per second in the best run: a ceiling is what is possible, not what is usual. */
async function bestRate(device: GpuDevice, run: () => void, options: Options): Promise<number> {
  const { runs, minRunMs, signal } = options;
  signal?.throwIfAborted();
  const repetitions = await calibrate({ run }, device, minRunMs);
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) shortest = Math.min(shortest, await timeOnce({ run }, device, repetitions));
  return (1e3 * repetitions) / shortest;
}

const ROUNDS = 512;

async function multiplyAddRate(
  device: GpuDevice,
  chains: number,
  unroll: number,
  options: Options,
): Promise<number> {
  const threads = device.profile.threadsToSaturate;
  const y = device.allocate(threads);
  const rounds = ROUNDS / unroll;
  const launch = {
    constants: { CHAINS: chains, UNROLL: unroll },
    buffers: { y },
    params: { rounds },
    grid: linearGrid(threads, 64),
  };
  const rate = await bestRate(device, () => device.run(multiplyAddKernel, launch), options);
  device.release(y);
  return rate * 2 * chains * unroll * rounds * threads;
}

async function copyRate(device: GpuDevice, bytes: number, each: number, options: Options): Promise<number> {
  const x = device.allocate(bytes / 4);
  const y = device.allocate(bytes / 4);
  const vectors = bytes / 16;
  const launch = {
    constants: { EACH: each },
    buffers: { x, y },
    params: { vectors },
    grid: linearGrid(Math.ceil(vectors / each), 64),
  };
  const rate = await bestRate(device, () => device.run(copyKernel, launch), options);
  device.release(x);
  device.release(y);
  return rate * 2 * bytes;
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
