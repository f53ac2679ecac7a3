import type { Device } from "../device/device.ts";
import type { Image } from "../picture/image.ts";
import type { Planes } from "../picture/planes.ts";

/**
 * A way of enlarging: an interpolation, a network, or the mean of several answers. It takes numbers in
 * planes, all at once. tiles.ts cuts large pictures into parts for it, adapters.ts gives it the colours that
 * it works on, and upscaler.ts adds the functions that callers use. All of them copy its properties, so a
 * method is a plain object whose functions do without `this`.
 */
export interface Method {
  /** As tables and captions print it, such as `bicubic` or `edsr-small+`. */
  readonly name: string;
  /** How many times wider and higher the result is. */
  readonly scale: number;
  /** What `enlarge` takes: red, green and blue; luma alone; or planes of any kind, each by itself. */
  readonly colors: "rgb" | "y" | "any";
  /** Where it runs; undefined for what JavaScript computes, as interpolations. */
  readonly device: Device | undefined;
  /** At most how many pixels of the small picture away a pixel can still influence the result. */
  readonly margin: number;
  /** The most pixels of the small picture that can be enlarged at once with so many bytes on this device. */
  readonly pixelsWithin: (bytes: number) => number;
  /**
   * The planes that `colors` says, values in 0..1, to as many planes of the larger size, not clamped. A
   * method that works in several steps looks at the signal between them.
   */
  readonly enlarge: (planes: Planes, signal?: AbortSignal) => Promise<Planes>;
  /**
   * Bytes to bytes, where that is not the same as by numbers between: Matlab's imresize rounds after each of
   * its two passes. For grey and RGB, of methods that work on any planes.
   */
  readonly enlargeBytes?: (image: Image) => Image;
}

/** Where a method runs, for reports: the name of an adapter, or "JavaScript". */
export function adapterOf({ device }: Method): string {
  return device?.name ?? "JavaScript";
}
