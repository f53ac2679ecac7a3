/**
 * How numbers lie in memory. All arithmetic is in f32 (on the CPU device in its precision):
 * float16 saves memory, and rounds each result that is stored to about three digits (see half.ts). It is for
 * networks at inference; nothing is trained in it.
 */
export type DType = "float32" | "float16";

export const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, float16: 2 };

/** The memory behind one tensor, or behind several that share it (see `reshape`). */
export interface Storage {
  readonly dtype: DType;
  /** Number of elements. */
  readonly length: number;
  /** How many tensors and slices use it; at 0 the device takes the memory back. */
  refs: number;
  /** The storage that this one is a part of. */
  readonly whole?: Storage | undefined;
  /** Counts writes in place (an optimizer's step), so that backward can refuse values that have changed. */
  version: number;
}

/** What a device holds at one moment; see {@link memory}. */
export interface MemoryStats {
  /** Storages in use: tensors that have not been disposed (reshaped views share one). */
  live: number;
  /** Bytes of the storages in use. */
  liveBytes: number;
  /** The maximum of `liveBytes` since the device was opened, or since `resetPeak`. */
  peakBytes: number;
  /** GPU buffers that exist, in use or waiting in the pool for the next tensor; 0 on the CPU. */
  buffers: number;
  /** Bytes of these buffers. */
  bufferBytes: number;
  /** Buffers created since the device was opened: constant in a steady training loop. */
  buffersCreated: number;
  /** Compute pipelines compiled since the device was opened. */
  pipelines: number;
}

/** The statistics of a device that holds nothing. */
export function emptyStats(): MemoryStats {
  const buffers = { buffers: 0, bufferBytes: 0, buffersCreated: 0 };
  return { live: 0, liveBytes: 0, peakBytes: 0, ...buffers, pipelines: 0 };
}

/** A WGSL or WebGPU error, or a lost device. */
export class GpuError extends Error {
  override name = "GpuError";
}

/** The device is gone: its driver was restarted or failed, or a GPU was unplugged. */
export class DeviceLostError extends GpuError {
  override name = "DeviceLostError";
}

/** Throws a GpuError if a tensor of so many elements is more than a device can bind. `what` names it. */
export function checkRoom(
  { name, profile }: Pick<Device, "name" | "profile">,
  length: number,
  what: string,
  dtype: DType = "float32",
): void {
  const { maxTensorBytes } = profile;
  const bytes = bytesPerElement[dtype] * length;
  if (bytes <= maxTensorBytes) return;
  const [size, limit] = [bytes, maxTensorBytes].map((count) => `${(count / 2 ** 20).toFixed(1)} MiB`);
  throw new GpuError(
    `${what} (${size}) is larger than ${name} can bind at once (${limit}). Work on smaller pictures, tiles or ` +
      `batches, or with a smaller network.`,
  );
}

/**
 * Is it a device, as far as arguments are checked? (Where two copies of this library meet, it may be an instance of the
 * other's class.)
 */
export function looksLikeDevice(value: unknown): value is Device {
  const { allocate, profile } = (value ?? {}) as Partial<Device>;
  return typeof allocate === "function" && typeof profile === "object" && profile !== null;
}

/** Throws a GpuError if a device cannot store numbers in this way. `caller` names who asks. */
export function checkDType(
  { name, profile }: Pick<Device, "name" | "profile">,
  dtype: DType,
  caller: string,
): void {
  if (dtype === "float32" || profile.float16) return;
  throw new GpuError(
    `${caller}: ${name} lacks WebGPU's feature shader-f16, so it cannot store float16. Take float32, the ` +
      "default, which needs more memory and hardly changes results, or use another adapter: lavapipe and most " +
      "GPUs have the feature. (On NVIDIA in Node, Dawn hides it unless PIXELGRAD_DAWN=f16-on-nvidia.)",
  );
}

