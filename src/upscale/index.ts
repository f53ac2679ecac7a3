export { DataError } from "../data/errors.ts";
export type { Image, Samples } from "../data/image.ts";
export type { AlphaChoice } from "./alpha.ts";
export { type Interpolation, interpolator } from "./interpolator.ts";
export {
  defaultMethod,
  type MethodChoice,
  type OpenedMethod,
  type OpenMethodOptions,
  openMethod,
} from "./method.ts";
export { networkUpscaler } from "./network.ts";
export { selfEnsemble } from "./self-ensemble.ts";
export { type PictureSource, toImageData } from "./source.ts";
export { type Upscaled, type UpscalePictureOptions, upscale } from "./upscale.ts";
export type { Method, Planes, UpscaleOptions, Upscaler } from "./upscaler.ts";
