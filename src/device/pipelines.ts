/**
 * What a launch needs besides its buffers: a *pipeline* (the compiled kernel), a *uniform* (its parameters in
 * a small buffer), and a *bind group* (which buffer stands for which variable of the WGSL). All are costly to
 * make, and every training step needs the same ones, so all are cached.
 */
import { GpuError } from "./device.ts";
import { environment } from "./environment.ts";
import { bodyLines, type Kernel, type Specialization, wgslSource } from "./kernel.ts";
import { LruCache } from "./lru.ts";
import type { BufferPool, PooledBuffer } from "./pool.ts";
import type { Recorder } from "./recorder.ts";
import { span } from "./trace.ts";

/** A constant of WebGPU's specification. Browsers have it as a global; Node has not. */
const STAGE_COMPUTE = 0x4;

const MAX_CACHED_UNIFORMS = 4096;
const MAX_CACHED_BIND_GROUPS = 16384;

export interface Pipeline {
  readonly id: number;
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** What a compiler says about a kernel. */
export interface KernelMessage {
  readonly severity: "error" | "warning";
  readonly text: string;
  /** The line of the kernel's body, counted from 1. Undefined if no line is meant, or one of the prelude. */
  readonly line?: number;
}

/** Compiled kernels. */
export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #failed: (error: GpuError) => void;
  readonly #fixesSubgroups: boolean;
  readonly #pipelines = new Map<string, Pipeline>();
  /** What stands for a kernel in keys: see `#nameOf`. */
  readonly #names = new WeakMap<Kernel, string>();
  readonly #nameOfText = new Map<string, string>();

  /**
   * @param fixesSubgroups Kernels with subgroups have to ask for their size: the device has several.
   * @param failed Called, some time later, with the error of a kernel that does not compile.
   */
  constructor(gpu: GPUDevice, fixesSubgroups: boolean, failed: (error: GpuError) => void) {
    this.#gpu = gpu;
    this.#fixesSubgroups = fixesSubgroups;
    this.#failed = failed;
  }

  get count(): number {
    return this.#pipelines.size;
  }

