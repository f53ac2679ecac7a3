import type { Image } from "../data/image.ts";
import { imresize, imresizePlane } from "../data/imresize.ts";

/** A method of enlarging. */
export interface Upscaler {
  readonly name: string;
  readonly scale: number;
  readonly colors: "y" | "rgb";
  upscale(lr: Image): Promise<Image>;
  upscaleY(plane: ArrayLike<number>, width: number, height: number): Promise<ArrayLike<number>>;
}

export function bicubic(scale: number): Upscaler {
  return {
    name: "bicubic",
    scale,
    colors: "y",
    upscale: async (lr) => imresize(lr, scale),
    upscaleY: async (plane, width, height) =>
      imresizePlane(plane, { width, height }, { width: width * scale, height: height * scale }),
  };
}
