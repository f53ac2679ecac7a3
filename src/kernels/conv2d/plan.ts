/**
 * Which forward kernel runs, with which block sizes and on how many threads. All of it follows from the sizes
 * and from what the device is good at (DeviceProfile), before anything is launched.
 */

import type { DeviceProfile } from "../../device/device.ts";
import { MAX_GRID } from "../../device/kernel.ts";
import { ArgumentError } from "../../options/arguments.ts";
import { numel } from "../../tensor/shape.ts";
import { naiveKernel } from "./1-naive.wgsl.ts";
import { tiledKernel } from "./2-tiled.wgsl.ts";
import { blockedKernel } from "./3-blocked.wgsl.ts";
import { broadcastKernel } from "./4-broadcast.wgsl.ts";
import {
  broadcasts,
  type Convolution,
  gridOver,
  keyOf,
  type Plan,
  pixelsUnder,
  recall,
  WORKGROUP_BYTES,
  windowConstants,
} from "./plan-common.ts";
import { allTileSizes, chooseTile, planTile, type Tile, tilesThatFit } from "./plan-tiles.ts";

/** The forward kernels, in reading order. */
export const variants = ["1-naive", "2-tiled", "3-blocked", "4-broadcast", "5-shared", "6-prefetch"] as const;
export type Variant = (typeof variants)[number];

/** Steps 3 and 4: how many outputs each thread computes, and how many threads make a workgroup. */
export type Block = {
  readonly variant: "3-blocked" | "4-broadcast";
  readonly PIXELS: number;
  readonly CHANNELS: number;
  readonly workgroup: number;
};

/** What a tuner may choose. */
export type Sizes = Block | Tile;

/** Pixels of an ordinary strip in steps 3 and 4, and how many pixels of an input row its windows may see. */
const STRIP = 8;
const MAX_PIXELS_UNDER = 48;

/** The side of a workgroup's tile in step 2, in pixels and threads. */
const TILE = 16;

/**
 * The forward kernel by rule. It must not depend on the picture's size: kernels add in different orders, and
 * a picture in tiles is to have the same bits as in one piece.
 */
export function chooseVariant(profile: DeviceProfile, { wShape, geometry }: Convolution): Variant {
  return recall(profile, `variant ${wShape} ${geometry.stride} ${geometry.dilation}`, () => {
    // The pixels under a strip of steps 3 and 4 are to fit into registers beside the sums.
    if (pixelsUnder(STRIP, wShape, geometry) > MAX_PIXELS_UNDER) return "1-naive";
    if (profile.cheapBarriers && tilesThatFit("6-prefetch", wShape, geometry).length > 0) return "6-prefetch";
    return broadcasts(profile) ? "4-broadcast" : "3-blocked";
  });
}

/** The launch of step 1 or 2, which have no epilogue. */
export function planPlain(variant: "1-naive" | "2-tiled", convolution: Convolution): Plan {
  const { wShape, yShape, geometry, hasBias } = convolution;
  const constants = { ...windowConstants(wShape, geometry), HAS_BIAS: Number(hasBias) };
  if (variant === "1-naive") return { kernel: naiveKernel, constants, grid: gridOver(yShape, 8) };
  const patch = (axis: 0 | 1) =>
    (TILE - 1) * geometry.stride[axis] + (wShape[2 + axis] - 1) * geometry.dilation[axis] + 1;
  const [PATCH_H, PATCH_W] = [patch(0), patch(1)];
  if (PATCH_H * PATCH_W > WORKGROUP_BYTES / 4) {
    throw new ArgumentError(
      "conv2d",
      `variant 2-tiled needs a patch of ${PATCH_H} x ${PATCH_W} pixels in workgroup memory, which ` +
        `holds ${WORKGROUP_BYTES / 4}. Use another variant for weight [${wShape}] with stride [${geometry.stride}].`,
    );
  }
  return {
    kernel: tiledKernel,
    constants: { ...constants, TILE, PATCH_H, PATCH_W },
    grid: gridOver(yShape, TILE),
  };
}

