export type {
  CharbonnierOptions,
  HuberOptions,
  LossOptions,
  SmoothL1Options,
} from "../kernels/loss/index.ts";
export type { AdamOptions } from "../kernels/optim/adam.ts";
export type { SgdOptions } from "../kernels/optim/sgd.ts";
export {
  ELU,
  type FusedOptions,
  GELU,
  Identity,
  LeakyReLU,
  PReLU,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from "./activations.ts";
export { emaDecay, emaUpdate } from "./average.ts";
export { addGradients, clipGradNorm } from "./gradients.ts";
export { fftLoss, ssimLoss } from "./image-losses.ts";
export { kaimingNormalInit, normalInit, type WeightedLayer, type WeightInitOptions } from "./init.ts";
export {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Conv2d,
  type Conv2dModuleOptions,
  ConvTranspose2d,
  type ConvTranspose2dModuleOptions,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  PixelShuffle,
  Sequential,
  Upsample,
} from "./layers.ts";
export {
  BCEWithLogitsLoss,
  CharbonnierLoss,
  CrossEntropyLoss,
  FFTLoss,
  HuberLoss,
  L1Loss,
  MSELoss,
  SmoothL1Loss,
  SSIMLoss,
} from "./losses.ts";
export { type Layer, Module, type NamedArray, type StateDifference } from "./module.ts";
export {
  BatchNorm2d,
  GroupNorm,
  groupNorm,
  LayerNorm,
  layerNorm,
  type NormModuleOptions,
  type NormOptions,
} from "./normalization.ts";
export { Adam, AdamW, type Optimizer, type OptimizerState, SGD } from "./optimizer.ts";
export { cosineAnnealingLR, multiStepLR, type Schedule, stepLR, warmup } from "./schedules.ts";
export { whiteningInit } from "./whitening.ts";
