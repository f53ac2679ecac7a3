/** Steps 5 and 6: which tiles there are, which one runs, and how it lies in workgroup memory. */
import type { DeviceProfile } from "../../device/device.ts";
import { ArgumentError } from "../../options/arguments.ts";
import type { Shape } from "../../tensor/shape.ts";
import { sharedKernel } from "./5-shared.wgsl.ts";
import { prefetchKernel } from "./6-prefetch.wgsl.ts";
import type { Geometry } from "./geometry.ts";
import { type Convolution, MAX_THREADS, type Plan, WORKGROUP_BYTES, windowConstants } from "./plan-common.ts";

/** Steps 5 and 6: a workgroup's tile, and each thread's part of it. Channels are multiples of 4. */
export type Tile = {
  readonly variant: "5-shared" | "6-prefetch";
  readonly TILE_O: number;
  readonly TILE_H: number;
  readonly TILE_W: number;
  /** A thread's block: channels, rows, and columns: one in step 5, two in step 6. */
  readonly CHANNELS: number;
  readonly ROWS: number;
  /** Input channels that are copied into workgroup memory at once. */
  readonly DEPTH: number;
};

type TileSizes = readonly [
  TILE_O: number,
  TILE_H: number,
  TILE_W: number,
  CHANNELS: number,
  ROWS: number,
  DEPTH: number,
];

/**
 * The tiles that a rule chooses from: by channels, and for each number of channels from those that do the most work for
 * each value they load to those that make the most workgroups. docs/gpus.md has what was measured.
 */
const tileSizes: Readonly<Record<Tile["variant"], readonly TileSizes[]>> = {
  // TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH
  "5-shared": [
    [32, 16, 16, 8, 8, 4],
    [32, 16, 16, 8, 4, 4], // the same with half the sums, for GPUs with fewer registers
    [32, 8, 16, 4, 4, 4],
    [16, 8, 8, 4, 2, 8],
    [8, 8, 16, 4, 2, 8],
    [4, 4, 32, 4, 1, 8],
  ],
  "6-prefetch": [
    [32, 8, 16, 4, 4, 4],
    [32, 4, 16, 4, 2, 8],
    // For up to 16 channels: for more, one of the two above has as many workgroups, unless pictures have 4 rows or
    // less.
    [16, 16, 16, 4, 4, 4],
    [16, 8, 16, 4, 2, 8],
    [16, 8, 8, 4, 2, 8],
    // For few output channels, as in a network's last layer.
    [8, 8, 16, 4, 2, 8],
    [4, 16, 32, 4, 4, 4],
    [4, 8, 32, 4, 2, 8],
    [4, 4, 32, 4, 1, 8],
  ],
};

/**
 * Tiles that the rule does not know: on the cards measured, those above are the best or nearly so (docs/gpus.md). Other
 * cards may differ, so a tuner tries these, too.
 */
const moreTileSizes: readonly TileSizes[] = [
  // TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH
  [64, 8, 16, 8, 4, 4],
  [64, 16, 16, 8, 4, 4],
  [64, 8, 32, 8, 4, 4],
  [32, 16, 16, 4, 4, 4],
  [32, 8, 16, 8, 2, 4],
  [32, 8, 8, 4, 4, 4],
  [16, 8, 16, 4, 4, 4],
  [16, 4, 16, 4, 1, 8],
  [8, 16, 16, 4, 4, 4],
  [4, 16, 16, 4, 2, 8],
];

/** The tiles of step 6 that a tuner tries. */
export const allTileSizes = [...tileSizes["6-prefetch"], ...moreTileSizes];

