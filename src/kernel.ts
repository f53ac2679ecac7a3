/**
 * What operations are made of, for operations of your own: the package's entry `pixelgrad/kernel`.
 * docs/own-operations.md leads through an example.
 */

export type { CpuStorage, FloatArray } from "./device/cpu-device.ts";
export type { Device, DeviceProfile, Storage } from "./device/device.ts";
export type { GpuDevice } from "./device/gpu-device.ts";
export type { Bindable, GpuStorage } from "./device/gpu-storage.ts";
export {
  type Binding,
  type Grid,
  type Kernel,
  kernel,
  linearGrid,
  MAX_GRID,
  type Param,
  type Specialization,
  wgslSource,
} from "./device/kernel.ts";
export type { Launch, Params } from "./device/launch.ts";
export type { KernelMessage } from "./device/pipelines.ts";
export { type AdapterClass, facts, type Identity } from "./device/profile.ts";
export type {} from "./device/webgpu-types.ts";
export type { Estimate } from "./kernels/conv2d/estimate.ts";
export {
  type Conv2dStep,
  conv2dSteps,
  launchStep,
  type StepShape,
  type StepTensors,
} from "./kernels/conv2d/steps.ts";
export { withHelpers } from "./kernels/elementwise/numeric.ts";
export { type Ceilings, measureCeilings } from "./measure/ceilings.ts";
export {
  type InTurns,
  type InTurnsOptions,
  type Timed,
  type Times,
  timeInTurns,
} from "./measure/in-turns.ts";
export { limitOf, type Work } from "./measure/limits.ts";
export type { TimingOptions } from "./measure/timing.ts";
export { disposeUnderNoGrad } from "./tensor/no-grad.ts";
export {
  defineOp,
  type Inputs,
  type MultiOpDefinition,
  type NdArray,
  type OpDefinition,
} from "./tensor/op.ts";
export {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxes,
  numel,
  type Shape,
  ShapeError,
  sameShape,
  stridesOf,
} from "./tensor/shape.ts";
export { type GradientOf, Tensor } from "./tensor/tensor.ts";
export { defineUpdate, type UpdateDefinition } from "./tensor/update.ts";
export * from "./testing/index.ts";
