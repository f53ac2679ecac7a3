import { type Cropped, fittingLows, type SizedPair } from "../data/pair-sizes.ts";
import type { PairFiles } from "../data/pairs.ts";
import { type Note, sizeOfPictureFile } from "../files/picture-file.ts";
import { notesOnWarnings } from "../files/reductions.ts";
import {
  aFunction,
  aSignal,
  checkArguments,
  checkOptions,
  isObject,
  listOf,
  trueOrFalse,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, whole } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { DataError, textOf } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { toByte } from "../picture/levels.ts";
import { checkWindowFits, psnr, ssim } from "../picture/metrics.ts";
import type { Upscaler } from "../upscale/index.ts";
import { paddings } from "../upscale/upscale-options.ts";
import { degradationOf, type Failure, isLoaded, loadPicture, lowSourceOf, type Picture } from "./pictures.ts";
import { type Conditions, describeConditions, metricOptions, type Protocol } from "./protocol.ts";

export interface EvaluateOptions {
  /** See protocol.ts. Default "y". */
  protocol?: Protocol;
  /** Pixels left out along each side. Default: the scale. (EDSR's figures on DIV2K: "rgb", scale + 6.) */
  border?: number;
  /** What networks see beyond the picture's edges: see protocol.ts. Default "none", as in the papers. */
  padding?: Conditions["padding"];
  /** Allows LR pictures of several sources, whose figures do not compare, in one mean. Default false. */
  mixed?: boolean;
  /** Enlarges the first picture twice, so that its time does not include compiling kernels. Default true. */
  warmUp?: boolean;
  /** Stops between two tiles or pictures; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** When the signal stops it and a picture is measured, gives what there is, marked as `stopped`. Default false. */
  partial?: boolean;
  /** SSIM takes longer than PSNR, and pictures of at least 11x11 pixels inside the border. Default true. */
  withSsim?: boolean;
  /** Called after each picture that was measured, for progress. */
  onPicture?: (score: PictureScore, index: number) => void;
  /** Called with the message for a picture that cannot be read or compared. Without it, the first ends all. */
  onFailure?: (message: string) => void;
}

const optionsWanted: Readonly<Record<keyof EvaluateOptions, Wanted>> = {
  protocol: oneOf("y", "rgb"),
  border: whole(0, 2 ** 24),
  padding: paddings,
  mixed: trueOrFalse,
  warmUp: trueOrFalse,
  signal: aSignal,
  partial: trueOrFalse,
  withSsim: trueOrFalse,
  onPicture: aFunction,
  onFailure: aFunction,
};

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

const anUpscaler: Wanted = {
  wants: "an upscaler, such as interpolator() makes",
  fits: (value): value is Upscaler =>
    isObject(value) && typeof value.upscale === "function" && whole(1).fits(value.scale),
};

const aPicture: Wanted = {
  wants: "a picture of findPictures() or loadPicture()",
  fits: (value): value is PairFiles | Picture => isObject(value) && ("highY" in value || "high" in value),
};

const scaleAndColors: Wanted = {
  wants: "an upscaler, or its scale and colors",
  fits: (value): value is Pick<Upscaler, "scale" | "colors"> =>
    isObject(value) && whole(1).fits(value.scale) && typeof value.colors === "string",
};

/**
 * Enlarges the small version of every picture and compares the result with the large one. Pictures may be
 * files, which are read one after the other, or loaded already.
 *
 * @throws DataError if there are no pictures, or one cannot be read or compared; with `onFailure`, only if that
 *   is so of all.
 */