/** The tiles that fit this convolution: into workgroup memory, and with channels that it has. */
export function tilesThatFit(
  variant: Tile["variant"],
  wShape: Shape,
  geometry: Geometry,
  sizes: readonly TileSizes[] = tileSizes[variant],
): Tile[] {
  const [o, c] = wShape;
  return sizes.flatMap(([TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, depth]): Tile[] => {
    // Tiles of 4 channels are for layers with few, be it one.
    const mostlyIdle = TILE_O > 4 && TILE_O >= 2 * o;
    // A workgroup loads its pixels for TILE_O channels, and others load them again for the rest. So no tile has less
    // than half of the layer's channels (of 32, if there are more), and one of 4 is for 8 channels at most.
    const reusesLittle = TILE_O > 4 ? 2 * TILE_O < Math.min(o, 32) : o > 8;
    if (mostlyIdle || reusesLittle) return [];
    for (let DEPTH: number = depth; DEPTH >= 1; DEPTH /= 2) {
      if (DEPTH >= 2 * c) continue;
      const tile: Tile = { variant, TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH };
      if (layoutOf(tile, wShape, geometry).bytes <= WORKGROUP_BYTES) return [tile];
    }
    return [];
  });
}

/** How steps 5 and 6 lay out a round's pixels and weights in workgroup memory. */
function layoutOf(tile: Tile, wShape: Shape, geometry: Geometry) {
  const [, , kh, kw] = wShape;
  const { stride, dilation } = geometry;
  const { TILE_O, TILE_H, ROWS, DEPTH } = tile;
  const common = {
    PATCH_H: (TILE_H - 1) * stride[0] + (kh - 1) * dilation[0] + 1,
    ROWS_UNDER: (ROWS - 1) * stride[0] + (kh - 1) * dilation[0] + 1,
    // Threads side by side write vec4s for consecutive k, which an odd distance spreads over the banks.
    WEIGHT_PITCH: TILE_O / 4 + (TILE_O > 4 ? 1 : 0),
  };
  const { rowBytes, ...constants } =
    tile.variant === "5-shared"
      ? layoutOfValues(tile, wShape, geometry)
      : layoutOfPairs(tile, wShape, geometry, common);
  const bytes = DEPTH * (common.PATCH_H * rowBytes + 16 * kh * kw * common.WEIGHT_PITCH);
  return { bytes, constants: { ...common, ...constants } as Readonly<Record<string, number>> };
}

function layoutOfValues({ TILE_W, ROWS }: Tile, [, , , kw]: Shape, { stride, dilation }: Geometry) {
  const PATCH_W = (TILE_W - 1) * stride[1] + (kw - 1) * dilation[1] + 1;
  const PITCH = pitchOf(PATCH_W, ROWS * stride[0], TILE_W, 32);
  return { PATCH_W, PITCH, rowBytes: 4 * PITCH };
}

function layoutOfPairs(
  tile: Tile,
  [, c, kh, kw]: Shape,
  { stride, dilation }: Geometry,
  { PATCH_H, ROWS_UNDER }: { readonly PATCH_H: number; readonly ROWS_UNDER: number },
) {
  const { TILE_O, TILE_W, ROWS, DEPTH } = tile;
  // The pixels under a span are to stay in registers. It begins at an even column, where a pair begins.
  const pairsUnder = (span: number) => Math.ceil((stride[1] + (span - 1) * dilation[1] + 1) / 2);
  const SPAN = kw <= 2 || 2 * ROWS_UNDER * pairsUnder(kw) <= 64 ? kw : 2;
  const PAIRS = pairsUnder(SPAN);
  const lastKx = Math.floor((kw - 1) / SPAN) * SPAN;
  const PATCH_PAIRS = (TILE_W / 2 - 1) * stride[1] + (lastKx * dilation[1]) / 2 + PAIRS;
  const PITCH = pitchOf(PATCH_PAIRS, ROWS * stride[0], TILE_W / 2, 16);
  // How many pairs of one channel a thread copies.
  const PIXEL_SHARE = Math.ceil((PATCH_H * PATCH_PAIRS) / threadsOf(tile));
  return {
    SPAN,
    SPANS: Math.ceil(kw / SPAN),
    PAIRS,
    PATCH_PAIRS,
    PITCH,
    rowBytes: 8 * PITCH,
    PIXEL_SHARE,
    PIXEL_LOADS: PIXEL_SHARE * DEPTH,
    WEIGHT_SHARE: Math.ceil((DEPTH * kh * kw * TILE_O) / 4 / threadsOf(tile)),
    SPAN_PAIRS: ROWS_UNDER * PAIRS,
    PARTIAL_ROUND: Number(c % DEPTH !== 0),
  };
}

