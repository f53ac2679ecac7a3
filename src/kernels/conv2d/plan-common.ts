/** What the plans of all convolution kernels have in common. */
import type { DeviceProfile } from "../../device/device.ts";
import type { Grid, Kernel } from "../../device/kernel.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Geometry } from "./geometry.ts";

/** One launch: a kernel, the constants and WGSL extensions of its prelude, and how many workgroups. */
export interface Plan {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  readonly enable?: readonly string[];
  readonly grid: Grid;
}

/** Everything about a convolution that its plan depends on. */
export interface Convolution {
  readonly geometry: Geometry;
  /** [o, c, kh, kw]. */
  readonly wShape: Shape;
  /** [n, o, oh, ow]. */
  readonly yShape: Shape;
  readonly hasBias: boolean;
}

/** Bytes of workgroup memory that every WebGPU device has. */
export const WORKGROUP_BYTES = 16384;

/** Threads that a workgroup may have on every WebGPU device. */
export const MAX_THREADS = 256;

/** Broadcasts pay where the device has them and does not share the loads of a subgroup by itself. */
export function broadcasts({ sharesLoads, subgroupSize }: DeviceProfile): boolean {
  return !sharesLoads && subgroupSize > 0;
}

const MAX_PLANS = 4096;
const plansByProfile = new WeakMap<DeviceProfile, Map<string, unknown>>();

/**
 * What `make` returns, or has returned for this profile and key before. Plans follow from a profile and sizes alone,
 * and a training step asks for the same ones every time. On a fast card, planning anew would take longer than the
 * kernels.
 */
export function recall<T>(profile: DeviceProfile, key: string, make: () => T): T {
  let plans = plansByProfile.get(profile);
  if (!plans || plans.size > MAX_PLANS) {
    plans = new Map();
    plansByProfile.set(profile, plans);
  }
  if (!plans.has(key)) plans.set(key, make());
  return plans.get(key) as T;
}

/** A text that differs for convolutions whose plans may differ. */
export function keyOf({ geometry, wShape, yShape, hasBias }: Convolution): string {
  const { stride, padding, dilation } = geometry;
  return `${wShape} ${yShape} ${stride} ${padding} ${dilation} ${hasBias}`;
}

/** How many pixels of an input row a strip of `pixels` outputs sees. */
export function pixelsUnder(pixels: number, [, , , kw]: Shape, { stride, dilation }: Geometry): number {
  return (pixels - 1) * stride[1] + (kw - 1) * dilation[1] + 1;
}

/** Workgroups of side x side threads, with one thread for each element of a tensor [n, c, h, w]. */
export function gridOver([n, c, h, w]: Shape, side: number): Grid {
  return [Math.ceil(w / side), Math.ceil(h / side), n * c];
}

/** Constants of the prelude: the window's size and how it moves. */
export function windowConstants([, , kh, kw]: Shape, { stride, dilation }: Geometry): Record<string, number> {
  return {
    KH: kh,
    KW: kw,
    STRIDE_Y: stride[0],
    STRIDE_X: stride[1],
    DILATION_Y: dilation[0],
    DILATION_X: dilation[1],
  };
}
