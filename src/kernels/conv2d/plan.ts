/**
 * Which convolution kernel runs, with which block sizes and on how many threads. All of it follows from the
 * sizes and from what the device is good at (DeviceProfile), before anything is launched.
 */
import type { DeviceProfile } from "../../device/device.ts";
import { type Grid, type Kernel, MAX_GRID } from "../../device/kernel.ts";
import type { Shape } from "../../tensor/shape.ts";
import { naive } from "./1-naive.wgsl.ts";
import { tiled } from "./2-tiled.wgsl.ts";
import { blocked } from "./3-blocked.wgsl.ts";
import { broadcast } from "./4-broadcast.wgsl.ts";
import { shared } from "./5-shared.wgsl.ts";
import { prefetch } from "./6-prefetch.wgsl.ts";
import type { Geometry } from "./geometry.ts";
import { weightGrad } from "./weight-grad.wgsl.ts";
import { weightGradShared } from "./weight-grad-shared.wgsl.ts";

/** The forward kernels, in reading order. */
export const variants = ["1-naive", "2-tiled", "3-blocked", "4-broadcast", "5-shared", "6-prefetch"] as const;
export type Variant = (typeof variants)[number];

/** One launch: a kernel, the constants and WGSL extensions of its prelude, and how many workgroups. */
export interface Plan {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  readonly enable?: readonly string[];
  readonly grid: Grid;
}

/** Everything about a convolution that its plan depends on. */
export interface Convolution {
  readonly geometry: Geometry;
  /** [o, c, kh, kw]. */
  readonly wShape: Shape;
  /** [n, o, oh, ow]. */
  readonly yShape: Shape;
  readonly hasBias: boolean;
}

/** Steps 3 and 4: how many outputs each thread computes, and how many threads make a workgroup. */
export type Block = {
  readonly variant: "3-blocked" | "4-broadcast";
  readonly PIXELS: number;
  readonly CHANNELS: number;
  readonly workgroup: number;
};

/** Steps 5 and 6: a workgroup's tile, and each thread's part of it. Channels are multiples of 4. */
export type Tile = {
  readonly variant: "5-shared" | "6-prefetch";
  readonly TILE_O: number;
  readonly TILE_H: number;
  readonly TILE_W: number;
  readonly CHANNELS: number;
  readonly ROWS: number;
  /** Input channels that are copied into workgroup memory at once. */
  readonly DEPTH: number;
};

/** What a tuner may choose. */
export type Sizes = Block | Tile;

/**
 * The forward kernel by rule. It must not depend on the picture's size: kernels add in different orders, and
 * a picture in tiles is to have the same bits as in one piece.
 */
export function chooseVariant(profile: DeviceProfile, { wShape, geometry }: Convolution): Variant {
  return once(profile, `variant ${wShape} ${geometry.stride} ${geometry.dilation}`, () => {
    // So wide a window does not fit into registers beside the sums.
    if (windowOf(8, wShape, geometry) > 48) return "1-naive";
    if (profile.cheapBarriers && tilesThatFit(wShape, geometry).length > 0) return "6-prefetch";
    return broadcasts(profile) ? "4-broadcast" : "3-blocked";
  });
}

/** Broadcasts pay where the device has them and does not share the loads of a subgroup by itself. */
function broadcasts({ sharesLoads, subgroupSize }: DeviceProfile): boolean {
  return !sharesLoads && subgroupSize > 0;
}

/** Steps 1 and 2, which have no epilogue. */
export function planPlain(variant: "1-naive" | "2-tiled", convolution: Convolution): Plan {
  const { wShape, yShape, geometry, hasBias } = convolution;
  const constants = { ...windowConstants(wShape, geometry), HAS_BIAS: Number(hasBias) };
  if (variant === "1-naive") return { kernel: naive, constants, grid: gridOver(yShape, 8) };
  const patch = (axis: 0 | 1) =>
    15 * geometry.stride[axis] + (wShape[2 + axis] - 1) * geometry.dilation[axis] + 1;
  const [PATCH_H, PATCH_W] = [patch(0), patch(1)];
  if (PATCH_H * PATCH_W > 4096) {
    throw new RangeError(
      `conv2d: variant 2-tiled needs a patch of ${PATCH_H} x ${PATCH_W} pixels in workgroup memory, which ` +
        `holds 4096. Use another variant for weight [${wShape}] with stride [${geometry.stride}].`,
    );
  }
  const tileConstants = { ...constants, TILE: 16, PATCH_H, PATCH_W };
  return { kernel: tiled, constants: tileConstants, grid: gridOver(yShape, 16) };
}

