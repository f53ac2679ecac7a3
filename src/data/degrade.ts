import { decodeImage, toSharp } from "../files/image-files.ts";
import {
  ArgumentError,
  anything,
  checkArguments,
  checkIsObject,
  checkOptions,
  isObject,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import { checkByteImage, type Image } from "../picture/image.ts";
import { imresize } from "../picture/imresize.ts";
import { toByte } from "../picture/levels.ts";
import { mirror, type ResizeOptions } from "../picture/resize-weights.ts";
import { Random } from "../tensor/random.ts";
import {
  type Blur,
  boundsOf,
  type DegradationStep,
  drawPhoto,
  isPhoto,
  type PhotoOptions,
  type Range,
  type Shrink,
} from "./degrade-photo.ts";

/**
 * How LR pictures are degraded beyond bicubic shrinking, so that a network learns to enlarge what cameras and
 * the web deliver: once in an order that is fixed (`FirstOrderOptions`), or over and over with everything
 * drawn at random (`PhotoOptions`).
 */
export type DegradationOptions = FirstOrderOptions | PhotoOptions;

/**
 * The classical model of blind super-resolution, applied once, in this order:
 *
 *     LR = JPEG(shrink(HR * blur) + noise)
 *
 * (Zhang et al., "Designing a Practical Degradation Model", ICCV 2021 (BSRGAN); Wang et al., "Real-ESRGAN",
 * ICCVW 2021, who call it first-order.) Steps without an option are left out.
 */
export interface FirstOrderOptions {
  /** Determines everything that is drawn at random. Any whole number. */
  seed: number;
  /** Gaussian blur. Real-ESRGAN: both sigmas 0.2 to 3, angle -180 to 180. */
  blur?: {
    /** Standard deviation along the kernel's first axis, in HR pixels, 0 to 20. */
    sigma: Range;
    /** Along its second axis; without it the kernel is round. */
    sigma2?: Range;
    /** Angle from the picture's x axis to the kernel's first axis, clockwise, in degrees. Default 0. */
    angle?: Range;
  };
  /** How to shrink; of several, one is drawn. Default "bicubic": Matlab's imresize. */
  shrink?: Shrink | readonly Shrink[];
  /**
   * Standard deviation of Gaussian noise in levels of 0..255, each sample by itself. Real-ESRGAN: 1 to 30.
   */
  noise?: Range;
  /**
   * Shot noise: photons that a white sample counts, above 0. A sample is then Poisson distributed, with a
   * standard deviation of 255 / sqrt(photons) levels in white and less in the dark.
   */
  photons?: Range;
  /** JPEG quality 1 to 100, with 4:2:0 chroma, as files from the web have it. Real-ESRGAN: 30 to 95. */
  jpeg?: Range;
}

/** What was drawn for one picture or patch; fit for JSON, for logs. */
export type Degradation = FirstOrderDegradation | StepwiseDegradation;

/** A step that is left out is undefined. */
export interface FirstOrderDegradation {
  blur?: Blur;
  shrink: Shrink;
  noise?: number;
  photons?: number;
  jpeg?: number;
  /** Seeds the noise. */
  seed: number;
}

/** Steps in any order and number; the last but JPEG and filters makes the picture as small as LR. */
export interface StepwiseDegradation {
  steps: DegradationStep[];
  /** Seeds the noise. */
  seed: number;
}

const shrinkings: Record<Shrink, ResizeOptions> = {
  bicubic: { kernel: "cubic" },
  bilinear: { kernel: "linear" },
  area: { kernel: "box" },
  nearest: { kernel: "box", antialias: false },
};

/**
 * The degradation of picture number `index`, drawn from the options and the number alone (with `PhotoOptions`,
 * from the scale too). Throws a RangeError for wrong options.
 */
export function drawDegradation(options: PhotoOptions, index: number, scale: number): StepwiseDegradation;
export function drawDegradation(options: FirstOrderOptions, index: number): FirstOrderDegradation;
export function drawDegradation(options: DegradationOptions, index: number, scale: number): Degradation;
export function drawDegradation(options: DegradationOptions, index: number, scale?: number): Degradation {
  checkIsObject("drawDegradation", options, "such as { seed: 1 }");
  checkArguments("drawDegradation", { seed: [options.seed, whole()], index: [index, whole(0, 2 ** 20)] });
  const base = new Random(options.seed).next(); // so that seeds 1 and 2 share no picture
  return draw(options, new Random(base * 2 ** 20 + index), scale);
}

/** The degradation of one patch in training: another one for every seed. */
export function drawForPatch(options: DegradationOptions, seed: number, scale: number): Degradation {
  return draw(options, new Random((new Random(options.seed).next() ^ seed) >>> 0), scale);
}

function draw(options: DegradationOptions, random: Random, scale: number | undefined): Degradation {
  return isPhoto(options) ? drawPhoto(options, random, scale) : drawFirstOrder(options, random);
}

function drawFirstOrder(options: FirstOrderOptions, random: Random): FirstOrderDegradation {
  checkOptions("drawDegradation", options, firstOrderNames, ["seed"]);
  const { blur, shrink = "bicubic", noise, photons, jpeg } = options;
  checkArguments("drawDegradation", { blur: [blur, optional(anObject)] });
  if (blur) {
    checkOptions("drawDegradation", blur, { sigma: anything, sigma2: anything, angle: anything }, ["sigma"]);
    checkArguments("drawDegradation", { sigma: [blur.sigma, someRange] });
  }
  // Draws a number even if there is no range, so that adding noise does not change the blur.
  const draw = (name: string, range: Range | undefined, lowest: number, highest: number) => {
    const [min, max] = range === undefined ? [lowest, lowest] : boundsOf(name, range, lowest, highest);
    const value = min + random.uniform() * (max - min);
    return range === undefined ? undefined : value;
  };
  const sigma = draw("blur.sigma", blur?.sigma, 0, 20)!;
  const sigma2 = draw("blur.sigma2", blur?.sigma2, 0, 20) ?? sigma;
  const angle = draw("blur.angle", blur?.angle, -360, 360) ?? 0;
  const kinds = Array.isArray(shrink) ? (shrink as readonly Shrink[]) : [shrink as Shrink];
  if (kinds.length === 0 || !kinds.every((kind) => Object.keys(shrinkings).includes(kind))) {
    const names = Object.keys(shrinkings).join(", ");
    throw new ArgumentError(
      "drawDegradation",
      `shrink must be one of ${names}, or a list of them, not ${quote(shrink)}.`,
    );
  }
  const degradation = {
    blur: blur && { sigma, sigma2, angle },
    shrink: kinds[random.int(kinds.length)],
    noise: draw("noise", noise, 0, 255),
    photons: draw("photons", photons, 1e-3, 1e9),
    jpeg: draw("jpeg", jpeg, 1, 100),
    seed: random.next(),
  };
  return { ...degradation, jpeg: degradation.jpeg && Math.round(degradation.jpeg) };
}

const firstOrderNames = {
  seed: anything,
  blur: anything,
  shrink: anything,
  noise: anything,
  photons: anything,
  jpeg: anything,
};

const someRange: Wanted<Range> = {
  wants: "a number or [min, max]",
  fits: (value): value is Range => typeof value === "number" || Array.isArray(value),
};

const anObject: Wanted<object> = { wants: "an object such as { sigma: [0.2, 2] }", fits: isObject };

const aDegradation: Wanted<Degradation> = {
  wants: "a degradation, as drawDegradation() returns it",
  fits: (value): value is Degradation =>
    isObject(value) &&
    whole().fits(value.seed) &&
    (Array.isArray(value.steps) || Object.hasOwn(shrinkings, String(value.shrink))),
};

/**
 * Makes the LR picture of an RGB picture whose sides are multiples of `scale`. Every step ends in bytes, as
 * it would between programs. The same degradation always gives the same picture (for JPEG, with the same
 * version of sharp).
 */
export async function degrade(high: Image, scale: number, degradation: Degradation): Promise<Image> {
  checkByteImage(high, "degrade");
  checkArguments("degrade", { scale: [scale, whole(1)], degradation: [degradation, aDegradation] });
  if (high.channels !== 3 || high.width % scale !== 0 || high.height % scale !== 0) {
    throw new DataError(
      `wants an RGB picture whose sides are multiples of ${scale}, not ` +
        `${high.width}x${high.height} with ${high.channels} channels; call toRgb and modcrop first.`,
      { caller: "degrade" },
    );
  }
  const random = new Random(degradation.seed);
  const low = { width: high.width / scale, height: high.height / scale };
  let image = high;
  for (const step of stepsOf(degradation)) image = await take(step, image, low, random);
  return image;
}

function stepsOf(degradation: Degradation): readonly DegradationStep[] {
  if ("steps" in degradation) return degradation.steps;
  const { blur, shrink, noise, photons, jpeg } = degradation;
  return [
    ...(blur ? [{ blur }] : []),
    { resize: shrink, size: 1 },
    ...(photons ? [{ photons }] : []),
    ...(noise === undefined ? [] : [{ noise }]),
    ...(jpeg === undefined ? [] : [{ jpeg }]),
  ];
}

async function take(
  step: DegradationStep,
  image: Image,
  low: { width: number; height: number },
  random: Random,
): Promise<Image> {
  if ("blur" in step) return gaussianBlur(image, step.blur);
  if ("sinc" in step) return applyKernels(image, [sincKernel(step.sinc, step.reach)]);
  if ("resize" in step) {
    const side = (length: number) => Math.max(1, Math.round(length * step.size));
    const size = { width: side(low.width), height: side(low.height) };
    return imresize(image, size, shrinkings[step.resize]);
  }
  if ("noise" in step) return withNoise(image, step.grey, () => step.noise * random.normal());
  if ("photons" in step) {
    const { photons } = step;
    return withNoise(image, step.grey, (v) => (255 * poisson(random, (v / 255) * photons)) / photons - v);
  }
  const jpeg = await (await toSharp(image)).jpeg({ quality: step.jpeg }).toBuffer();
  return decodeImage(jpeg, "degraded picture");
}

/** Adds to each sample what `noise` makes of it; if it is grey, to all three colours what it makes of luma. */
function withNoise(image: Image, grey: boolean | undefined, noise: (value: number) => number): Image {
  const { data } = image;
  const out = new Uint8Array(data.length);
  if (!grey) {
    for (let i = 0; i < data.length; i++) out[i] = toByte(data[i] + noise(data[i]));
    return { ...image, data: out };
  }
  for (let i = 0; i < data.length; i += 3) {
    const added = noise(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]);
    for (let c = i; c < i + 3; c++) out[c] = toByte(data[c] + added);
  }
  return { ...image, data: out };
}

