import { checkArguments, isObject, type Wanted } from "../options/arguments.ts";
import { atLeastZero } from "../options/kinds.ts";
import { Capture } from "./capture.ts";
import {
  bytesPerElement,
  checkDType,
  checkRoom,
  type Device,
  type DeviceLostError,
  type DeviceProfile,
  type DType,
  type GpuError,
  looksLikeDevice,
  type MemoryStats,
} from "./device.ts";
import { Downloads } from "./downloads.ts";
import { Failures, type FailureWatch } from "./failures.ts";
import { copyBytes, dataFor, GpuStorage, storageOf, storedAsHalf, vec4Bytes } from "./gpu-storage.ts";
import { fromHalf } from "./half.ts";
import { aKernel, checkGrid, type Kernel, packParams, type Specialization, uniformWords } from "./kernel.ts";
import type { Launch, Params } from "./launch.ts";
import { PassTimer } from "./pass-timer.ts";
import { BindGroups, type Bound, type KernelMessage, Pipelines, Uniforms } from "./pipelines.ts";
import { BufferPool, type PooledBuffer } from "./pool.ts";
import type { AdapterClass, Identity } from "./profile.ts";
import { Recorder } from "./recorder.ts";
import { Tuning } from "./tuning.ts";

/** How this JavaScript environment waits and reports. */
export interface HostHooks extends FailureWatch {
  /** Awaits GPU work, which has a processor of its own or the same as JavaScript. */
  wait<T>(promise: Promise<T>, separateProcessor: boolean): Promise<T>;
}

/** Why work that reads is not captured. */
const READ = "it read a tensor's values";

/** An object that has these properties, its own or a class's. */
function having(wants: string, ...names: readonly string[]): Wanted {
  return {
    wants,
    fits: (value): value is unknown => isObject(value) && names.every((name) => value[name] !== undefined),
  };
}

/** Constants of WebGPU's specification. Browsers have them as globals, Node does not. */
const USAGE = { COPY_SRC: 0x04, COPY_DST: 0x08, UNIFORM: 0x40, STORAGE: 0x80 };

/**
 * A WebGPU device and what a tensor library needs around it: memory (pool.ts), launches and copies in order
 * (recorder.ts), results (downloads.ts), compiled kernels and their bindings (pipelines.ts), and failures that are
 * thrown instead of lost (failures.ts). The queue runs commands in the order in which they were recorded, so the
 * next launch may use a released buffer at once.
 */
export class GpuDevice implements Device {
  readonly gpu: GPUDevice;
  readonly name: string;
  /** The kind of adapter, for reports. Kernels are chosen by `profile`. */
  readonly adapterClass: AdapterClass;
  /** Tests replace it, to run the kernels that other adapters would get. */
  profile: DeviceProfile;
  /** Measured choices of kernels, if this adapter has any. */
  readonly tuning = new Tuning();
  readonly #wait: <T>(promise: Promise<T>) => Promise<T>;
  readonly #failures: Failures;
  readonly #recorder: Recorder;
  readonly #pipelines: Pipelines;
  readonly #uniforms: Uniforms;
  readonly #bindGroups: BindGroups;
  readonly #pool: BufferPool;
  readonly #downloads: Downloads;
  /** Promises of kernels being compiled, during `compileAhead`: then launches are compiled and not recorded. */
  #compiling: Map<string, Promise<void>> | undefined;
  /** May captured work be replayed? False where every launch is to be seen. */
  replays = true;
  /** The work that is being captured, during `capture`. */
  #capture: Capture | undefined;
  #destroyed = false;
  #live = 0;
  #liveBytes = 0;
  #peakBytes = 0;

