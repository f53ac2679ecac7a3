import type { Choice } from "../../src/device/tuning.ts";

/**
 * A choice among the convolutions in a few words. By tiles, "6-prefetch 32x8x16 4x4 d4": output channels, rows and
 * columns of a tile, a thread's part, channels at once. By blocks, "4-block 4x2 w64": output channels and pixels of
 * a thread, threads of a workgroup.
 */
export function choiceName({ variant, ...sizes }: Choice): string {
  const { TILE_O, TILE_H, TILE_W, CHANNELS, ROWS, DEPTH, PIXELS, workgroup } = sizes;
  return TILE_O === undefined
    ? `${variant} ${CHANNELS}x${PIXELS} w${workgroup}`
    : `${variant} ${TILE_O}x${TILE_H}x${TILE_W} ${CHANNELS}x${ROWS} d${DEPTH}`;
}
