/** Which weight gradient kernel runs, with which sizes, and how the output rows are dealt out. */
import type { DeviceProfile } from "../../device/device.ts";
import type { Params } from "../../device/launch.ts";
import type { Shape } from "../../tensor/shape.ts";
import { xAt } from "./3-blocked.wgsl.ts";
import {
  broadcasts,
  type Convolution,
  keyOf,
  MAX_THREADS,
  type Plan,
  pixelsUnder,
  recall,
  WORKGROUP_BYTES,
  windowConstants,
} from "./plan-common.ts";
import { weightGrad } from "./weight-grad.wgsl.ts";
import { weightGradRolling } from "./weight-grad-rolling.wgsl.ts";
import { weightGradShared } from "./weight-grad-shared.wgsl.ts";

/** A weight gradient's launch. */
export interface WeightGradPlan extends Plan {
  /** Functions of the prelude. */
  readonly functions?: string;
  /** How the output rows are dealt out: what the kernel's Params have besides sizes. */
  readonly params: Params;
  /** How many partial gradients it writes: one for each part of the sums. */
  readonly partials: number;
  /** The kernel sums the bias's gradient, too, and writes it behind that of the weights. */
  readonly sumsBias: boolean;
}

/** The bias's gradient is wanted, too, if hasBias. Not every kernel sums it. */
type GradConvolution = Omit<Convolution, "hasBias"> & { readonly hasBias?: boolean };

/** The ladder's steps that are planned, from the first to the last. */
export const weightGradVariants = ["weight-grad", "weight-grad-shared", "weight-grad-rolling"] as const;
export type WeightGradVariant = (typeof weightGradVariants)[number];

/** The weight gradient's kernel and sizes by rule. */
export function planWeightGrad(profile: DeviceProfile, convolution: GradConvolution): WeightGradPlan {
  return recall(profile, `weight gradient ${keyOf({ hasBias: false, ...convolution })}`, () => {
    const forGpus = () => planRolling(profile, convolution) ?? planShared(profile, convolution);
    return (profile.cheapBarriers && forGpus()) || planBlocked(profile, convolution);
  });
}

/** One of the ladder's steps; undefined if the window does not fit it. */
export function planWeightGradStep(
  profile: DeviceProfile,
  convolution: GradConvolution,
  variant: WeightGradVariant,
): WeightGradPlan | undefined {
  if (variant === "weight-grad") return planBlocked(profile, convolution);
  return (variant === "weight-grad-shared" ? planShared : planRolling)(profile, convolution);
}

/** The blocks of weight-grad.wgsl.ts, for every window and adapter. */
function planBlocked(profile: DeviceProfile, { wShape, yShape, geometry }: GradConvolution): WeightGradPlan {
  const [o, c, kh, kw] = wShape;
  // A thread's block: all rows of a small window at once, so that every value of dy serves kh * kw sums. With
  // 16 channels the strips are short, unless a round of the loop costs much.
  const KY = kh * kw <= 9 ? kh : 1;
  const CHANNELS = o <= 4 ? 4 : o <= 8 || kw > 5 ? 8 : 16;
  const PIXELS = CHANNELS === 16 && !profile.costlyLoops ? 2 : 4;

  const PIXELS_UNDER = pixelsUnder(PIXELS, wShape, geometry);
  const NEW_COLUMNS = Math.min(PIXELS_UNDER, PIXELS * geometry.stride[1]);
  const LANES = broadcasts(profile) ? profile.subgroupSize : 0;
  const WORKGROUP = Math.max(LANES, Math.min(32, profile.workgroup)); // a broadcast needs all lanes
  const [groupsX, groupsY] = [Math.ceil((c * kh) / KY / WORKGROUP), Math.ceil(o / CHANNELS)];
  // As many parts as make groupsToFill workgroups, which keep every core busy, but no more than 64: each part
  // writes a whole gradient, and sumPartials reads them all. For 64 x 64 channels, 64 of them are 9 MB.
  const partsToFill = Math.ceil(profile.groupsToFill / (groupsX * groupsY));
  const { rowsPerPart, parts } = dealRows(yShape, Math.min(64, partsToFill));

  return {
    kernel: weightGrad,
    constants: {
      ...windowConstants(wShape, geometry),
      KY,
      KY_KW: KY * kw,
      RESULTS: CHANNELS * KY * kw,
      PIXELS,
      CHANNELS,
      PIXELS_UNDER,
      OLD_COLUMNS: PIXELS_UNDER - NEW_COLUMNS,
      NEW_COLUMNS,
      WORKGROUP,
      LANES,
      SHUFFLES: Number(profile.shuffles),
      ...(LANES > 0 && { GRADIENT_SHARE: Math.ceil((CHANNELS * PIXELS) / LANES) }),
    },
    enable: LANES > 0 ? ["subgroups"] : [],
    grid: [groupsX, groupsY, parts],
    functions: xAt,
    params: { rows_per_part: rowsPerPart },
    partials: parts,
    sumsBias: false,
  };
}

