/** Initial weights other than the layers' own: they decide whether, and how fast, a network learns. */

import { checkArguments, checkOptions, finite, isObject, type Wanted } from "../options/arguments.ts";
import { atLeastZero } from "../options/kinds.ts";
import { aRandom, type Random } from "../tensor/random.ts";
import { Tensor } from "../tensor/tensor.ts";

/** A convolution, or another layer with weights of that shape. */
export interface Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

export const aLayer: Wanted<Layer> = {
  wants: "a convolution, or another layer with a weight of four axes",
  fits: (value): value is Layer =>
    isObject(value) && value.weight instanceof Tensor && value.weight.shape.length === 4,
};

/** Weights from a normal distribution of mean 0 and standard deviation `std`; biases 0. */
export function normalInit(layer: Layer, std: number, random: Random): void {
  checkArguments("normalInit", {
    layer: [layer, aLayer],
    std: [std, atLeastZero],
    random: [random, aRandom],
  });
  const { weight, bias } = layer;
  weight.assign(Float32Array.from({ length: weight.size }, () => std * random.normal()));
  bias?.assign(new Float32Array(bias.size));
}

/**
 * Weights with a standard deviation of sqrt(2 / ((1 + slope²) n)) for a convolution of n = inChannels * kh *
 * kw products per output (He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015): through layers followed
 * by a ReLU, or by a PReLU with that slope, the signal neither dies away nor explodes. Biases 0.
 */
export function kaimingNormalInit(layer: Layer, random: Random, options: { slope?: number } = {}): void {
  checkArguments("kaimingNormalInit", { layer: [layer, aLayer], random: [random, aRandom] });
  checkOptions("kaimingNormalInit", options, { slope: finite });
  const { slope = 0 } = options;
  const [, inChannels, kh, kw] = layer.weight.shape;
  normalInit(layer, Math.sqrt(2 / ((1 + slope ** 2) * inChannels * kh * kw)), random);
}
