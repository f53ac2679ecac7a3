/** Measuring methods of super-resolution on pictures, by the literature's protocols. Node only. */

export type { Cropped } from "../data/pair-sizes.ts";
export type { Note } from "../files/picture-file.ts";
export type { Size } from "../picture/image.ts";
export {
  conditionsOf,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  overCommonPictures,
  type PictureScore,
} from "./evaluate.ts";
export {
  type Failure,
  type FindPicturesOptions,
  findPictures,
  loadPicture,
  type Picture,
} from "./pictures.ts";
export { type Conditions, describeConditions, type LowSource, type Protocol } from "./protocol.ts";
