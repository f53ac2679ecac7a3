/** What a device keeps of one tensor's elements. Several tensors may share it (see reshape). */
export interface Storage {
  /** Number of elements. */
  readonly length: number;
  /** How many tensors use it; at 0 the device takes the memory back. */
  refs: number;
  /** Counts writes in place (an optimiser's step), so that backward can refuse stale values. */
  version: number;
}

/** A snapshot of what a device holds; see {@link memory}. */
export interface MemoryStats {
  /** Storages in use: tensors that have not been disposed (reshaped views share one). */
  live: number;
  /** Bytes of those. */
  liveBytes: number;
  /** The most `liveBytes` has been since the device was made, or since `resetPeak`. */
  peakBytes: number;
  /** GPU buffers that exist, in use or waiting in the pool for the next tensor; 0 on the CPU. */
  buffers: number;
  /** Bytes of those buffers. */
  bufferBytes: number;
  /** Buffers created since the device was made: constant in a steady training loop. */
  buffersCreated: number;
  /** Compute pipelines compiled since the device was made. */
  pipelines: number;
}

/**
 * Where tensors live: a `GpuDevice`, or the `CpuDevice` that runs every operation on its reference. Storages
 * belong to the device that allocated them.
 */
export interface Device {
  readonly kind: "cpu" | "gpu";
  /** What to print: "llvmpipe (LLVM 15.0.6, 256 bits)", "cpu", … */
  readonly name: string;
  allocate(length: number): Storage;
  /** A part of a storage under its own name; it keeps the whole alive. `offset` is a multiple of 64 elements. */
  slice(storage: Storage, offset: number, length: number): Storage;
  release(storage: Storage): void;
  write(storage: Storage, values: ArrayLike<number>): void;
  /** A copy of the elements; on the GPU this waits until everything before it has been computed. */
  read(storage: Storage): Promise<Float32Array>;
  /** Copies all elements; both have the same length. */
  copy(from: Storage, to: Storage): void;
  /** Resolves when all work handed to the device is done; rejects if any of it failed. */
  sync(): Promise<void>;
  memory(): MemoryStats;
  /** Lets `peakBytes` count from now on; or sets it back to what it was before somebody did that. */
  resetPeak(peak?: number): void;
  /** Gives memory back that is kept for tensors to come. */
  freeUnused(): void;
  /** Frees everything. The device and its tensors cannot be used afterwards. */
  destroy(): void;
}