/** Steps 3 and 4. */
function planBlocks(profile: DeviceProfile, convolution: Convolution, block: Block): Plan {
  const { wShape, yShape, geometry, hasBias } = convolution;
  const { variant, PIXELS, CHANNELS, workgroup } = block;
  const [n, o, oh, ow] = yShape;
  const LANES = profile.subgroupSize;
  const broadcasting = variant === "4-broadcast";
  if (broadcasting && LANES === 0) {
    throw new RangeError(
      "conv2d: variant 4-broadcast needs subgroups of one known size, which this adapter lacks. " +
        "Use 3-blocked.",
    );
  }
  const strips = Math.ceil(ow / PIXELS) * oh;
  // Very large pictures need larger workgroups to fit the grid.
  const WORKGROUP = [workgroup, 64, 256].find((size) => strips / size <= MAX_GRID) ?? 256;
  return {
    kernel: broadcasting ? broadcast : blocked,
    constants: {
      ...windowConstants(wShape, geometry),
      HAS_BIAS: Number(hasBias),
      PIXELS,
      CHANNELS,
      WINDOW: windowOf(PIXELS, wShape, geometry),
      WORKGROUP,
      ...(broadcasting && { LANES, SHARES: Math.ceil((wShape[3] * CHANNELS) / LANES) }),
    },
    enable: broadcasting ? ["subgroups"] : [],
    grid: [Math.ceil(strips / WORKGROUP), Math.ceil(o / CHANNELS), n],
  };
}

/** Bytes of workgroup memory, and workgroups' largest number of threads, that every WebGPU device has. */
const [WORKGROUP_BYTES, MAX_THREADS] = [16384, 256];

/**
 * [TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH]: from tiles that do the most work for each value they load
 * to those that make the most workgroups. docs/gpus.md has what was measured.
 */
const tileSizes = [
  [32, 16, 16, 8, 8, 4],
  [32, 8, 16, 4, 4, 4],
  [16, 8, 8, 4, 2, 8],
  [4, 4, 32, 4, 1, 8], // for few output channels, as in a network's last layer
] as const;

/** Besides those, what a tuner tries. */
const moreTileSizes = [
  [64, 16, 16, 8, 8, 4],
  [64, 8, 16, 8, 8, 4],
  [64, 8, 16, 8, 4, 4],
  [64, 4, 16, 8, 2, 4],
  [32, 16, 32, 8, 8, 4],
  [32, 8, 16, 8, 2, 8],
  [32, 4, 16, 4, 4, 8],
  [32, 8, 8, 4, 2, 8],
  [16, 8, 16, 4, 4, 8],
  [16, 4, 16, 4, 2, 8],
  [8, 8, 16, 4, 2, 8],
  [8, 4, 16, 4, 1, 8],
  [4, 16, 32, 4, 2, 4],
  [4, 16, 16, 4, 2, 8],
] as const;

/** The tiles that fit this convolution: into workgroup memory, and with channels that it has. */
function tilesThatFit(
  wShape: Shape,
  geometry: Geometry,
  sizes: readonly (typeof tileSizes | typeof moreTileSizes)[number][] = tileSizes,
): Tile[] {
  const [o, c] = wShape;
  return sizes.flatMap(([TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, depth]): Tile[] => {
    if (TILE_O > 4 ? TILE_O >= 2 * o : o > 8) return []; // mostly idle, or too little for each load
    for (let DEPTH: number = depth; DEPTH >= 1; DEPTH /= 2) {
      if (DEPTH >= 2 * c) continue;
      const tile: Tile = { variant: "6-prefetch", TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH };
      if (layoutOf(tile, wShape, geometry).bytes <= WORKGROUP_BYTES) return [tile];
    }
    return [];
  });
}