/**
 * How many pixels beside an output's own column its window sees on either side, if lanes can get them from their
 * neighbours: x and y have the same columns, and to hand a value on costs less than to load it.
 */
function haloOf({ shuffles }: DeviceProfile, { wShape, geometry }: Convolution): number | undefined {
  const reach = ((wShape[3] - 1) * geometry.dilation[1]) / 2;
  return shuffles && geometry.stride[1] === 1 && geometry.padding[1] === reach ? reach : undefined;
}

/** The launch of step 3 or 4 with this block. */
function planBlocks(profile: DeviceProfile, convolution: Convolution, block: Block): Plan {
  const { wShape, yShape, geometry, hasBias } = convolution;
  const { variant, PIXELS, CHANNELS, workgroup } = block;
  const [n, o, oh, ow] = yShape;
  const LANES = profile.subgroupSize;
  const broadcasting = variant === "4-broadcast";
  const halo = haloOf(profile, convolution) ?? Infinity;
  const SHARES_PIXELS = Number(halo <= PIXELS);
  const HALO = SHARES_PIXELS ? halo : 0;
  if (broadcasting && LANES === 0) {
    throw new ArgumentError(
      "conv2d",
      "variant 4-broadcast needs subgroups of one known size, which this adapter lacks. Use 3-blocked.",
    );
  }
  const strips = Math.ceil(ow / PIXELS) * oh;
  // Very large pictures need larger workgroups to fit the grid.
  const WORKGROUP = [workgroup, 64, 256].find((size) => strips / size <= MAX_GRID) ?? 256;
  return {
    kernel: broadcasting ? broadcastKernel : blockedKernel,
    constants: {
      ...windowConstants(wShape, geometry),
      HAS_BIAS: Number(hasBias),
      PIXELS,
      CHANNELS,
      PIXELS_UNDER: pixelsUnder(PIXELS, wShape, geometry),
      WORKGROUP,
      ...(broadcasting && {
        LANES,
        SHUFFLES: Number(profile.shuffles),
        SHARES_PIXELS,
        HALO,
        EDGES: Math.ceil((2 * HALO) / LANES),
        QUADS: PIXELS / 4,
        WEIGHT_SHARE: Math.ceil((wShape[3] * CHANNELS) / LANES),
        RESULTS: CHANNELS * PIXELS,
        // Results of one channel that are stored in one round of a loop.
        STORES: PIXELS % 8 === 0 ? 8 : PIXELS,
      }),
    },
    enable: broadcasting ? ["subgroups"] : [],
    grid: [Math.ceil(strips / WORKGROUP), Math.ceil(o / CHANNELS), n],
  };
}

/** The block by rule: the best for most shapes. */
function chooseBlock(profile: DeviceProfile, variant: Block["variant"], convolution: Convolution): Block {
  const { workgroup, sharesLoads, costlyLoops } = profile;
  const { wShape, yShape } = convolution;
  const [o, , , kw] = wShape;
  const ow = yShape[3];
  if (variant === "4-broadcast" && !sharesLoads && kw <= 5) {
    // Larger blocks than elsewhere, since a CPU keeps sums in its first cache, where a GPU has no registers for them.
    // - But their code must fit into the CPU's cache for instructions, which it does not where each pixel is a load of
    //   its own (see x_quad): docs/measurements.md, "What a load costs on lavapipe".
    // - SwiftShader compiles anew in each process. Where there is little to multiply, that takes longer than
    //   larger blocks save.
    const large = costlyLoops
      ? kw === 3 && numel(yShape) * numel(wShape.slice(1)) >= 2 ** 24
      : (haloOf(profile, convolution) ?? Infinity) <= 12 && ow % 4 === 0;
    const strips = !large ? [8] : kw <= 3 ? [16, 12, 8] : [12, 8];
    // In short rows, the last strip of each may waste much.
    const columns = (pixels: number) => Math.ceil(ow / pixels) * pixels;
    const PIXELS = ow >= 64 ? strips[0] : strips.reduce((a, b) => (columns(b) < columns(a) ? b : a));
    return { variant, PIXELS, CHANNELS: Math.min(o, 16), workgroup };
  }
  // With few output channels, as in a network's last layer, longer strips instead.
  if (o <= 4 && kw <= 5) return { variant, PIXELS: 16, CHANNELS: 4, workgroup };
  // Some 400 multiply-adds per input row (at 5 x 5 and 9 x 9 half as many again). More would take longer to
  // compile than it saves.
  return { variant, PIXELS: STRIP, CHANNELS: o > 8 && kw <= 5 ? 16 : 8, workgroup };
}

