export type { AlphaChoice } from "../picture/alpha.ts";
export { DataError } from "../picture/errors.ts";
export type { Image, Samples } from "../picture/image.ts";
export type { Planes } from "../picture/planes.ts";
export type { Band, Bands, UpscaleReport } from "./bands.ts";
export { type Interpolation, interpolator } from "./interpolator.ts";
export type { Method } from "./method.ts";
export { networkUpscaler } from "./network.ts";
export {
  defaultMethod,
  type MethodChoice,
  type OpenedMethod,
  type OpenMethodOptions,
  openMethod,
} from "./open-method.ts";
export { selfEnsemble } from "./self-ensemble.ts";
export { type PictureSource, toImageData } from "./source.ts";
export type { UpscaleOptions } from "./tiles.ts";
export { type Upscaled, type UpscalePictureOptions, upscale, upscaleBands } from "./upscale.ts";
export type { Upscaler } from "./upscaler.ts";
