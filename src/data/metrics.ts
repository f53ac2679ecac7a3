import { rgbToY } from "./color.ts";
import { DataError } from "./errors.ts";
import { checkImage, type Image } from "./image.ts";

/**
 * What exactly is measured decides over whole decibels, so nothing here has a silent default: both `border` and
 * `channels` must be given. Pictures are bytes, that is, clamped and rounded before measuring, as all papers do.
 */
export interface MetricOptions {
  /** Pixels left out along each side. Benchmarks on Y use the scale; EDSR on DIV2K uses scale + 6 with "rgb". */
  border: number;
  /**
   * "y": BT.601 luma in studio range, which benchmark tables use; a 1-channel picture is taken as that plane
   * already. "rgb": all three channels alike; grey pictures are refused.
   */
  channels: "y" | "rgb";
  /**
   * Only with "y". false (default): Y keeps its fractions, as EDSR's and BasicSR's code. true: Y is rounded to
   * whole levels first, as the Matlab code of most papers does. They differ by a few hundredths of a decibel.
   */
  roundY?: boolean;
}

/**
 * Peak signal-to-noise ratio in dB: 10 log10(255^2 / mean squared difference), the mean over all samples compared.
 * Infinity for equal pictures. Throws a DataError if the sizes or channels differ.
 */
export function psnr(a: Image, b: Image, options: MetricOptions): number {
  const compared = comparedPlanes("psnr", a, b, options);
  let squares = 0;
  let samples = 0;
  for (const { p, q } of compared.planes) {
    for (let i = 0; i < p.length; i++) squares += (p[i] - q[i]) ** 2;
    samples += p.length;
  }
  return 10 * Math.log10((255 ** 2 * samples) / squares);
}

/**
 * Structural similarity of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
 * structural similarity" (2004): 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, level range 255, mean
 * over the positions at which the window lies wholly inside; no downsampling. 1 for equal pictures. "rgb" is the
 * mean over the three channels.
 */
export function ssim(a: Image, b: Image, options: MetricOptions): number {
  const { planes, width, height } = comparedPlanes("ssim", a, b, options);
  if (Math.min(width, height) < window.length) {
    throw new DataError(
      `ssim: ${width}x${height} pixels are left of ${a.width}x${a.height} after a border of ${options.border}, ` +
        `but the window needs at least ${window.length}x${window.length}.`,
    );
  }
  const values = planes.map(({ p, q }) => planeSsim(p, q, width, height));
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

interface Compared {
  planes: { p: Float64Array; q: Float64Array }[];
  width: number;
  height: number;
}

function comparedPlanes(caller: string, a: Image, b: Image, options: MetricOptions): Compared {
  const { border, channels, roundY = false } = options;
  checkImage(a, caller);
  checkImage(b, caller);
  const size = (i: Image) => `${i.width}x${i.height} with ${i.channels} channels`;
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) {
    throw new DataError(
      `${caller}: the pictures must have the same size, but one is ${size(a)} and the other ${size(b)}; ` +
        "crop the larger one (modcrop, crop) or convert it (toRgb).",
    );
  }
  if (channels !== "y" && channels !== "rgb") {
    throw new DataError(`${caller}: channels must be "y" or "rgb", not ${JSON.stringify(channels)}.`);
  }
  if (!(a.channels === 3 || (a.channels === 1 && channels === "y"))) {
    throw new DataError(
      `${caller}: channels "${channels}" needs RGB pictures${channels === "y" ? " or single Y planes" : ""}, ` +
        `but these are ${size(a)}; call toRgb first.`,
    );
  }
  if (roundY && channels === "rgb") {
    throw new DataError(`${caller}: roundY is about the Y plane; it has no meaning with channels "rgb".`);
  }
  const width = a.width - 2 * border;
  const height = a.height - 2 * border;
  if (!Number.isInteger(border) || border < 0 || width < 1 || height < 1) {
    throw new DataError(
      `${caller}: border must be a whole number of pixels, 0 or more, that leaves something of ` +
        `${a.width}x${a.height}; got ${border}.`,
    );
  }

  /** Channel `c` of interleaved data, without the border. */
  const inner = (data: ArrayLike<number>, step: number, c: number): Float64Array => {
    const plane = new Float64Array(width * height);
    for (let y = 0, to = 0; y < height; y++) {
      let from = ((y + border) * a.width + border) * step + c;
      for (let x = 0; x < width; x++, from += step) plane[to++] = data[from];
    }
    return plane;
  };
  const planesOf = (image: Image): Float64Array[] => {
    if (image.channels === 3 && channels === "y") return [inner(rgbToY(image, { round: roundY }), 1, 0)];
    return Array.from({ length: image.channels }, (_, c) => inner(image.data, image.channels, c));
  };
  const q = planesOf(b);
  return { planes: planesOf(a).map((p, k) => ({ p, q: q[k] })), width, height };
}

const window = gaussian(11, 1.5);
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

function planeSsim(p: Float64Array, q: Float64Array, width: number, height: number): number {
  const mean = (plane: Float64Array) => filterValid(plane, width, height);
  const [meanP, meanQ] = [mean(p), mean(q)];
  const [meanPP, meanQQ, meanPQ] = [mean(product(p, p)), mean(product(q, q)), mean(product(p, q))];
  let sum = 0;
  for (let i = 0; i < meanP.length; i++) {
    const mp = meanP[i];
    const mq = meanQ[i];
    const varP = meanPP[i] - mp * mp;
    const varQ = meanQQ[i] - mq * mq;
    const cov = meanPQ[i] - mp * mq;
    sum += ((2 * mp * mq + C1) * (2 * cov + C2)) / ((mp * mp + mq * mq + C1) * (varP + varQ + C2));
  }
  return sum / meanP.length;
}

function product(p: Float64Array, q: Float64Array): Float64Array {
  const out = new Float64Array(p.length);
  for (let i = 0; i < out.length; i++) out[i] = p[i] * q[i];
  return out;
}

/** The plane filtered with the window, first along rows, then along columns; only where the window fits. */
function filterValid(plane: Float64Array, width: number, height: number): Float64Array {
  const outWidth = width - window.length + 1;
  const outHeight = height - window.length + 1;
  const rows = new Float64Array(outWidth * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let from = y * width; from < y * width + outWidth; from++) rows[to++] = weigh(plane, from, 1);
  }
  const out = new Float64Array(outWidth * outHeight);
  for (let i = 0; i < out.length; i++) out[i] = weigh(rows, i, outWidth);
  return out;
}

/** The window's weighted sum of the samples from `from` on, `step` apart. */
function weigh(samples: Float64Array, from: number, step: number): number {
  let sum = 0;
  for (let t = 0; t < window.length; t++) sum += window[t] * samples[from + t * step];
  return sum;
}

/** Samples of a Gaussian, scaled to add up to 1. */
function gaussian(taps: number, sigma: number): Float64Array {
  const weights = Float64Array.from({ length: taps }, (_, t) =>
    Math.exp(-((t - (taps - 1) / 2) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}
