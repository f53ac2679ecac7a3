import {
  checkRoom,
  type Device,
  DeviceLostError,
  type DeviceProfile,
  GpuError,
  type MemoryStats,
  type Storage,
} from "./device.ts";
import { type Grid, type Kernel, MAX_GRID, packParams, type Specialisation } from "./kernel.ts";
import { LruCache } from "./lru.ts";
import { BindGroups, type Bound, Pipelines } from "./pipelines.ts";
import { BufferPool, type PooledBuffer } from "./pool.ts";
import type { AdapterClass, Identity } from "./profile.ts";
import { Recorder } from "./recorder.ts";
import { Tuning } from "./tuning.ts";

/** A part of a GPU buffer that holds one tensor's elements as f32. */
export class GpuStorage implements Storage {
  refs = 1;
  version = 0;
  readonly buffer: PooledBuffer;
  /** Start of the elements, in bytes; a multiple of 256. */
  readonly offset: number;
  readonly length: number;
  /** The storage that this one is a part of. */
  readonly whole: GpuStorage | undefined;
  /** A kernel's table, which is no tensor and does not count as live. */
  readonly isTable: boolean;

  constructor(
    buffer: PooledBuffer,
    offset: number,
    length: number,
    { whole, isTable = false }: { whole?: GpuStorage; isTable?: boolean } = {},
  ) {
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
    this.whole = whole;
    this.isTable = isTable;
  }
}

/** One kernel launch: see {@link GpuDevice.run}. */
export interface Launch extends Specialisation {
  /** A storage for every storage binding of the kernel, by its name in the WGSL. */
  readonly buffers: Readonly<Record<string, GpuStorage>>;
  /** A number for every field of the kernel's `Params`. */
  readonly params?: Readonly<Record<string, number>>;
  /** Workgroups to start. */
  readonly grid: Grid;
  /** The parameters differ at every launch, as a step count does: do not cache them. */
  readonly transientParams?: boolean;
}

/** How this JavaScript environment waits and reports. */
export interface HostHooks {
  /** Awaits GPU work. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /**
   * Called once per device with a function that returns the failure, if no call has thrown it yet. The result
   * ends that.
   */
  watchFailures(unseen: () => Error | undefined): () => void;
}

/** Constants of WebGPU's specification. Browsers have them as globals, Node does not. */
const USAGE = { MAP_READ: 0x01, COPY_SRC: 0x04, COPY_DST: 0x08, UNIFORM: 0x40, STORAGE: 0x80 };
const MAP_MODE_READ = 0x1;

const MAX_CACHED_UNIFORMS = 4096;

/**
 * A WebGPU device and what a tensor library needs around it: memory (pool.ts), launches and copies in order
 * (recorder.ts), compiled kernels and their bindings (pipelines.ts), and failures that are thrown instead of
 * lost. The queue runs commands in the order in which they were recorded, so the next launch may use a
 * released buffer at once.
 */
