/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Picture files and data sets: reading and writing, degradations, DIV2K, training batches. Node only; no
 * tensors. What computes on pictures is in `pixelgrad/picture`.
 */

export { decodeImage, encodePng, readImage, writePng, writeWhole } from "../files/image-files.ts";
export { type LeftOut, type PicturesIn, picturesIn, type SearchOptions } from "../files/pictures-in.ts";
export { DataError } from "../picture/errors.ts";
export type { Image } from "../picture/image.ts";
export { degradationKind } from "./degradation-kind.ts";
export {
  type Degradation,
  type DegradationOptions,
  degrade,
  drawDegradation,
  type FirstOrderDegradation,
  type FirstOrderOptions,
  type StepwiseDegradation,
} from "./degrade.ts";
export {
  type Blur,
  type DegradationStep,
  type PhotoOptions,
  type PhotoStage,
  photoStages,
  type Range,
  type Shrink,
} from "./degrade-photo.ts";
export { type Div2kOptions, type Div2kSplit, type Div2kTrack, div2kScales, openDiv2k } from "./div2k.ts";
export { type Div2kDownloadOptions, type Div2kProgress, downloadDiv2k } from "./div2k-download.ts";
export { type FolderOptions, openFolder } from "./folder.ts";
export { type PatchBatch, PatchLoader } from "./loader.ts";
export type { LoaderOptions } from "./loader-options.ts";
export type { LoaderState } from "./loader-state.ts";
export type { Pair, PairDataset, PairFiles, PairFormat } from "./pairs.ts";
