import {
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
import { checkImage, type Image } from "../picture/image.ts";
import { imresize } from "../picture/imresize.ts";
import { toByte } from "../picture/levels.ts";
import { mirror, type ResizeOptions } from "../picture/resize-weights.ts";
import { Random } from "../tensor/random.ts";
import { decodeImage, toSharp } from "./files.ts";

/**
 * How LR pictures are degraded beyond bicubic shrinking, so that a network learns to enlarge what cameras and
 * the web deliver. The classical model of blind super-resolution, applied once, in this order:
 *
 *     LR = JPEG(shrink(HR * blur) + noise)
 *
 * (Zhang et al., "Designing a Practical Degradation Model", ICCV 2021 (BSRGAN); Wang et al., "Real-ESRGAN",
 * ICCVW 2021, who call it first-order.) Steps without an option are left out.
 */
export interface DegradationOptions {
  /** Determines everything that is drawn at random. Any whole number. */
  seed: number;
  /** Gaussian blur. Real-ESRGAN: both sigmas 0.2 to 3, angle -180 to 180. */
  blur?: {
    /** Standard deviation along the kernel's first axis, in HR pixels, 0 to 20. */
    sigma: Range;
    /** Along its second axis; without it the kernel is round. */
    sigma2?: Range;
    /** From the picture's x axis to the kernel's first axis, clockwise, in degrees. Default 0. */
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

/** One value for all pictures, or bounds between which each picture's value is drawn, uniformly. */
export type Range = number | readonly [min: number, max: number];

/** "bicubic", "bilinear" and "area" (the mean) use every pixel; "nearest" takes one of scale * scale. */
export type Shrink = "bicubic" | "bilinear" | "area" | "nearest";

/** What was drawn for one picture; fit for JSON, for logs. A step that is left out is undefined. */
export interface Degradation {
  blur?: { sigma: number; sigma2: number; angle: number };
  shrink: Shrink;
  noise?: number;
  photons?: number;
  jpeg?: number;
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
 * The degradation of picture number `index`, drawn from the options and the number alone. Throws a RangeError
 * for wrong options.
 */
export function drawDegradation(options: DegradationOptions, index: number): Degradation {
  checkIsObject("drawDegradation", options, "such as { seed: 1 }");
  const { seed, blur, shrink = "bicubic", noise, photons, jpeg } = options;
  checkArguments("drawDegradation", {
    seed: [seed, whole()],
    index: [index, whole(0, 2 ** 20)],
    blur: [blur, optional(anObject)],
  });
  if (blur) {
    checkOptions("drawDegradation", blur, { sigma: anything, sigma2: anything, angle: anything }, ["sigma"]);
    checkArguments("drawDegradation", { sigma: [blur.sigma, someRange] });
  }
  const base = new Random(seed).next(); // so that seeds 1 and 2 share no picture
  const random = new Random(base * 2 ** 20 + index);
  // Draws a number even if there is no range, so that adding noise does not change the blur.
  const draw = (name: string, range: Range | undefined, lowest: number, highest: number) => {
    const bounds = Array.isArray(range) && range.length === 2 ? range : [range ?? lowest, range ?? lowest];
    const [min, max] = bounds;
    const numeric = range !== null && bounds.every((bound) => typeof bound === "number");
    if (!(numeric && lowest <= min && min <= max && max <= highest)) {
      const wanted = `a number or [min, max] in ${lowest}..${highest}`;
      throw new RangeError(`drawDegradation: ${name} must be ${wanted}, not ${quote(range)}.`);
    }
    const value = min + random.uniform() * (max - min);
    return range === undefined ? undefined : value;
  };
  const sigma = draw("blur.sigma", blur?.sigma, 0, 20)!;
  const sigma2 = draw("blur.sigma2", blur?.sigma2, 0, 20) ?? sigma;
  const angle = draw("blur.angle", blur?.angle, -360, 360) ?? 0;
  const kinds = Array.isArray(shrink) ? (shrink as readonly Shrink[]) : [shrink as Shrink];
  if (kinds.length === 0 || !kinds.every((kind) => Object.keys(shrinkings).includes(kind))) {
    const names = Object.keys(shrinkings).join(", ");
    throw new RangeError(
      `drawDegradation: shrink must be one of ${names}, or a list of them, not ${quote(shrink)}.`,
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

const someRange: Wanted<Range> = {
  wants: "a number or [min, max]",
  fits: (value): value is Range => typeof value === "number" || Array.isArray(value),
};

const anObject: Wanted<object> = { wants: "an object such as { sigma: [0.2, 2] }", fits: isObject };

const aDegradation: Wanted<Degradation> = {
  wants: "a degradation, as drawDegradation() returns it",
  fits: (value): value is Degradation =>
    isObject(value) && whole().fits(value.seed) && Object.hasOwn(shrinkings, String(value.shrink)),
};

/**
 * Makes the LR picture of an RGB picture whose sides are multiples of `scale`. Every step ends in bytes, as
 * it would between programs. The same degradation always gives the same picture (for JPEG, with the same
 * version of sharp).
 */
export async function degrade(high: Image, scale: number, degradation: Degradation): Promise<Image> {
  checkImage(high, "degrade");
  checkArguments("degrade", { scale: [scale, whole(1)], degradation: [degradation, aDegradation] });
  if (high.channels !== 3 || high.width % scale !== 0 || high.height % scale !== 0) {
    throw new DataError(
      `degrade: wants an RGB picture whose sides are multiples of ${scale}, not ` +
        `${high.width}x${high.height} with ${high.channels} channels; call toRgb and modcrop first.`,
    );
  }
  const { blur, shrink, noise, photons, jpeg, seed } = degradation;
  const random = new Random(seed);
  const size = { width: high.width / scale, height: high.height / scale };
  let image = imresize(blur ? gaussianBlur(high, blur) : high, size, shrinkings[shrink]);
  if (photons) image = mapBytes(image, (v) => (255 * poisson(random, (v / 255) * photons)) / photons);
  if (noise !== undefined) image = mapBytes(image, (v) => v + noise * random.normal());
  if (jpeg === undefined) return image;
  return decodeImage(await (await toSharp(image)).jpeg({ quality: jpeg }).toBuffer(), "degraded picture");
}

/**
 * Gaussian blur with mirrored edges, cut off at three standard deviations. sigma and sigma2 are the
 * deviations along two perpendicular axes; the first axis is turned by `angle` degrees.
 */
export function gaussianBlur(image: Image, blur: NonNullable<Degradation["blur"]>): Image {
  const { width, height, channels, data } = image;
  const { sigma, sigma2, angle } = blur;
  // Along the picture's axes the kernel is a product, and two passes with n taps each do the work of n * n
  // taps. Round kernels have no direction.
  const passes =
    angle === 0 || sigma === sigma2
      ? [gaussianKernel(sigma, 0, 0), gaussianKernel(0, sigma2, 0)]
      : [gaussianKernel(sigma, sigma2, angle)];
  let samples: Float32Array = Float32Array.from(data);
  for (const kernel of passes) samples = convolve(samples, image, kernel);
  return { width, height, channels, data: Uint8Array.from(samples, toByte) };
}

/**
 * How far the kernel reaches from its centre, and its weights [2 reachY + 1, 2 reachX + 1], which add up to
 * 1.
 */
function gaussianKernel(sigma: number, sigma2: number, angle: number) {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const reachX = Math.ceil(3 * Math.hypot(sigma * cos, sigma2 * sin));
  const reachY = Math.ceil(3 * Math.hypot(sigma * sin, sigma2 * cos));
  const along = (distance: number, deviation: number) =>
    deviation === 0 ? Number(Math.abs(distance) < 0.5) : Math.exp(-0.5 * (distance / deviation) ** 2);
  const weights: number[] = [];
  for (let y = -reachY; y <= reachY; y++) {
    for (let x = -reachX; x <= reachX; x++) {
      weights.push(along(x * cos + y * sin, sigma) * along(y * cos - x * sin, sigma2));
    }
  }
  const total = weights.reduce((a, b) => a + b);
  return { reachX, reachY, weights: Float64Array.from(weights, (w) => w / total) };
}

/** An output row is a weighted sum of shifted input rows, so whole rows are added up at a time. */
function convolve(
  samples: Float32Array,
  { width, height, channels }: Omit<Image, "data">,
  { reachX, reachY, weights }: ReturnType<typeof gaussianKernel>,
): Float32Array {
  const rowLength = width * channels;
  const out = new Float32Array(samples.length);
  // Input rows with their mirror images to the left and right.
  const padded = Array.from({ length: width + 2 * reachX }, (_, x) => mirror(x - reachX, width) * channels);
  const row = new Float32Array(padded.length * channels);
  for (let y = 0; y < height; y++) {
    const sums = out.subarray(y * rowLength, (y + 1) * rowLength);
    let tap = 0;
    for (let dy = -reachY; dy <= reachY; dy++) {
      const start = mirror(y + dy, height) * rowLength;
      for (let x = 0, to = 0; x < padded.length; x++) {
        for (let c = 0; c < channels; c++) row[to++] = samples[start + padded[x] + c];
      }
      for (let dx = 0; dx <= 2 * reachX; dx++) {
        const weight = weights[tap++];
        const shift = dx * channels;
        for (let i = 0; i < rowLength; i++) sums[i] += weight * row[shift + i];
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

function mapBytes(image: Image, change: (value: number) => number): Image {
  return { ...image, data: Uint8Array.from(image.data, (value) => toByte(change(value))) };
}
