/** Runs the plans of plan.ts and plan-weight-grad.ts, with measured sizes (tuning.ts) where there are any. */
import type { GpuDevice } from "../../device/gpu-device.ts";
import type { GpuStorage } from "../../device/gpu-storage.ts";
import { linearGrid } from "../../device/kernel.ts";
import { versionOf } from "../../device/tuning.ts";
import { accumulate } from "../../tensor/accumulate.ts";
import type { Inputs } from "../../tensor/op.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { blockedKernel, xAt, xAtInPlace } from "./3-blocked.wgsl.ts";
import { broadcastKernel, xQuad, xQuadOfFour } from "./4-broadcast.wgsl.ts";
import { sharedKernel, weightIndex } from "./5-shared.wgsl.ts";
import { prefetchKernel } from "./6-prefetch.wgsl.ts";
import { type Epilogue, isPlain, noEpilogue, storeWgsl } from "./epilogue.ts";
import { epilogueKernel } from "./epilogue.wgsl.ts";
import { type Geometry, outputShape } from "./geometry.ts";
import { inputGradGather, turnedWeightIndex, turnWeights } from "./input-grad.wgsl.ts";
import {
  candidates,
  chooseSizes,
  chooseVariant,
  planPlain,
  planSizes,
  type Sizes,
  type Variant,
} from "./plan.ts";
import { type Convolution, gridOver, type Plan, windowConstants } from "./plan-common.ts";
import { planWeightGrad } from "./plan-weight-grad.ts";
import { sumPartials } from "./weight-grad.wgsl.ts";

/** A convolution's tensors. The bias is [o]; `extra` is what the epilogue reads besides. */
export interface ForwardInputs extends Inputs {
  x: Tensor;
  w: Tensor;
  b?: Tensor;
  extra?: Tensor;
}

export interface ForwardParams {
  readonly geometry: Geometry;
  readonly epilogue: Epilogue;
  readonly variant?: Variant;
}

export interface InputGradInputs extends Inputs {
  dy: Tensor;
  w: Tensor;
  /** The sum of the gradients from other uses of x, which is added. */
  others?: Tensor;
}

/** Fills y with the convolution and its epilogue. yShape is y's shape before a pixel shuffle. */
export function launchForward(
  device: GpuDevice,
  { geometry, epilogue, variant }: ForwardParams,
  inputs: ForwardInputs,
  y: Tensor,
  yShape = y.shape,
): void {
  const { x, w, b, extra } = inputs;
  const convolution = { geometry, wShape: w.shape, yShape, hasBias: b !== undefined };
  const choice = variant ?? chooseVariant(device.profile, convolution);
  if (choice !== "1-naive" && choice !== "2-tiled") {
    const tuned = variant === undefined;
    launchSizes(device, { variant: choice, convolution, epilogue, inputs, y, tuned, weightIndex });
    return;
  }
  const plan = planPlain(choice, convolution);
  const z = isPlain(epilogue) ? y : Tensor.empty(yShape, device, "conv2d", y.dtype);
  device.run(plan.kernel, {
    ...plan,
    buffers: { x: x.gpuStorage, weight: w.gpuStorage, bias: bufferOf(b, w), y: z.gpuStorage },
    params: sizesOf(x.shape, yShape, geometry.padding),
  });
  if (z === y) return;
  const [, o, oh, ow] = yShape;
  device.run(epilogueKernel, {
    functions: storeWgsl(epilogue),
    buffers: { z: z.gpuStorage, extra: bufferOf(extra, z), y: y.gpuStorage },
    params: { o, oh, ow, y_channels: o, y_first: 0 },
    grid: gridOver(yShape, 8),
  });
  z.dispose();
}

/**
 * A convolution that reads the first channels of x, as many as its weights take, and fills those of y from
 * `firstChannel` on. x and y may be one tensor. For windows that steps 3 to 6 hold.
 */
export function launchSlices(
  device: GpuDevice,
  { geometry, epilogue }: ForwardParams,
  inputs: ForwardInputs,
  y: Tensor,
  firstChannel: number,
): void {
  const { x, w, b } = inputs;
  const yShape = outputShape([x.shape[0], w.shape[1], ...x.shape.slice(2)], w.shape, b?.shape, geometry);
  const convolution = { geometry, wShape: w.shape, yShape, hasBias: b !== undefined };
  const variant = chooseVariant(device.profile, convolution) as Sizes["variant"];
  const sizing = { tuned: true, weightIndex };
  launchSizes(device, { variant, convolution, epilogue, inputs, y, firstChannel, ...sizing });
}

