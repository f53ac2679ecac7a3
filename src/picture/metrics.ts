import { ArgumentError, checkOptions, trueOrFalse } from "../options/arguments.ts";
import { oneOf, whole } from "../options/kinds.ts";
import { rgbToY } from "./color.ts";
import { DataError } from "./errors.ts";
import { checkImage, type Image, type Samples } from "./image.ts";
import { whiteOf } from "./levels.ts";

/**
 * What exactly is measured can change the result by whole decibels, so `border` and `channels` have no
 * default. Pictures are bytes, that is, clamped and rounded before measuring, as in all papers; or both have 16
 * bits, and are measured in levels of 8: a peak of 65535 gives the same decibels.
 */
export interface MetricOptions {
  /** Pixels left out on each side. Benchmarks on Y leave out `scale`; EDSR on DIV2K scale + 6, with "rgb". */
  border: number;
  /**
   * "y": BT.601 luma in studio range, as in benchmark tables; a picture of 1 channel is taken as that plane.
   * "rgb": all three channels alike; grey pictures are refused.
   */
  channels: "y" | "rgb";
  /**
   * Only with "y". false (default): Y keeps its fractions, as in the code of EDSR and BasicSR. true: Y is
   * rounded to the pictures' levels first, as in the Matlab code of most papers. The results differ slightly.
   */
  roundY?: boolean;
}

/**
 * Peak signal-to-noise ratio in dB: 10 log10(255^2 / mean squared difference), over all compared samples.
 * Infinity for equal pictures. Throws a DataError if the pictures' sizes or channels differ or do not suit
 * `options.channels`, a RangeError for wrong options.
 */
export function psnr(a: Image<Samples>, b: Image<Samples>, options: MetricOptions): number {
  const { planes } = comparedPlanes("psnr", a, b, options);
  let squares = 0;
  let samples = 0;
  for (const { p, q } of planes) {
    for (let i = 0; i < p.length; i++) squares += (p[i] - q[i]) ** 2;
    samples += p.length;
  }
  return 10 * Math.log10((255 ** 2 * samples) / squares);
}

/**
 * Structural similarity by Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error
 * visibility to structural similarity" (2004): 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03,
 * level range 255, mean over all positions at which the window lies inside the picture; no downsampling. 1
 * for equal pictures. "rgb" is the mean over the three channels. Throws as psnr does, and a DataError for
 * pictures smaller than the window.
 */
export function ssim(a: Image<Samples>, b: Image<Samples>, options: MetricOptions): number {
  const { planes, width, height } = comparedPlanes("ssim", a, b, options);
  checkWindowFits(a, options.border, "ssim");
  const values = planes.map(({ p, q }) => planeSsim(p, q, width, height));
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

const metricOptions = { border: whole(0), channels: oneOf("y", "rgb"), roundY: trueOrFalse };
/**
 * Throws a DataError if a border leaves less of a picture than the window of SSIM. `ssim` calls it; whoever
 * knows the size before the picture can, too.
 */
export function checkWindowFits(
  size: { readonly width: number; readonly height: number },
  border: number,
  caller?: string,
): void {
  const [width, height] = [size.width - 2 * border, size.height - 2 * border];
  const windowSize = 2 * REACH + 1;
  if (Math.min(width, height) >= windowSize) return;
  throw new DataError(
    `SSIM needs at least ${windowSize}x${windowSize} pixels, and a border of ${border} leaves ` +
      `${Math.max(0, width)}x${Math.max(0, height)} of ${size.width}x${size.height}.`,
    { caller },
  );
}

/** What is compared of both pictures, plane by plane and without the border. */
function comparedPlanes(caller: string, a: Image<Samples>, b: Image<Samples>, options: MetricOptions) {
  checkImage(a, caller);
  checkImage(b, caller);
  checkOptions(caller, options, metricOptions, ["border", "channels"]);
  const { border, channels, roundY = false } = options;
  const size = (image: Image<Samples>) => `${image.width}x${image.height} with ${image.channels} channels`;
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) {
    throw new DataError(
      `the pictures must have the same size, but one is ${size(a)} and the other ${size(b)}; ` +
        "crop the larger one (modcrop, crop) or convert it (toRgb).",
      { caller },
    );
  }
  const [white, other] = [a, b].map(({ data }) => whiteOf(data));
  if (white !== other) {
    throw new DataError(
      "one picture has 8 bits per sample and the other 16; convert one: " +
        "fromPlanar(toPlanar(image), image.width, image.height, image.channels) has 8.",
      { caller },
    );
  }
  if (!(a.channels === 3 || (a.channels === 1 && channels === "y"))) {
    throw new DataError(
      `channels "${channels}" needs RGB pictures${channels === "y" ? " or single Y planes" : ""}` +
        `, but these are ${size(a)}; call toRgb first.`,
      { caller },
    );
  }
  if (roundY && channels === "rgb") {
    throw new ArgumentError(caller, `roundY rounds the Y plane and does not go with channels "rgb".`);
  }
  const width = a.width - 2 * border;
  const height = a.height - 2 * border;
  if (!Number.isInteger(border) || border < 0 || width < 1 || height < 1) {
    throw new ArgumentError(
      caller,
      `border must be a whole number of pixels, 0 or more, that leaves something of ` +
        `${a.width}x${a.height}; got ${border}.`,
    );
  }

  // Channel `c` of interleaved data, divided by `unit`.
  const inner = (data: ArrayLike<number>, step: number, c: number, unit: number): Float64Array => {
    const plane = new Float64Array(width * height);
    for (let y = 0, to = 0; y < height; y++) {
      let from = ((y + border) * a.width + border) * step + c;
      for (let x = 0; x < width; x++, from += step) plane[to++] = data[from] / unit;
    }
    return plane;
  };
  const plane = (image: Image<Samples>, c: number) =>
    image.channels === 3 && channels === "y"
      ? inner(rgbToY(image, { round: roundY }), 1, 0, 1)
      : inner(image.data, image.channels, c, white / 255);
  const planes = Array.from({ length: channels === "y" ? 1 : 3 }, (_, c) => ({
    p: plane(a, c),
    q: plane(b, c),
  }));
  return { planes, width, height };
}