/**
 * Gaussian blur with mirrored edges, cut off at three standard deviations. sigma and sigma2 are the
 * deviations along two perpendicular axes; the first axis is turned by `angle` degrees.
 */
export function gaussianBlur(image: Image, blur: Blur): Image {
  const { sigma, sigma2, angle } = blur;
  // Along the picture's axes the kernel is a product, and two passes with n taps each do the work of n * n
  // taps. Round kernels have no direction.
  const passes =
    angle === 0 || sigma === sigma2
      ? [gaussianKernel(sigma, 0, 0), gaussianKernel(0, sigma2, 0)]
      : [gaussianKernel(sigma, sigma2, angle)];
  return applyKernels(image, passes);
}

/** Convolved with one kernel after the other, and rounded at the end. */
function applyKernels(image: Image, kernels: readonly Kernel[]): Image {
  let samples: Uint8Array | Float64Array = image.data;
  for (const kernel of kernels) samples = convolve(samples, image, kernel);
  return { ...image, data: toBytes(samples) };
}

/** A loop, as `Uint8Array.from` with a function takes many times as long. */
function toBytes(samples: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = toByte(samples[i]);
  return bytes;
}

/**
 * How far a kernel reaches from its centre, and its weights [2 reachY + 1, 2 reachX + 1], which add up to 1.
 */