/** What a launch of steps 3 to 6 takes. */
interface SizedLaunch {
  readonly variant: Sizes["variant"];
  readonly convolution: Convolution;
  readonly epilogue: Epilogue;
  readonly inputs: ForwardInputs;
  readonly y: Tensor;
  /** The channel of y where the result begins. Default 0. */
  readonly firstChannel?: number;
  /** Take measured sizes (tuning.ts) instead of those by rule. */
  readonly tuned: boolean;
  /** The prelude's function by which steps 5 and 6 find a weight. */
  readonly weightIndex: string;
}

/** Steps 3 to 6. */
function launchSizes(
  device: GpuDevice,
  { variant, convolution, epilogue, inputs, y, firstChannel = 0, tuned, weightIndex }: SizedLaunch,
): void {
  const { x, w, b, extra } = inputs;
  const { geometry, wShape, yShape } = convolution;
  const inPlace = x.storage === y.storage;
  const params = {
    ...sizesOf([yShape[0], wShape[1], ...x.shape.slice(2)], yShape, geometry.padding),
    x_channels: x.shape[1],
    y_channels: epilogue.shuffle === 1 ? y.shape[1] : yShape[1],
    y_first: firstChannel,
  };
  const source = bufferOf(inPlace ? undefined : x, w); // in place, the kernel reads x through y
  const buffers = {
    x: source,
    x_quads: source,
    weight: w.gpuStorage,
    bias: bufferOf(b, w),
    extra: bufferOf(extra, w),
    y: y.gpuStorage,
  };
  const launch = (sizes: Sizes) => {
    const plan = planSizes(device.profile, convolution, sizes);
    const functions = functionsOf(plan, { epilogue, weightIndex, inPlace, width: x.shape[3] });
    device.run(plan.kernel, { ...plan, functions, buffers, params });
  };
  const byRule = chooseSizes(device.profile, variant, convolution);
  if (!tuned) {
    launch(byRule);
    return;
  }
  // Pixels are rounded to a power of two, so that pictures of about the same size share a measured choice.
  const pixels = Math.round(Math.log2(numel(yShape) / yShape[1]));
  device.tuning.launch({
    key:
      `conv2d ${version} 2^${pixels} [${wShape}] ${geometry.stride} ${geometry.dilation}` +
      (y.dtype === "float16" ? " float16" : ""),
    byRule,
    candidates: () => candidates(device.profile, convolution),
    launch,
    result: y.storage,
  });
}

/** The tensor's buffer, or that of `any`. Every binding needs a buffer; where nothing is read, any will do. */
function bufferOf(tensor: Tensor | undefined, any: Tensor): GpuStorage {
  return (tensor ?? any).gpuStorage;
}

/** What the functions in the preludes of steps 3 to 6 depend on, besides the plan. */
interface PreludeChoices {
  readonly epilogue: Epilogue;
  readonly weightIndex: string;
  /** x and y are one tensor. */
  readonly inPlace: boolean;
  /** Columns of x. */
  readonly width: number;
}

/** The functions in the preludes of steps 3 to 6. */
export function functionsOf(
  { kernel, constants }: Plan,
  { epilogue, weightIndex, inPlace, width }: PreludeChoices,
): string {
  const xQuads = constants.SHARES_PIXELS ? (width % 4 === 0 && !inPlace ? xQuad : xQuadOfFour) : "";
  const weights = kernel === sharedKernel || kernel === prefetchKernel ? weightIndex : "";
  return (inPlace ? xAtInPlace : xAt) + xQuads + weights + storeWgsl(epilogue);
}

/** Measured choices hold only for these kernel texts. */
const version = versionOf([
  blockedKernel,
  broadcastKernel,
  prefetchKernel,
  { body: xAt + xQuad + xQuadOfFour },
]);