/** The sizes of steps 3 to 6 by rule. */
export function chooseSizes(
  profile: DeviceProfile,
  variant: Sizes["variant"],
  convolution: Convolution,
): Sizes {
  return recall(profile, `sizes ${variant} ${keyOf(convolution)}`, () =>
    variant === "5-shared" || variant === "6-prefetch"
      ? chooseTile(profile, variant, convolution)
      : chooseBlock(profile, variant, convolution),
  );
}

/** The launch of one of steps 3 to 6 with these sizes. */
export function planSizes(profile: DeviceProfile, convolution: Convolution, sizes: Sizes): Plan {
  return recall(profile, `plan ${Object.values(sizes)} ${keyOf(convolution)}`, () =>
    "TILE_O" in sizes ? planTile(convolution, sizes) : planBlocks(profile, convolution, sizes),
  );
}

/**
 * What a tuner tries: every reasonable tile or block, with the kernels and workgroup sizes that suit the
 * device. Where step 6 runs, only its tiles: all of them add in the same order (see chooseVariant).
 */
export function candidates(profile: DeviceProfile, convolution: Convolution): Sizes[] {
  const { wShape, geometry } = convolution;
  return chooseVariant(profile, convolution) === "6-prefetch"
    ? tilesThatFit("6-prefetch", wShape, geometry, allTileSizes)
    : candidateBlocks(profile, convolution);
}

function candidateBlocks(profile: DeviceProfile, convolution: Convolution): Block[] {
  const { wShape, geometry } = convolution;
  const [o, , , kw] = wShape;
  const { sharesLoads, subgroupSize } = profile;
  const kernels: Block["variant"][] = subgroupSize > 0 ? ["4-broadcast"] : ["3-blocked"];
  if (sharesLoads && subgroupSize > 0) kernels.push("3-blocked");
  const channels = new Set([Math.min(o, 16), 4, 8, 16, 32]);
  const sizes = [4, 8, 12, 16].flatMap((PIXELS) =>
    Array.from(channels, (CHANNELS) => ({ PIXELS, CHANNELS })),
  );
  const blocks: Block[] = [];
  for (const variant of kernels) {
    const most =
      variant === "4-broadcast" ? { registers: 300, products: 960 } : { registers: 160, products: 600 };
    for (const { PIXELS, CHANNELS } of sizes) {
      const registers = PIXELS * CHANNELS + pixelsUnder(PIXELS, wShape, geometry);
      const mostlyIdle = CHANNELS > 4 && CHANNELS >= 2 * o;
      if (registers > most.registers || PIXELS * CHANNELS * kw > most.products || mostlyIdle) continue;
      for (const workgroup of [profile.workgroup / 2, profile.workgroup, profile.workgroup * 2]) {
        // A broadcast needs all lanes of its subgroup.
        if (variant === "4-broadcast" && workgroup % subgroupSize !== 0) continue;
        blocks.push({ variant, PIXELS, CHANNELS, workgroup });
      }
    }
  }
  return blocks;
}
