import { DataError } from "../data/errors.ts";
import type { SuperResolver } from "../models/super-resolver.ts";
import { enlarge } from "./interpolator.ts";
import { upscalerOf } from "./picture.ts";
import { forwardInTiles } from "./tiles.ts";
import type { Upscaler } from "./upscaler.ts";

export interface NetworkUpscalerOptions {
  /**
   * The most that one feature map may take, in bytes: larger pictures are computed in tiles, with the same result.
   * Tiles have at least 32 pixels a side, whatever that takes. Default 64 MiB.
   */
  bytes?: number;
}

/**
 * Enlarging by a network. Networks that take enlarged pictures (SRCNN) get them by bicubic interpolation without
 * rounding.
 */
export function networkUpscaler(model: SuperResolver, { bytes }: NetworkUpscalerOptions = {}): Upscaler {
  const { scale, colors } = model;
  const name = model.metadata().architecture;
  const wanted = colors === "rgb" ? 3 : 1;
  return upscalerOf({
    name,
    scale,
    colors,
    async upscalePlanes(planes, options) {
      if (planes.channels !== wanted) {
        throw new DataError(
          `upscalePlanes: ${name} takes ${wanted} planes, but ${planes.channels} were given.`,
        );
      }
      const input = model.inputSize === "hr" ? enlarge(planes, scale) : planes;
      return forwardInTiles(model, input, { ...options, bytes });
    },
  });
}
