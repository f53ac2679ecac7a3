/** Steps 5 and 6: which tiles there are, which one runs, and how it lies in workgroup memory. */
import type { DeviceProfile } from "../../device/device.ts";
import type { Shape } from "../../tensor/shape.ts";
import { shared } from "./5-shared.wgsl.ts";
import { prefetch } from "./6-prefetch.wgsl.ts";
import type { Geometry } from "./geometry.ts";
import { type Convolution, MAX_THREADS, type Plan, WORKGROUP_BYTES, windowConstants } from "./plan-common.ts";

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

/**
 * [TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH]: from tiles that do the most work for each value they load
 * to those that make the most workgroups. docs/gpus.md has what was measured.
 */
const tileSizes = [
  [32, 16, 16, 8, 8, 4],
  [32, 16, 16, 8, 4, 4], // the same with half the sums, for GPUs with fewer registers
  [32, 8, 16, 4, 4, 4],
  [16, 8, 8, 4, 2, 8],
  [4, 4, 32, 4, 1, 8], // for few output channels, as in a network's last layer
] as const;

/** Good on some card or shape. */
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

/** All that a tuner tries. */
export const allTileSizes = [...tileSizes, ...moreTileSizes];

/** The tiles that fit this convolution: into workgroup memory, and with channels that it has. */
export function tilesThatFit(
  wShape: Shape,
  geometry: Geometry,
  sizes: readonly (typeof allTileSizes)[number][] = tileSizes,
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
export function chooseTile(profile: DeviceProfile, variant: Tile["variant"], convolution: Convolution): Tile {
  const tiles = tilesThatFit(convolution.wShape, convolution.geometry).filter(
    ({ CHANNELS, ROWS }) => CHANNELS * ROWS <= profile.blockSums,
  );
  const groups = (tile: Tile) => planTile(convolution, tile).grid.reduce<number>((a, b = 1) => a * b, 1);
  // If none fits, planTile says why the smallest does not.
  const smallest = { TILE_O: 4, TILE_H: 4, TILE_W: 32, CHANNELS: 4, ROWS: 1, DEPTH: 1 };
  const chosen = tiles.find((tile) => groups(tile) >= profile.groupsToFill) ?? tiles.at(-1) ?? smallest;
  return { ...chosen, variant };
}

/** Steps 5 and 6. */
export function planTile({ geometry, wShape, yShape, hasBias }: Convolution, tile: Tile): Plan {
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