export class GpuDevice implements Device {
  readonly gpu: GPUDevice;
  readonly name: string;
  /** For reports. Kernels are chosen by `profile`. */
  readonly adapterClass: AdapterClass;
  /** Tests replace it, to run the kernels that other adapters would get. */
  profile: DeviceProfile;
  /** Measured choices of kernels, if this adapter has any. */
  readonly tuning = new Tuning();
  readonly #host: HostHooks;
  readonly #recorder: Recorder;
  readonly #pipelines: Pipelines;
  /** Parameters of launches in small buffers, which later launches with the same parameters use again. */
  readonly #uniforms: LruCache<string, PooledBuffer>;
  readonly #bindGroups: BindGroups;
  readonly #pool: BufferPool;
  readonly #staging: BufferPool;
  /** Set during `compileAhead`: launches are not recorded but compiled, and their promises are in here. */
  #compiling: Map<string, Promise<void>> | undefined;
  readonly #unwatch: () => void;
  readonly #onError = (event: GPUUncapturedErrorEvent) => {
    this.#fail(new GpuError(`WebGPU on ${this.name}: ${event.error.message}`));
  };
  #failure: GpuError | undefined;
  #failureSeen = false;
  #destroyed = false;
  #live = 0;
  #liveBytes = 0;
  #peakBytes = 0;

  constructor(gpu: GPUDevice, { name, adapterClass, profile }: Identity, host: HostHooks, poolBytes: number) {
    this.gpu = gpu;
    this.name = name;
    this.adapterClass = adapterClass;
    this.profile = profile;
    this.#host = host;
    this.#recorder = new Recorder(gpu);
    this.#pipelines = new Pipelines(gpu, (error) => {
      this.#failure = error; // replaces the complaints about an invalid pipeline, which arrive first
    });
    this.#bindGroups = new BindGroups(gpu);
    const destroy = (buffer: PooledBuffer) => {
      this.#bindGroups.forget(buffer);
      this.#recorder.destroy(buffer);
    };
    const usage = USAGE.STORAGE | USAGE.UNIFORM | USAGE.COPY_SRC | USAGE.COPY_DST;
    this.#pool = new BufferPool(gpu, usage, poolBytes, destroy);
    this.#staging = new BufferPool(gpu, USAGE.MAP_READ | USAGE.COPY_DST, 32 * 2 ** 20, destroy);
    this.#uniforms = new LruCache(MAX_CACHED_UNIFORMS, (buffer) => this.#pool.give(buffer));
    gpu.addEventListener("uncapturederror", quieten);
    gpu.addEventListener("uncapturederror", this.#onError);
    gpu.lost.then(({ reason, message }) => {
      if (this.#destroyed) return;
      const advice =
        "Its tensors are lost, too. Call init() again, then make networks and tensors anew; upscale() does that " +
        "by itself for methods that are given by name, path or bytes.";
      this.#fail(
        new DeviceLostError(`The GPU device ${this.name} was lost (${reason}): ${message}. ${advice}`),
      );
    });
    this.#unwatch = host.watchFailures(() => (this.#failureSeen ? undefined : this.#failure));
  }

  // ---- Memory

  allocate(length: number): GpuStorage {
    this.#throwFailure();
    const bytes = vec4Bytes(length);
    checkRoom(this, bytes / 4, `A tensor of ${length} elements`);
    const storage = new GpuStorage(this.#pool.take(bytes), 0, length);
    this.#live++;
    this.#liveBytes += storage.buffer.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return storage;
  }

  /** Memory for numbers that a kernel needs besides tensors, such as weights of interpolation. */
  table(values: Float32Array): GpuStorage {
    const buffer = this.#pool.take(vec4Bytes(values.length));
    const table = new GpuStorage(buffer, 0, values.length, { isTable: true });
    this.write(table, values);
    return table;
  }

  slice(storage: GpuStorage, offset: number, length: number): GpuStorage {
    storage.refs++;
    return new GpuStorage(storage.buffer, storage.offset + offset * 4, length, { whole: storage });
  }

  release(storage: GpuStorage): void {
    if (--storage.refs > 0) return;
    if (storage.whole) {
      this.release(storage.whole);
      return;
    }
    if (!storage.isTable) {
      this.#live--;
      this.#liveBytes -= storage.buffer.bytes;
    }
    if (!this.#destroyed) this.#pool.give(storage.buffer);
  }

  write(storage: GpuStorage, values: ArrayLike<number>): void {
    this.#throwFailure();
    const floats = values instanceof Float32Array ? values : Float32Array.from(values);
    this.#recorder.write(storage.buffer, storage.offset, floats as Float32Array<ArrayBuffer>);
  }

  writeBytes(storage: GpuStorage, bytes: Uint8Array): void {
    this.#throwFailure();
    this.#recorder.write(storage.buffer, storage.offset, bytes as Uint8Array<ArrayBuffer>);
  }

  async read(storage: GpuStorage): Promise<Float32Array> {
    return new Float32Array(await this.#download(storage));
  }

  async readBytes(storage: GpuStorage): Promise<Uint8Array> {
    return new Uint8Array(await this.#download(storage));
  }

  /** Copies by way of a staging buffer: of a GPU's buffers, JavaScript can see only those made for that. */
  async #download(storage: GpuStorage): Promise<ArrayBuffer> {
    const bytes = storage.length * 4;
    const staging = this.#staging.take(bytes);
    this.#recorder.copy(storage.buffer, storage.offset, staging, 0, bytes);
    this.flush();
    try {
      await this.#host.wait(staging.gpu.mapAsync(MAP_MODE_READ, 0, bytes));
    } catch (error) {
      // If the device was lost, that is known a little later.
      await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
      this.#throwFailure();
      throw error;
    }
    // A copy, because unmap() takes the mapped range away.
    const values = staging.gpu.getMappedRange(0, bytes).slice(0);
    staging.gpu.unmap();
    this.#staging.give(staging);
    this.#throwFailure();
    return values;
  }

  copy(from: GpuStorage, to: GpuStorage): void {
    this.#throwFailure();
    if (this.#compiling) return;
    if (from.buffer === to.buffer) {
      // Two slices of one storage: WebGPU copies only from one buffer to another.
      const between = this.allocate(from.length);
      this.copy(from, between);
      this.copy(between, to);
      this.release(between);
      return;
    }
    this.#recorder.copy(from.buffer, from.offset, to.buffer, to.offset, from.length * 4);
  }

  memory(): MemoryStats {
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      buffers: this.#pool.count + this.#staging.count,
      bufferBytes: this.#pool.bytes + this.#staging.bytes,
      buffersCreated: this.#pool.created + this.#staging.created,
      pipelines: this.#pipelines.count,
    };
  }

  resetPeak(peak = this.#liveBytes): void {
    this.#peakBytes = peak;
  }

  freeUnused(): void {
    this.#pool.clear();
    this.#staging.clear();
    this.flush();
  }

  destroy(): void {
    if (this.#destroyed) return;
    // A failure that nobody has seen is still reported when the program ends.
    if (!this.#failure || this.#failureSeen) this.#unwatch();
    this.#destroyed = true;
    this.#recorder.abandon();
    // Dawn keeps listeners for ever, and by this one the device, with its threads in the driver.
    this.gpu.removeEventListener("uncapturederror", this.#onError);
    this.gpu.destroy();
  }

  // ---- Work

  /** Records one launch of a kernel. It runs after everything recorded before it. */
  run(kernel: Kernel, launch: Launch): void {
    this.#throwFailure();
    if (this.#compiling) {
      this.#pipelines.compileAhead(kernel, launch, this.#compiling);
      return;
    }
    const { buffers, params = {}, grid, transientParams } = launch;
    const [x, y = 1, z = 1] = grid;
    if (Math.max(x, y, z) > MAX_GRID) {
      throw new Error(
        `Kernel ${kernel.name}: a grid of ${x} x ${y} x ${z} workgroups exceeds ${MAX_GRID} on one axis.`,
      );
    }
    let uniform: PooledBuffer | undefined;
    const bound = kernel.bindings.map(({ index, name, kind }): Bound => {
      if (kind === "uniform") {
        uniform = this.#uniform(packParams(kernel, params), transientParams);
        return { binding: index, buffer: uniform, offset: 0 };
      }
      const storage = buffers[name];
      if (!storage) throw new Error(`Kernel ${kernel.name}: the buffer for ${name} is missing.`);
      const { buffer, offset, length } = storage;
      return { binding: index, buffer, offset, size: vec4Bytes(length) };
    });
    const pipeline = this.#pipelines.get(kernel, launch);
    const bindGroup = this.#bindGroups.get(pipeline, bound);
    const used = bound.map(({ buffer }) => buffer);
    this.#recorder.launch(pipeline.gpu, bindGroup, grid, used);
    if (uniform && transientParams) this.#pool.give(uniform);
  }

  #uniform(words: Uint32Array<ArrayBuffer>, transient = false): PooledBuffer {
    const upload = () => {
      const buffer = this.#pool.take(words.byteLength);
      this.#recorder.write(buffer, 0, words);
      return buffer;
    };
    return transient ? upload() : this.#uniforms.get(words.join(), upload);
  }

  async compileAhead(body: () => void): Promise<void> {
    const compiling = new Map<string, Promise<void>>();
    this.#compiling = compiling;
    try {
      body();
    } finally {
      this.#compiling = undefined;
    }
    await this.#host.wait(Promise.all(compiling.values()));
    this.#throwFailure();
  }

  /** Submits the recorded commands. */
  flush(): void {
    this.#recorder.flush();
  }

  async sync(): Promise<void> {
    this.flush();
    await this.#host.wait(this.gpu.queue.onSubmittedWorkDone());
    this.#throwFailure();
  }

  // ---- Failures

  /** WebGPU reports errors late. The next call that can throw throws the first of them. */
  #fail(error: GpuError): void {
    this.#failure ??= error;
  }

  #throwFailure(): void {
    const { failure } = this;
    if (!failure) return;
    this.#failureSeen = true;
    throw failure;
  }

  get failure(): GpuError | undefined {
    if (!this.#destroyed) return this.#failure;
    return new GpuError(`The device ${this.name} has been destroyed; call init() again.`);
  }
}

/** The length in bytes, rounded up to whole vec4s, which some kernels read; every buffer has that room. */
function vec4Bytes(length: number): number {
  return Math.ceil(length / 4) * 16;
}

/** Dawn would print the error on standard output and go on. */
function quieten(event: GPUUncapturedErrorEvent): void {
  event.preventDefault();
}
