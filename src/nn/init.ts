/** Initial weights other than the layers' own: they decide whether, and how fast, a network learns. */

import { checkArguments, checkOptions, finite, isObject, type Wanted } from "../options/arguments.ts";
import { atLeastZero } from "../options/kinds.ts";
import { aRandom, defaultRandom, type Random } from "../tensor/random.ts";
import { numel } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** A convolution, a Linear, or another layer with weights of such a shape. */
export interface WeightedLayer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

const aLayer: Wanted<WeightedLayer> = {
  wants: "a convolution, a Linear, or another layer with a weight of two axes or more",
  fits: (value): value is WeightedLayer =>
    isObject(value) && value.weight instanceof Tensor && value.weight.shape.length >= 2,
};

/** Options of all initial weights. */
export interface WeightInitOptions {
  /** The generator of the weights. Default: that of `manualSeed`. */
  readonly random?: Random;
}

/** Weights from a normal distribution of mean 0 and standard deviation `std`; biases 0. */
export function normalInit(layer: WeightedLayer, std: number, options: WeightInitOptions = {}): void {
  checkArguments("normalInit", { layer: [layer, aLayer], std: [std, atLeastZero] });
  checkOptions("normalInit", options, { random: aRandom });
  const { random = defaultRandom() } = options;
  const { weight, bias } = layer;
  weight.assign(Float32Array.from({ length: weight.size }, () => std * random.normal()));
  bias?.assign(new Float32Array(bias.size));
}

/**
 * Weights with a standard deviation of sqrt(2 / ((1 + slope²) n)) for a layer with n products per output, which are
 * inChannels * kh * kw in a convolution and inFeatures in a Linear (He, Zhang, Ren, Sun, "Delving deep into
 * rectifiers", 2015): through layers followed by a ReLU, or by a PReLU with that slope (default 0), the signal neither
 * dies away nor explodes. Biases 0.
 */
export function kaimingNormalInit(
  layer: WeightedLayer,
  options: WeightInitOptions & { readonly slope?: number } = {},
): void {
  checkArguments("kaimingNormalInit", { layer: [layer, aLayer] });
  checkOptions("kaimingNormalInit", options, { slope: finite, random: aRandom });
  const { slope = 0, random } = options;
  const products = numel(layer.weight.shape.slice(1));
  normalInit(layer, Math.sqrt(2 / ((1 + slope ** 2) * products)), { random });
}