/** Fills dx (input-grad.wgsl.ts). */
export function launchInputGrad(
  device: GpuDevice,
  { dy, w, others }: InputGradInputs,
  dx: Tensor,
  geometry: Geometry,
): void {
  const [o, c, kh, kw] = w.shape;
  const { stride, padding, dilation } = geometry;
  if (stride[0] !== 1 || stride[1] !== 1) {
    launchInputGradGather(device, { x: dy, w }, dx, geometry);
    if (others) accumulate(dx, others);
    return;
  }
  // The pixel in `row` meets output i through weight ky where row = i + ky * dilation - padding (stride 1).
  // With weights counted from the window's other end, k = kh - 1 - ky, that is i = row + k * dilation -
  // (dilation * (kh - 1) - padding): a convolution of dy whose padding is what the parentheses hold. If it is
  // negative, the convolution starts inside dy.
  const turnedPadding = [dilation[0] * (kh - 1) - padding[0], dilation[1] * (kw - 1) - padding[1]] as const;
  const turnedGeometry = { stride, padding: turnedPadding, dilation };
  const convolution = {
    geometry: turnedGeometry,
    wShape: [c, o, kh, kw],
    yShape: dx.shape,
    hasBias: false,
  };
  // The gradients from x's other uses are added on the way to memory: to a kernel that is a skip connection.
  const epilogue: Epilogue = others ? { ...noEpilogue, extraKind: "skip" } : noEpilogue;
  const variant = chooseVariant(device.profile, convolution);
  if (variant === "6-prefetch") {
    const inputs = { x: dy, w, extra: others };
    const sizing = { tuned: true, weightIndex: turnedWeightIndex };
    launchSizes(device, { variant, convolution, epilogue, inputs, y: dx, ...sizing });
    return;
  }
  const turned = Tensor.empty([c, o, kh, kw], device);
  device.run(turnWeights, {
    constants: { KH: kh, KW: kw },
    buffers: { weight: w.gpuStorage, turned: turned.gpuStorage },
    params: { o, c },
    grid: linearGrid(w.size, 64),
  });
  launchForward(device, { geometry: turnedGeometry, epilogue }, { x: dy, w: turned, extra: others }, dx);
  turned.dispose();
}

/**
 * The input gradient for any stride, by the kernel that gathers (input-grad.wgsl.ts). As a layer from dy to dx it is a
 * transposed convolution, and may have a bias.
 */
export function launchInputGradGather(
  device: GpuDevice,
  { x: dy, w, b }: ForwardInputs,
  dx: Tensor,
  geometry: Geometry,
): void {
  device.run(inputGradGather, {
    constants: { ...windowConstants(w.shape, geometry), HAS_BIAS: Number(b !== undefined) },
    buffers: { dy: dy.gpuStorage, weight: w.gpuStorage, bias: bufferOf(b, w), dx: dx.gpuStorage },
    params: sizesOf(dx.shape, dy.shape, geometry.padding),
    grid: gridOver(dx.shape, 8),
  });
}

/** The gradients of the weights and, where it is wanted and the plan sums it, of the bias. */
export interface WeightGrads {
  readonly dw: Tensor;
  readonly db?: Tensor;
}

/** Fills dw and db by a plan of plan-weight-grad.ts. Of x, it reads the first channels, as many as the weights take. */
export function launchWeightGrad(
  device: GpuDevice,
  { x, dy }: { readonly x: Tensor; readonly dy: Tensor },
  { dw, db }: WeightGrads,
  geometry: Geometry,
  plan = planWeightGrad(device.profile, {
    wShape: dw.shape,
    yShape: dy.shape,
    geometry,
    hasBias: db !== undefined,
  }),
): void {
  const { partials } = plan;
  const direct = partials === 1 && !db;
  const partial = direct ? dw.gpuStorage : device.allocate(partials * (dw.size + (db?.size ?? 0)));
  device.run(plan.kernel, {
    ...plan,
    buffers: { x: x.gpuStorage, dy: dy.gpuStorage, partial },
    params: {
      n: dy.shape[0],
      ...sizesOf([x.shape[0], dw.shape[1], ...x.shape.slice(2)], dy.shape, geometry.padding),
      x_channels: x.shape[1],
      ...plan.params,
    },
  });
  if (direct) return;
  addPartials(device, partial, partials, { dw, db });
  device.release(partial);
}

/** Fills gradients with the sums of partial gradients. */
export function addPartials(
  device: GpuDevice,
  partial: GpuStorage,
  partials: number,
  { dw, db }: WeightGrads,
): void {
  const { cheapBarriers } = device.profile;
  const size = dw.size + (db?.size ?? 0);
  // Without a bias nothing is written to db, but the binding needs a buffer, and no two may be the same.
  const unused = db ? undefined : device.allocate(1);
  device.run(sumPartials, {
    constants: { ADDERS: cheapBarriers ? 8 : 1, LOADS_AT_ONCE: cheapBarriers ? 4 : 1 },
    buffers: { partial, dw: dw.gpuStorage, db: db?.gpuStorage ?? unused! },
    params: { size, weights: dw.size, partials },
    grid: linearGrid(size, 32),
  });
  if (unused) device.release(unused);
}

/** The parameters that the kernels of convolutions and their gradients have in common. */
export function sizesOf(x: Shape, y: Shape, padding: readonly [number, number]): Record<string, number> {
  return { c: x[1], h: x[2], w: x[3], o: y[1], oh: y[2], ow: y[3], pad_y: padding[0], pad_x: padding[1] };
}
