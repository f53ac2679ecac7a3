/**
 * Which convolution kernel runs, with which block sizes and on how many threads: all of it worked out from
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

/** The forward kernels, in the order in which they are meant to be read. */
export const variants = ["1-naive", "2-tiled", "3-blocked", "4-broadcast"] as const;
export type Variant = (typeof variants)[number];

/** What a device is to do: kernel, constants and extensions of its prelude, workgroups to start. */
export interface Plan {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  readonly enable: readonly string[];
  readonly grid: Grid;
}

/** Everything about a convolution that decides how it is done. */
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
  // Windows so wide that the registers of a block would not hold them.
  if (windowOf(8, wShape, geometry) > 48) return "1-naive";
  return broadcasts(profile) ? "4-broadcast" : "3-blocked";
}

/** Step 4 pays where lanes do not share their loads by themselves. */
function broadcasts({ sharesLoads, subgroupSize }: DeviceProfile): boolean {
  return !sharesLoads && subgroupSize > 0;
}

/** Steps 1 and 2, which know no epilogue. */
export function planPlain(variant: "1-naive" | "2-tiled", convolution: Convolution): Plan {
  const { wShape, yShape, geometry } = convolution;
  const [n, o, oh, ow] = yShape;
  const constants = constantsOf(convolution);
  if (variant === "1-naive") {
    return { kernel: naive, constants, enable: [], grid: [Math.ceil(ow / 8), Math.ceil(oh / 8), n * o] };
  }
  const patch = (axis: 0 | 1) =>
    15 * geometry.stride[axis] + (wShape[2 + axis] - 1) * geometry.dilation[axis] + 1;
  const [PATCH_H, PATCH_W] = [patch(0), patch(1)];
  if (PATCH_H * PATCH_W > 4096) {
    throw new RangeError(
      `conv2d: variant 2-tiled needs a patch of ${PATCH_H} x ${PATCH_W} pixels in workgroup memory, which ` +
        `holds 4096. Use another variant for weight [${wShape}] with stride [${geometry.stride}].`,
    );
  }
  return {
    kernel: tiled,
    constants: { ...constants, TILE: 16, PATCH_H, PATCH_W },
    enable: [],
    grid: [Math.ceil(ow / 16), Math.ceil(oh / 16), n * o],
  };
}

/** Steps 3 and 4. */
export function planBlocks(profile: DeviceProfile, convolution: Convolution, block: Block): Plan {
  const { wShape, yShape, geometry } = convolution;
  const { variant, PIXELS, CHANNELS, workgroup } = block;
  const [n, o, oh, ow] = yShape;
  const lanes = variant === "4-broadcast" ? profile.subgroupSize : undefined;
  if (lanes === 0) {
    throw new RangeError(
      "conv2d: variant 4-broadcast needs subgroups of one known size, which this adapter lacks. Use 3-blocked.",
    );
  }
  const strips = Math.ceil(ow / PIXELS) * oh;
  // Very large pictures need larger workgroups to fit the grid.
  const WORKGROUP = [workgroup, 64, 256].find((size) => strips / size <= MAX_GRID) ?? 256;
  return {
    kernel: lanes ? broadcast : blocked,
    constants: {
      ...constantsOf(convolution),
      PIXELS,
      CHANNELS,
      WINDOW: windowOf(PIXELS, wShape, geometry),
      WORKGROUP,
      ...(lanes ? { LANES: lanes, SHARES: Math.ceil((wShape[3] * CHANNELS) / lanes) } : {}),
    },
    enable: lanes ? ["subgroups"] : [],
    grid: [Math.ceil(strips / WORKGROUP), Math.ceil(o / CHANNELS), n],
  };
}

/** The block by rule: what was best for most shapes. */
export function chooseBlock(
  { workgroup }: DeviceProfile,
  variant: Block["variant"],
  [o, , , kw]: Shape,
): Block {
  // Few output channels, as in a network's last layer: longer strips instead.
  if (o <= 4 && kw <= 5) return { variant, PIXELS: 16, CHANNELS: 4, workgroup };
  // Some 400 multiply-adds per input row are written out (at 9 x 9 half as many again): beyond, compiling
  // takes longer than it saves.
  const most = kw <= 3 ? 16 : 8;
  return { variant, PIXELS: 8, CHANNELS: o <= 8 ? 8 : most, workgroup };
}

/** What a tuner tries: every reasonable block, with the kernels and workgroups that suit the device. */
export function candidateBlocks(profile: DeviceProfile, { wShape, geometry }: Convolution): Block[] {
  const [o, , , kw] = wShape;
  const { sharesLoads, subgroupSize, workgroup: usual } = profile;
  const kernels: Block["variant"][] = subgroupSize > 0 ? ["4-broadcast"] : ["3-blocked"];
  if (sharesLoads && subgroupSize > 0) kernels.push("3-blocked");
  const sizes = [
    [4, 4],
    [4, 8],
    [8, 4],
    [8, 8],
    [4, 16],
    [8, 16],
    [16, 4],
    [16, 8],
    [4, 32],
  ];
  const blocks: Block[] = [];
  for (const variant of kernels) {
    for (const [PIXELS, CHANNELS] of sizes) {
      const registers = PIXELS * CHANNELS + windowOf(PIXELS, wShape, geometry);
      const wasted = CHANNELS > 4 && CHANNELS >= 2 * o;
      if (registers > 160 || PIXELS * CHANNELS * kw > 600 || wasted) continue;
      for (const workgroup of [usual / 2, usual, 2 * usual]) {
        // A broadcast wants all lanes of its subgroup.
        const whole = workgroup % subgroupSize === 0;
        if (variant === "3-blocked" || whole) blocks.push({ variant, PIXELS, CHANNELS, workgroup });
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
  // A thread's block: all rows of a small window at once, so that every value of dy serves kh * kw sums; and
  // short strips of pixels, unless a round of the loop costs much.
  const KY = kh * kw <= 9 ? kh : 1;
  const CHANNELS = o <= 4 ? 4 : o <= 8 || kw > 5 ? 8 : 16;
  const PIXELS = CHANNELS === 16 && !profile.costlyLoops ? 2 : 4;

  const WORKGROUP = Math.min(32, profile.workgroup);
  const [groupsX, groupsY] = [Math.ceil((c * kh) / KY / WORKGROUP), Math.ceil(o / CHANNELS)];
  const rows = yShape[0] * yShape[2];
  // As many splits as keep the device busy, but no more: each writes a whole gradient.
  const wanted = Math.ceil(profile.groupsToFill / (groupsX * groupsY));
  const rowsPerSplit = Math.ceil(rows / Math.min(rows, 64, wanted));
  const splits = Math.ceil(rows / rowsPerSplit);

  const lanes = broadcasts(profile) ? profile.subgroupSize : 0;
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
      LANES: lanes,
      ...(lanes > 0 ? { SHARES: Math.ceil((CHANNELS * PIXELS) / lanes) } : {}),
    },
    enable: lanes > 0 ? ["subgroups"] : [],
    grid: [groupsX, groupsY, splits],
    rowsPerSplit,
    splits,
  };
}

/** Input pixels under a strip of outputs. */
function windowOf(pixels: number, [, , , kw]: Shape, { stride, dilation }: Geometry): number {
  return (pixels - 1) * stride[1] + (kw - 1) * dilation[1] + 1;
}

function constantsOf({ wShape, geometry, hasBias }: Convolution): Record<string, number> {
  return { ...windowConstants(wShape, geometry), HAS_BIAS: Number(hasBias) };
}

/** What the compiler should know about the window and how it moves. */
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