/**
 * What a device is good at. The right kernel for a shape can be twice as fast as the wrong one, and which is
 * right depends on the adapter. Operations choose by these facts, and never ask what an adapter is called;
 * profile.ts has the facts for each kind of adapter.
 *
 * There are two kinds of machine. A *real GPU* has thousands of arithmetic units and hides the latency of its
 * memory by switching between many threads. A *software adapter* runs the same WGSL on the processor's few
 * cores: the threads of a subgroup are the lanes of one vector register, and each core runs one workgroup
 * after the other.
 */
export interface DeviceProfile {
  /**
   * Operations run as plain loops in TypeScript (the CPU device): the yardstick, far slower than any kernel.
   * Of the other facts, only `maxTensorBytes`, `float16` and `separateProcessor` then matter.
   */
  readonly reference: boolean;
  /**
   * Kernels run on another processor than JavaScript, a GPU. In software they run on the same cores: what plain
   * loops do well, such as interpolation, is not faster there.
   */
  readonly separateProcessor: boolean;
  /** How many bytes a tensor may have, which a kernel must bind at once. */
  readonly maxTensorBytes: number;
  /** Tensors may be stored as float16: WebGPU's feature shader-f16. */
  readonly float16: boolean;
  /**
   * When all threads of a subgroup load the same address, it costs one load, as on real GPUs, whose memory
   * units merge such loads. In software each lane loads for itself, so it is faster if one lane loads and
   * hands the value round (`subgroupBroadcast`).
   */
  readonly sharesLoads: boolean;
  /**
   * `subgroupShuffle` is one instruction, whichever lane each lane asks: cheaper than a load, and than
   * `subgroupBroadcast`, which finds out first which lanes are active.
   */
  readonly shuffles: boolean;
  /**
   * Workgroup memory is fast and a barrier costs a few cycles, as on real GPUs. In software workgroup memory
   * is ordinary memory, and a barrier suspends and resumes every thread of the workgroup.
   */
  readonly cheapBarriers: boolean;
  /**
   * A round of a loop costs about as much as several multiply-adds, so that each round should do more of the
   * work. True where the driver's compiler optimizes little (SwiftShader).
   */
  readonly costlyLoops: boolean;
  /**
   * Threads of a subgroup: they run in step and can exchange values. 0 if subgroups have several sizes, and
   * kernels cannot ask for one.
   */
  readonly subgroupSize: number;
  /**
   * Threads of a workgroup in kernels that keep many values in registers. Real GPUs want at least their
   * widest subgroup. In software a workgroup is work for one core: small ones spread better, and waste less
   * past the edges.
   */
  readonly workgroup: number;
  /**
   * About how many sums a thread should keep in registers at most, where workgroups share what they load (conv2d's
   * steps 5 and 6, and its weight gradients, which may keep an eighth more, and for windows above 3 x 3 up to 100).
   * More would do more work for each load, but what does not fit goes to memory, or leaves room for too few threads.
   */
  readonly blockSums: number;
  /** Threads that sum one long row together. Many hide a real GPU's latency; in software each costs time. */
  readonly reductionThreads: number;
  /** Outputs per thread where each is little work. Few on real GPUs, which start a thread at little cost. */
  readonly outputsPerThread: number;
  /** Workgroups that keep every core busy. Where each writes a partial result, more only add work. */
  readonly groupsToFill: number;
  /** Threads that use every arithmetic unit many times over, to measure ceilings. */
  readonly threadsToSaturate: number;
}

/** Throws unless `one` and `another`, as the error calls them, are on the same device. `advice` ends the error. */
export function checkOneDevice(one: string, a: Device, another: string, b: Device, advice = ""): void {
  if (a === b) return;
  const why =
    a.name === b.name
      ? "These are two devices, opened separately: if that was not meant, call init() once. "
      : "";
  throw new Error(
    `${one} is on ${a.name} and ${another} on ${b.name}. ${why}await x.to(device) moves a tensor, await ` +
      `model.to(device) a network.${advice}`,
  );
}

