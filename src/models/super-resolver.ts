import type { Device, DType } from "../device/device.ts";
import { defaultDevice } from "../device/open.ts";
import { Module } from "../nn/module.ts";
import { planeCount } from "../picture/planes.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * A network that makes pictures larger. Upscaling and evaluation ask which planes it takes, at which size,
 * and how far its outputs look; they need to know nothing else.
 */
export abstract class SuperResolver extends Module {
  /** Enlargement of each side. */
  abstract readonly scale: number;
  /**
   * `"rgb"`: three planes, values 0..1. `"y"`: the luma plane alone, BT.601 in studio range divided by 255
   * (16/255 is black, 235/255 white); Cb and Cr are enlarged by bicubic interpolation.
   */
  abstract readonly colors: "rgb" | "y";
  /** How many planes it takes and gives: 3 for RGB, 1 for luma. */
  get planes(): 1 | 3 {
    return planeCount(this.colors);
  }
  /**
   * `"low"`: the network enlarges. `"high"`: it improves a picture that bicubic interpolation has already
   * enlarged, as SRCNN does; input and output have the same size.
   */
  abstract readonly inputSize: "low" | "high";
  /**
   * How far the network looks, in pixels of its input, for tiles: input further away changes no output, or
   * none that is seen. Where this is less than `exactHalo`, the network's own file says by how much. `Infinity` for a
   * network that looks at the whole picture, as global pooling does: it gets no tiles.
   */
  abstract readonly halo: number;
  /** No output depends on input further away. */
  get exactHalo(): number {
    return this.halo;
  }
  /** The network works on blocks of so many pixels: tiles begin and end at multiples of it. */
  get multiple(): number {
    return 1;
  }
  /** Numbers per input pixel in the largest feature map; they and the halo limit the tiles. */
  abstract readonly valuesPerPixel: number;

  /** `forward` in two stages, for networks whose last layers need far more memory than those before. */
  get twoStages(): TwoStages | undefined {
    return undefined;
  }

  /** x [n, planes, h, w] to the result, [n, planes, oh, ow]. */
  abstract override forward(x: Tensor): Tensor;

  /** The architecture and its options as strings. Weight files hold them to build the network again. */
  abstract override metadata(): Record<string, string>;
}

/**
 * Where a network's tensors are, and their type. One without any computes on the default device.
 *
 * @throws Error if they have been disposed
 */
export function placeOf(model: SuperResolver): { readonly device: Device; readonly dtype: DType } {
  const [first] = model.namedTensors().values();
  if (first === undefined) return { device: defaultDevice(), dtype: "float32" };
  if (!first.disposed) return first;
  throw new Error(
    `The network ${model.metadata().architecture ?? "of this upscaler"} has been disposed, as close() of what ` +
      "openMethod() returns does. Open it again, or close it after the last picture.",
  );
}

/** `forward` in two stages. The second, with the largest maps, can work on one part after the other. */
export interface TwoStages {
  /** x to feature maps of the same height and width. */
  features(x: Tensor): Tensor;
  /** Makes the result of `forward` from those feature maps, or from a part of them. */
  reconstruct(features: Tensor): Tensor;
  /** Numbers per pixel in the features; no map on the way to them has more. */
  readonly featureValues: number;
  /** How far `reconstruct` looks, in pixels of the features. */
  readonly halo: number;
}
