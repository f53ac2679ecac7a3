/**
 * Commands on their way to the GPU. WebGPU runs no command at once: an *encoder* records commands, and the
 * finished recording is *submitted* to the device's queue, which runs them in that order while JavaScript
 * goes on. Kernel launches are recorded inside a compute *pass* of the encoder, copies between passes.
 */
import { unshared } from "../options/classes.ts";
import type { Grid } from "./kernel.ts";
import type { PassTimer } from "./pass-timer.ts";
import type { PooledBuffer } from "./pool.ts";
import { activeTrace, KernelTimer, span } from "./trace.ts";

/**
 * After this many launches the recorded commands are submitted, so that the GPU starts while JavaScript still
 * records. With a smaller number, submitting takes more time; with a larger one, the GPU waits.
 */
const LAUNCHES_PER_SUBMIT = 32;

/** Launches and copies, recorded into one encoder at a time and submitted in batches. */
export class Recorder {
  /** Gives all passes timestamps while it is set. */
  passTimer: PassTimer | undefined;
  readonly #gpu: GPUDevice;
  readonly #wait: <T>(promise: Promise<T>) => Promise<T>;
  /** Under a trace. */
  #kernelTimer: KernelTimer | undefined;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** The pipeline that is set in the pass. */
  #pipeline: GPUComputePipeline | undefined;
  #launches = 0;
  /** The encoder's number. A buffer whose `lastUse` equals it is used by commands not yet submitted. */
  #serial = 0;
  /** Buffers to destroy after the next submit: recorded commands still use them. */
  #doomed: PooledBuffer[] = [];

  /** @param wait how this JavaScript environment awaits GPU work. */
  constructor(gpu: GPUDevice, wait: <T>(promise: Promise<T>) => Promise<T>) {
    this.#gpu = gpu;
    this.#wait = wait;
  }

  /** Records a launch on a grid of workgroups. `buffers` are those in the bind group. */
  launch(
    pipeline: GPUComputePipeline,
    bindGroup: GPUBindGroup,
    [x, y, z]: Grid,
    buffers: readonly PooledBuffer[],
  ): void {
    const timer = this.#timer();
    const timestamps = () => (timer ? timer.next(pipeline.label) : this.passTimer?.next());
    this.#pass ??= this.#openEncoder().beginComputePass({ timestampWrites: timestamps() });
    if (pipeline !== this.#pipeline) this.#pass.setPipeline(pipeline);
    this.#pipeline = pipeline;
    this.#pass.setBindGroup(0, bindGroup);
    this.#pass.dispatchWorkgroups(x, y, z);
    for (const buffer of buffers) buffer.lastUse = this.#serial;
    if (timer) this.#endPass(); // one pass for each launch
    if (++this.#launches >= LAUNCHES_PER_SUBMIT) this.flush();
  }

  /** Records a copy between two different buffers. Offsets and length in bytes. */
  copy(from: PooledBuffer, fromOffset: number, to: PooledBuffer, toOffset: number, bytes: number): void {
    this.#endPass();
    this.#openEncoder().copyBufferToBuffer(from.gpu, fromOffset, to.gpu, toOffset, bytes);
    from.lastUse = this.#serial;
    to.lastUse = this.#serial;
  }

  /**
   * Writes values from JavaScript into a buffer. `writeBuffer` runs before all commands that are not yet
   * submitted, so these are submitted first if they use the buffer.
   */
  write(buffer: PooledBuffer, offset: number, data: ArrayBufferView): void {
    if (buffer.lastUse === this.#serial) this.flush();
    span("upload", () => this.#gpu.queue.writeBuffer(buffer.gpu, offset, unshared(data)));
  }

  /** Submits the recorded commands. */
  flush(): void {
    if (!this.#encoder) return;
    this.#endPass();
    const read = this.#kernelTimer?.resolve(this.#encoder);
    const commands = this.#encoder.finish();
    span("submit", () => this.#gpu.queue.submit([commands]));
    read?.();
    this.#encoder = undefined;
    this.#launches = 0;
    this.#serial++;
    for (const buffer of this.#doomed) buffer.gpu.destroy();
    this.#doomed = [];
  }

  /** Destroys a buffer, once the recorded commands that use it have been submitted. */
  destroy(buffer: PooledBuffer): void {
    if (buffer.lastUse === this.#serial) this.#doomed.push(buffer);
    else buffer.gpu.destroy();
  }

  /** Forgets the recorded commands: the device has been destroyed. */
  abandon(): void {
    this.#encoder = undefined;
    this.#pass = undefined;
    this.#pipeline = undefined;
  }

  #openEncoder(): GPUCommandEncoder {
    this.#encoder ??= this.#gpu.createCommandEncoder();
    return this.#encoder;
  }

  /** The timer of the trace that is active, if the device has timestamps. */
  #timer(): KernelTimer | undefined {
    const trace = activeTrace();
    if (this.#kernelTimer?.trace === trace) return this.#kernelTimer;
    this.flush(); // what was recorded before has no timestamps
    const canTime = trace && this.#gpu.features.has("timestamp-query");
    this.#kernelTimer = canTime
      ? new KernelTimer(trace, this.#gpu, LAUNCHES_PER_SUBMIT, this.#wait)
      : undefined;
    return this.#kernelTimer;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#pipeline = undefined;
  }
}