/** The same for all of a list, each of which errors call `what`. */
export function checkAllOnOneDevice(
  caller: string,
  what: string,
  [first, ...others]: readonly { readonly device: Device }[],
  advice?: string,
): void {
  for (const { device } of others) {
    checkOneDevice(`${caller}: one ${what}`, first.device, "another", device, advice);
  }
}

/**
 * Where tensors live: a `GpuDevice`, or the `CpuDevice`, which runs every operation as its reference. A
 * storage belongs to the device that allocated it.
 */
export interface Device {
  /** What to print, with the driver if that is known: "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6) 0.0.1", "cpu", … */
  readonly name: string;
  readonly profile: DeviceProfile;
  /**
   * Why it cannot be used any more: it was lost (a DeviceLostError) or destroyed, or some of its work failed,
   * after which nothing on it can be relied on. Undefined as long as all is well.
   */
  readonly failure: GpuError | undefined;
  /**
   * Resolves when the device is lost, with what `failure` is then; never for one that is destroyed. For a page that
   * wants to say so: `upscale()` opens another device by itself, unless its method is a network of yours.
   */
  readonly lost: Promise<DeviceLostError>;
  /** Throws a GpuError if there is no room, or no such dtype on this device. Default "float32". */
  allocate(length: number, dtype?: DType): Storage;
  /** A part of a float32 storage; it keeps the whole alive. `offset` is a multiple of 64 elements. */
  slice(storage: Storage, offset: number, length: number): Storage;
  release(storage: Storage): void;
  /**
   * Makes a storage a part of another, as `slice` would, and takes its values there. All tensors that share it follow.
   * It must have no parts itself.
   */
  moveInto(whole: Storage, offset: number, storage: Storage): void;
  /**
   * Like `release`, for a tensor whose values are elsewhere from now on. Captured work that names the storage is to
   * look for the tensor anew, even where others keep the storage.
   */
  leave(storage: Storage): void;
  /** The values are rounded to the storage's dtype. */
  write(storage: Storage, values: ArrayLike<number>): void;
  /** Like `write`, for values that stay the same when the work around it is replayed; see tensor/capture.ts. */
  writeConstant(storage: Storage, values: ArrayLike<number>): void;
  /** A copy of the elements; on the GPU this waits for all work before it. */
  read(storage: Storage): Promise<Float32Array>;
  /**
   * Writes raw bytes to the start of the memory, which has four for each element. Their number is a multiple
   * of four. For what is packed more tightly than tensors are: a picture's samples.
   */
  writeBytes(storage: Storage, bytes: Uint8Array): void;
  /**
   * The result of `use`, which is called with the raw bytes once they have arrived; on the GPU this waits for all
   * work before it. They lie in memory that is lent: copy what is to stay. The storage may be released at once.
   *
   * @param turn awaited between the two, by callers who copy several results into the same memory. If it rejects,
   *   so does the result, and `use` is not called.
   */
  readBytes<T>(storage: Storage, use: (bytes: Uint8Array) => T, turn?: () => Promise<void>): Promise<T>;
  /** Copies all elements; both have the same length and dtype. */
  copy(from: Storage, to: Storage): void;
  /** Calls `effect` now, and again at each replay of the work around it; see tensor/capture.ts. */
  eachTime(effect: () => void): void;
  /** Resolves when the device has done all its work; rejects if any of it failed. */
  sync(): Promise<void>;
  /** Compiles the kernels that `body` launches, and runs none. See compile-ahead.ts. */
  compileAhead(body: () => void): Promise<void>;
  memory(): MemoryStats;
  /** Sets `peakBytes` to `peak`, by default to `liveBytes`: the maximum then counts from here on. */
  resetPeak(peak?: number): void;
  /** Frees the memory that waits to be used again by later tensors. */
  freeUnused(): void;
  /** Frees everything. The device and its tensors cannot be used afterwards. */
  destroy(): void;
}
