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

/** A WGSL or WebGPU error, or a lost device. */
export class GpuError extends Error {
  override name = "GpuError";
}

/**
 * What a device is good at. The best kernel for a shape differs between adapters by a factor of two and more,
 * and operations choose by these facts; they never ask what an adapter is called. profile.ts knows which
 * facts hold where.
 *
 * Two kinds of machine are meant below. A *real GPU* has thousands of arithmetic units and hides the latency
 * of its memory by switching between many threads. A *software adapter* runs the same WGSL on the processor's
 * few cores: it executes a subgroup of threads as the lanes of one vector register, one workgroup after the
 * other on each core.
 */
export interface DeviceProfile {
  /**
   * Operations run as plain loops in TypeScript (the CPU device): the yardstick, far slower than any kernel.
   * The other facts then decide nothing, but for `maxTensorBytes`.
   */
  readonly reference: boolean;
  /** The most bytes of one tensor, which a kernel has to bind at once; Infinity on the CPU device. */
  readonly maxTensorBytes: number;
  /**
   * Threads of a subgroup that load the same address pay for one load. True of real GPUs, whose memory units
   * merge such loads. In software each lane loads for itself, so it pays to load once and hand the value
   * round (`subgroupBroadcast`).
   */
  readonly sharesLoads: boolean;
  /**
   * Workgroup memory is fast and a barrier costs a few cycles, as on real GPUs. In software workgroup memory
   * is ordinary memory, and at a barrier every thread of the workgroup is set aside and taken up again.
   */
  readonly cheapBarriers: boolean;
  /**
   * A round of a loop costs about as much as several multiply-adds, so more of the work should be written out
   * per round. True where the driver's compiler optimises little (SwiftShader).
   */
  readonly costlyLoops: boolean;
  /** Threads that run in step and can exchange values (a subgroup); 0 if there are none of one size. */
  readonly subgroupSize: number;
  /**
   * Threads of a workgroup in kernels that keep many values in registers. Real GPUs want at least their
   * widest subgroup; in software a workgroup is work for one core, and small ones spread better and leave
   * less to do past the edges.
   */
  readonly workgroup: number;
  /** Threads that together sum one long row: many hide a real GPU's latency; in software each is work. */
  readonly reductionLanes: number;
  /** Outputs per thread where each is little work. Few on real GPUs, where starting threads costs little. */
  readonly outputsPerThread: number;
  /** Workgroups that keep every core busy. More only make work, where each writes a partial result. */
  readonly groupsToFill: number;
  /** Threads that use every arithmetic unit many times over; for measuring ceilings. */
  readonly threadsToSaturate: number;
}

/**
 * Where tensors live: a `GpuDevice`, or the `CpuDevice` that runs every operation on its reference. Storages
 * belong to the device that allocated them.
 */
export interface Device {
  /** What to print: "llvmpipe (LLVM 15.0.6, 256 bits)", "cpu", … */
  readonly name: string;
  readonly profile: DeviceProfile;
  allocate(length: number): Storage;
  /** A part of a storage; it keeps the whole alive. `offset` is a multiple of 64 elements. */
  slice(storage: Storage, offset: number, length: number): Storage;
  release(storage: Storage): void;
  write(storage: Storage, values: ArrayLike<number>): void;
  /** A copy of the elements; on the GPU this waits until everything before it has been computed. */
  read(storage: Storage): Promise<Float32Array>;
  /** Copies all elements; both have the same length. */
  copy(from: Storage, to: Storage): void;
  /** Resolves when all work handed to the device is done; rejects if any of it failed. */
  sync(): Promise<void>;
  /** Compiles the kernels that `body` launches and runs none; nothing on the CPU. See compile-ahead.ts. */
  compileAhead(body: () => void): Promise<void>;
  memory(): MemoryStats;
  /** Lets `peakBytes` count from now on; or sets it back to what it was before somebody did that. */
  resetPeak(peak?: number): void;
  /** Gives memory back that is kept for tensors to come. */
  freeUnused(): void;
  /** Frees everything. The device and its tensors cannot be used afterwards. */
  destroy(): void;
}