  /** Programs get devices from init() and openDevice(). */
  constructor(gpu: GPUDevice, identity: Identity, host: HostHooks, poolBytes: number) {
    checkArguments("GpuDevice", {
      gpu: [gpu, having("a GPUDevice (open a device by init() or openDevice())", "queue", "lost")],
      identity: [identity, having("{ name, adapterClass, profile, fixesSubgroups }", "name", "profile")],
      host: [host, having("{ wait, watchFailures }", "wait", "watchFailures")],
      poolBytes: [poolBytes, atLeastZero],
    });
    const { name, adapterClass, profile, fixesSubgroups } = identity;
    this.gpu = gpu;
    this.name = name;
    this.adapterClass = adapterClass;
    this.profile = profile;
    this.#wait = (promise) => host.wait(promise, profile.separateProcessor);
    this.#failures = new Failures(gpu, name, host);
    this.#recorder = new Recorder(gpu, this.#wait);
    this.#pipelines = new Pipelines(gpu, fixesSubgroups, (error) => this.#failures.failToCompile(error));
    this.#bindGroups = new BindGroups(gpu);
    const destroy = (buffer: PooledBuffer) => {
      this.#bindGroups.forget(buffer);
      this.#recorder.destroy(buffer);
    };
    const usage = USAGE.STORAGE | USAGE.UNIFORM | USAGE.COPY_SRC | USAGE.COPY_DST;
    this.#pool = new BufferPool(gpu, usage, poolBytes, destroy);
    this.#downloads = new Downloads(gpu, this.#recorder, this.#failures, destroy, this.#wait);
    this.#uniforms = new Uniforms(this.#pool, this.#recorder);
  }

  get failure(): GpuError | undefined {
    return this.#failures.failure;
  }

  get lost(): Promise<DeviceLostError> {
    return this.#failures.lost;
  }

  // ---- Memory

  allocate(length: number, dtype: DType = "float32"): GpuStorage {
    this.#failures.throwFailure();
    checkDType(this, dtype, "allocate");
    const bytes = vec4Bytes({ length, dtype });
    checkRoom(this, bytes / bytesPerElement[dtype], `A tensor of ${length} elements`, dtype);
    const storage = new GpuStorage(this.#take(bytes), 0, length, dtype);
    this.#live++;
    this.#liveBytes += storage.buffer.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return storage;
  }

  /** Memory for numbers that a kernel needs besides tensors, such as weights of interpolation. */
  table(values: Float32Array): GpuStorage {
    const { length } = values;
    const buffer = this.#pool.take(vec4Bytes({ length, dtype: "float32" }));
    const table = new GpuStorage(buffer, 0, length, "float32", { isTable: true });
    this.write(table, values);
    return table;
  }

  slice(storage: GpuStorage, offset: number, length: number): GpuStorage {
    if (storage.dtype !== "float32") throw new Error(`A storage of ${storage.dtype} cannot be sliced.`);
    storage.refs++;
    return new GpuStorage(storage.buffer, storage.offset + offset * 4, length, "float32", { whole: storage });
  }

  moveInto(whole: GpuStorage, offset: number, storage: GpuStorage): void {
    const part = this.slice(whole, offset, storage.length);
    this.copy(storage, part);
    this.#free(storage);
    Object.assign(storage, { buffer: part.buffer, offset: part.offset, whole });
  }

  release(storage: GpuStorage): void {
    if (--storage.refs === 0) this.#free(storage);
  }

  leave(storage: GpuStorage): void {
    storage.buffer.takes++;
    this.release(storage);
  }

  /** Gives back the memory of a storage that nobody uses any more, or not there. */
  #free({ buffer, whole, isTable }: GpuStorage): void {
    if (whole) {
      this.leave(whole); // the buffer stays, without this part
      return;
    }
    if (!isTable) {
      this.#live--;
      this.#liveBytes -= buffer.bytes;
    }
    if (!this.#destroyed) this.#pool.give(buffer);
  }

  #take(bytes: number): PooledBuffer {
    const buffer = this.#pool.take(bytes);
    this.#capture?.take(buffer);
    return buffer;
  }

  write(storage: GpuStorage, values: ArrayLike<number>): void {
    this.#failures.throwFailure();
    this.#refuseCapture("it made a tensor from values of JavaScript");
    this.#recorder.write(storage.buffer, storage.offset, dataFor(storage, values));
  }

  writeConstant(storage: GpuStorage, values: ArrayLike<number>): void {
    this.#failures.throwFailure();
    const data = dataFor(storage, Float32Array.from(values));
    this.#do(() => this.#recorder.write(storage.buffer, storage.offset, data), [storage.buffer]);
  }