/** How steps 5 and 6 lay out a round's pixels and weights in workgroup memory. */
function layoutOf(tile: Tile, [, , kh, kw]: Shape, { stride, dilation }: Geometry) {
  const { TILE_O, TILE_H, TILE_W, ROWS, DEPTH } = tile;
  const PATCH_H = (TILE_H - 1) * stride[0] + (kh - 1) * dilation[0] + 1;
  const PATCH_W = (TILE_W - 1) * stride[1] + (kw - 1) * dilation[1] + 1;
  // A subgroup of 32 threads covers 32 / TILE_W blocks of rows. Their words should lie in different banks:
  // the second block's TILE_W banks after the first's.
  const pitches = [0, 1, 2, 3].map((more) => PATCH_W + more);
  const apart = (pitch: number) => (ROWS * stride[0] * pitch) % (2 * TILE_W) === TILE_W;
  const PITCH = (TILE_W < 32 && pitches.find(apart)) || PATCH_W;
  // Threads side by side write vec4s for consecutive k, which an odd distance spreads over the banks.
  const WEIGHT_PITCH = TILE_O / 4 + (TILE_O > 4 ? 1 : 0);
  const bytes = 4 * DEPTH * PATCH_H * PITCH + 16 * DEPTH * kh * kw * WEIGHT_PITCH;
  return { PATCH_H, PATCH_W, PITCH, WEIGHT_PITCH, bytes };
}

/** The tile by rule: the first that gives every core of a large GPU work. */
function chooseTile(profile: DeviceProfile, variant: Tile["variant"], convolution: Convolution): Tile {
  const tiles = tilesThatFit(convolution.wShape, convolution.geometry);
  const groups = (tile: Tile) => planTile(convolution, tile).grid.reduce<number>((a, b = 1) => a * b, 1);
  // If none fits, planTile says why the smallest does not.
  const smallest = { TILE_O: 4, TILE_H: 4, TILE_W: 32, CHANNELS: 4, ROWS: 1, DEPTH: 1 };
  const chosen = tiles.find((tile) => groups(tile) >= profile.groupsToFill) ?? tiles.at(-1) ?? smallest;
  return { ...chosen, variant };
}

/** Steps 5 and 6. */
function planTile({ geometry, wShape, yShape, hasBias }: Convolution, tile: Tile): Plan {
  const { variant, ...sizes } = tile;
  const { TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH } = tile;
  const { bytes, ...layout } = layoutOf(tile, wShape, geometry);
  const THREADS = (TILE_W * TILE_H * TILE_O) / (ROWS * CHANNELS);
  if (bytes > WORKGROUP_BYTES || THREADS > MAX_THREADS) {
    throw new RangeError(
      `conv2d: variant ${variant} needs ${bytes} bytes of workgroup memory and ${THREADS} threads for weight ` +
        `[${wShape}] with stride [${geometry.stride}] and dilation [${geometry.dilation}]; there are ` +
        `${WORKGROUP_BYTES} and ${MAX_THREADS}. Use another variant.`,
    );
  }
  const share = (count: number) => Math.ceil(count / THREADS);
  const shares = {
    PIXEL_SHARE: share(DEPTH * layout.PATCH_H * layout.PATCH_W),
    WEIGHT_SHARE: share((DEPTH * wShape[2] * wShape[3] * TILE_O) / 4),
  };
  const [n, o, oh, ow] = yShape;
  return {
    kernel: variant === "5-shared" ? shared : prefetch,
    constants: {
      ...windowConstants(wShape, geometry),
      HAS_BIAS: Number(hasBias),
      ...sizes,
      ...layout,
      THREADS,
      ...(variant === "6-prefetch" && shares),
      QUADS: CHANNELS / 4,
      WINDOW: (ROWS - 1) * geometry.stride[0] + (wShape[2] - 1) * geometry.dilation[0] + 1,
    },
    grid: [Math.ceil(ow / TILE_W), Math.ceil(oh / TILE_H), n * Math.ceil(o / TILE_O)],
  };
}