export async function evaluate(
  upscaler: Upscaler,
  pictures: readonly (PairFiles | Picture)[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkArguments("evaluate", { upscaler: [upscaler, anUpscaler] });
  const conditions = conditionsFor("evaluate", upscaler, pictures, options);
  const { warmUp = true, withSsim = true, partial = false, signal, onPicture, onFailure } = options;
  const { scale } = upscaler;
  const measured = new Measured(signal, partial, onFailure);
  // What headers tell is told before the first picture is computed.
  const misfits = await checkSizes(pictures, scale, conditions, withSsim, signal);
  const measurable: (PairFiles | Picture)[] = [];
  for (const source of pictures) {
    signal?.throwIfAborted();
    const misfit = misfits.get(source);
    if (misfit === undefined) measurable.push(source);
    else measured.fail(source.name, misfit);
  }
  for (const source of measurable) {
    if (signal?.aborted && partial && measured.images.length > 0) break;
    const score = await measured.attempt(source.name, async () => {
      const picture = isLoaded(source) ? source : await loadPicture(source, scale);
      const isFirst = measured.images.length === 0;
      for (const [path, warning] of picture.warnings ?? []) measured.warnings.set(path, warning);
      return scoreOf(upscaler, picture, conditions, { withSsim, warmUp: warmUp && isFirst, signal });
    });
    if (score) onPicture?.(score, measured.images.length - 1);
  }
  const isStopped = measured.images.length + measured.failures.length < pictures.length;
  const evaluation = evaluationOf(upscaler, conditions, measured);
  return isStopped ? { ...evaluation, stopped: { of: pictures.length } } : evaluation;
}

/** What has become of the pictures so far. */
class Measured {
  readonly images: PictureScore[] = [];
  readonly failures: Failure[] = [];
  readonly warnings = new Map<string, string>();
  readonly #signal: AbortSignal | undefined;
  readonly #partial: boolean;
  readonly #onFailure: EvaluateOptions["onFailure"];

  constructor(signal: AbortSignal | undefined, partial: boolean, onFailure: EvaluateOptions["onFailure"]) {
    this.#signal = signal;
    this.#partial = partial;
    this.#onFailure = onFailure;
  }

  /** The score that `measure` finds for a picture; undefined if it fails, which is noted. */
  async attempt(name: string, measure: () => Promise<PictureScore>): Promise<PictureScore | undefined> {
    this.#signal?.throwIfAborted();
    try {
      const score = await measure();
      this.images.push(score);
      return score;
    } catch (error) {
      if (this.#signal?.aborted && this.#partial && this.images.length > 0) return undefined;
      this.fail(name, error);
      return undefined;
    }
  }

  /** Notes that a picture cannot be measured. @throws the error, if nobody listens or it is no picture's fault */
  fail(name: string, error: unknown): void {
    if (!this.#onFailure || !(error instanceof DataError)) throw error;
    this.failures.push({ name, error: error.message });
    this.#onFailure(error.message);
  }
}

/** @param options.warmUp enlarges the picture once before, so that its time does not include compiling kernels. */
function scoreOf(
  upscaler: Upscaler,
  picture: Picture,
  conditions: Conditions,
  { withSsim, warmUp, signal }: { withSsim: boolean; warmUp: boolean; signal: AbortSignal | undefined },
): Promise<PictureScore> {
  return nameErrors(picture.path, async () => {
    if (warmUp) await enlarge(upscaler, picture, conditions, signal);
    const start = performance.now();
    const result = await enlarge(upscaler, picture, conditions, signal);
    const ms = performance.now() - start;
    return { ...compare(result, picture, conditions, withSsim), ms };
  });
}

/** @throws DataError if nothing was measured */
function evaluationOf(
  { name, scale }: Upscaler,
  conditions: Conditions,
  { images, failures, warnings }: Measured,
): Evaluation {
  if (images.length === 0) {
    throw new DataError("None of the pictures could be measured, for the reasons that were given.");
  }
  const exact = images.filter(({ psnr }) => psnr === Infinity).map((image) => image.name);
  return {
    ...conditions,
    method: name,
    scale,
    conditions: describeConditions(conditions),
    notes: notesOnWarnings(warnings),
    failures,
    exact,
    ...meansOf(images, exact),
    images,
  };
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
function meansOf(images: readonly PictureScore[], exact: readonly string[]) {
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

/** By the headers of the files: the pictures whose sizes do not fit, or are too small to be measured, and why. */
async function checkSizes(
  pictures: readonly (PairFiles | Picture)[],
  scale: number,
  { border }: Conditions,
  withSsim: boolean,
  signal: AbortSignal | undefined,
): Promise<Map<object, Error>> {
  const misfits = new Map<object, Error>();
  const pairs: SizedPair[] = [];
  for (const files of pictures) {
    if (isLoaded(files)) continue;
    signal?.throwIfAborted();
    try {
      const high = await sizeOfPictureFile(files.high);
      const low = files.low === undefined ? undefined : await sizeOfPictureFile(files.low);
      pairs.push({ files, high, low });
    } catch (error) {
      // Without a DataError, the header is damaged: reading the file says more.
      if (error instanceof DataError) misfits.set(files, error);
    }
  }
  for (const [i, size] of fittingLows(pairs, scale).entries()) {
    const { files } = pairs[i];
    try {
      if (size instanceof DataError) throw size;
      const measured = { width: size.width * scale, height: size.height * scale };
      if (withSsim) await nameErrors(files.high, async () => checkWindowFits(measured, border));
    } catch (error) {
      misfits.set(files, error as Error);
    }
  }
  return misfits;
}

/** The conditions under which `evaluate` will measure. */
export function conditionsOf(
  upscaler: Pick<Upscaler, "scale" | "colors">,
  pictures: readonly (PairFiles | Picture)[],
  options: EvaluateOptions = {},
): Conditions {
  return conditionsFor("conditionsOf", upscaler, pictures, options);
}

function conditionsFor(
  caller: string,
  upscaler: Pick<Upscaler, "scale" | "colors">,
  pictures: readonly (PairFiles | Picture)[],
  options: EvaluateOptions,
): Conditions {
  checkArguments(caller, {
    upscaler: [upscaler, scaleAndColors],
    pictures: [pictures, listOf(aPicture)],
  });
  checkOptions(caller, options, optionsWanted);
  const { scale, colors } = upscaler;
  const { protocol = "y", border = scale, padding = "none", mixed = false } = options;
  if (pictures.length === 0) throw new DataError("there are no pictures; name at least one.", { caller });
  const sources = [...new Set(pictures.map(lowSourceOf))];
  const isMixed = sources.length > 1;
  if (isMixed && !mixed) {
    throw new DataError(
      `the pictures' LR is of several sources (${andList(sources)}), whose figures do not compare. Choose one for ` +
        "all pictures, or allow the mixture by the option `mixed`.",
      { caller },
    );
  }
  const degradations = new Set(pictures.map(degradationOf));
  const [degradation] = degradations;
  return {
    protocol,
    border,
    padding,
    lowSource: isMixed ? "mixed" : sources[0],
    ...(degradations.size === 1 && degradation !== undefined && { degradation }),
    colors: protocol === "y" && colors !== "rgb" ? "y" : "rgb",
  };
}

/** The result that the conditions compare: RGB, or a plane of rounded luma. */
async function enlarge(
  upscaler: Upscaler,
  { low, lowY }: Picture,
  { colors, padding }: Conditions,
  signal: AbortSignal | undefined,
): Promise<Image> {
  if (colors === "rgb") return upscaler.upscale(low, { padding, signal });
  const plane = await upscaler.upscaleY(lowY, low.width, low.height, { padding, signal });
  const [width, height] = [low.width * upscaler.scale, low.height * upscaler.scale];
  return { width, height, channels: 1, data: Uint8Array.from(plane, toByte) };
}

function compare(result: Image, picture: Picture, conditions: Conditions, withSsim: boolean) {
  const { protocol, border, colors } = conditions;
  const original = colors === "rgb" ? picture.high : picture.highY;
  const options = metricOptions(protocol, border);
  return {
    name: picture.name,
    psnr: psnr(result, original, options),
    ssim: withSsim ? ssim(result, original, options) : Number.NaN,
    megapixels: (result.width * result.height) / 1e6,
    ...(Object.keys(picture.cropped).length > 0 && { cropped: picture.cropped }),
  };
}

/** Lets errors begin with the path of the picture that they are about. */
async function nameErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DataError || cause instanceof RangeError)) throw cause;
    throw new DataError(`${path}: ${textOf(cause)}`, { cause });
  }
}