  /** The pipeline of a kernel with this prelude, which is compiled at its first use. */
  get(kernel: Kernel, prelude: Specialization): Pipeline {
    const key = this.#key(kernel, prelude);
    const existing = this.#pipelines.get(key);
    return existing ?? span(`compile ${kernel.name}`, () => this.#compile(key, kernel, prelude));
  }

  #compile(key: string, kernel: Kernel, prelude: Specialization): Pipeline {
    const code = this.#source(kernel, prelude);
    const { result, validation } = this.#validate(() => {
      const { layout, descriptor } = this.#describe(kernel, code);
      return { layout, gpu: this.#gpu.createComputePipeline(descriptor) };
    });
    validation.then(
      (error) => {
        if (error) this.#failed(compileError(kernel, code, error.message));
      },
      () => {}, // the device was lost, which it says itself
    );
    return this.#remember(key, result.gpu, result.layout);
  }

  /** Begins to compile a pipeline and adds it to `compiling`, unless it is there or exists already. */
  compileAhead(kernel: Kernel, prelude: Specialization, compiling: Map<string, Promise<void>>): void {
    const key = this.#key(kernel, prelude);
    if (this.#pipelines.has(key) || compiling.has(key)) return;
    const code = this.#source(kernel, prelude);
    const { result, validation } = this.#validate(() => {
      const { layout, descriptor } = this.#describe(kernel, code);
      return { layout, creation: this.#gpu.createComputePipelineAsync(descriptor) };
    });
    const { layout, creation } = result;
    const done = Promise.allSettled([creation, validation]).then(async ([pipeline, check]) => {
      // Prefer the error in the shader's text: about that, the pipeline's error says only that the shader is
      // invalid.
      const textError = check.status === "fulfilled" ? check.value : undefined;
      if (textError) this.#failed(compileError(kernel, code, textError.message));
      else if (pipeline.status === "fulfilled") this.#remember(key, pipeline.value, layout);
      else if (!(await this.#isLost())) this.#failed(compileError(kernel, code, pipeline.reason.message));
    });
    compiling.set(key, done);
  }

  /** Waits a little to learn whether the device was lost, which is known later than what failed by it. */
  #isLost(): Promise<boolean> {
    const lost = this.#gpu.lost.then(() => true);
    return Promise.race([lost, new Promise<false>((resolve) => setTimeout(resolve, 100, false))]);
  }

  /**
   * Compiles a kernel that may be wrong, and returns what the compiler says. Without an error among that, the
   * pipeline is ready. Unlike the errors of the other methods, these harm nothing.
   */
  async check(kernel: Kernel, prelude: Specialization): Promise<KernelMessage[]> {
    let lines: readonly number[];
    let code: string;
    try {
      lines = bodyLines(kernel, prelude);
      code = this.#source(kernel, prelude);
    } catch (error) {
      return [{ severity: "error", text: (error as Error).message }];
    }
    const { result, validation } = this.#validate(() => {
      const { layout, descriptor } = this.#describe(kernel, code);
      return { layout, descriptor, creation: this.#gpu.createComputePipelineAsync(descriptor) };
    });
    const { layout, descriptor, creation } = result;
    const [pipeline, check, info] = await Promise.allSettled([
      creation,
      validation,
      descriptor.compute.module.getCompilationInfo(),
    ]);
    const messages = (info.status === "fulfilled" ? [...info.value.messages] : []).map(
      ({ type, message, lineNum }): KernelMessage => ({
        severity: type === "error" ? "error" : "warning",
        text: message,
        line: lines[lineNum - 1] || undefined,
      }),
    );
    const failure: { message: string } | undefined =
      pipeline.status === "rejected"
        ? pipeline.reason
        : (check.status === "fulfilled" && check.value) || undefined;
    if (pipeline.status === "fulfilled" && !failure) {
      this.#remember(this.#key(kernel, prelude), pipeline.value, layout);
    } else if (!messages.some(({ severity }) => severity === "error")) {
      messages.push({ severity: "error", text: failure?.message ?? "The kernel does not compile." });
    }
    return messages;
  }

  /** Calls `body`, and watches for what WebGPU finds wrong in it. The scope ends even if `body` throws. */
  #validate<T>(body: () => T): { result: T; validation: Promise<GPUError | null> } {
    this.#gpu.pushErrorScope("validation");
    let result: T;
    try {
      result = body();
    } catch (error) {
      this.#gpu.popErrorScope().catch(() => {});
      throw error;
    }
    return { result, validation: this.#gpu.popErrorScope() };
  }

  /** The final WGSL. */
  #source(kernel: Kernel, prelude: Specialization): string {
    const { enable = [] } = prelude;
    const asks = this.#fixesSubgroups && enable.includes("subgroups");
    const code = wgslSource(
      kernel,
      asks ? { ...prelude, enable: [...enable, "subgroup_size_control"] } : prelude,
    );
    // PIXELGRAD_DEBUG_WGSL=conv2d prints the final source of every kernel whose name contains the word.
    const word = environment("PIXELGRAD_DEBUG_WGSL");
    if (word && kernel.name.includes(word)) console.log(`// ---- ${kernel.name}\n${code}`);
    return code;
  }

  /** Everything that a pipeline is made from. */
  #describe(kernel: Kernel, code: string) {
    // Not the layout "auto", which leaves out bindings that this specialization does not use.
    const layout = this.#gpu.createBindGroupLayout({
      entries: kernel.bindings.map(({ index, kind }) => ({
        binding: index,
        visibility: STAGE_COMPUTE,
        buffer: { type: kind === "uniform" ? "uniform" : kind === "read" ? "read-only-storage" : "storage" },
      })),
    });
    const descriptor = {
      label: kernel.name,
      layout: this.#gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.#gpu.createShaderModule({ label: kernel.name, code }) },
    };
    return { layout, descriptor };
  }

  /** What the final source depends on: the kernel and the prelude. */
  #key(kernel: Kernel, { constants, enable, functions, element }: Specialization): string {
    let key = this.#nameOf(kernel);
    for (const name in constants) key += `,${name}=${constants[name]}`;
    return `${key};${enable ?? ""};${element ?? ""};${functions ?? ""}`;
  }

  /** A short text for a kernel's name and body, found by its object: every launch asks, and bodies are long. */
  #nameOf(kernel: Kernel): string {
    let name = this.#names.get(kernel);
    if (name === undefined) {
      const text = `${kernel.name}\n${kernel.body}`;
      name = this.#nameOfText.get(text) ?? `${kernel.name}#${this.#nameOfText.size}`;
      this.#nameOfText.set(text, name);
      this.#names.set(kernel, name);
    }
    return name;
  }

  #remember(key: string, gpu: GPUComputePipeline, layout: GPUBindGroupLayout): Pipeline {
    const pipeline = { id: this.#pipelines.size, gpu, layout };
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}

