import type { Device, MemoryStats, Storage } from "./device.ts";
import { type Grid, type Kernel, MAX_GRID, packParams, type Specialisation, wgslSource } from "./kernel.ts";
import { BufferPool, type PooledBuffer } from "./pool.ts";
import { Tuning } from "./tuning.ts";

/** A part of a GPU buffer that holds one tensor's elements as f32. */
export class GpuStorage implements Storage {
  refs = 1;
  version = 0;
  readonly buffer: PooledBuffer;
  /** Start of the elements, in bytes; a multiple of 256. */
  readonly offset: number;
  readonly length: number;
  /** The storage this one is a part of. */
  readonly whole: GpuStorage | undefined;

  constructor(buffer: PooledBuffer, offset: number, length: number, whole?: GpuStorage) {
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
    this.whole = whole;
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
  /** The parameters differ at every launch (a step count): do not keep them for reuse. */
  readonly transientParams?: boolean;
}

/** The kinds of adapter whose best kernels differ (by 2x and more); see `choose` in conv2d/launch.ts. */
export type AdapterClass = "gpu" | "lavapipe" | "swiftshader";

/** How this JavaScript environment waits and reports; Node registers its own (adapter-node.ts). */
export interface HostHooks {
  /** Awaits GPU work. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Called once per device with a function that returns a failure nobody has been told of. */
  watchFailures(unseen: () => Error | undefined): void;
}

/** A WGSL or WebGPU error, or a lost device. */
export class GpuError extends Error {
  override name = "GpuError";
}

/**
 * After this many launches the recorded commands are submitted, so that the GPU starts while JavaScript goes
 * on recording. Fewer cost time in submits, more let the GPU wait.
 */
const LAUNCHES_PER_SUBMIT = 32;

/** Constants of WebGPU's specification. Browsers have them as globals; Node has not. */
const USAGE = { MAP_READ: 0x01, COPY_SRC: 0x04, COPY_DST: 0x08, UNIFORM: 0x40, STORAGE: 0x80 };
const MAP_MODE_READ = 0x1;
const STAGE_COMPUTE = 0x4;

const MAX_CACHED_UNIFORMS = 4096;
const MAX_CACHED_BIND_GROUPS = 16384;

interface Pipeline {
  readonly id: number;
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/**
 * A WebGPU device with what a tensor library needs around it. Launches are recorded into one command
 * encoder and submitted in batches; buffers, uniforms, bind groups and pipelines are made once and found
 * again. The queue runs commands in the order they were recorded, so a released buffer may be used by the
 * next launch at once. Only `writeBuffer` jumps the queue: it runs before commands that are
 * recorded and not yet submitted, so {@link write} submits first if those use the buffer.
 */
export class GpuDevice implements Device {
  readonly kind = "gpu";
  readonly name: string;
  readonly adapterClass: AdapterClass;
  readonly gpu: GPUDevice;
  readonly features: ReadonlySet<string>;
  /** Lanes that run in step and can exchange values; 0 when the adapter has no subgroups or sizes vary. */
  readonly subgroupSize: number;
  /** Measured choices of kernels, if there are any for this adapter. */
  readonly tuning = new Tuning();
  readonly #host: HostHooks;
  readonly #pool: BufferPool;
  readonly #staging: BufferPool;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #uniforms = new Map<string, PooledBuffer>();
  readonly #bindGroups = new Map<string, { gpu: GPUBindGroup; buffers: number[] }>();
  /** Keys of the bind groups that mention a buffer, to forget them when it is destroyed. */
  readonly #bindGroupsOf = new Map<number, Set<string>>();
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #launches = 0;
  /** While set, launches are compiled into it instead of recorded. */
  #compiling: Map<string, Promise<unknown>> | undefined;
  /** Counts encoders, so that a buffer's `lastUse` tells whether unsubmitted commands use it. */
  #serial = 0;
  /** Destroyed after the next submit: recorded commands may still use them. */
  #doomed: PooledBuffer[] = [];
  #failure: Error | undefined;
  #failureSeen = false;
  #destroyed = false;
  #live = 0;
  #liveBytes = 0;
  #peakBytes = 0;