/** Deals the output rows of all pictures out to at most so many parts, evenly. */
function dealRows([n, , oh]: Shape, atMost: number): { rowsPerPart: number; parts: number } {
  const rows = n * oh;
  const rowsPerPart = Math.ceil(rows / Math.min(rows, atMost));
  return { rowsPerPart, parts: Math.ceil(rows / rowsPerPart) };
}

/**
 * The tiles of weight-grad-shared.wgsl.ts, for real GPUs and any stride; undefined if the window is too large for
 * registers or for workgroup memory.
 */
function planShared(
  profile: DeviceProfile,
  { wShape, yShape, geometry }: GradConvolution,
): WeightGradPlan | undefined {
  const [o, c, kh, kw] = wShape;
  const TAPS = kh * kw;
  if (TAPS > 25) return undefined;
  const most = [16, 8].find((channels) => channels * TAPS <= sumsLimit(profile)) ?? 4;
  const CHANNELS = o <= 4 || c <= 4 ? 4 : most;
  const TILE_C = powerOfTwo(c, 4, o <= 4 ? 64 : 32);
  const TILE_O = powerOfTwo(o, CHANNELS, c <= 4 ? 64 : 32);
  const PIXELS = 4;
  const under = (pixels: number) => pixelsUnder(pixels, wShape, geometry);
  const GRADIENT_PITCH = TILE_O / 4 + 1;
  const layout = (CHUNK: number) => {
    const PATCH_W = under(CHUNK);
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
  // Half of groupsToFill: a workgroup has mostly 128 or 256 threads here and not 32 as above, and each part
  // writes a whole gradient, which sumPartials has to read again.
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
      PIXELS_UNDER: under(PIXELS),
      COLUMN_PARTS,
      THREADS,
      PIXEL_SHARE: Math.ceil((TILE_C * kh * best.PATCH_W) / THREADS),
      GRADIENT_SHARE: Math.ceil((best.CHUNK * TILE_O) / 4 / THREADS),
    },
    grid: [tilesC, tilesO, parts],
    functions: xAt,
    params: { rows_per_part: rowsPerPart },
    partials: parts * COLUMN_PARTS,
    sumsBias: false,
  };
}

/**
 * A thread's sums at most, unless 4 channels, the fewest, already have more: 100 for 5 x 5 taps. Where 64 are good, the
 * 72 of 8 channels x 3 x 3 taps are to be possible: hence 9 / 8.
 */
function sumsLimit({ blockSums }: DeviceProfile): number {
  return (blockSums * 9) / 8;
}

/** The smallest power of two from `low` to `high` that is at least `value`, or `high`. */
function powerOfTwo(value: number, low: number, high: number): number {
  let power = low;
  while (power < value && power < high) power *= 2;
  return power;
}

/** Sizes of weight-grad-rolling: channels of a tile and of a thread, columns of a chunk. */
export interface RollingSizes {
  readonly TILE_C: number;
  readonly TILE_O: number;
  readonly CHANNELS: number;
  readonly CHUNK: number;
}

/**
 * The tiles of weight-grad-rolling.wgsl.ts, for real GPUs and windows that move by one pixel; undefined if the window
 * does not, or is too large.
 */
function planRolling(profile: DeviceProfile, convolution: GradConvolution): WeightGradPlan | undefined {
  const { geometry, wShape } = convolution;
  const ones = [...geometry.stride, ...geometry.dilation].every((step) => step === 1);
  if (!ones || wShape[2] * wShape[3] > 25) return undefined;
  const sizes = chooseRollingSizes(profile, convolution);
  return sizes && planRollingSizes(profile, convolution, sizes);
}

/** The tile by rule; undefined if the window's rows fit into workgroup memory for no chunk. */
function chooseRollingSizes(
  profile: DeviceProfile,
  { wShape, yShape }: GradConvolution,
): RollingSizes | undefined {
  const [o, c, kh, kw] = wShape;
  const width = yShape[3];
  const sizesFor = (CHUNK: number): RollingSizes => {
    // Few sums for each thread and hence many threads at once: 3 x 3 weights for each of 4 channels. Twice as
    // many in chunks of 24, which short rows have: then threads are few in any case, and each does more at once.
    const channelLimit = Math.min(sumsLimit(profile), CHUNK > 16 ? 72 : 36) / (kh * kw);
    const CHANNELS = o <= 4 ? 4 : ([16, 8].find((channels) => channels <= channelLimit) ?? 4);
    // A 1 x 1 window sees each pixel once, and only larger tiles make more of it.
    const [tileC, tileO] = kh * kw === 1 ? [32, 64] : [16, 32];
    return {
      CHUNK,
      CHANNELS,
      TILE_C: powerOfTwo(c, 4, o <= 4 ? 32 : tileC),
      TILE_O: powerOfTwo(o, CHANNELS, c <= 4 ? 64 : tileO),
    };
  };
  // Chunks of 16 (docs/gpus.md says how others fare). But of 17 to 24 columns, two of them would waste a quarter or
  // more.
  const wanted = width <= 8 ? 8 : width > 16 && width <= 24 ? 24 : 16;
  const fits = (sizes: RollingSizes) => rollingBytes(wShape, sizes) <= WORKGROUP_BYTES;
  return [wanted, 16, 8].map(sizesFor).find(fits);
}