/** The part of a buffer (all of it, without a size) that stands for variable `binding` of the WGSL. */
export interface Bound {
  readonly binding: number;
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly size?: number;
}

/** Parameters of launches in small buffers, which later launches with the same parameters use again. */
export class Uniforms {
  readonly #pool: BufferPool;
  readonly #recorder: Recorder;
  readonly #buffers: LruCache<string, PooledBuffer>;

  constructor(pool: BufferPool, recorder: Recorder) {
    this.#pool = pool;
    this.#recorder = recorder;
    this.#buffers = new LruCache(MAX_CACHED_UNIFORMS, (buffer) => pool.give(buffer));
  }

  get(words: Uint32Array<ArrayBuffer>): PooledBuffer {
    return this.#buffers.get(words.join(), () => {
      const buffer = this.#pool.take(words.byteLength);
      this.#recorder.write(buffer, 0, words);
      return buffer;
    });
  }
}

/** Which buffers stand for the variables of a kernel. */
export class BindGroups {
  readonly #gpu: GPUDevice;
  readonly #groups = new Map<string, { gpu: GPUBindGroup; bound: readonly Bound[] }>();
  /** Keys of the groups that mention a buffer, by its id. */
  readonly #keysOf = new Map<number, Set<string>>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  get(pipeline: Pipeline, bound: readonly Bound[]): GPUBindGroup {
    let key = `${pipeline.id}`;
    for (const { buffer, offset, size } of bound) key += `|${buffer.id},${offset},${size}`;
    const existing = this.#groups.get(key);
    if (existing) return existing.gpu;
    if (this.#groups.size >= MAX_CACHED_BIND_GROUPS) {
      this.#groups.clear();
      this.#keysOf.clear();
    }
    const entries = bound.map(({ binding, buffer, offset, size }) => ({
      binding,
      resource: { buffer: buffer.gpu, offset, size },
    }));
    const gpu = this.#gpu.createBindGroup({ layout: pipeline.layout, entries });
    this.#groups.set(key, { gpu, bound });
    for (const { buffer } of bound) {
      const keys = this.#keysOf.get(buffer.id) ?? new Set();
      this.#keysOf.set(buffer.id, keys.add(key));
    }
    return gpu;
  }

  /** Forgets the groups that mention a buffer, which is about to be destroyed. */
  forget({ id }: PooledBuffer): void {
    for (const key of this.#keysOf.get(id) ?? []) {
      for (const { buffer } of this.#groups.get(key)?.bound ?? []) this.#keysOf.get(buffer.id)?.delete(key);
      this.#groups.delete(key);
    }
    this.#keysOf.delete(id);
  }
}

/** An error with the lines of source around the first position (":line:column") in the message. */
function compileError(kernel: Kernel, code: string, message: string): GpuError {
  const position = Number(/:(\d+):\d+/.exec(message)?.[1] ?? 1);
  const numbered = code.split("\n").map((line, i) => `${String(i + 1).padStart(5)}  ${line}`);
  const excerpt = numbered.slice(Math.max(0, position - 6), position + 5).join("\n");
  return new GpuError(
    `Kernel ${kernel.name} does not compile: ${message}\n${excerpt}\n` +
      `(Set PIXELGRAD_DEBUG_WGSL to the kernel's name to print all of it.)`,
  );
}
