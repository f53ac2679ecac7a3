/** Which weight gradient kernel runs, with which sizes, and how the output rows are dealt out. */
import type { DeviceProfile } from "../../device/device.ts";
import type { Shape } from "../../tensor/shape.ts";
import {
  broadcasts,
  type Convolution,
  fastestBroadcast,
  keyOf,
  once,
  type Plan,
  WORKGROUP_BYTES,
  windowConstants,
  windowOf,
} from "./plan-common.ts";
import { weightGrad } from "./weight-grad.wgsl.ts";
import { weightGradShared } from "./weight-grad-shared.wgsl.ts";

/** A weight gradient's launch. */
export interface WeightGradPlan extends Plan {
  /** How many of the output rows of all pictures make a part. */
  readonly rowsPerPart: number;
  /** How many partial gradients it writes: one for each part of the sums. */
  readonly partials: number;
}

type GradConvolution = Omit<Convolution, "hasBias">;

/** The weight gradient's kernel and sizes by rule. */
export function planWeightGrad(profile: DeviceProfile, convolution: GradConvolution): WeightGradPlan {
  return once(profile, `weight gradient ${keyOf({ ...convolution, hasBias: false })}`, () => {
    const shared = profile.cheapBarriers && planSharedWeightGrad(profile, convolution);
    return shared || planBlockedWeightGrad(profile, convolution);
  });
}

/** For real GPUs; undefined if the window is too large for registers or for workgroup memory. */
function planSharedWeightGrad(
  profile: DeviceProfile,
  { wShape, yShape, geometry }: GradConvolution,
): WeightGradPlan | undefined {
  const [o, c, kh, kw] = wShape;
  const TAPS = kh * kw;
  if (TAPS > 25) return undefined;
  // CHANNELS * TAPS sums for each thread: 3 x 3 taps of 8 channels, not of 7, where 64 are good.
  const most = [16, 8].find((channels) => channels * TAPS <= (profile.blockSums * 9) / 8) ?? 4;
  const CHANNELS = o <= 4 || c <= 4 ? 4 : most;
  const TILE_C = powerOfTwo(c, 4, o <= 4 ? 64 : 32);
  const TILE_O = powerOfTwo(o, CHANNELS, c <= 4 ? 64 : 32);
  const PIXELS = 4;
  const spread = (pixels: number) => windowOf(pixels, wShape, geometry);
  const GRADIENT_PITCH = TILE_O / 4 + 1;
  const layout = (CHUNK: number) => {
    const PATCH_W = spread(CHUNK);
    const PITCH = kh * PATCH_W + (1 - ((kh * PATCH_W) % 2)); // odd
    return { CHUNK, PATCH_W, PITCH, bytes: 4 * TILE_C * PITCH + 16 * CHUNK * GRADIENT_PITCH };
  };
  // The chunk that wastes least past the end of a row.
  const waste = (chunk: number) => Math.ceil(yShape[3] / chunk) * chunk;
  const fitting = [24, 16, 12, 8, 4].map(layout).filter(({ bytes }) => bytes <= WORKGROUP_BYTES);
  if (fitting.length === 0) return undefined;
  const best = fitting.reduce((a, b) => (waste(b.CHUNK) < waste(a.CHUNK) ? b : a));
  const { bytes: _, ...sizes } = best;

  const [tilesC, tilesO] = [Math.ceil(c / TILE_C), Math.ceil(o / TILE_O)];
  // Half of groupsToFill: a workgroup has up to 128 threads here and not 32 as below, and each part writes a
  // whole gradient, which sumPartials has to read again.
  const { rowsPerPart, parts } = dealRows(yShape, Math.ceil(profile.groupsToFill / 2 / (tilesC * tilesO)));
  const blocks = (TILE_C * TILE_O) / CHANNELS;
  const THREADS = blocks * powerOfTwo(128 / blocks, 1, best.CHUNK / PIXELS >= 4 ? 4 : 1);
  const COLUMN_PARTS = THREADS / blocks;
  return {
    kernel: weightGradShared,
    constants: {
      ...windowConstants(wShape, geometry),
      ...sizes,
      TAPS,
      CHANNELS,
      QUADS: CHANNELS / 4,
      TILE_C,
      TILE_O,
      GRADIENT_PITCH,
      PIXELS,
      WINDOW: spread(PIXELS),
      COLUMN_PARTS,
      THREADS,
      PIXEL_SHARE: Math.ceil((TILE_C * kh * best.PATCH_W) / THREADS),
      GRADIENT_SHARE: Math.ceil((best.CHUNK * TILE_O) / 4 / THREADS),
    },
    grid: [tilesC, tilesO, parts],
    rowsPerPart,
    partials: parts * COLUMN_PARTS,
  };
}

/** The smallest power of two from `low` to `high` that is at least `value`, or `high`. */
function powerOfTwo(value: number, low: number, high: number): number {
  let power = low;
  while (power < value && power < high) power *= 2;
  return power;
}

/** Deals the output rows of all pictures out to at most so many parts, evenly. */
function dealRows([n, , oh]: Shape, atMost: number): { rowsPerPart: number; parts: number } {
  const rows = n * oh;
  const rowsPerPart = Math.ceil(rows / Math.min(rows, atMost));
  return { rowsPerPart, parts: Math.ceil(rows / rowsPerPart) };
}

function planBlockedWeightGrad(
  profile: DeviceProfile,
  { wShape, yShape, geometry }: GradConvolution,
): WeightGradPlan {
  const [o, c, kh, kw] = wShape;
  // A thread's block: all rows of a small window at once, so that every value of dy serves kh * kw sums. With
  // 16 channels the strips are short, unless a round of the loop costs much.
  const KY = kh * kw <= 9 ? kh : 1;
  const CHANNELS = o <= 4 ? 4 : o <= 8 || kw > 5 ? 8 : 16;
  const PIXELS = CHANNELS === 16 && !profile.costlyLoops ? 2 : 4;

  const WINDOW = windowOf(PIXELS, wShape, geometry);
  const FRESH = Math.min(WINDOW, PIXELS * geometry.stride[1]);
  const LANES = broadcasts(profile) ? profile.subgroupSize : 0;
  const WORKGROUP = Math.max(LANES, Math.min(32, profile.workgroup)); // a broadcast needs all lanes
  const [groupsX, groupsY] = [Math.ceil((c * kh) / KY / WORKGROUP), Math.ceil(o / CHANNELS)];
  // As many parts as make groupsToFill workgroups, which keep every core busy, but no more than 64: each part
  // writes a whole gradient, and sumPartials reads them all. For 64 x 64 channels, 64 of them are 9 MB.
  const partsToFill = Math.ceil(profile.groupsToFill / (groupsX * groupsY));
  const { rowsPerPart, parts } = dealRows(yShape, Math.min(64, partsToFill));

  return {
    kernel: fastestBroadcast(profile, weightGrad),
    constants: {
      ...windowConstants(wShape, geometry),
      KY,
      KY_KW: KY * kw,
      RESULTS: CHANNELS * KY * kw,
      PIXELS,
      CHANNELS,
      WINDOW,
      CARRIED: WINDOW - FRESH,
      FRESH,
      WORKGROUP,
      LANES,
      SHUFFLES: Number(profile.shuffles), // tells the pipelines of both texts apart
      ...(LANES > 0 && { SHARES: Math.ceil((CHANNELS * PIXELS) / LANES) }),
    },
    enable: LANES > 0 ? ["subgroups"] : [],
    grid: [groupsX, groupsY, parts],
    rowsPerPart,
    partials: parts,
  };
}
