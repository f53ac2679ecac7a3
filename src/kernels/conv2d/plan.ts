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
import type { Geometry } from "./geometry.ts";
import { weightGrad } from "./weight-grad.wgsl.ts";

/** The forward kernels, in reading order. */
export const variants = ["1-naive", "2-tiled", "3-blocked", "4-broadcast"] as const;
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

/** The forward kernel by rule. */
export function chooseVariant(profile: DeviceProfile, { wShape, geometry }: Convolution): Variant {
  // So wide a window does not fit into registers beside the sums.
  if (windowOf(8, wShape, geometry) > 48) return "1-naive";
  return broadcasts(profile) ? "4-broadcast" : "3-blocked";
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
export function planBlocks(profile: DeviceProfile, convolution: Convolution, block: Block): Plan {
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

/** The block by rule: the best for most shapes. */
export function chooseBlock(profile: DeviceProfile, variant: Block["variant"], wShape: Shape): Block {
  const { workgroup } = profile;
  const [o, , , kw] = wShape;
  // With few output channels, as in a network's last layer, longer strips instead.
  if (o <= 4 && kw <= 5) return { variant, PIXELS: 16, CHANNELS: 4, workgroup };
  // Unrolled, that is some 400 multiply-adds per input row (at 9 x 9 half as many again). More would take
  // longer to compile than it saves.
  return { variant, PIXELS: 8, CHANNELS: o > 8 && kw <= 3 ? 16 : 8, workgroup };
}

/** What a tuner tries: every reasonable block, with the kernels and workgroup sizes that suit the device. */
export function candidateBlocks(profile: DeviceProfile, { wShape, geometry }: Convolution): Block[] {
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

/** The weight gradient: a plan, and how the output rows of all pictures are dealt out to the splits. */
export function planWeightGrad(
  profile: DeviceProfile,
  { wShape, yShape, geometry }: Omit<Convolution, "hasBias">,
): Plan & { rowsPerSplit: number; splits: number } {
  const [o, c, kh, kw] = wShape;
  // A thread's block: all rows of a small window at once, so that every value of dy serves kh * kw sums. With
  // 16 channels the strips are short, unless a round of the loop costs much.
  const KY = kh * kw <= 9 ? kh : 1;
  const CHANNELS = o <= 4 ? 4 : o <= 8 || kw > 5 ? 8 : 16;
  const PIXELS = CHANNELS === 16 && !profile.costlyLoops ? 2 : 4;

  const WORKGROUP = Math.min(32, profile.workgroup);
  const [groupsX, groupsY] = [Math.ceil((c * kh) / KY / WORKGROUP), Math.ceil(o / CHANNELS)];
  const rows = yShape[0] * yShape[2];
  // As many splits as make groupsToFill workgroups, which keep every core busy, but no more than 64: each
  // split writes a whole gradient, and sumPartials reads them all.
  const splitsToFill = Math.ceil(profile.groupsToFill / (groupsX * groupsY));
  const rowsPerSplit = Math.ceil(rows / Math.min(rows, 64, splitsToFill));
  const splits = Math.ceil(rows / rowsPerSplit);

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
    splits,
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
