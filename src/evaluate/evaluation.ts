/** What measuring finds, and its means. */
import type { Cropped } from "../data/pair-sizes.ts";
import type { Note } from "../files/picture-file.ts";
import { checkArguments, isObject, listOf, type Wanted } from "../options/arguments.ts";
import type { Failure } from "./pictures.ts";
import type { Conditions } from "./protocol.ts";

export interface PictureScore {
  name: string;
  /** dB; Infinity if the result equals the original. */
  psnr: number;
  /** NaN without `withSsim`. */
  ssim: number;
  /** Milliseconds for enlarging alone, from memory to memory. */
  ms: number;
  /** Megapixels of the result. */
  megapixels: number;
  /** What the files have lost at the right and at the bottom; absent if nothing. */
  cropped?: Cropped;
}

export interface Evaluation extends Conditions {
  method: string;
  scale: number;
  /** The conditions in one line. */
  conditions: string;
  /** Only if the signal stopped it: how many pictures there were to measure. `images` are fewer. */
  stopped?: { of: number };
  images: PictureScore[];
  /** What decoders warn of in the files that were read. */
  notes: Note[];
  /** Pictures that could not be measured. They are not among the images. */
  failures: Failure[];
  /**
   * Names of the images whose result equals the original, in a comparison that of any method. Their PSNR,
   * which is infinite, is no part of the mean.
   */
  exact: string[];
  /**
   * Means over the images, which count the same. Decibels are averaged as they are, as in all papers. PSNR is
   * Infinity if no image has another.
   */
  mean: { psnr: number; ssim: number; ms: number };
  /** Over all pictures. */
  msPerMegapixel: number;
}

const anEvaluation: Wanted<Evaluation> = {
  wants: "an evaluation, as evaluate() returns it",
  fits: (value): value is Evaluation => isObject(value) && Array.isArray(value.images),
};

/**
 * The same evaluations over the pictures that all of them measured, so that their means compare. A picture
 * that one method enlarges without any error is in no one's mean PSNR, unless nothing else is left. All
 * failures are in all results.
 */
export function overCommonPictures<E extends Evaluation>(evaluations: readonly E[]): E[] {
  checkArguments("overCommonPictures", { "the first argument": [evaluations, listOf(anEvaluation)] });
  const isCommon = ({ name }: PictureScore) =>
    evaluations.every(({ images }) => images.some((image) => image.name === name));
  const exact = [...new Set(evaluations.flatMap((evaluation) => evaluation.exact))];
  const failures = [
    ...new Map(evaluations.flatMap((one) => one.failures).map((failure) => [failure.name, failure])).values(),
  ];
  return evaluations.map((evaluation) => {
    const images = evaluation.images.filter(isCommon);
    return { ...evaluation, failures, exact, images, ...meansOf(images, exact) };
  });
}

/** The means over images. PSNR is that of the inexact ones. */
export function meansOf(images: readonly PictureScore[], exact: readonly string[]) {
  const inexact = images.filter(({ name }) => !exact.includes(name));
  const finite = inexact.length > 0 ? inexact : images.filter(({ psnr }) => psnr !== Infinity);
  // Sorted, so that the mean does not depend on the order of the pictures, not even in its last digit.
  const mean = (key: "psnr" | "ssim" | "ms", of: readonly PictureScore[] = images) =>
    Float64Array.from(of, (image) => image[key])
      .sort()
      .reduce((sum, value) => sum + value, 0) / of.length;
  const megapixels = images.reduce((sum, image) => sum + image.megapixels, 0);
  const psnr = finite.length > 0 ? mean("psnr", finite) : Infinity;
  return {
    mean: { psnr, ssim: mean("ssim"), ms: mean("ms") },
    msPerMegapixel: (mean("ms") * images.length) / megapixels,
  };
}
