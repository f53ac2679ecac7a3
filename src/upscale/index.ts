export type { AlphaChoice } from "../picture/alpha.ts";
export { DataError } from "../picture/errors.ts";
export type { ColorSpace, Image, Samples } from "../picture/image.ts";
export type { Planes } from "../picture/planes.ts";
export type { Band, Bands, UpscaleReport } from "./bands.ts";
export { type Choice, chooseMethod, type Sign } from "./choice.ts";
export type { Enlarge, LevelsMethod, Method, TensorMethod, WithDevice } from "./method.ts";
export {
  defaultMethod,
  type Interpolation,
  type MethodName,
  methodNames,
  type PretrainedName,
  type PretrainedScale,
  photoMethod,
  pretrainedNames,
  pretrainedScales,
  scalesOf,
} from "./method-names.ts";
export { type ExportOnnxOptions, exportOnnx } from "./onnx.ts";
export { type MethodChoice, type OpenedMethod, type OpenMethodOptions, openMethod } from "./open-method.ts";
export { loadPretrained } from "./pretrained.ts";
export { type PictureNote, type PictureSource, type ReadPicture, readSource, toImageData } from "./source.ts";
export type { Drawable } from "./source-browser.ts";
export { type Upscaled, type UpscalePictureOptions, upscale, upscaleBands } from "./upscale.ts";
export type { BandOptions, FinishedTile, Progress, TileOptions, UpscaleOptions } from "./upscale-options.ts";
export { interpolator, networkUpscaler, selfEnsemble, type Upscaler } from "./upscaler.ts";
