/** What upscales pictures: interpolations, networks, and self-ensembles of either. */

import { SuperResolver } from "../models/super-resolver.ts";
import { checkArguments, instanceOf, numberList, optional } from "../options/arguments.ts";
import { quote, text } from "../options/kinds.ts";
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { imresize, interpolatePlanes } from "../picture/imresize.ts";
import { augment, inverseSymmetry, symmetries } from "../picture/patches.ts";
import { checkPlanesObject, type Planes } from "../picture/planes.ts";
import type { ResizeOptions } from "../picture/resize-weights.ts";
import { Bands } from "./bands.ts";
import { deviceOf, Forward } from "./forward.ts";
import { aMethod, bicubicMargin, type Method } from "./method.ts";
import { type Interpolation, interpolations, isInterpolation, scalesOf } from "./method-names.ts";
import { checkUpscaleOptions, enlargePlanes, type UpscaleOptions } from "./tiles.ts";

/** A method with functions for callers, which cut whatever is too large for the memory into tiles. */
export interface Upscaler extends Method {
  /**
   * A picture of 1 to 4 channels, `scale` times as wide and high. One channel is a grey picture (0 black, 255
   * white), whatever the method works on. adapters.ts says what becomes of colours and transparency.
   */
  upscale(image: Image, options?: UpscaleOptions): Promise<Image>;
  /**
   * Luma alone as real numbers, [height, width] in BT.601's studio range (16..235), neither rounded nor
   * clamped; the papers' protocol rounds it and measures that. Only for the colors `"y"` and `"any"`.
   */
  upscaleY(
    plane: ArrayLike<number>,
    width: number,
    height: number,
    options?: UpscaleOptions,
  ): Promise<Float32Array>;
  /** `enlarge` in tiles: from the planes that `colors` names, in 0..1, to planes `scale` times as large. */
  upscalePlanes(planes: Planes, options?: UpscaleOptions): Promise<Planes>;
}

const kernels: Record<Interpolation, ResizeOptions> = {
  nearest: { kernel: "box" },
  bilinear: { kernel: "linear" },
  bicubic: { kernel: "cubic" },
};

/**
 * Padding of networks, where they do not look less far. The zeros beyond it are so many layers away that no byte
 * of the result changes, by docs/measurements.md; and small pictures do not take much longer.
 */
const networkPadding = 16;

/** Larger windows save nothing, and with these an abort or a progress report need not wait long. */
const maxInterpolationWindow = 512 ** 2;

/**
 * Enlarges by a fixed formula, as Matlab's imresize does, by 2, 3, 4 or 8; by 1 it returns the picture as it is, which
 * networks that keep the size are compared with. Grey and RGB pictures of 8 bits come out bit for bit, rounded to bytes after each of the two passes; planes, and so all other pictures, are
 * not rounded in between. Runs on the CPU.
 */
export function interpolator(name: Interpolation, scale: number): Upscaler {
  if (!isInterpolation(name)) {
    throw new RangeError(`interpolator: there is no ${quote(name)}; use ${interpolations.join(", ")}.`);
  }
  if (!scalesOf(name).includes(scale)) {
    throw new RangeError(`interpolator: scale must be 1, 2, 3, 4 or 8, got ${quote(scale)}.`);
  }
  return upscalerOf({
    name,
    scale,
    colors: "any",
    device: undefined,
    margin: bicubicMargin,
    pixelsWithin: (bytes) => Math.min(maxInterpolationWindow, Math.floor(bytes / bytesPerPixel(scale))),
    enlarge: async (planes) => interpolatePlanes(planes, scale, kernels[name]),
    enlargeBytes: (image) => imresize(image, scale, kernels[name]),
  });
}

/**
 * Enlarges by a network. Networks that take enlarged pictures (SRCNN) get them from bicubic interpolation,
 * not rounded.
 *
 * @param name the upscaler's name; by default that of the network's architecture.
 */
export function networkUpscaler(model: SuperResolver, name?: string): Upscaler {
  checkArguments("networkUpscaler", { model: [model, aNetwork], name: [name, optional(text)] });
  return upscalerOfNetwork(model, name ?? model.metadata().architecture);
}

const aNetwork = instanceOf(SuperResolver, "a network, such as loadModel() returns");

