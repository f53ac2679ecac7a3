/** What upscales pictures: interpolations, networks, and self-ensembles of either. */

import type { Device } from "../device/device.ts";
import { add, mul } from "../kernels/elementwise/index.ts";
import { flip, permute } from "../kernels/layout/index.ts";
import { interpolate } from "../kernels/resize/index.ts";
import { checkNetwork } from "../models/check-network.ts";
import { placeOf, type SuperResolver } from "../models/super-resolver.ts";
import { ArgumentError, checkArguments, checkNames, numberList, optional } from "../options/arguments.ts";
import { quote, text } from "../options/kinds.ts";
import { orList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { imresize, interpolatePlanes } from "../picture/imresize.ts";
import { inverseSymmetry, type Symmetry, symmetries } from "../picture/patches.ts";
import { checkPlanesObject, type Planes } from "../picture/planes.ts";
import type { ResizeOptions } from "../picture/resize-weights.ts";
import { scales } from "../picture/scales.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { enlargeAsMatlab } from "./adapters.ts";
import { Bands } from "./bands.ts";
import { checkMethod } from "./check-method.ts";
import { compute, computeFrom } from "./compute.ts";
import { enlargePlanes } from "./enlarge-planes.ts";
import { Forward } from "./forward.ts";
import {
  BICUBIC_MARGIN,
  enlargeWithDevice,
  type Method,
  notFinite,
  type TensorMethod,
  withChanges,
  withDeviceOf,
} from "./method.ts";
import { type Interpolation, interpolations, isInterpolation, scalesOf } from "./method-names.ts";
import {
  checkUpscaleOptions,
  type TileOptions,
  type UpscaleOptions,
  upscaleOptionNames,
} from "./upscale-options.ts";

/** A method with functions for callers, which cut whatever is too large for the memory into tiles. */
export interface Upscaler extends Method {
  /**
   * A picture of 1 to 4 channels, `scale` times as wide and high. One channel is a grey picture (0 black, 255
   * white), whatever the method works on. adapters.ts says what becomes of colours and transparency.
   */
  upscale(image: Image, options?: TileOptions): Promise<Image>;
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
 * Padding for networks: so many pixels, or the network's own reach if that is shorter. The zeros beyond it are so many
 * layers away that no byte of the result changes (docs/measurements.md), and small pictures take little longer.
 */
const NETWORK_PADDING = 16;

/** Larger windows save nothing, and with these an abort or a progress report need not wait long. */
const MAX_INTERPOLATION_WINDOW = 512 ** 2;

/** Larger than in JavaScript: on a device a window takes no time, and the work around each does. */
const MAX_WINDOW_ON_DEVICE = 1024 ** 2;

/**
 * Enlarges by a fixed formula, as Matlab's imresize does, by 2, 3, 4 or 8; by 1 it returns the picture as it is, which
 * networks that keep the size are compared with. Grey and RGB pictures of 8 bits come out bit for bit, rounded to bytes
 * after each of the two passes. Planes, and so all other pictures, are not rounded in between. Runs on the CPU.
 */
export function interpolator(name: Interpolation, scale: number): Upscaler {
  return interpolatorWithDevice(undefined, name, scale);
}

/**
 * The same, and pictures of 8 bits run on the device, where results equal JavaScript's bit for bit. Other pictures
 * stay in JavaScript: there, sums in single precision would differ in rounding.
 */
export function interpolatorWithDevice(
  device: Device | undefined,
  name: Interpolation,
  scale: number,
  caller = "interpolator",
): Upscaler {
  if (!isInterpolation(name)) {
    throw new ArgumentError(caller, `there is no ${quote(name)}; use ${interpolations.join(", ")}.`);
  }
  if (!scalesOf(name).includes(scale)) {
    throw new ArgumentError(caller, `scale must be ${orList(scales)}, got ${quote(scale)}.`);
  }
  const pixelsUpTo =
    (most: number): Method["pixelsWithin"] =>
    (bytes, around = 0) =>
      Math.min(most, Math.floor(bytes / (interpolationBytes(scale) + around)));
  return upscalerOf({
    name,
    scale,
    colors: "any",
    device: undefined,
    margin: BICUBIC_MARGIN,
    pixelsWithin: pixelsUpTo(MAX_INTERPOLATION_WINDOW),
    enlarge: async (planes) => interpolatePlanes(planes, scale, kernels[name]),
    enlargeBytes: (image) => imresize(image, scale, kernels[name]),
    onLevels: device && {
      device,
      // A kernel must bind the result, of up to three channels.
      pixelsWithin: pixelsUpTo(
        Math.min(MAX_WINDOW_ON_DEVICE, Math.floor(device.profile.maxTensorBytes / (4 * 3 * scale ** 2))),
      ),
      enlarge: (levels) =>
        interpolate(levels, { mode: name, scaleFactor: scale, convention: "matlab", round: true }),
      ahead: 2,
    },
  });
}

/**
 * Enlarges by a network, on the device where that is at each call. Networks that take enlarged pictures (SRCNN) get
 * them from bicubic interpolation, not rounded.
 *
 * @param name the upscaler's name; by default that of the network's architecture.
 */
export function networkUpscaler(model: SuperResolver, name?: string): Upscaler {
  checkNetwork("networkUpscaler", "model", model);
  checkArguments("networkUpscaler", { name: [name, optional(text)] });
  return upscalerOfNetwork(model, name ?? model.metadata().architecture ?? model.constructor.name);
}

function upscalerOfNetwork(model: SuperResolver, name: string): Upscaler {
  const { scale, colors, inputSize, halo, multiple } = model;
  const channels = model.planes;
  const takesEnlarged = inputSize === "high";
  /** Pixels of the network's input for each pixel of the small picture. */
  const factor = takesEnlarged ? scale ** 2 : 1;
  const forward = new Forward(model);
  const place = placeOf(model); // the model's, whose device changes when that moves
  const margin = takesEnlarged ? Math.ceil(halo / scale) + BICUBIC_MARGIN : halo;
  const tensorMethod: TensorMethod = {
    get device() {
      return place.device;
    },
    enlarge: async (x) =>
      computeFrom([x], () => {
        if (x.shape[1] === channels) return forward.run(takesEnlarged ? enlargeAsMatlab(x, scale) : x);
        throw new DataError(`${name} takes ${channels} planes, but ${x.shape[1]} were given.`, {
          caller: "upscalePlanes",
        });
      }),
  };
  return upscalerOf({
    name,
    scale,
    colors,
    get device() {
      return place.device;
    },
    margin,
    multiple,
    padding: Math.min(margin, NETWORK_PADDING),
    pixelsWithin: (bytes, around = planeBytes(channels, scale)) =>
      Math.floor(forward.pixelsWithin(bytes, around / factor) / factor),
    half: place.dtype === "float16",
    ahead: 2,
    prepare: () => forward.prepare(),
    enlarge: enlargeWithDevice((work) => work(tensorMethod)),
  });
}

/**
 * The mean of eight results: the picture is flipped and turned in all eight ways, each version is enlarged,
 * and the results are turned back and averaged before anything is rounded. A network's errors differ between
 * them and partly cancel. Lim et al. 2017, who call it EDSR+, gain about 0.1 dB by eight times the work.
 * An interpolation, which treats all directions alike, gains nothing.
 */
export function selfEnsemble(of: Method): Upscaler {
  checkMethod("selfEnsemble", "the first argument", of);
  const method = withChanges(of, {});
  const changes: Partial<Method> = {
    name: `${method.name}+`,
    // Some of the memory is for the sum, and for the result that is being turned back.
    pixelsWithin: (bytes, around) => method.pixelsWithin(0.9 * bytes, around),
    enlargeBytes: undefined,
    onLevels: undefined,
    ahead: undefined, // it waits between its steps
    enlarge: enlargeWithDevice((work, signal) =>
      withDeviceOf(method)(
        ({ device, enlarge }) => work({ device, enlarge: (x, stop) => meanOfEight(x, enlarge, stop) }),
        signal,
      ),
    ),
  };
  return upscalerOf(withChanges(method, changes));
}

async function meanOfEight(
  x: Tensor,
  enlarge: TensorMethod["enlarge"],
  signal?: AbortSignal,
): Promise<Tensor> {
  const { device } = x;
  let sum: Tensor | undefined;
  try {
    for (const symmetry of symmetries) {
      signal?.throwIfAborted();
      const large = await enlarge(
        compute(() => applySymmetry(x, symmetry)),
        signal,
      );
      const others = sum ? [sum, large] : [large];
      sum = computeFrom(others, () => {
        const back = applySymmetry(large, inverseSymmetry(symmetry));
        return sum ? add(sum, back, { alpha: 1 / 8 }) : mul(back, 1 / 8);
      });
      await device.sync(); // otherwise an abort would come too late to save anything
    }
  } catch (error) {
    sum?.dispose();
    throw error;
  } finally {
    x.dispose();
  }
  return sum!;
}

/** Pictures flipped, and then their rows and columns exchanged: a new tensor, to be disposed by itself. */
function applySymmetry(x: Tensor, { hflip, vflip, transpose }: Symmetry): Tensor {
  const axes = [...(vflip ? [2] : []), ...(hflip ? [3] : [])];
  const flipped = axes.length > 0 ? flip(x, axes) : x.alias(x.shape);
  return transpose ? permute(flipped, [0, 1, 3, 2]) : flipped;
}

/** Adds the functions of an upscaler to a method. */
export function upscalerOf(method: Method): Upscaler {
  const { name, colors } = method;
  const functions: Omit<Upscaler, keyof Method> = {
    async upscale(image, options = {}) {
      checkUpscaleOptions("upscale", options);
      checkNames("upscale", options, [...upscaleOptionNames, "onTile"]);
      return (await new Bands(image, upscaler, { ...options, depth: 8 }).image()) as Image;
    },
    async upscaleY(plane, width, height, options = {}) {
      checkUpscaleOptions("upscaleY", options);
      if (colors === "rgb") {
        throw new DataError(`${name} works on red, green and blue, not on luma alone; use upscale().`, {
          caller: "upscaleY",
        });
      }
      checkArguments("upscaleY", { plane: [plane, numberList] });
      if (plane.length !== width * height) {
        throw new DataError(
          `a plane of ${width}x${height} has ${width * height} values, but ${plane.length} were given.`,
          { caller: "upscaleY" },
        );
      }
      const data = Float32Array.from(plane, (level) => level / 255);
      const large = await enlargePlanes({ width, height, channels: 1, data }, upscaler, options, "upscaleY");
      checkFinite(large, upscaler, "upscaleY");
      return large.data.map((value) => value * 255);
    },
    async upscalePlanes(planes, options = {}) {
      checkUpscaleOptions("upscalePlanes", options);
      checkPlanesObject(planes, "upscalePlanes");
      const large = await enlargePlanes(planes, upscaler, options, "upscalePlanes");
      if (upscaler.half) checkFinite(large, upscaler, "upscalePlanes");
      return large;
    },
  };
  const upscaler = withChanges(method, functions);
  return upscaler;
}

function checkFinite({ data }: Planes, method: Method, caller: string): void {
  if (!data.every(Number.isFinite)) throw notFinite(method, caller);
}

/**
 * Bytes for each pixel of the small picture besides those of the network, where planes go in and come out: the
 * result in a staging buffer and in JavaScript, for this tile and the one after it.
 */
function planeBytes(channels: number, scale: number): number {
  return 4 * channels * scale ** 2 * 4;
}

/** The same for interpolation of up to four planes: the result, and two passes of one in double precision. */
function interpolationBytes(scale: number): number {
  return scale ** 2 * (4 * 4 + 16);
}
