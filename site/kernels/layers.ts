/** The convolutions that the page offers to measure. */
import type { Layer } from "./messages.ts";

const layer = (id: string, inputs: number, outputs: number, window: number, side: number, batch = 1) => ({
  ...{ id, batch, inputs, outputs, window, side },
});

export const layers: readonly Layer[] = [
  layer("tiny", 16, 16, 3, 32),
  layer("small", 16, 16, 3, 64),
  layer("middle", 64, 64, 3, 64),
  layer("first", 3, 64, 3, 128),
  layer("srcnn", 1, 64, 9, 64),
  layer("large", 64, 64, 3, 128, 16),
];

export function layerOf(id: string): Layer {
  const layer = layers.find((each) => each.id === id);
  if (!layer) throw new RangeError(`There is no layer ${id}.`);
  return layer;
}

export function multiplyAdds({ batch, inputs, outputs, window, side }: Layer): number {
  return batch * inputs * outputs * window ** 2 * side ** 2;
}

/** The layer to begin with: large enough to keep an adapter of this speed busy, and small enough to be quick. */
export function fittingLayer(software: boolean, flops: number): Layer {
  if (software) return layerOf("tiny");
  return layerOf(flops > 4e12 ? "large" : "middle");
}