/** The block by rule: the best for most shapes. */
function chooseBlock(profile: DeviceProfile, variant: Block["variant"], wShape: Shape): Block {
  const { workgroup } = profile;
  const [o, , , kw] = wShape;
  // With few output channels, as in a network's last layer, longer strips instead.
  if (o <= 4 && kw <= 5) return { variant, PIXELS: 16, CHANNELS: 4, workgroup };
  // Unrolled, that is some 400 multiply-adds per input row (at 9 x 9 half as many again). More would take
  // longer to compile than it saves.
  return { variant, PIXELS: 8, CHANNELS: o > 8 && kw <= 3 ? 16 : 8, workgroup };
}

/** The sizes of steps 3 to 6 by rule. */
export function chooseSizes(
  profile: DeviceProfile,
  variant: Sizes["variant"],
  convolution: Convolution,
): Sizes {
  return once(profile, `sizes ${variant} ${keyOf(convolution)}`, () =>
    variant === "5-shared" || variant === "6-prefetch"
      ? chooseTile(profile, variant, convolution)
      : chooseBlock(profile, variant, convolution.wShape),
  );
}

/** Steps 3 to 6. */
export function planSizes(profile: DeviceProfile, convolution: Convolution, sizes: Sizes): Plan {
  return once(profile, `plan ${Object.values(sizes)} ${keyOf(convolution)}`, () =>
    "TILE_O" in sizes ? planTile(convolution, sizes) : planBlocks(profile, convolution, sizes),
  );
}

const MAX_REMEMBERED = 4096;
const remembered = new WeakMap<DeviceProfile, Map<string, unknown>>();

/**
 * Plans follow from a profile and sizes alone, and a training step asks for the same ones every time. On a
 * fast card, planning anew would take longer than the kernels.
 */
function once<T>(profile: DeviceProfile, key: string, make: () => T): T {
  let plans = remembered.get(profile);
  if (!plans || plans.size > MAX_REMEMBERED) {
    plans = new Map();
    remembered.set(profile, plans);
  }
  if (!plans.has(key)) plans.set(key, make());
  return plans.get(key) as T;
}

function keyOf({ geometry, wShape, yShape, hasBias }: Convolution): string {
  const { stride, padding, dilation } = geometry;
  return `${wShape} ${yShape} ${stride} ${padding} ${dilation} ${hasBias}`;
}

/**
 * What a tuner tries: every reasonable tile or block, with the kernels and workgroup sizes that suit the
 * device. Where step 6 runs, only its tiles: all of them add in the same order (see chooseVariant).
 */
export function candidates(profile: DeviceProfile, convolution: Convolution): Sizes[] {
  const { wShape, geometry } = convolution;
  return chooseVariant(profile, convolution) === "6-prefetch"
    ? tilesThatFit(wShape, geometry, [...tileSizes, ...moreTileSizes])
    : candidateBlocks(profile, convolution);
}

function candidateBlocks(profile: DeviceProfile, { wShape, geometry }: Convolution): Block[] {
  const [o, , , kw] = wShape;
  const { sharesLoads, subgroupSize } = profile;
  const kernels: Block["variant"][] = subgroupSize > 0 ? ["4-broadcast"] : ["3-blocked"];
  if (sharesLoads && subgroupSize > 0) kernels.push("3-blocked");
  const sizes = [4, 8, 16].flatMap((PIXELS) => [4, 8, 16, 32].map((CHANNELS) => ({ PIXELS, CHANNELS })));
  const blocks: Block[] = [];
  for (const variant of kernels) {
    for (const { PIXELS, CHANNELS } of sizes) {
      const registers = PIXELS * CHANNELS + windowOf(PIXELS, wShape, geometry);
      const mostlyIdle = CHANNELS > 4 && CHANNELS >= 2 * o;
      if (registers > 160 || PIXELS * CHANNELS * kw > 600 || mostlyIdle) continue;
      for (const workgroup of [profile.workgroup / 2, profile.workgroup, profile.workgroup * 2]) {
        // A broadcast needs all lanes of its subgroup.
        if (variant === "4-broadcast" && workgroup % subgroupSize !== 0) continue;
        blocks.push({ variant, PIXELS, CHANNELS, workgroup });
      }
    }
  }
  return blocks;
}

