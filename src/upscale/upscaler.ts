import type { Device } from "../device/device.ts";
import type { Image } from "../picture/image.ts";
import type { Planes } from "../picture/planes.ts";

export interface UpscaleOptions {
  /** Aborting it stops the work between two tiles: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each tile; `total` is known from the start and stays the same. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Side of the tiles, in pixels of the small picture. Default: as large as `maxMemory` allows, and the device. */
  readonly tile?: number;
  /**
   * The most that the work on one tile may take, in bytes, on the device and in JavaScript together; the picture itself and the
   * result come on top. Default 512 MiB.
   */
  readonly maxMemory?: number;
}

/** A method of enlarging pictures: interpolation, a network, or several answers averaged. */
export interface Upscaler {
  /** As tables and captions print it, such as `bicubic` or `EDSR+`. */
  readonly name: string;
  /** How many times wider and higher the result is. */
  readonly scale: number;
  /** What `upscalePlanes` takes: red, green and blue; luma alone; or planes of any kind and number, each by itself. */
  readonly colors: "rgb" | "y" | "any";
  /** Where it runs; undefined for interpolation, which is JavaScript's. */
  readonly device: Device | undefined;
  /** At most how many pixels of the small picture away a pixel can still influence the result. */
  readonly margin: number;
  /** The most pixels (of the small picture) that can be enlarged at once with this many bytes, and on this device. */
  readonly pixelsWithin: (bytes: number) => number;
  /**
   * A picture of any number of channels, `scale` times as wide and high. Colours are multiplied by alpha before, so that those of
   * transparent pixels, which nobody sees, do not reach into visible ones, and divided by the enlarged alpha afterwards.
   * Alpha is enlarged like a grey picture. What becomes of the colours is the method's business:
   *
   * - `"any"`: every channel by itself.
   * - `"rgb"`: grey is repeated three times, and the result's mean is grey again.
   * - `"y"`: RGB is taken apart into luma, which the method enlarges, and two planes of colour, which bicubic
   *   interpolation does (nothing is rounded on the way). A single channel counts as luma already, in studio range
   *   (16..235) if it follows the papers' protocol; so the method can be measured on that plane alone.
   */
  upscale(image: Image, options?: UpscaleOptions): Promise<Image>;
  /**
   * Luma alone as real numbers, [height, width] in BT.601's studio range (16..235), neither rounded nor clamped:
   * what the papers' protocol measures, after rounding. Only for the colors `"y"` and `"any"`.
   */
  upscaleY(
    plane: ArrayLike<number>,
    width: number,
    height: number,
    options?: UpscaleOptions,
  ): Promise<Float32Array>;
  /** The method itself, on numbers in 0..1 (not clamped): the planes that `colors` says to planes of the larger size. */
  upscalePlanes(planes: Planes, options?: UpscaleOptions): Promise<Planes>;
  /** What all this is made of. */
  readonly method: Method;
}

/** What is peculiar to a method; `upscalerOf` adds the rest. */
export interface Method extends Omit<Upscaler, "upscale" | "upscaleY" | "upscalePlanes" | "method"> {
  /** The planes that `colors` says, at once. Methods of several steps look at the signal between them. */
  enlarge(planes: Planes, signal?: AbortSignal): Promise<Planes>;
  /** Bytes to bytes, where that is not the same as by numbers between: Matlab's imresize rounds after each of its passes. */
  enlargeBytes?(image: Image): Image;
}