/** The window is 11 samples wide: the middle one and 5 on either side. */
const REACH = 5;
const [w0, w1, w2, w3, w4, w5] = gaussian(1.5);
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

function planeSsim(p: Float64Array, q: Float64Array, width: number, height: number): number {
  const mean = (plane: Float64Array) => filterValid(plane, width, height);
  const [meanP, meanQ] = [mean(p), mean(q)];
  const meanPQ = mean(p.map((value, i) => value * q[i]));
  // The formula needs only the sum of the two variances.
  const meanSquares = mean(p.map((value, i) => value * value + q[i] * q[i]));
  let sum = 0;
  for (let i = 0; i < meanP.length; i++) {
    const product = meanP[i] * meanQ[i];
    const squares = meanP[i] ** 2 + meanQ[i] ** 2;
    const variances = meanSquares[i] - squares;
    const covariance = meanPQ[i] - product;
    sum += ((2 * product + C1) * (2 * covariance + C2)) / ((squares + C1) * (variances + C2));
  }
  return sum / meanP.length;
}

/** The plane filtered with the window, along columns and then along rows, wherever the window fits. */
function filterValid(plane: Float64Array, width: number, height: number): Float64Array {
  const outWidth = width - 2 * REACH;
  const outHeight = height - 2 * REACH;
  const out = new Float64Array(outWidth * outHeight);
  const row = new Float64Array(width);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < width; x++) row[x] = weigh(plane, (y + REACH) * width + x, width);
    for (let x = 0; x < outWidth; x++) out[y * outWidth + x] = weigh(row, x + REACH, 1);
  }
  return out;
}

/**
 * The window's weighted sum around sample `i`, with neighbours `step` apart. Written out, with one
 * multiplication for both sides, because that is much faster than a loop and nearly all the work of ssim.
 */
function weigh(s: Float64Array, i: number, step: number): number {
  return (
    w0 * s[i] +
    w1 * (s[i - step] + s[i + step]) +
    w2 * (s[i - 2 * step] + s[i + 2 * step]) +
    w3 * (s[i - 3 * step] + s[i + 3 * step]) +
    w4 * (s[i - 4 * step] + s[i + 4 * step]) +
    w5 * (s[i - 5 * step] + s[i + 5 * step])
  );
}

/** A Gaussian at distances 0 to `reach`, scaled so that all 2 * reach + 1 samples add up to 1. */
function gaussian(sigma: number): number[] {
  const weights = Array.from({ length: REACH + 1 }, (_, d) => Math.exp(-(d ** 2) / (2 * sigma ** 2)));
  const total = weights.reduce((sum, w) => sum + 2 * w, -weights[0]);
  return weights.map((w) => w / total);
}
