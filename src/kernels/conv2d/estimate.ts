/**
 * What a workgroup of each convolution kernel does, counted from its plan before anything runs: multiply-adds,
 * values loaded from memory, reads of workgroup memory, barriers.
 */
import type { DeviceProfile } from "../../device/device.ts";
import { chooseSizes, planPlain, planSizes, type Variant, variants } from "./plan.ts";
import type { Convolution, Plan } from "./plan-common.ts";
import { planWeightGradStep, type WeightGradPlan, weightGradVariants } from "./plan-weight-grad.ts";
import { weightGradRolling } from "./weight-grad-rolling.wgsl.ts";
import { weightGradShared } from "./weight-grad-shared.wgsl.ts";

/** What one workgroup does from its start to its end. */
export interface Estimate {
  readonly kernel: string;
  readonly workgroups: number;
  readonly threads: number;
  /** Multiply-adds of all threads, also those for outputs past the edge, whose sums are not stored. */
  readonly multiplyAdds: number;
  /**
   * Values that all threads load from storage buffers, also those that are then discarded: outside of the picture a
   * thread loads some other value, and where values cannot be dealt out evenly, it loads some twice. Equal addresses
   * in a subgroup count once for each lane. The bias does not count.
   */
  readonly loads: number;
  /** Reads of workgroup memory: of one value or of a vector. */
  readonly sharedReads: number;
  readonly barriers: number;
}

/** All kernels that a device with these facts can run for a convolution. */
export function estimates(profile: DeviceProfile, convolution: Convolution): Estimate[] {
  const possible = variants.filter((variant) => variant !== "4-broadcast" || profile.subgroupSize > 0);
  return [
    ...possible.map((variant) => estimateForward(profile, convolution, variant)),
    ...weightGradVariants.flatMap((variant) => {
      const plan = planWeightGradStep(profile, convolution, variant);
      return plan ? [estimateWeightGrad(plan, convolution)] : [];
    }),
  ];
}

/** A forward kernel of the ladder, with sizes by rule. */
export function estimateForward(
  profile: DeviceProfile,
  convolution: Convolution,
  variant: Variant,
): Estimate {
  const [, c, kh, kw] = convolution.wShape;
  if (variant === "1-naive" || variant === "2-tiled") {
    const plan = planPlain(variant, convolution);
    const { TILE, PATCH_H, PATCH_W } = plan.constants;
    const threads = variant === "1-naive" ? 64 : TILE * TILE;
    const products = c * kh * kw;
    return {
      ...headOf(plan, threads),
      multiplyAdds: threads * products,
      loads: threads * products * (variant === "1-naive" ? 2 : 1) + (TILE ? c * PATCH_H * PATCH_W : 0),
      sharedReads: variant === "1-naive" ? 0 : threads * products,
      barriers: variant === "1-naive" ? 0 : 2 * c,
    };
  }
  const plan = planSizes(profile, convolution, chooseSizes(profile, variant, convolution));
  const { CHANNELS } = plan.constants;
  if (variant === "3-blocked" || variant === "4-broadcast") {
    const { PIXELS, PIXELS_UNDER, WORKGROUP, WEIGHT_SHARE, SHARES_PIXELS, EDGES } = plan.constants;
    const rows = c * kh; // of the window, in all input channels
    const weights = variant === "3-blocked" ? kw * CHANNELS : WEIGHT_SHARE;
    return {
      ...headOf(plan, WORKGROUP),
      multiplyAdds: WORKGROUP * rows * kw * CHANNELS * PIXELS,
      loads: WORKGROUP * rows * ((SHARES_PIXELS ? PIXELS + EDGES : PIXELS_UNDER) + weights),
      sharedReads: 0,
      barriers: 0,
    };
  }
  const { TILE_O, DEPTH, PATCH_H, THREADS, QUADS, SUMS, SPANS } = plan.constants;
  const pairs = variant === "6-prefetch";
  // In step 5 the threads read a column of pixels for each column of the window, in step 6 pairs for each span.
  const pixelReads = pairs ? SPANS * plan.constants.SPAN_PAIRS : kw * plan.constants.ROWS_UNDER;
  const rounds = Math.ceil(c / DEPTH);
  // In step 6 every thread loads as much as the one that has most to copy.
  const { PATCH_W, PIXEL_LOADS, WEIGHT_SHARE } = plan.constants;
  const loads = pairs
    ? THREADS * (2 * PIXEL_LOADS + 4 * WEIGHT_SHARE)
    : DEPTH * (PATCH_H * PATCH_W + kh * kw * TILE_O);
  return {
    ...headOf(plan, THREADS),
    multiplyAdds: THREADS * rounds * DEPTH * kh * kw * 4 * SUMS,
    loads: rounds * loads,
    sharedReads: THREADS * rounds * DEPTH * (pixelReads + kh * kw * QUADS),
    barriers: 2 * (pairs ? rounds + 1 : rounds),
  };
}