interface Kernel {
  readonly reachX: number;
  readonly reachY: number;
  readonly weights: Float64Array;
}

function gaussianKernel(sigma: number, sigma2: number, angle: number): Kernel {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const reachX = Math.ceil(3 * Math.hypot(sigma * cos, sigma2 * sin));
  const reachY = Math.ceil(3 * Math.hypot(sigma * sin, sigma2 * cos));
  const along = (distance: number, deviation: number) =>
    deviation === 0 ? Number(Math.abs(distance) < 0.5) : Math.exp(-0.5 * (distance / deviation) ** 2);
  return kernelOf(
    reachX,
    reachY,
    (x, y) => along(x * cos + y * sin, sigma) * along(y * cos - x * sin, sigma2),
  );
}

function kernelOf(reachX: number, reachY: number, weightAt: (x: number, y: number) => number): Kernel {
  const weights: number[] = [];
  for (let y = -reachY; y <= reachY; y++) {
    for (let x = -reachX; x <= reachX; x++) weights.push(weightAt(x, y));
  }
  const total = weights.reduce((a, b) => a + b);
  return { reachX, reachY, weights: Float64Array.from(weights, (w) => w / total) };
}

/**
 * The ideal low-pass filter, cut off at `reach`, which makes edges ring as sharpening and strong compression
 * do: frequencies up to `cutoff` pass, in radians per pixel and in every direction. Its value at distance r is
 * cutoff J1(cutoff r) / (2 pi r), where J1 is a Bessel function.
 */
