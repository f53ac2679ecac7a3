/// <reference lib="esnext.disposable" preserve="true" />
/** Pictures in and out, the bicubic degradation, quality measures and training batches. Node only; no tensors. */
export { rgbToY, rgbToYcbcr, type YOptions, ycbcrToRgb } from "../picture/color.ts";
export { DataError } from "../picture/errors.ts";
export { crop, fromPlanar, type Image, modcrop, toPlanar, toRgb } from "../picture/image.ts";
export { imresize, imresizePlane } from "../picture/imresize.ts";
export { type MetricOptions, psnr, ssim } from "../picture/metrics.ts";
export {
  augment,
  copyPatch,
  inverseSymmetry,
  type PatchPlace,
  randomPair,
  randomPlace,
  type Symmetry,
  symmetries,
} from "../picture/patches.ts";
export { type ResizeOptions, type ResizeTable, resizeWeights } from "../picture/resize-weights.ts";
export {
  type Degradation,
  type DegradationOptions,
  degrade,
  drawDegradation,
  type Range,
  type Shrink,
} from "./degrade.ts";
export { type Div2kOptions, type Div2kSplit, type Div2kTrack, div2kScales, openDiv2k } from "./div2k.ts";
export { type Div2kDownloadOptions, type Div2kProgress, downloadDiv2k } from "./div2k-download.ts";
export { decodeImage, encodePng, readImage, writePng, writeWhole } from "./files.ts";
export { openFolder } from "./folder.ts";
export { type LoaderOptions, type LoaderState, type PatchBatch, PatchLoader } from "./loader.ts";
export type { Pair, PairDataset, PairFiles, PairFormat } from "./pairs.ts";