/** A planned weight gradient. */
export function estimateWeightGrad(plan: WeightGradPlan, convolution: Convolution): Estimate {
  const { constants, params } = plan;
  const [, , , width] = convolution.yShape;
  const { CHANNELS, PIXELS, PIXELS_UNDER } = constants;
  const [, , kh, kw] = convolution.wShape;
  if (plan.kernel === weightGradRolling) {
    const { STRIPS, STRIP_QUADS, QUADS, COLUMN_PARTS, THREADS, PIXEL_SHARE, GRADIENT_SHARE } = constants;
    const { rows_per_piece: height, pieces_per_part: pieces } = params;
    const rows = pieces * height;
    const strips = (rows * STRIPS) / COLUMN_PARTS;
    return {
      ...headOf(plan, THREADS),
      multiplyAdds: THREADS * strips * 4 * CHANNELS * kh * kw,
      loads: 4 * THREADS * (pieces * (height + kh - 1) * PIXEL_SHARE + rows * GRADIENT_SHARE),
      sharedReads: THREADS * strips * (kh * STRIP_QUADS + 4 * QUADS),
      barriers: rows + pieces,
    };
  }
  const rowsPerPart = params.rows_per_part;
  if (plan.kernel !== weightGradShared) {
    const { KY, KY_KW, WORKGROUP, LANES, GRADIENT_SHARE, OLD_COLUMNS, NEW_COLUMNS } = constants;
    const strips = rowsPerPart * Math.ceil(width / PIXELS);
    const gradients = LANES > 0 ? GRADIENT_SHARE : CHANNELS * PIXELS;
    return {
      ...headOf(plan, WORKGROUP),
      multiplyAdds: WORKGROUP * strips * CHANNELS * PIXELS * KY_KW,
      loads: WORKGROUP * (strips * (KY * NEW_COLUMNS + gradients) + rowsPerPart * KY * OLD_COLUMNS),
      sharedReads: 0,
      barriers: 0,
    };
  }
  const { CHUNK, COLUMN_PARTS, THREADS, QUADS, PIXEL_SHARE, GRADIENT_SHARE } = constants;
  const turns = rowsPerPart * Math.ceil(width / CHUNK);
  const strips = turns * Math.ceil(CHUNK / (COLUMN_PARTS * PIXELS));
  return {
    ...headOf(plan, THREADS),
    multiplyAdds: THREADS * strips * PIXELS * CHANNELS * kh * kw,
    loads: turns * THREADS * (PIXEL_SHARE + 4 * GRADIENT_SHARE),
    sharedReads: THREADS * strips * (kh * PIXELS_UNDER + PIXELS * QUADS),
    barriers: 2 * (turns + 1),
  };
}

/** The columns of an estimate that every kernel fills alike. */
function headOf({ kernel, grid }: Plan, threads: number) {
  const workgroups = grid.reduce<number>((product, count = 1) => product * count, 1);
  return { kernel: kernel.name.replace("conv2d/", ""), workgroups, threads };
}
