/**
 * Computing on pictures in typed arrays, in Node and in browsers: sizes and channels, colour spaces, Matlab's
 * resizing, quality measures, patches for training. No files and no tensors: those are in `pixelgrad/data`
 * and `pixelgrad`.
 */
export { type AlphaChoice, withoutAlpha } from "./alpha.ts";
export { lumaOf, rgbToY, rgbToYcbcr, type YOptions, ycbcrToRgb } from "./color.ts";
export { type Damage, damageOf } from "./damage.ts";
export { DataError } from "./errors.ts";
export { browserAccepts, browserFormatNames } from "./formats.ts";
export { type ColorSpace, crop, type Image, modcrop, type Samples, type Size, toRgb } from "./image.ts";
export { imresize, imresizePart, imresizePlane, interpolatePlanes } from "./imresize.ts";
export { jpegQualityOfFile } from "./jpeg-quality.ts";
export { type MetricOptions, psnr, ssim } from "./metrics.ts";
export {
  augment,
  copyPatch,
  inverseSymmetry,
  type PatchPlace,
  randomPlace,
  type Symmetry,
  symmetries,
} from "./patches.ts";
export { fromPlanar, type Planes, toPlanar } from "./planes.ts";
export { type ResizeOptions, type ResizeTable, resizeWeights } from "./resize-weights.ts";
export { scaleFor, sizeWithin, type TargetSize } from "./target-size.ts";
