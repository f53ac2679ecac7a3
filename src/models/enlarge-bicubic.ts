/** The bicubic enlargement to which networks add what they have learned. */
import { conv2d } from "../kernels/conv2d/index.ts";
import { pad } from "../kernels/pad/index.ts";
import { axisTable } from "../kernels/resize/weights.ts";
import { tensor } from "../tensor/create.ts";
import { disposeUnderNoGrad } from "../tensor/no-grad.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Bicubic interpolation of x [n, c, h, w] as a sub-pixel convolution with fixed weights: the scale² pixels of a block
 * lie at fixed places between their neighbours. One launch, shuffle included, with Matlab's weights (Keys' kernel
 * with a = -0.5).
 *
 * Beyond the edges the outermost pixels are repeated, where imresize mirrors (upscale/adapters.ts has that one): any
 * rule would do, as the network learns what to add, and weights belong to the one that they were trained with.
 */
export function enlargeBicubic(x: Tensor, scale: number): Tensor {
  const channels = x.shape[1];
  const shape = [channels * scale ** 2, channels, SIDE, SIDE];
  const weight = tensor(weights(channels, scale), shape, { device: x.device, dtype: x.dtype });
  const margin = (SIDE - 1) / 2;
  const wide = pad(x, [margin, margin, margin, margin], "replicate");
  const y = conv2d(wide, weight, undefined, { shuffle: scale });
  for (const part of [wide, weight]) disposeUnderNoGrad(part);
  return y;
}

/** Pixels in a row of the small picture that the `scale` pixels in the place of the middle one depend on. */
const SIDE = 5;

/** The convolution's weights [channels * scale², channels, SIDE, SIDE]. */
function weights(channels: number, scale: number): Float32Array {
  const rows = rowWeights(scale);
  const result = new Float32Array(channels ** 2 * scale ** 2 * SIDE ** 2);
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < scale ** 2; pixel++) {
      // A channel of the result sees its own channel of x, and no other.
      const window = (channel * scale ** 2 + pixel) * channels + channel;
      const [down, across] = [rows[Math.floor(pixel / scale)], rows[pixel % scale]];
      result.set(
        down.flatMap((v) => across.map((h) => v * h)),
        window * SIDE ** 2,
      );
    }
  }
  return result;
}

/** The weights of SIDE pixels for each of the `scale` pixels in the place of the middle one. */
function rowWeights(scale: number): number[][] {
  const options = { mode: "bicubic", convention: "matlab", antialias: false } as const;
  const { taps, first, weights } = axisTable(SIDE, SIDE * scale, scale, options);
  return Array.from({ length: scale }, (_, k) => {
    const i = ((SIDE - 1) / 2) * scale + k;
    const row = Array.from({ length: SIDE }, () => 0);
    for (let t = 0; t < taps; t++) row[first[i] + t] = weights[i * taps + t];
    return row;
  });
}
