import { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * What every super-resolution network of this folder tells about itself, so that evaluation and upscaling
 * need to know nothing else: which planes it takes, at which size, and how far its outputs look. What there
 * is to know before a network is built is in architecture.ts.
 */
export abstract class SuperResolver extends Module {
  /** Enlargement of each side. */
  abstract readonly scale: number;
  /**
   * `"rgb"`: three planes, values 0..1. `"y"`: the luma plane alone, BT.601 in studio range divided by 255
   * (16/255 is black, 235/255 white); Cb and Cr are enlarged by bicubic interpolation.
   */
  abstract readonly colors: "rgb" | "y";
  /**
   * `"low"`: the network enlarges. `"high"`: it improves a picture that bicubic interpolation has enlarged
   * already, as SRCNN does; input and output have the same size.
   */
  abstract readonly inputSize: "low" | "high";
  /** At most how many input pixels away an input pixel can still influence an output. */
  abstract readonly halo: number;
  /** Numbers in the largest feature map for each input pixel: it and the halo limit the tiles. */
  abstract readonly valuesPerPixel: number;

  /** For networks whose last layers need far more memory than all before. */
  get twoStages(): TwoStages | undefined {
    return undefined;
  }

  /** What the network was built with, as strings: kept in weight files, and enough to build it again. */
  abstract override metadata(): Record<string, string>;
}

/** `forward` in two stages. The second, with the largest maps, can be done for one part after the other. */
export interface TwoStages {
  /** x to feature maps of the same height and width. */
  features(x: Tensor): Tensor;
  /** Those, or a part of them, to what `forward` gives. */
  reconstruct(features: Tensor): Tensor;
  /** Numbers that the features hold for each pixel; no map on the way to them holds more. */
  readonly featureValues: number;
  /** At most how many pixels away a pixel of the features can still influence an output. */
  readonly halo: number;
}
