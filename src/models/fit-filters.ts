import type { Conv2d } from "../nn/layers.ts";
import type { NamedArray } from "../nn/module.ts";
import { whiteningInit } from "../nn/whitening.ts";
import { defaultRandom, type Random } from "../tensor/random.ts";

/**
 * Fits the first filters of a network that predicts what has to be added to a bicubic enlargement. That
 * depends on fine patterns, which filters of independent weights hardly see. (A network that predicts the
 * whole picture needs the smooth patterns as strong as they are.) Skips pictures smaller than a window; if
 * none is left, the layer keeps its weights.
 */
export function fitFilters(
  layer: Conv2d,
  examples: readonly NamedArray[],
  random: Random = defaultRandom(),
): void {
  const [, , kh, kw] = layer.weight.shape;
  const large = examples.filter(({ shape: [, height, width] }) => height >= kh && width >= kw);
  if (large.length > 0) whiteningInit(layer, large, { random });
}
