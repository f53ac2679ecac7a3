import type { SuperResolver } from "../../src/models/index.ts";
import { Random } from "../../src/tensor/random.ts";

/** Draws weights large enough for every pixel in reach to show in the picture, and small enough for little clamping. */
export function liven(model: SuperResolver): SuperResolver {
  const random = new Random(3);
  for (const parameter of model.parameters()) {
    const taps = parameter.size / parameter.shape[0];
    parameter.assign(Float32Array.from({ length: parameter.size }, () => random.normal() / Math.sqrt(taps)));
  }
  return model;
}