function sincKernel(cutoff: number, reach: number): Kernel {
  const atDistance = new Map<number, number>(); // by its square, as many pixels are equally far
  return kernelOf(reach, reach, (x, y) => {
    const square = x * x + y * y;
    const r = Math.sqrt(square);
    const value = atDistance.get(square) ?? (cutoff * besselJ1(cutoff * r)) / (2 * Math.PI * (r || 1));
    atDistance.set(square, value);
    return square === 0 ? cutoff ** 2 / (4 * Math.PI) : value;
  });
}

/**
 * Bessel's J1, by its integral, the mean of cos(t - x sin t) over a period: equal steps converge faster than any power.
 */
function besselJ1(x: number): number {
  const steps = 64 + 2 * Math.ceil(x);
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const t = (2 * Math.PI * i) / steps;
    sum += Math.cos(t - x * Math.sin(t));
  }
  return sum / steps;
}

/**
 * An output row is a weighted sum of shifted input rows, so whole rows are added up at a time, four taps in one
 * loop: reading and writing the sums takes longer than multiplying.
 */
function convolve(
  samples: Uint8Array | Float64Array,
  { width, height, channels }: Omit<Image, "data">,
  { reachX, reachY, weights }: Kernel,
): Float64Array {
  const rowLength = width * channels;
  const out = new Float64Array(samples.length);
  // Rows with their mirror images to the left and right. Taps beyond the kernel's end have weight 0.
  const taps = 2 * reachX + 1;
  const columns = Array.from({ length: width + taps + 2 }, (_, x) => mirror(x - reachX, width) * channels);
  const paddedLength = columns.length * channels;
  const padded = new Float64Array(height * paddedLength);
  for (let y = 0, to = 0; y < height; y++) {
    for (const column of columns) {
      for (let c = 0; c < channels; c++) padded[to++] = samples[y * rowLength + column + c];
    }
  }
  const weightAt = (tap: number, dx: number) => (dx < taps ? weights[tap + dx] : 0);
  for (let y = 0; y < height; y++) {
    const sums = out.subarray(y * rowLength, (y + 1) * rowLength);
    for (let dy = 0; dy <= 2 * reachY; dy++) {
      const start = mirror(y + dy - reachY, height) * paddedLength;
      for (let dx = 0; dx < taps; dx += 4) {
        const [w0, w1, w2, w3] = [0, 1, 2, 3].map((k) => weightAt(dy * taps, dx + k));
        const first = start + dx * channels;
        const [second, third, fourth] = [first + channels, first + 2 * channels, first + 3 * channels];
        for (let i = 0; i < rowLength; i++) {
          sums[i] +=
            w0 * padded[first + i] +
            w1 * padded[second + i] +
            w2 * padded[third + i] +
            w3 * padded[fourth + i];
        }
      }
    }
  }
  return out;
}

/**
 * A Poisson distributed number: by products of uniform ones (Knuth), or above 50 its Gaussian limit, rounded.
 */
function poisson(random: Random, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const limit = Math.exp(-mean);
  let count = -1;
  for (let product = 1; product > limit; count++) product *= random.uniform();
  return count;
}