/** A weight gradient's launch. */
export interface WeightGradPlan extends Plan {
  /** Of the output rows of all pictures. */
  readonly rowsPerSplit: number;
  /** How many partial gradients it writes. */
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
  // CHANNELS * TAPS sums for each thread.
  const CHANNELS = o <= 4 || c <= 4 || TAPS > 9 ? 4 : TAPS > 4 ? 8 : 16;
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
  const { rowsPerSplit, splits } = dealRows(yShape, Math.ceil(profile.groupsToFill / 2 / (tilesC * tilesO)));
  const blocks = (TILE_C * TILE_O) / CHANNELS;
  const THREADS = blocks * powerOfTwo(128 / blocks, 1, best.CHUNK / PIXELS >= 4 ? 4 : 1);
  const DEALT = THREADS / blocks;
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
      DEALT,
      THREADS,
      PIXEL_SHARE: Math.ceil((TILE_C * kh * best.PATCH_W) / THREADS),
      GRADIENT_SHARE: Math.ceil((best.CHUNK * TILE_O) / 4 / THREADS),
    },
    grid: [tilesC, tilesO, splits],
    rowsPerSplit,
    partials: splits * DEALT,
  };
}

/** The smallest power of two from `low` to `high` that is at least `value`, or `high`. */
function powerOfTwo(value: number, low: number, high: number): number {
  let power = low;
  while (power < value && power < high) power *= 2;
  return power;
}

/** Deals the output rows of all pictures out to at most so many splits, evenly. */
function dealRows([n, , oh]: Shape, atMost: number): { rowsPerSplit: number; splits: number } {
  const rows = n * oh;
  const rowsPerSplit = Math.ceil(rows / Math.min(rows, atMost));
  return { rowsPerSplit, splits: Math.ceil(rows / rowsPerSplit) };
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

  const WORKGROUP = Math.min(32, profile.workgroup);
  const [groupsX, groupsY] = [Math.ceil((c * kh) / KY / WORKGROUP), Math.ceil(o / CHANNELS)];
  // As many splits as make groupsToFill workgroups, which keep every core busy, but no more than 64: each
  // split writes a whole gradient, and sumPartials reads them all.
  const splitsToFill = Math.ceil(profile.groupsToFill / (groupsX * groupsY));
  const { rowsPerSplit, splits } = dealRows(yShape, Math.min(64, splitsToFill));

  const LANES = broadcasts(profile) ? profile.subgroupSize : 0;
  return {
    kernel: weightGrad,
    constants: {
      ...windowConstants(wShape, geometry),
      KY,
      KY_KW: KY * kw,
      PIXELS,
      CHANNELS,
      WINDOW: windowOf(PIXELS, wShape, geometry),
      WORKGROUP,
      LANES,
      ...(LANES > 0 && { SHARES: Math.ceil((CHANNELS * PIXELS) / LANES) }),
    },
    enable: LANES > 0 ? ["subgroups"] : [],
    grid: [groupsX, groupsY, splits],
    rowsPerSplit,
    partials: splits,
  };
}

/** How many pixels of an input row a strip of `pixels` outputs sees. */
function windowOf(pixels: number, [, , , kw]: Shape, { stride, dilation }: Geometry): number {
  return (pixels - 1) * stride[1] + (kw - 1) * dilation[1] + 1;
}

/** Workgroups of side x side threads, with one thread for each element of a tensor [n, c, h, w]. */
export function gridOver([n, c, h, w]: Shape, side: number): Grid {
  return [Math.ceil(w / side), Math.ceil(h / side), n * c];
}

/** Constants of the prelude: the window's size and how it moves. */
export function windowConstants([, , kh, kw]: Shape, { stride, dilation }: Geometry): Record<string, number> {
  return {
    KH: kh,
    KW: kw,
    STRIDE_Y: stride[0],
    STRIDE_X: stride[1],
    DILATION_Y: dilation[0],
    DILATION_X: dilation[1],
  };
}