/** How a row of x and one of dy lie in workgroup memory, in vec4s. */
function rollingLayout([, , kh, kw]: Shape, { TILE_O, CHUNK }: RollingSizes) {
  const ROW_QUADS = CHUNK / 4 + Math.ceil((kw - 1) / 4);
  const PITCH = ROW_QUADS + (1 - (ROW_QUADS % 2)); // odd
  const GRADIENT_PITCH = TILE_O / 4 + (1 - ((TILE_O / 4) % 2));
  return { RING: kh + 1, ROW_QUADS, PITCH, GRADIENT_PITCH };
}

function rollingBytes(wShape: Shape, sizes: RollingSizes): number {
  const { RING, PITCH, GRADIENT_PITCH } = rollingLayout(wShape, sizes);
  return 16 * (RING * sizes.TILE_C * PITCH + 2 * sizes.CHUNK * GRADIENT_PITCH);
}

/** Step weight-grad-rolling with these sizes. */
export function planRollingSizes(
  profile: DeviceProfile,
  { wShape, yShape, hasBias = false }: GradConvolution,
  sizes: RollingSizes,
): WeightGradPlan {
  const [o, c, kh, kw] = wShape;
  const [n, , oh, ow] = yShape;
  const { TILE_C, TILE_O, CHANNELS, CHUNK } = sizes;
  const STRIPS = CHUNK / 4;
  const layout = rollingLayout(wShape, sizes);

  const blocks = (TILE_C * TILE_O) / CHANNELS;
  if (blocks > MAX_THREADS || rollingBytes(wShape, sizes) > WORKGROUP_BYTES) {
    throw new RangeError(
      `weight-grad-rolling: tiles of ${TILE_C} x ${TILE_O} channels and chunks of ${CHUNK} do not fit.`,
    );
  }
  // As many as make 64 threads and divide the strips of a row evenly.
  const COLUMN_PARTS = [6, 4, 3, 2].find((parts) => STRIPS % parts === 0 && blocks * parts <= 64) ?? 1;
  const THREADS = blocks * COLUMN_PARTS;

  // Pieces as long as pictures, cut shorter if the card would have less than 3/4 of the workgroups that keep
  // it busy. (They have up to 128 threads, not 32 as in planBlocked.) But at least 4 rows for each, because each loads
  // kh - 1 rows of x before its first.
  const [tilesC, tilesO] = [Math.ceil(c / TILE_C), Math.ceil(o / TILE_O)];
  const tiles = tilesC * tilesO;
  const columns = n * Math.ceil(ow / CHUNK);
  const wanted = Math.ceil((0.75 * profile.groupsToFill) / (tiles * columns));
  const rowsPerPiece = Math.min(oh, Math.max(4, Math.ceil(oh / wanted)));
  const pieces = columns * Math.ceil(oh / rowsPerPiece);
  // Each part writes a whole gradient, and sumPartials reads them all: so several pieces for each, once there
  // are workgroups in plenty.
  const mostParts = Math.max(1, Math.floor((4 * profile.groupsToFill) / tiles));
  const piecesPerPart = Math.ceil(pieces / mostParts);
  const parts = Math.ceil(pieces / piecesPerPart);
  return {
    kernel: weightGradRolling,
    constants: {
      KH: kh,
      KW: kw,
      ...sizes,
      ...layout,
      ROWS_KEPT: kh - 1,
      TAPS: kh * kw,
      QUADS: CHANNELS / 4,
      BLOCKS_O: TILE_O / CHANNELS,
      STRIPS,
      STRIP_QUADS: Math.ceil((kw + 3) / 4),
      COLUMN_PARTS,
      THREADS,
      BIAS: Number(hasBias),
      PIXEL_SHARE: Math.ceil((TILE_C * layout.ROW_QUADS) / THREADS),
      GRADIENT_SHARE: Math.ceil((CHUNK * TILE_O) / 4 / THREADS),
    },
    grid: [tilesC, tilesO, parts],
    params: { rows_per_piece: rowsPerPiece, pieces_per_part: piecesPerPart },
    partials: parts * COLUMN_PARTS,
    sumsBias: hasBias,
  };
}