function upscalerOfNetwork(model: SuperResolver, name: string): Upscaler {
  const { scale, colors, inputSize, halo, multiple } = model;
  const planeCount = colors === "rgb" ? 3 : 1;
  const takesEnlarged = inputSize === "high";
  /** Pixels of the network's input for each pixel of the small picture. */
  const factor = takesEnlarged ? scale ** 2 : 1;
  const forward = new Forward(model);
  const margin = takesEnlarged ? Math.ceil(halo / scale) + bicubicMargin : halo;
  return upscalerOf({
    name,
    scale,
    colors,
    device: deviceOf(model),
    margin,
    multiple,
    padding: Math.min(margin, networkPadding),
    pixelsWithin: (bytes) => Math.floor(forward.pixelsWithin(bytes, bytesPerPixel(scale) / factor) / factor),
    async enlarge(planes) {
      if (planes.channels !== planeCount) {
        throw new DataError(
          `upscalePlanes: ${name} takes ${planeCount} planes, but ${planes.channels} were given.`,
        );
      }
      return forward.run(takesEnlarged ? interpolatePlanes(planes, scale) : planes);
    },
  });
}

/**
 * The mean of eight results: the picture is flipped and turned in all eight ways, each version is enlarged,
 * and the results are turned back and averaged before anything is rounded. A network's errors differ between
 * them and partly cancel: EDSR gains about 0.1 dB (Lim et al. 2017 call it EDSR+), for eight times the work.
 * An interpolation, which treats all directions alike, gains nothing.
 */
export function selfEnsemble(method: Method): Upscaler {
  checkArguments("selfEnsemble", { "the first argument": [method, aMethod] });
  const { name, scale } = method;
  return upscalerOf({
    ...method,
    name: `${name}+`,
    // Some of the memory is for the sum, and for the result that is being turned back.
    pixelsWithin: (bytes) => method.pixelsWithin(0.9 * bytes),
    enlargeBytes: undefined,
    async enlarge(planes, signal) {
      const { channels } = planes;
      const [width, height] = [planes.width * scale, planes.height * scale];
      const mean: Planes = { width, height, channels, data: new Float32Array(channels * width * height) };
      for (const symmetry of symmetries) {
        signal?.throwIfAborted();
        const data = augment(planes.data, planes.width, planes.height, channels, symmetry);
        const [w, h] = symmetry.transpose ? [planes.height, planes.width] : [planes.width, planes.height];
        const large = await method.enlarge({ width: w, height: h, channels, data });
        const back = augment(large.data, large.width, large.height, channels, inverseSymmetry(symmetry));
        for (let i = 0; i < back.length; i++) mean.data[i] += back[i] / 8;
      }
      return mean;
    },
  });
}

/** Adds the functions of an upscaler to a method. */
export function upscalerOf(method: Method): Upscaler {
  const { name, colors } = method;
  return {
    ...method,
    async upscale(image, options = {}) {
      checkUpscaleOptions("upscale", options);
      return (await new Bands(image, method, { ...options, depth: 8 }).image()) as Image;
    },
    async upscaleY(plane, width, height, options) {
      if (colors === "rgb") {
        throw new DataError(
          `upscaleY: ${name} works on red, green and blue, not on luma alone; use upscale().`,
        );
      }
      checkArguments("upscaleY", { plane: [plane, numberList] });
      if (plane.length !== width * height) {
        throw new DataError(
          `upscaleY: a plane of ${width}x${height} has ${width * height} values, but ${plane.length} were ` +
            "given.",
        );
      }
      const data = Float32Array.from(plane, (level) => level / 255);
      const large = await enlargePlanes({ width, height, channels: 1, data }, method, options);
      if (large.data.some(Number.isNaN)) {
        throw new DataError(
          `upscaleY: ${name} made NaN of a plane of ${width}x${height}; its training has diverged.`,
        );
      }
      return large.data.map((value) => value * 255);
    },
    async upscalePlanes(planes, options) {
      checkPlanesObject(planes, "upscalePlanes");
      return enlargePlanes(planes, method, options);
    },
  };
}

/**
 * Bytes that JavaScript takes for each pixel of the small picture, which has up to four planes: its values as
 * floats and as samples; the result's as floats before and after the colours are joined, and as samples; and
 * one plane of the result in double precision for each of the two passes of an interpolation.
 */
function bytesPerPixel(scale: number): number {
  return scale ** 2 * (4 * (4 + 4 + 2) + 16) + 4 * (4 + 2);
}
