/** Adapters around a method on a device, which let it take pictures with any colours, and with transparency. */
import { alphaOf, premultiply, unpremultiply } from "../kernels/alpha/index.ts";
import { chromaOf, lumaOf, rgbOf } from "../kernels/color/index.ts";
import { add, mul } from "../kernels/elementwise/index.ts";
import { concat } from "../kernels/layout/index.ts";
import { mean } from "../kernels/reduce/index.ts";
import { interpolate } from "../kernels/resize/index.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { compute, computeFrom } from "./compute.ts";
import type { Method, TensorMethod } from "./method.ts";

/**
 * Makes a method take grey and RGB (tensors of one or three channels in 0..1), whatever it works on itself:
 *
 * - `"any"`: every channel by itself.
 * - `"rgb"`: grey is repeated three times, and the mean of the result is grey again.
 * - `"y"`: RGB is split into luma, which the method enlarges, and two channels of chroma, which bicubic
 *   interpolation enlarges, since the eye is less sensitive to them. Grey becomes luma in studio range, and
 *   the result becomes grey again.
 */
export function withColors(
  { device, enlarge }: TensorMethod,
  { colors, scale }: Pick<Method, "colors" | "scale">,
): TensorMethod {
  if (colors === "any") return { device, enlarge };
  return { device, enlarge: colors === "rgb" ? byRgb(enlarge) : byLuma(enlarge, scale) };
}

type EnlargeTensor = TensorMethod["enlarge"];

function byRgb(enlarge: EnlargeTensor): EnlargeTensor {
  return async (x, signal) => {
    if (x.shape[1] === 3) return enlarge(x, signal);
    const large = await enlarge(
      computeFrom([x], () => concat([x, x, x], 1)),
      signal,
    );
    return computeFrom([large], () => mean(large, [1], { keepdim: true }));
  };
}

function byLuma(enlarge: EnlargeTensor, scale: number): EnlargeTensor {
  return async (x, signal) => {
    if (x.shape[1] === 1) {
      const studio = computeFrom([x], () => add(mul(x, 219 / 255), 16 / 255));
      const luma = await enlarge(studio, signal);
      return computeFrom([luma], () => mul(add(luma, -16 / 255), 255 / 219));
    }
    try {
      const luma = await enlarge(
        compute(() => lumaOf(x)),
        signal,
      );
      return computeFrom([luma], () => rgbOf(luma, enlargeAsMatlab(chromaOf(x), scale)));
    } finally {
      x.dispose();
    }
  };
}

/**
 * Bicubic interpolation as imresize does it with real numbers, mirrored edges included: published figures have
 * chroma, and the pictures that SRCNN is given, from there. (Networks that add something to an enlargement have one of
 * their own, which repeats the edges: models/enlarge-bicubic.ts.)
 */
export function enlargeAsMatlab(x: Tensor, scale: number): Tensor {
  return interpolate(x, { mode: "bicubic", convention: "matlab", scaleFactor: scale });
}

/**
 * Makes a method take grey or RGB followed by alpha: two or four channels. Colours are multiplied by alpha,
 * enlarged, and divided by the enlarged alpha; alpha is enlarged like a grey picture. So the colours of
 * transparent pixels, which nobody sees, do not bleed into visible ones.
 *
 * @param method one for grey and RGB, as `withColors` makes it.
 * @param options.flat alpha is the same everywhere, and the method need not look at it.
 */
export function withAlpha(
  { device, enlarge }: TensorMethod,
  { scale, flat }: { readonly scale: number; readonly flat: boolean },
): TensorMethod {
  const enlargeAlpha = async (alpha: Tensor, signal?: AbortSignal) =>
    flat ? computeFrom([alpha], () => interpolate(alpha, nearest(scale))) : enlarge(alpha, signal);
  return {
    device,
    async enlarge(x, signal) {
      const made: Tensor[] = [x];
      try {
        const colors = await enlarge(
          compute(() => premultiply(x)),
          signal,
        );
        made.push(colors);
        const alpha = await enlargeAlpha(
          compute(() => alphaOf(x)),
          signal,
        );
        made.push(alpha);
        return compute(() => unpremultiply(colors, alpha, alphaOf(x), scale));
      } finally {
        for (const tensor of made) tensor.dispose();
      }
    },
  };
}

function nearest(scale: number) {
  return { mode: "nearest", scaleFactor: scale } as const;
}
