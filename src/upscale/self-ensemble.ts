import { augment, inverseSymmetry, symmetries } from "../picture/patches.ts";
import type { Planes } from "../picture/planes.ts";
import type { Method } from "./method.ts";
import { type Upscaler, upscalerOf } from "./upscaler.ts";

/**
 * The mean of eight answers: the picture is flipped and turned in all eight ways, each is enlarged, and the
 * results are turned back and averaged before anything is rounded. A network's errors differ between them and
 * partly cancel: EDSR gains about 0.1 dB (Lim et al. 2017 call it EDSR+), for eight times the work. An
 * interpolation, which treats all directions alike, gains nothing.
 */
export function selfEnsemble(method: Method): Upscaler {
  const { name, scale } = method;
  return upscalerOf({
    ...method,
    name: `${name}+`,
    // The sum and an answer that is being turned back: a share more than one answer needs.
    pixelsWithin: (bytes) => method.pixelsWithin(0.9 * bytes),
    enlargeBytes: undefined,
    async enlarge(planes, signal) {
      const { channels } = planes;
      const [width, height] = [planes.width * scale, planes.height * scale];
      const mean: Planes = { width, height, channels, data: new Float32Array(channels * width * height) };
      for (const symmetry of symmetries) {
        signal?.throwIfAborted();
        const turned = augment(planes.data, planes.width, planes.height, channels, symmetry);
        const [w, h] = symmetry.transpose ? [planes.height, planes.width] : [planes.width, planes.height];
        const large = await method.enlarge({ width: w, height: h, channels, data: turned });
        const back = augment(large.data, large.width, large.height, channels, inverseSymmetry(symmetry));
        for (let i = 0; i < back.length; i++) mean.data[i] += back[i] / 8;
      }
      return mean;
    },
  });
}