/**
 * How far apart rows of `length` values lie in workgroup memory, which has banks for `banks` values. Threads side by
 * side, `lanes` of them, read neighbouring values. If a subgroup covers a second block of rows, `rowsApart` rows
 * further down, its values should lie in the banks that the first one's leave free. So this is the smallest pitch, from
 * `length` to `length` + 3, for which (rowsApart * pitch) mod (2 * lanes) = lanes: in step 6, where 8 lanes read pairs,
 * 4 rows of pitch 10 make 40 mod 16 = 8. If there is none, or with lanes for all banks, it is `length`.
 */
function pitchOf(length: number, rowsApart: number, lanes: number, banks: number): number {
  const apart = (pitch: number) => (rowsApart * pitch) % (2 * lanes) === lanes;
  return (lanes < banks && [0, 1, 2, 3].map((more) => length + more).find(apart)) || length;
}

/**
 * The tile by rule: the first that gives every core work. Half of groupsToFill is enough: a core that has fewer
 * workgroups waits longer for memory, but with smaller tiles all would load more.
 */
export function chooseTile(profile: DeviceProfile, variant: Tile["variant"], convolution: Convolution): Tile {
  const tiles = tilesThatFit(variant, convolution.wShape, convolution.geometry).filter(
    (tile) => tile.CHANNELS * tile.ROWS * columnsOf(tile) <= profile.blockSums,
  );
  const groups = (tile: Tile) => planTile(convolution, tile).grid.reduce<number>((a, b = 1) => a * b, 1);
  // If none fits, planTile says why the smallest does not.
  const smallest: Tile = { variant, TILE_O: 4, TILE_H: 4, TILE_W: 32, CHANNELS: 4, ROWS: 1, DEPTH: 1 };
  return tiles.find((tile) => groups(tile) >= profile.groupsToFill / 2) ?? tiles.at(-1) ?? smallest;
}

/** Columns of a thread's block: 1 or 2. */
function columnsOf({ variant }: Tile): number {
  return variant === "5-shared" ? 1 : 2;
}

function threadsOf(tile: Tile): number {
  const { TILE_O, TILE_H, TILE_W, CHANNELS, ROWS } = tile;
  return (TILE_O * TILE_H * TILE_W) / (CHANNELS * ROWS * columnsOf(tile));
}

/** The launch of step 5 or 6 with this tile. */
export function planTile({ geometry, wShape, yShape, hasBias }: Convolution, tile: Tile): Plan {
  const { variant, ...sizes } = tile;
  const { TILE_O, TILE_H, TILE_W, CHANNELS, ROWS } = tile;
  const { bytes, constants } = layoutOf(tile, wShape, geometry);
  const THREADS = threadsOf(tile);
  if (bytes > WORKGROUP_BYTES || THREADS > MAX_THREADS) {
    throw new ArgumentError(
      "conv2d",
      `variant ${variant} needs ${bytes} bytes of workgroup memory and ${THREADS} threads for weight ` +
        `[${wShape}] with stride [${geometry.stride}] and dilation [${geometry.dilation}]; there are ` +
        `${WORKGROUP_BYTES} and ${MAX_THREADS}. Use another variant.`,
    );
  }
  const QUADS = CHANNELS / 4;
  const [n, o, oh, ow] = yShape;
  return {
    kernel: variant === "5-shared" ? sharedKernel : prefetchKernel,
    constants: {
      ...windowConstants(wShape, geometry),
      HAS_BIAS: Number(hasBias),
      ...sizes,
      ...constants,
      THREADS,
      QUADS,
      SUMS: QUADS * ROWS * columnsOf(tile),
    },
    grid: [Math.ceil(ow / TILE_W), Math.ceil(oh / TILE_H), n * Math.ceil(o / TILE_O)],
  };
}
