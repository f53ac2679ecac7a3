/** Enlarging a picture by interpolation. */
import { type InterpolateOptions, interpolate } from "../src/kernels/resize/index.ts";
import { rand } from "../src/tensor/create.ts";
import { Random } from "../src/tensor/random.ts";
import type { Bench, Make } from "./harness.ts";

/** How many pixels a pixel of the result is a weighted sum of, along one axis. Nearest copies one. */
const taps = { nearest: 0, bilinear: 2, bicubic: 4 };

export function resizeBenches(quick: boolean): Bench[] {
  const side = quick ? 64 : 256;
  return (Object.keys(taps) as (keyof typeof taps)[]).map((mode) => {
    const make: Make = () => {
      const x = rand([1, 3, side, side], new Random(1));
      const options: InterpolateOptions = { mode, scaleFactor: 2 };
      return { run: () => [interpolate(x, options)] };
    };
    // One axis after the other: the first makes 2 pixels of each, the second 4.
    const work = { flops: 2 * taps[mode] * (2 + 4) * 3 * side * side, bytes: 4 * (1 + 4) * 3 * side * side };
    return {
      name: `resize-${mode}`,
      shape: `x2 of 3x${side}x${side}`,
      variants: [""],
      make,
      work,
      whole: { what: "all of it", make, work },
    };
  });
}
