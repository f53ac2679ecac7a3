import { fittingLows, type SizedPair } from "../data/pair-sizes.ts";
import type { PairFiles } from "../data/pairs.ts";
import { sizeOfPictureFile } from "../files/picture-file.ts";
import { notesOnWarnings } from "../files/reductions.ts";
import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { DataError, textOf } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { toByte } from "../picture/levels.ts";
import { checkWindowFits, psnr, ssim } from "../picture/metrics.ts";
import type { Upscaler } from "../upscale/index.ts";
import { conditionsFor } from "./conditions.ts";
import type { EvaluateOptions } from "./evaluate-options.ts";
import { type Evaluation, meansOf, type PictureScore } from "./evaluation.ts";
import { type Failure, isLoaded, loadPicture, type Picture } from "./pictures.ts";
import { type Conditions, describeConditions, metricOptions } from "./protocol.ts";

const anUpscaler: Wanted = {
  wants: "an upscaler, such as interpolator() makes",
  fits: (value): value is Upscaler =>
    isObject(value) && typeof value.upscale === "function" && whole(1).fits(value.scale),
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
  const measurements = new Measurements(signal, partial, onFailure);
  // What headers tell is told before the first picture is computed.
  const misfits = await checkSizes(pictures, scale, conditions, withSsim, signal);
  const measurable: (PairFiles | Picture)[] = [];
  for (const source of pictures) {
    signal?.throwIfAborted();
    const misfit = misfits.get(source);
    if (misfit === undefined) measurable.push(source);
    else measurements.fail(source.name, misfit);
  }
  for (const source of measurable) {
    if (measurements.mayEnd) break;
    const score = await measurements.attempt(source.name, async () => {
      const picture = isLoaded(source) ? source : await loadPicture(source, scale);
      const isFirst = measurements.images.length === 0;
      for (const [path, warning] of picture.warnings ?? []) measurements.warnings.set(path, warning);
      return scoreOf(upscaler, picture, conditions, { withSsim, warmUp: warmUp && isFirst, signal });
    });
    if (score) onPicture?.(score, measurements.images.length - 1);
  }
  const isPartial = measurements.images.length + measurements.failures.length < pictures.length;
  const evaluation = evaluationOf(upscaler, conditions, measurements);
  return isPartial ? { ...evaluation, stopped: { of: pictures.length } } : evaluation;
}

/** What has become of the pictures so far. */
class Measurements {
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

  /** The signal asks to stop, `partial` allows a part, and there is one. */
  get mayEnd(): boolean {
    return this.#signal?.aborted === true && this.#partial && this.images.length > 0;
  }

  /** The score that `measure` finds for a picture; undefined if it fails, which is noted, or was stopped. */
  async attempt(name: string, measure: () => Promise<PictureScore>): Promise<PictureScore | undefined> {
    this.#signal?.throwIfAborted();
    try {
      const score = await measure();
      this.images.push(score);
      return score;
    } catch (error) {
      if (!this.mayEnd) this.fail(name, error);
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

/** None of the pictures could be measured. */
export class NothingMeasured extends DataError {
  override name = "DataError";
  /** Each of them, and why. */
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super("None of the pictures could be measured, for the reasons that were given.");
    this.failures = failures;
  }
}

/** @throws NothingMeasured */
function evaluationOf(
  { name, scale }: Upscaler,
  conditions: Conditions,
  { images, failures, warnings }: Measurements,
): Evaluation {
  if (images.length === 0) {
    throw new NothingMeasured(failures);
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
