export { DataError } from "../data/errors.ts";
export type { Image } from "../data/image.ts";
export { type Interpolation, interpolator } from "./interpolator.ts";
export { type NetworkUpscalerOptions, networkUpscaler } from "./network.ts";
export { selfEnsemble } from "./self-ensemble.ts";
export { forwardInTiles, type TileOptions } from "./tiles.ts";
export type { Planes, UpscaleOptions, Upscaler } from "./upscaler.ts";
