import {
  ArgumentError,
  checkArguments,
  checkOptions,
  isObject,
  listOf,
  type Wanted,
} from "../options/arguments.ts";
import { atLeastZero } from "../options/kinds.ts";
import { aRandom, defaultRandom, type Random } from "../tensor/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { WeightedLayer, WeightInitOptions } from "./init.ts";
import { isNamedArray, type NamedArray } from "./module.ts";

/**
 * Fits a first layer's initial weights to the pictures that it will see: every pattern in a window has an
 * equal share in the layer's first outputs, whose standard deviation is at most `std`. Biases 0.
 *
 *     C = mean of x xᵀ                            over windows x of the pictures, as vectors of n values
 *     w ~ N(0, std² / n * (C + floor² I)⁻¹)       for each filter w
 *
 * Why: neighbouring pixels are nearly equal, so the smooth patterns of a window vary far more than the finest
 * ones. Filters of independent weights respond to the smooth ones alone. And since a weight's gradient is
 * proportional to its input, training takes very long to make them see the fine ones, which are what has to
 * be sharpened. The inverse of C amplifies each pattern by as much as it is weak. This is called whitening
 * (LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998; for the weights of a network, Krähenbühl, Doersch,
 * Donahue, Darrell, "Data-dependent initializations of convolutional neural networks", 2016).
 *
 * @param pictures Planes [channels, h, w] such as the layer will get, each at least as large as its window.
 * @param options.std Default 0.3.
 * @param options.floor Default 0.01. Patterns whose standard deviation is below this are noise, and amplified no
 * further.
 * @throws RangeError without pictures, if one does not fit the layer, or if a floor of 0 meets a pattern that
 * is in none of them.
 */
export function whiteningInit(
  layer: WeightedLayer,
  pictures: readonly NamedArray[],
  options: WeightInitOptions & { readonly std?: number; readonly floor?: number } = {},
): void {
  const name = "whiteningInit";
  checkArguments(name, { layer: [layer, aConvolution], pictures: [pictures, listOf(planesOfFloats)] });
  checkOptions(name, options, { std: atLeastZero, floor: atLeastZero, random: aRandom });
  const { std = 0.3, floor = 0.01, random = defaultRandom() } = options;
  const [outChannels, inChannels, kh, kw] = layer.weight.shape;
  const n = inChannels * kh * kw;
  const covariance = windowCovariance(pictures, [inChannels, kh, kw], random);
  for (let i = 0; i < n; i++) covariance[i * n + i] += floor ** 2;
  // If C = L Lᵀ and z is normal noise, then w = L⁻ᵀ z has the covariance L⁻ᵀ L⁻¹ = C⁻¹. So solve Lᵀ w = z.
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

const aConvolution: Wanted<WeightedLayer> = {
  wants: "a convolution, or another layer with a weight of four axes",
  fits: (value): value is WeightedLayer =>
    isObject(value) && value.weight instanceof Tensor && value.weight.shape.length === 4,
};

const planesOfFloats: Wanted<NamedArray> = { wants: "planes { shape, data }", fits: isNamedArray };

/** The lower half of C, n x n for n = channels * kh * kw, from 16,000 windows at random places. */
function windowCovariance(
  pictures: readonly NamedArray[],
  [channels, kh, kw]: readonly [number, number, number],
  random: Random,
): Float64Array {
  if (pictures.length === 0) {
    throw new ArgumentError(
      "whiteningInit",
      "there are no pictures. Give some of those that the layer will see.",
    );
  }
  const n = channels * kh * kw;
  const perPicture = Math.ceil(16_000 / pictures.length);
  const sums = new Float64Array(n * n);
  const window = new Float64Array(n);
  for (const { shape, data } of pictures) {
    const [c, h, w] = shape;
    if (shape.length !== 3 || c !== channels || h < kh || w < kw) {
      throw new ArgumentError(
        "whiteningInit",
        `a picture of shape [${shape}] does not fit a layer with windows of ` +
          `[${channels}, ${kh}, ${kw}]. Give planes [channels, h, w], at least as large.`,
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
  return sums.map((sum) => sum / (perPicture * pictures.length));
}

/** The lower triangular L of a symmetric, positive definite A = L Lᵀ, n x n. Reads only A's lower half. */
function cholesky(a: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k];
      if (i === j && !(sum > 0)) {
        throw new ArgumentError(
          "whiteningInit",
          "some pattern is in no window of the pictures, or they hold values that are not " +
            "finite. Give more varied pictures, or a floor above 0.",
        );
      }
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j];
    }
  }
  return lower;
}
