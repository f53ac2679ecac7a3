/** One launch of a kernel: what it works on, with which numbers, and how large it is. */
import type { Bindable } from "./gpu-storage.ts";
import type { Grid, Specialization } from "./kernel.ts";

/** One kernel launch: see `run` in gpu-device.ts. */
export interface Launch extends Specialization {
  /** A tensor or a storage for every storage binding of the kernel, by its name in the WGSL. */
  readonly buffers: Readonly<Record<string, Bindable>>;
  /**
   * A number for every field of the kernel's `Params`. A function, if they differ from launch to launch as a
   * step count does: they are not cached then, and computed anew at each replay of the launch.
   */
  readonly params?: Params | (() => Params);
  /** Workgroups to start. */
  readonly grid: Grid;
}

/** The numbers of a kernel's `Params`, by name. */
export type Params = Readonly<Record<string, number>>;
