import type { SuperResolver } from "../models/super-resolver.ts";
import { DataError } from "../picture/errors.ts";
import { interpolatePlanes } from "../picture/imresize.ts";
import { deviceOf, Forward, pixelsWithin } from "./forward.ts";
import { bytesPerPixel, type Upscaler, upscalerOf } from "./upscaler.ts";

/**
 * Enlarging by a network. Networks that take enlarged pictures (SRCNN) get them by bicubic interpolation
 * without rounding.
 *
 * @param name what the upscaler is called; by default the network's architecture.
 */
export function networkUpscaler(model: SuperResolver, name = model.metadata().architecture): Upscaler {
  const { scale, colors, inputSize, halo } = model;
  const wanted = colors === "rgb" ? 3 : 1;
  const enlarged = inputSize === "high";
  const forward = new Forward(model);
  return upscalerOf({
    name,
    scale,
    colors,
    device: deviceOf(model),
    // The halo of a network for enlarged pictures counts in their pixels; before it comes bicubic
    // interpolation, which sees 2.
    margin: enlarged ? Math.ceil(halo / scale) + 2 : halo,
    pixelsWithin(bytes) {
      // The network counts pixels of its input, this method those of the small picture.
      const factor = enlarged ? scale ** 2 : 1;
      return Math.floor(pixelsWithin(bytes, bytesPerPixel(scale) / factor, forward.needs) / factor);
    },
    async enlarge(planes) {
      if (planes.channels !== wanted) {
        throw new DataError(
          `upscalePlanes: ${name} takes ${wanted} planes, but ${planes.channels} were given.`,
        );
      }
      return forward.run(enlarged ? interpolatePlanes(planes, scale) : planes);
    },
  });
}
