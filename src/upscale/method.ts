import type { Device } from "../device/device.ts";
import { isObject, type Wanted } from "../options/arguments.ts";
import type { Image } from "../picture/image.ts";
import type { Planes } from "../picture/planes.ts";

/**
 * A way of enlarging, as a function on numbers: planes in, larger planes out, all at once. tiles.ts cuts
 * large pictures into parts for it, adapters.ts converts colours to those that it works on, and upscaler.ts
 * adds the functions for callers. Some of them copy its properties, so a method is a plain object whose
 * functions do not use `this`.
 */
export interface Method {
  /** For tables and captions, such as `bicubic` or `edsr-small+`. */
  readonly name: string;
  /** How many times wider and higher the result is. */
  readonly scale: number;
  /** What `enlarge` takes: red, green and blue; luma alone; or planes of any kind, each by itself. */
  readonly colors: "rgb" | "y" | "any";
  /** Where it runs; undefined for interpolations, which JavaScript computes. */
  readonly device: Device | undefined;
  /**
   * How far it looks: no pixel of the result depends on pixels of the small picture further away. (In a network
   * whose `exactHalo` is larger than its `halo`, none does so by half a level.)
   */
  readonly margin: number;
  /** It works on blocks of so many pixels: windows are multiples of it, and so is the margin. Default 1. */
  readonly multiple?: number;
  /**
   * How many pixels of the mirrored picture it gets beyond each edge, at most `margin`, unless a caller asks
   * for none. Default 0, for methods to which the edges do no harm.
   */
  readonly padding?: number;
  /** How many pixels of the small picture it can enlarge at once with this much memory on its device. */
  readonly pixelsWithin: (bytes: number) => number;
  /**
   * From the planes that `colors` names, values in 0..1, to as many planes of the larger size, not clamped. A
   * method that works in several steps checks the signal between them.
   */
  readonly enlarge: (planes: Planes, signal?: AbortSignal) => Promise<Planes>;
  /**
   * From bytes to bytes, for a method whose `enlarge` would give other bytes: Matlab's imresize rounds after
   * each of its two passes. Takes grey and RGB; only methods that work on any planes have it.
   */
  readonly enlargeBytes?: (image: Image) => Image;
}

/** What functions that take a method want. */
export const aMethod: Wanted<Method> = {
  wants: "a method or an upscaler, such as interpolator() makes",
  fits: (value): value is Method =>
    isObject(value) && typeof value.enlarge === "function" && typeof value.pixelsWithin === "function",
};

/** How far bicubic interpolation looks; `enlargeAlpha` looks as far for the bounds of alpha. */
export const bicubicMargin = 2;

/** Where a method runs, for reports: the name of an adapter, or "JavaScript". */
export function adapterOf({ device }: Method): string {
  return device?.name ?? "JavaScript";
}