  constructor(adapter: GPUAdapter, device: GPUDevice, host: HostHooks, poolBytes: number) {
    const { info } = adapter;
    this.gpu = device;
    this.adapterClass = classify(info);
    this.name = nameOf(info, this.adapterClass);
    this.features = new Set(device.features);
    const fixedSize = info.subgroupMinSize === info.subgroupMaxSize ? (info.subgroupMaxSize ?? 0) : 0;
    this.subgroupSize = this.features.has("subgroups") ? fixedSize : 0;
    this.#host = host;
    const destroy = (buffer: PooledBuffer) => this.#doom(buffer);
    this.#pool = new BufferPool(
      device,
      USAGE.STORAGE | USAGE.UNIFORM | USAGE.COPY_SRC | USAGE.COPY_DST,
      poolBytes,
      destroy,
    );
    this.#staging = new BufferPool(device, USAGE.MAP_READ | USAGE.COPY_DST, 32 * 2 ** 20, destroy);
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault(); // Dawn would print it on stdout and go on.
      this.#fail(new GpuError(`WebGPU on ${this.name}: ${event.error.message}`));
    });
    device.lost.then(({ reason, message }) => {
      if (!this.#destroyed)
        this.#fail(new GpuError(`The GPU device ${this.name} was lost (${reason}): ${message}`));
    });
    host.watchFailures(() => (this.#failureSeen ? undefined : this.#failure));
  }

  // ---- Memory

  allocate(length: number): GpuStorage {
    this.#throwFailure();
    const bytes = vec4Bytes(length);
    const most = this.gpu.limits.maxStorageBufferBindingSize;
    if (bytes > most) {
      throw new GpuError(
        `A tensor of ${length} elements (${mebibytes(bytes)}) is larger than ${this.name} can bind at once ` +
          `(${mebibytes(most)}). Work on smaller pictures, tiles or batches, or with a smaller network.`,
      );
    }
    const storage = new GpuStorage(this.#pool.take(bytes), 0, length);
    this.#live++;
    this.#liveBytes += storage.buffer.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return storage;
  }

  slice(storage: GpuStorage, offset: number, length: number): GpuStorage {
    storage.refs++;
    return new GpuStorage(storage.buffer, storage.offset + offset * 4, length, storage);
  }

  release(storage: GpuStorage): void {
    if (--storage.refs > 0) return;
    if (storage.whole) {
      this.release(storage.whole);
      return;
    }
    this.#live--;
    this.#liveBytes -= storage.buffer.bytes;
    if (!this.#destroyed) this.#pool.give(storage.buffer);
  }

  write(storage: GpuStorage, values: ArrayLike<number>): void {
    this.#throwFailure();
    const floats = values instanceof Float32Array ? values : Float32Array.from(values);
    this.#writeBytes(storage.buffer, storage.offset, floats as Float32Array<ArrayBuffer>);
  }

  #writeBytes(
    buffer: PooledBuffer,
    offset: number,
    data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  ): void {
    if (buffer.lastUse === this.#serial) this.flush();
    this.gpu.queue.writeBuffer(buffer.gpu, offset, data);
  }

  async read(storage: GpuStorage): Promise<Float32Array> {
    const bytes = storage.length * 4;
    const staging = this.#staging.take(bytes);
    this.#endPass();
    this.#openEncoder().copyBufferToBuffer(storage.buffer.gpu, storage.offset, staging.gpu, 0, bytes);
    storage.buffer.lastUse = this.#serial;
    this.flush();
    try {
      await this.#host.wait(staging.gpu.mapAsync(MAP_MODE_READ, 0, bytes));
    } catch (error) {
      this.#throwFailure();
      throw error;
    }
    // A copy: the mapped range loses its memory at unmap().
    const values = new Float32Array(staging.gpu.getMappedRange(0, bytes).slice(0));
    staging.gpu.unmap();
    this.#staging.give(staging);
    this.#throwFailure();
    return values;
  }

  copy(from: GpuStorage, to: GpuStorage): void {
    this.#throwFailure();
    if (this.#compiling) return;
    if (from.buffer === to.buffer) {
      // Two slices of one storage: WebGPU copies from one buffer to another only.
      const between = this.allocate(from.length);
      this.copy(from, between);
      this.copy(between, to);
      this.release(between);
      return;
    }
    this.#endPass();
    this.#openEncoder().copyBufferToBuffer(
      from.buffer.gpu,
      from.offset,
      to.buffer.gpu,
      to.offset,
      from.length * 4,
    );
    from.buffer.lastUse = this.#serial;
    to.buffer.lastUse = this.#serial;
  }

  async sync(): Promise<void> {
    this.flush();
    await this.#host.wait(this.gpu.queue.onSubmittedWorkDone());
    this.#throwFailure();
  }

  memory(): MemoryStats {
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      peakBytes: this.#peakBytes,
      buffers: this.#pool.count + this.#staging.count,
      bufferBytes: this.#pool.bytes + this.#staging.bytes,
      buffersCreated: this.#pool.created + this.#staging.created,
      pipelines: this.#pipelines.size,
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
    this.#destroyed = true;
    this.#encoder = undefined;
    this.#pass = undefined;
    this.gpu.destroy();
  }

  // ---- Launches

  /** Records one launch of a kernel. It runs after everything recorded before it. */
  run(kernel: Kernel, launch: Launch): void {
    this.#throwFailure();
    if (this.#compiling) {
      this.#compile(kernel, launch, this.#compiling);
      return;
    }
    const pipeline = this.#pipeline(kernel, launch);
    const used: PooledBuffer[] = [];
    let uniform: PooledBuffer | undefined;
    let key = `${pipeline.id}`;
    const entries: GPUBindGroupEntry[] = [];
    for (const { index, name, kind } of kernel.bindings) {
      let resource: GPUBufferBinding;
      if (kind === "uniform") {
        uniform = this.#uniform(kernel, launch);
        used.push(uniform);
        resource = { buffer: uniform.gpu };
        key += `|${uniform.id}`;
      } else {
        const storage = launch.buffers[name];
        if (!storage) throw new Error(`Kernel ${kernel.name}: no buffer was given for ${name}.`);
        used.push(storage.buffer);
        const size = vec4Bytes(storage.length);
        resource = { buffer: storage.buffer.gpu, offset: storage.offset, size };
        key += `|${storage.buffer.id},${storage.offset},${size}`;
      }
      entries.push({ binding: index, resource });
    }
    const [x, y = 1, z = 1] = launch.grid;
    if (Math.max(x, y, z) > MAX_GRID) {
      throw new Error(
        `Kernel ${kernel.name}: a grid of ${x} x ${y} x ${z} workgroups passes ${MAX_GRID} on one axis.`,
      );
    }

    const bindGroup = this.#bindGroup(key, pipeline, entries, used);
    const pass = this.#openPass();
    pass.setPipeline(pipeline.gpu);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(x, y, z);
    for (const buffer of used) buffer.lastUse = this.#serial;
    if (uniform && launch.transientParams) this.#pool.give(uniform);
    if (++this.#launches >= LAUNCHES_PER_SUBMIT) this.flush();
  }

  /** Compiles what `body` launches, and runs nothing of it; see compile-ahead.ts. */
  async compileAhead(body: () => void): Promise<void> {
    const compiling = new Map<string, Promise<unknown>>();
    this.#compiling = compiling;
    try {
      body();
    } finally {
      this.#compiling = undefined;
    }
    await this.#host.wait(Promise.all(compiling.values()));
    this.#throwFailure();
  }

  /** Submits what has been recorded. */
  flush(): void {
    if (!this.#encoder) return;
    this.#endPass();
    this.gpu.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#launches = 0;
    this.#serial++;
    for (const buffer of this.#doomed) buffer.gpu.destroy();
    this.#doomed = [];
  }

  #openEncoder(): GPUCommandEncoder {
    this.#encoder ??= this.gpu.createCommandEncoder();
    return this.#encoder;
  }

  #openPass(): GPUComputePassEncoder {
    this.#pass ??= this.#openEncoder().beginComputePass();
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  // ---- Things made once

  #pipeline(kernel: Kernel, launch: Launch): Pipeline {
    const key = pipelineKey(kernel, launch);
    const known = this.#pipelines.get(key);
    if (known) return known;
    this.gpu.pushErrorScope("validation");
    const { code, layout, descriptor } = this.#describe(kernel, launch);
    const gpu = this.gpu.createComputePipeline(descriptor);
    this.gpu.popErrorScope().then((error) => {
      // It explains the complaints about an invalid pipeline, which arrive before it.
      if (error) this.#failure = compileError(kernel, code, error.message);
    });
    return this.#remember(key, gpu, layout);
  }

  /** Begins to compile a pipeline, if it neither exists nor is in `compiling` already. */
  #compile(kernel: Kernel, launch: Launch, compiling: Map<string, Promise<unknown>>): void {
    const key = pipelineKey(kernel, launch);
    if (this.#pipelines.has(key) || compiling.has(key)) return;
    this.gpu.pushErrorScope("validation");
    const { code, layout, descriptor } = this.#describe(kernel, launch);
    const made = this.gpu.createComputePipelineAsync(descriptor).then(
      (gpu) => this.#remember(key, gpu, layout),
      (error: Error) => this.#fail(compileError(kernel, code, error.message)),
    );
    const checked = this.gpu.popErrorScope().then((error) => {
      // Of the shader's text; a pipeline's own complaint would only be that its shader is invalid.
      if (error) this.#failure = compileError(kernel, code, error.message);
    });
    compiling.set(key, Promise.all([made, checked]));
  }

  /** Everything that a pipeline is made of. Errors in it go to the error scope that is open. */
  #describe(kernel: Kernel, launch: Launch) {
    const code = wgslSource(kernel, launch);
    if (debugWgsl(kernel.name)) console.log(`// ---- ${kernel.name}\n${code}`);
    // A layout made by hand: "auto" leaves out bindings that this specialisation does not use.
    const layout = this.gpu.createBindGroupLayout({
      entries: kernel.bindings.map(({ index, kind }) => ({
        binding: index,
        visibility: STAGE_COMPUTE,
        buffer: { type: kind === "uniform" ? "uniform" : kind === "read" ? "read-only-storage" : "storage" },
      })),
    });
    const descriptor = {
      label: kernel.name,
      layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.gpu.createShaderModule({ label: kernel.name, code }) },
    };
    return { code, layout, descriptor };
  }

  #remember(key: string, gpu: GPUComputePipeline, layout: GPUBindGroupLayout): Pipeline {
    const pipeline = { id: this.#pipelines.size, gpu, layout };
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  #uniform(kernel: Kernel, launch: Launch): PooledBuffer {
    const words = packParams(kernel, launch.params ?? {});
    if (launch.transientParams) return this.#newUniform(words);
    const key = words.join();
    let uniform = this.#uniforms.get(key);
    if (uniform) {
      // Deleted and set again below: a Map keeps insertion order, which makes its first key the oldest.
      this.#uniforms.delete(key);
    } else {
      uniform = this.#newUniform(words);
    }
    this.#uniforms.set(key, uniform);
    if (this.#uniforms.size > MAX_CACHED_UNIFORMS) {
      const [oldest, buffer] = this.#uniforms.entries().next().value!;
      this.#uniforms.delete(oldest);
      this.#pool.give(buffer);
    }
    return uniform;
  }

  #newUniform(words: Uint32Array<ArrayBuffer>): PooledBuffer {
    const uniform = this.#pool.take(words.byteLength);
    this.#writeBytes(uniform, 0, words);
    return uniform;
  }

  #bindGroup(
    key: string,
    pipeline: Pipeline,
    entries: GPUBindGroupEntry[],
    used: PooledBuffer[],
  ): GPUBindGroup {
    const known = this.#bindGroups.get(key);
    if (known) return known.gpu;
    if (this.#bindGroups.size >= MAX_CACHED_BIND_GROUPS) {
      this.#bindGroups.clear();
      this.#bindGroupsOf.clear();
    }
    const gpu = this.gpu.createBindGroup({ layout: pipeline.layout, entries });
    this.#bindGroups.set(key, { gpu, buffers: used.map(({ id }) => id) });
    for (const { id } of used) {
      const keys = this.#bindGroupsOf.get(id) ?? new Set();
      this.#bindGroupsOf.set(id, keys.add(key));
    }
    return gpu;
  }

  /** Destroys a buffer when no recorded command can use it any more, and forgets its bind groups. */
  #doom(buffer: PooledBuffer): void {
    for (const key of this.#bindGroupsOf.get(buffer.id) ?? []) {
      for (const id of this.#bindGroups.get(key)?.buffers ?? []) this.#bindGroupsOf.get(id)?.delete(key);
      this.#bindGroups.delete(key);
    }
    this.#bindGroupsOf.delete(buffer.id);
    if (buffer.lastUse === this.#serial) this.#doomed.push(buffer);
    else buffer.gpu.destroy();
  }

  // ---- Failures

  /** WebGPU reports errors late; the first is kept and thrown by the next call that can throw. */
  #fail(error: Error): void {
    this.#failure ??= error;
  }

  #throwFailure(): void {
    if (this.#destroyed) throw new GpuError(`The device ${this.name} has been destroyed; call init() again.`);
    if (!this.#failure) return;
    this.#failureSeen = true;
    throw this.#failure;
  }
}

/** What the final source depends on: the kernel's name stands for its body, the rest is its prelude. */
function pipelineKey(kernel: Kernel, launch: Launch): string {
  let key = kernel.name;
  for (const name in launch.constants) key += `,${name}=${launch.constants[name]}`;
  return `${key};${launch.enable ?? ""};${launch.functions ?? ""}`;
}

function compileError(kernel: Kernel, code: string, message: string): GpuError {
  return new GpuError(`Kernel ${kernel.name} does not compile: ${message}\n${excerpt(code, message)}`);
}

function classify(info: GPUAdapterInfo): AdapterClass {
  const text = `${info.description} ${info.device} ${info.architecture}`.toLowerCase();
  if (text.includes("llvmpipe")) return "lavapipe";
  if (text.includes("swiftshader")) return "swiftshader";
  return "gpu";
}

/** What people call it: for software the renderer and its version, for a GPU its own name first. */
function nameOf(info: GPUAdapterInfo, adapterClass: AdapterClass): string {
  const parts = adapterClass === "gpu" ? [info.device, info.description] : [info.description || info.device];
  return (
    parts.filter(Boolean).join(", ") || [info.vendor, info.architecture].filter(Boolean).join(" ") || "GPU"
  );
}

/** `DEBUG_WGSL=conv2d` prints the final source of every kernel whose name contains the word. */
function debugWgsl(name: string): boolean {
  const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  return environment?.DEBUG_WGSL !== undefined && name.includes(environment.DEBUG_WGSL);
}

/** The lines of the source around the first position (":line:column") that a compiler's message mentions. */
function excerpt(code: string, message: string): string {
  const first = Number(/:(\d+):\d+/.exec(message)?.[1] ?? 1);
  const from = Math.max(0, first - 6);
  const lines = code.split("\n").slice(from, first + 5);
  return (
    lines.map((line, i) => `${String(from + i + 1).padStart(5)}  ${line}`).join("\n") +
    "\n(Set DEBUG_WGSL to the kernel's name to print all of it.)"
  );
}

/** Rounded up to whole vec4s, which some kernels read; buffers always have that much room. */
function vec4Bytes(length: number): number {
  return Math.ceil(length / 4) * 16;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