  writeBytes(storage: GpuStorage, bytes: Uint8Array): void {
    this.#failures.throwFailure();
    this.#refuseCapture("it wrote bytes from JavaScript");
    this.#recorder.write(storage.buffer, storage.offset, bytes);
  }

  async read(storage: GpuStorage): Promise<Float32Array> {
    this.#refuseCapture(READ);
    return this.#downloads.read(storage, (range) => {
      const copy = range.slice(0);
      if (storage.dtype === "float32") return new Float32Array(copy);
      return fromHalf(new Uint16Array(copy, 0, storage.length));
    });
  }

  async readBytes<T>(
    storage: GpuStorage,
    use: (bytes: Uint8Array) => T,
    turn?: () => Promise<void>,
  ): Promise<T> {
    this.#refuseCapture(READ);
    return this.#downloads.read(storage, (range) => use(new Uint8Array(range)), turn);
  }

  copy(from: GpuStorage, to: GpuStorage): void {
    this.#failures.throwFailure();
    if (this.#compiling) return;
    if (from.buffer === to.buffer) {
      // Two slices of one storage: WebGPU copies only from one buffer to another.
      const between = this.allocate(from.length, from.dtype);
      this.copy(from, between);
      this.copy(between, to);
      this.release(between);
      return;
    }
    const bytes = copyBytes(from);
    this.#do(
      () => this.#recorder.copy(from.buffer, from.offset, to.buffer, to.offset, bytes),
      [from.buffer, to.buffer],
    );
  }

  memory(): MemoryStats {
    const { staging } = this.#downloads;
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      buffers: this.#pool.count + staging.count,
      bufferBytes: this.#pool.bytes + staging.bytes,
      buffersCreated: this.#pool.created + staging.created,
      pipelines: this.#pipelines.count,
    };
  }

  resetPeak(peak = this.#liveBytes): void {
    this.#peakBytes = peak;
  }

  freeUnused(): void {
    this.#pool.clear();
    this.#downloads.staging.clear();
    this.flush();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#recorder.abandon();
    this.#failures.end();
    this.gpu.destroy();
  }

  // ---- Work

  /** Records one launch of a kernel. It runs after everything recorded before it. */
  run(kernel: Kernel, launch: Launch): void {
    this.#failures.throwFailure();
    const prelude = storedAsHalf(kernel, launch.buffers) ? { ...launch, element: "f16" as const } : launch;
    if (this.#compiling) {
      this.#pipelines.compileAhead(kernel, prelude, this.#compiling);
      return;
    }
    const { buffers, params = {}, grid } = launch;
    checkGrid(kernel, grid);
    let transient: PooledBuffer | undefined;
    const bound = kernel.bindings.map(({ index, name, kind }): Bound => {
      if (kind === "uniform") {
        if (typeof params === "function") transient = this.#transientUniform(kernel, params);
        const buffer = transient ?? this.#uniforms.get(packParams(kernel, params as Params));
        return { binding: index, buffer, offset: 0 };
      }
      const storage = storageOf(buffers[name]);
      return { binding: index, buffer: storage.buffer, offset: storage.offset, size: vec4Bytes(storage) };
    });
    const pipeline = this.#pipelines.get(kernel, prelude);
    const bindGroup = this.#bindGroups.get(pipeline, bound);
    const used = bound.map(({ buffer }) => buffer);
    this.#do(() => this.#recorder.launch(pipeline.gpu, bindGroup, grid, used), used);
    if (transient) this.#pool.give(transient);
  }

  /**
   * Compiles a kernel that may be wrong, for editors and tools, and returns what the compiler says: nothing, if
   * all is well. An error in it leaves the device as it was, whereas one in a kernel that is launched ends all
   * work on it.
   */
  async checkKernel(kernel: Kernel, specialization: Specialization = {}): Promise<KernelMessage[]> {
    this.#failures.throwFailure();
    checkArguments("checkKernel", { "the first argument": [kernel, aKernel] });
    const messages = await this.#wait(this.#pipelines.check(kernel, specialization));
    this.#failures.throwFailure();
    return messages;
  }

  /** A buffer for one launch, with the parameters of the moment. */
  #transientUniform(kernel: Kernel, params: () => Params): PooledBuffer {
    const buffer = this.#take(4 * uniformWords(kernel));
    this.#do(() => this.#recorder.write(buffer, 0, packParams(kernel, params())), [buffer]);
    return buffer;
  }

  eachTime(effect: () => void): void {
    if (!this.#compiling) this.#do(effect, []);
  }

  /** What is being captured cannot be replayed. */
  #refuseCapture(reason: string): void {
    if (this.#capture) this.#capture.obstacle ??= reason;
  }

  /** Gives a command, and notes it if somebody captures. */
  #do(command: () => void, buffers: readonly PooledBuffer[]): void {
    command();
    this.#capture?.add(command, buffers);
  }

  /** Is the work of this moment part of a capture, or only compiled? */
  get capturing(): boolean {
    return this.#capture !== undefined || this.#compiling !== undefined;
  }

  /**
   * Does the work of `body` and captures its commands. It returns the storages of its results, which must
   * stay as they are for as long as the commands are replayed.
   */
  capture(body: () => readonly GpuStorage[]): Capture {
    const capture = new Capture();
    this.#capture = capture;
    let results: readonly GpuStorage[];
    try {
      results = body();
    } finally {
      this.#capture = undefined;
    }
    capture.end(results.map(({ buffer }) => buffer));
    return capture;
  }

  /** Does the captured work again. The caller has asked whether the capture is still valid. */
  replay(capture: Capture): void {
    this.#failures.throwFailure();
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes + capture.scratchBytes);
    capture.replay();
  }

  async compileAhead(body: () => void): Promise<void> {
    const compiling = new Map<string, Promise<void>>();
    this.#compiling = compiling;
    try {
      body();
    } finally {
      this.#compiling = undefined;
    }
    await this.#wait(Promise.all(compiling.values()));
    this.#failures.throwFailure();
  }

  /** Submits the recorded commands. */
  flush(): void {
    this.#recorder.flush();
  }

  async sync(): Promise<void> {
    this.flush();
    await this.#wait(this.gpu.queue.onSubmittedWorkDone());
    this.#failures.throwFailure();
  }

  /**
   * Runs `body` and returns how many milliseconds the GPU computed for it: kernels alone, without the time
   * between its passes, nor that of copies. Undefined where the device has no timestamps, or where `body` has
   * more passes than they can time (some 60,000 launches). The GPU's clock ticks in steps of 0.1 ms, unless
   * the device was opened with Dawn's switch "exact-timestamps".
   */
  async timePasses(body: () => void): Promise<number | undefined> {
    return (await this.timeEach([body]))?.[0];
  }

  /**
   * Times each of several bodies as `timePasses` does one. They make one stream of commands, all of which are given
   * before the first wait: so the GPU does not idle from one to the next, nor between two calls if the second does
   * not await the first.
   */
  async timeEach(bodies: readonly (() => void)[]): Promise<number[] | undefined> {
    if (!this.gpu.features.has("timestamp-query")) {
      for (const body of bodies) body();
      return undefined;
    }
    const timer = new PassTimer(this.gpu, this.#wait);
    try {
      timer.run(bodies, this.#recorder);
      const times = await this.#failures.unlessLost(() => timer.read());
      this.#failures.throwFailure();
      return times;
    } finally {
      timer.destroy();
    }
  }
}

/**
 * Does it run kernels? The others are the CPU device, which runs references, and the meta device. (Where two copies
 * of this library meet, a device may be an instance of the other's class, so its profile is asked.)
 */
export function isGpu(device: Device): device is GpuDevice {
  return !device.profile.reference;
}

/** What functions that launch kernels want. */
export const aGpuDevice: Wanted<GpuDevice> = {
  wants: "a device that runs kernels, such as init() opens",
  fits: (value): value is GpuDevice => looksLikeDevice(value) && isGpu(value),
};
