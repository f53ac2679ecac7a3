export type { AlphaChoice } from "../picture/alpha.ts";
export { DataError } from "../picture/errors.ts";
export type { Image, Samples } from "../picture/image.ts";
export type { Planes } from "../picture/planes.ts";
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
export { type PictureSource, readSource, toImageData } from "./source.ts";
export { type Upscaled, type UpscalePictureOptions, upscale } from "./upscale.ts";
export type { Method, UpscaleOptions, Upscaler } from "./upscaler.ts";
