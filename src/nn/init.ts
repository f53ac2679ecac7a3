/** Initial weights other than the layers' own: they decide whether, and how fast, a network learns. */
import type { Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { NamedArray } from "./module.ts";

interface Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** Weights from a normal distribution of mean 0 and standard deviation `std`; biases 0. */
export function normalInit({ weight, bias }: Layer, std: number, random: Random): void {
  weight.assign(Float32Array.from({ length: weight.size }, () => std * random.normal()));
  bias?.assign(new Float32Array(bias.size));
}

/**
 * The standard deviation sqrt(2 / ((1 + slope²) n)) for a convolution of n = inChannels * kh * kw products
 * per output (He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015): through layers followed by a ReLU,
 * or by a PReLU with that slope, the signal neither dies away nor explodes. Biases 0.
 */
export function kaimingNormalInit(layer: Layer, random: Random, { slope = 0 } = {}): void {
  const [, inChannels, kh, kw] = layer.weight.shape;
  normalInit(layer, Math.sqrt(2 / ((1 + slope ** 2) * inChannels * kh * kw)), random);
}

/**
 * Weights for a first layer, fitted to the pictures that it will see: its answers to their windows begin with
 * a standard deviation of at most `std`, and every pattern in a window has an equal share in that. Biases 0.
 *
 * Neighbouring pixels are nearly equal, so windows differ most in their smooth patterns: in pictures enlarged
 * two times, some of a 9x9 window's have several hundred times the standard deviation of the finest. Filters
 * of independent weights therefore answer to the smooth ones alone; and since a gradient is in proportion to
 * its input, training needs very long to make them see the others, which are what has to be sharpened. Hence
 * filters drawn from the normal distribution whose covariance is std² / n (C + floor²)⁻¹, where n is the
 * number of values in a window and C the mean of their products, two by two. They amplify each pattern by as
 * much as it is weak, which is known as whitening (LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998;
 * for the weights of a network, Krähenbühl, Doersch, Donahue, Darrell, "Data-dependent initializations of
 * convolutional neural networks", 2016).
 *
 * @param pictures Planes [channels, h, w], what the layer will get; each at least as large as its window.
 * @param options.floor Patterns whose standard deviation is well below this count as noise and are amplified no further.
 * @throws RangeError if there is no picture, if one does not fit the layer, or with a floor of 0 if they lack patterns.
 */
export function whiteningInit(
  layer: Layer,
  pictures: readonly NamedArray[],
  random: Random,
  { std = 0.3, floor = 0.01 } = {},
): void {
  const [outChannels, inChannels, kh, kw] = layer.weight.shape;
  const n = inChannels * kh * kw;
  const covariance = windowCovariance(pictures, [inChannels, kh, kw], random);
  for (let i = 0; i < n; i++) covariance[i * n + i] += floor ** 2;
  // If C = L Lᵀ and z is normal noise, then w = L⁻ᵀ z has the covariance L⁻ᵀ L⁻¹ = C⁻¹.
  const lower = cholesky(covariance, n);
  const weights = new Float32Array(outChannels * n);
  for (let filter = 0; filter < outChannels; filter++) {
    const w = weights.subarray(filter * n, (filter + 1) * n);
    for (let i = n - 1; i >= 0; i--) {
      let sum = (std / Math.sqrt(n)) * random.normal();
      for (let j = i + 1; j < n; j++) sum -= lower[j * n + i] * w[j];
      w[i] = sum / lower[i * n + i];
    }
  }
  layer.weight.assign(weights);
  layer.bias?.assign(new Float32Array(outChannels));
}

/** The mean of x xᵀ over 16,000 windows x at random places: n² values, n = channels * kh * kw. */
function windowCovariance(
  pictures: readonly NamedArray[],
  [channels, kh, kw]: readonly [number, number, number],
  random: Random,
): Float64Array {
  if (pictures.length === 0) {
    throw new RangeError("whiteningInit: there are no pictures. Give some of those that the layer will see.");
  }
  const n = channels * kh * kw;
  const perPicture = Math.ceil(16_000 / pictures.length);
  const sums = new Float64Array(n * n);
  const window = new Float64Array(n);
  for (const { shape, data } of pictures) {
    const [c, h, w] = shape;
    if (shape.length !== 3 || c !== channels || h < kh || w < kw) {
      throw new RangeError(
        `whiteningInit: a picture of shape [${shape}] does not fit a layer with windows of [${channels}, ${kh}, ${kw}]. ` +
          `Give planes [channels, h, w], at least as large.`,
      );
    }
    for (let count = 0; count < perPicture; count++) {
      const top = Math.floor(random.uniform() * (h - kh + 1));
      const left = Math.floor(random.uniform() * (w - kw + 1));
      for (let i = 0; i < n; i++) {
        const [plane, row, column] = [Math.floor(i / (kh * kw)), Math.floor(i / kw) % kh, i % kw];
        window[i] = data[(plane * h + top + row) * w + left + column];
      }
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) sums[i * n + j] += window[i] * window[j];
    }
  }
  const windows = perPicture * pictures.length;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) sums[j * n + i] = sums[i * n + j] = sums[i * n + j] / windows;
  }
  return sums;
}

/** The lower triangular L of a symmetric A = L Lᵀ, n x n; only a positive definite A has one. */
function cholesky(a: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k];
      if (i === j && !(sum > 0)) {
        throw new RangeError(
          "whiteningInit: some pattern is in no window of the pictures, or they hold values that are not finite. Give " +
            "more varied pictures, or a floor above 0.",
        );
      }
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j];
    }
  }
  return lower;
}
