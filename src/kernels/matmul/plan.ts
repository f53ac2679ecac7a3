/** Which kernel computes a matrix product, and with which tile. */
import type { DeviceProfile } from "../../device/device.ts";
import { type Grid, type Kernel, linearGrid } from "../../device/kernel.ts";
import { matmulByThreadKernel, matmulByTileKernel } from "./matmul.wgsl.ts";

/** The result's sizes: `batch` matrices of m x n. */
export interface ProductSizes {
  readonly m: number;
  readonly n: number;
  readonly batch: number;
}

/** A launch. */
export interface ProductPlan {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  readonly grid: Grid;
}

/** Which kernel multiplies, and with blocks of which size. */
export function planProduct(profile: DeviceProfile, sizes: ProductSizes): ProductPlan {
  // What is computed beyond the result's edges is lost, so tiles want wide results.
  const narrow = Math.min(sizes.m, sizes.n);
  if (!profile.cheapBarriers || narrow <= 32) {
    // Larger blocks mean fewer reads, but also fewer threads.
    const R = narrow >= 128 ? 8 : narrow >= 16 ? 4 : 1;
    return { kernel: matmulByThreadKernel, constants: { R }, grid: linearGrid(blocksIn(sizes, R, R), 64) };
  }
  // The largest that gives every core work, as for convolutions.
  const plans = tilePlans(profile, sizes);
  return plans.find(({ workgroups }) => workgroups >= profile.groupsToFill / 2) ?? plans[plans.length - 1];
}

/** The launches by every tile that the adapter has registers for, the largest tile first. */
export function tilePlans(
  { blockSums }: Pick<DeviceProfile, "blockSums">,
  sizes: ProductSizes,
): (ProductPlan & { readonly workgroups: number })[] {
  return tiles
    .filter(({ ROW_QUADS, COLUMN_QUADS }) => 16 * ROW_QUADS * COLUMN_QUADS <= blockSums)
    .map((tile) => {
      const { THREADS_X, THREADS_Y, ROW_QUADS, COLUMN_QUADS, DEPTH } = tile;
      const workgroups = blocksIn(sizes, 4 * THREADS_Y * ROW_QUADS, 4 * THREADS_X * COLUMN_QUADS);
      const constants = {
        ...tile,
        THREADS: THREADS_X * THREADS_Y,
        A_SHARE: (DEPTH * ROW_QUADS) / THREADS_X,
        B_SHARE: (DEPTH * COLUMN_QUADS) / THREADS_Y,
        ROWS: 4 * ROW_QUADS,
        SUMS: 4 * ROW_QUADS * COLUMN_QUADS,
      };
      return { kernel: matmulByTileKernel, constants, grid: linearGrid(workgroups, 1), workgroups };
    });
}

/** How many blocks of a size it takes to cover all results. */
function blocksIn({ m, n, batch }: ProductSizes, height: number, width: number): number {
  return Math.ceil(m / height) * Math.ceil(n / width) * batch;
}

interface Tile {
  readonly THREADS_X: number;
  readonly THREADS_Y: number;
  readonly ROW_QUADS: number;
  readonly COLUMN_QUADS: number;
  readonly DEPTH: number;
}

/** Tiles of y, from those that use each loaded element most often to those that make the most workgroups. */
const tiles: readonly Tile[] = [
  { THREADS_X: 16, THREADS_Y: 16, ROW_QUADS: 2, COLUMN_QUADS: 2, DEPTH: 8 }, // 128 x 128
  { THREADS_X: 16, THREADS_Y: 16, ROW_QUADS: 1, COLUMN_QUADS: 2, DEPTH: 16 }, // 64 x 128, half the sums a thread
  { THREADS_X: 8, THREADS_Y: 8, ROW_QUADS: 2, COLUMN_QUADS: 2, DEPTH: 8 }, // 64 x 64
  { THREADS_X: 8, THREADS_Y: 8, ROW_QUADS: 1, COLUMN_QUADS: 1, DEPTH: 8 }, // 32 x 32
];
