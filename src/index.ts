/// <reference lib="esnext.disposable" preserve="true" />
/**
 * pixelgrad: tensors, autograd and super-resolution networks on hand-written WebGPU kernels. The same API in
 * Node and in browsers; `pixelgrad/data` (Node only) reads and writes picture files.
 */

export type { AdapterChoice } from "./device/adapter-choice.ts";
export type { DawnSwitch } from "./device/dawn.ts";
export {
  type Device,
  DeviceLostError,
  type DeviceProfile,
  type DType,
  GpuError,
  type MemoryStats,
} from "./device/device.ts";
export {
  defaultDevice,
  type InitOptions,
  init,
  memory,
  onDevice,
  openDevice,
  setDefaultDevice,
} from "./device/open.ts";
export { span, startTrace, type Trace, type TraceEvent } from "./device/trace.ts";
export type { Choice as TuningChoice, TuningFile } from "./device/tuning.ts";
export type {} from "./device/webgpu-types.ts";
export { type BatchNormOptions, batchNorm, type RunningStatistics } from "./kernels/batch-norm/index.ts";
export { cast } from "./kernels/cast/index.ts";
export { type ConvTranspose2dOptions, convTranspose2d } from "./kernels/conv-transpose2d/index.ts";
export type { Pair as SizePair } from "./kernels/conv2d/geometry.ts";
export { type Activation, type Conv2dOptions, conv2d } from "./kernels/conv2d/index.ts";
export type { Variant as ConvVariant } from "./kernels/conv2d/plan.ts";
export { crossEntropy } from "./kernels/cross-entropy/index.ts";
export { type DenseLayer, denseConv2d } from "./kernels/dense-conv2d/index.ts";
export { type DropoutOptions, dropout } from "./kernels/dropout/index.ts";
export * from "./kernels/elementwise/index.ts";
export type { GeluOptions } from "./kernels/elementwise/unary.ts";
export {
  broadcastTo,
  concat,
  detach,
  flatten,
  flip,
  permute,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
} from "./kernels/layout/index.ts";
export {
  binaryCrossEntropyWithLogits,
  charbonnierLoss,
  huberLoss,
  l1Loss,
  mseLoss,
  smoothL1Loss,
} from "./kernels/loss/index.ts";
export { linear, matmul } from "./kernels/matmul/index.ts";
export { type PadMode, pad } from "./kernels/pad/index.ts";
export { pixelShuffle, pixelUnshuffle } from "./kernels/pixel-shuffle/index.ts";
export { avgPool2d, maxPool2d, type PoolOptions } from "./kernels/pool/index.ts";
export {
  argmax,
  max,
  mean,
  min,
  type ReduceOptions,
  std,
  sum,
  type VarianceOptions,
  variance,
} from "./kernels/reduce/index.ts";
export {
  type Convention as ResizeConvention,
  type InterpolateOptions,
  interpolate,
  type ResizeMode,
} from "./kernels/resize/index.ts";
export { logSoftmax, softmax } from "./kernels/softmax/index.ts";
export * from "./models/index.ts";
export * from "./nn/index.ts";
export type { Wanted } from "./options/arguments.ts";
export { type Captured, capture } from "./tensor/capture.ts";
export { compileAhead } from "./tensor/compile-ahead.ts";
export {
  arange,
  full,
  type NestedArray,
  ones,
  type RandomOptions,
  rand,
  randn,
  type TensorOptions,
  tensor,
  zeros,
} from "./tensor/create.ts";
export { noGrad } from "./tensor/no-grad.ts";
export { manualSeed, Random } from "./tensor/random.ts";
export { keep, outsideScopes, type Scope, scope, type Tracked as Disposables } from "./tensor/scope.ts";
export { type Axes, type Shape, ShapeError } from "./tensor/shape.ts";
export { type FormatOptions, formatTensor, show } from "./tensor/show.ts";
export { backward, type Gradients } from "./tensor/tape.ts";
export { type TapedValue, type TapeNode, Tensor } from "./tensor/tensor.ts";

export * from "./upscale/index.ts";
export * from "./weights/index.ts";
