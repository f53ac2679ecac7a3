import { fromPlanar, type Image, toPlanar, toRgb } from "../data/image.ts";
import { imresize, imresizePlane } from "../data/imresize.ts";
import { noGrad, type SuperResolver, scope, tensor } from "../node.ts";

/** A method of enlarging. */
export interface Upscaler {
  readonly name: string;
  readonly scale: number;
  readonly colors: "y" | "rgb" | "any";
  upscale(lr: Image): Promise<Image>;
  upscaleY(plane: ArrayLike<number>, width: number, height: number): Promise<ArrayLike<number>>;
}

export function interpolator(name: "nearest" | "bilinear" | "bicubic", scale: number): Upscaler {
  const options = name === "bilinear" ? ({ kernel: "linear" } as const) : {};
  return {
    name,
    scale,
    colors: "any",
    upscale: async (lr) => imresize(lr, scale, options),
    upscaleY: async (plane, width, height) =>
      imresizePlane(plane, { width, height }, { width: width * scale, height: height * scale }, options),
  };
}

export function networkUpscaler(model: SuperResolver): Upscaler {
  const { scale } = model;
  return {
    name: model.metadata().architecture,
    scale,
    colors: model.colors,
    async upscale(lr) {
      if (model.colors === "y") return imresize(toRgb(lr), scale);
      using _ = noGrad();
      using __ = scope();
      const y = model.forward(tensor(toPlanar(lr), [1, 3, lr.height, lr.width]));
      return fromPlanar(await y.data(), lr.width * scale, lr.height * scale, 3);
    },
    async upscaleY(plane, width, height) {
      using _ = noGrad();
      using __ = scope();
      const f = model.inputSize === "hr" ? scale : 1;
      const size = { width: width * f, height: height * f };
      const input = imresizePlane(plane, { width, height }, size).map((v) => v / 255);
      const y = model.forward(tensor(Float32Array.from(input), [1, 1, size.height, size.width]));
      return (await y.data()).map((v) => v * 255);
    },
  };
}
