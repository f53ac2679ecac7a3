/**
 * The steps of the convolution's ladder one by one, each as a launch that can be looked at, changed and timed.
 * For lessons and benchmarks; operations run through launch.ts.
 */
import type { DeviceProfile } from "../../device/device.ts";
import { aGpuDevice, type GpuDevice } from "../../device/gpu-device.ts";
import { aKernel, type Grid, type Kernel, linearGrid, type Specialization } from "../../device/kernel.ts";
import type { Params } from "../../device/launch.ts";
import { anything, checkArguments, checkOptions, isObject, type Wanted } from "../../options/arguments.ts";
import { checkShape, numel, type Shape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { weightIndex } from "./5-shared.wgsl.ts";
import { noEpilogue } from "./epilogue.ts";
import { type Estimate, estimateForward, estimateWeightGrad } from "./estimate.ts";
import { type Geometry, outputShape, type Pair, pair } from "./geometry.ts";
import { addPartials, functionsOf, sizesOf } from "./launch.ts";
import { chooseSizes, planPlain, planSizes, type Variant, variants } from "./plan.ts";
import { type Convolution, windowConstants } from "./plan-common.ts";
import {
  planWeightGradStep,
  type WeightGradPlan,
  type WeightGradVariant,
  weightGradVariants,
} from "./plan-weight-grad.ts";
import { weightGradNaive } from "./weight-grad-naive.wgsl.ts";

/** A convolution with stride 1 and without a bias. */
export interface StepShape {
  /** [n, c, h, w]. */
  readonly x: Shape;
  /** [o, c, kh, kw]. */
  readonly weight: Shape;
  /** Zeros assumed around the picture. Default 0. */
  readonly padding?: Pair;
}

/** One kernel of the ladder, with all that its launch needs except for memory. */
export interface Conv2dStep {
  /** "1-naive" to "6-prefetch"; "weight-grad-naive" to "weight-grad-rolling". */
  readonly name: string;
  /** The convolution y, or the gradient dw of its weights, which takes dy in place of the weights. */
  readonly computes: "y" | "dw";
  readonly kernel: Kernel;
  /** What is put before the kernel's text: constants and functions. */
  readonly prelude: Specialization;
  readonly params: Params;
  readonly grid: Grid;
  /** What one workgroup does, counted from the plan. */
  readonly estimate: Estimate;
  /** How many gradients the kernel writes, to be added up by another one. 1 for y. */
  readonly partials: number;
}

const aProfile: Wanted<DeviceProfile> = {
  wants: "the facts about a device, device.profile",
  fits: (value): value is DeviceProfile => isObject(value) && typeof value.cheapBarriers === "boolean",
};

/**
 * The steps that a device with these facts can run for a convolution: those of the forward pass, then those of
 * the weight gradient. Throws a ShapeError if the shapes do not fit. Steps whose tiles are too small for the
 * window are left out, and 4-broadcast where subgroups have no fixed size.
 */
export function conv2dSteps(profile: DeviceProfile, shape: StepShape): Conv2dStep[] {
  checkArguments("conv2dSteps", { profile: [profile, aProfile] });
  const wanted = { x: anything, weight: anything, padding: anything }; // looked at here and by `pair`
  checkOptions("conv2dSteps", shape, wanted, ["x", "weight"]);
  const { x, weight, padding = 0 } = shape;
  for (const each of [x, weight]) checkShape("conv2dSteps", each);
  const geometry: Geometry = {
    stride: [1, 1],
    padding: pair("padding", padding, 0, "conv2dSteps"),
    dilation: [1, 1],
  };
  const yShape = outputShape(x, weight, undefined, geometry, "conv2dSteps");
  const convolution = { geometry, wShape: weight, yShape, hasBias: false };
  const params = sizesOf(x, yShape, geometry.padding);
  return [
    ...variants.flatMap((variant) => {
      try {
        return [forwardStep(profile, variant, convolution, params)];
      } catch (error) {
        if (error instanceof RangeError) return []; // the plan says why it is impossible
        throw error;
      }
    }),
    naiveWeightGradStep(convolution, params),
    ...weightGradVariants.flatMap((variant) => {
      const plan = planWeightGradStep(profile, convolution, variant);
      return plan ? [weightGradStep(plan, variant, convolution, params, x)] : [];
    }),
  ];
}

function forwardStep(
  profile: DeviceProfile,
  variant: Variant,
  convolution: Convolution,
  sizes: Params,
): Conv2dStep {
  const common = { name: variant, computes: "y", partials: 1 } as const;
  const estimate = estimateForward(profile, convolution, variant);
  if (variant === "1-naive" || variant === "2-tiled") {
    const { kernel, grid, ...prelude } = planPlain(variant, convolution);
    return { ...common, kernel, prelude, params: sizes, grid, estimate };
  }
  const plan = planSizes(profile, convolution, chooseSizes(profile, variant, convolution));
  const { kernel, grid, ...prelude } = plan;
  const functions = functionsOf(plan, { epilogue: noEpilogue, weightIndex, inPlace: false, width: sizes.w });
  const params = { ...sizes, x_channels: sizes.c, y_channels: sizes.o, y_first: 0 };
  return { ...common, kernel, prelude: { ...prelude, functions }, params, grid, estimate };
}

/** The ladder's first step for the weight gradient. No operation runs it: the others are faster on every adapter. */
function naiveWeightGradStep(convolution: Convolution, sizes: Params): Conv2dStep {
  const { wShape, yShape, geometry } = convolution;
  const size = numel(wShape);
  const grid = linearGrid(size, 64);
  const multiplyAdds = 64 * yShape[0] * yShape[2] * yShape[3];
  return {
    name: "weight-grad-naive",
    computes: "dw",
    kernel: weightGradNaive,
    grid,
    partials: 1,
    prelude: { constants: windowConstants(wShape, geometry) },
    params: { n: yShape[0], ...sizes },
    estimate: {
      kernel: "weight-grad-naive",
      workgroups: Math.ceil(size / 64),
      threads: 64,
      multiplyAdds,
      loads: 2 * multiplyAdds,
      sharedReads: 0,
      barriers: 0,
    },
  };
}

function weightGradStep(
  plan: WeightGradPlan,
  name: WeightGradVariant,
  convolution: Convolution,
  sizes: Params,
  [n, c]: Shape,
): Conv2dStep {
  const { kernel, grid, params, partials, ...prelude } = plan;
  return {
    name,
    computes: "dw",
    kernel,
    grid,
    partials,
    prelude,
    params: { n, ...sizes, x_channels: c, ...params },
    estimate: estimateWeightGrad(plan, convolution),
  };
}

/** The tensors of a step: x, the weights (for dw: dy), and the result, which it fills. */
export interface StepTensors {
  readonly x: Tensor;
  readonly other: Tensor;
  readonly result: Tensor;
}

const aStep: Wanted<Conv2dStep> = {
  wants: "a step, as conv2dSteps() returns them",
  fits: (value): value is Conv2dStep => isObject(value) && isObject(value.kernel) && isObject(value.params),
};
const stepTensors: Wanted<StepTensors> = {
  wants: "the tensors { x, other, result }",
  fits: (value): value is StepTensors =>
    isObject(value) && [value.x, value.other, value.result].every((one) => one instanceof Tensor),
};

/** Records a step, or another kernel in the place of its own. Both must have the same buffers and Params. */
export function launchStep(
  device: GpuDevice,
  step: Conv2dStep,
  tensors: StepTensors,
  instead: Kernel = step?.kernel,
): void {
  checkArguments("launchStep", {
    device: [device, aGpuDevice],
    step: [step, aStep],
    tensors: [tensors, stepTensors],
    kernel: [instead, aKernel],
  });
  const { computes, prelude, params, grid, partials } = step;
  const { x, other, result } = tensors;
  const [input, output] = [other.gpuStorage, result.gpuStorage];
  if (computes === "y") {
    const picture = x.gpuStorage;
    const buffers = { x: picture, x_quads: picture, weight: input, bias: input, extra: input, y: output };
    device.run(instead, { ...prelude, params, grid, buffers });
    return;
  }
  const partial = partials === 1 ? output : device.allocate(partials * result.size);
  device.run(instead, { ...prelude, params, grid, buffers: { x: x.gpuStorage, dy: input, partial } });
  if (partials === 1) return;
  addPartials(device, partial, partials, { dw: result });
  device.release(partial);
}
