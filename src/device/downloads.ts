import type { Failures } from "./failures.ts";
import { copyBytes, type GpuStorage } from "./gpu-storage.ts";
import { BufferPool, type PooledBuffer } from "./pool.ts";
import type { Recorder } from "./recorder.ts";
import { span } from "./trace.ts";

/** Constants of WebGPU's specification. Browsers have them as globals, Node does not. */
const USAGE = { MAP_READ: 0x01, COPY_DST: 0x08 };
const MAP_MODE_READ = 0x1;

/**
 * Staging buffers that wait to be used again: those of three tiles, unless they are so large that the next picture
 * makes them anew. Within a picture, each tile takes that of one before it.
 */
const STAGING_BYTES = 64 * 2 ** 20;

/**
 * Numbers on their way from the GPU to JavaScript. Of a GPU's buffers, JavaScript can see only those made for that,
 * into which no kernel can write: staging buffers, to which results are copied.
 */
export class Downloads {
  readonly staging: BufferPool;
  readonly #recorder: Recorder;
  readonly #failures: Failures;
  readonly #wait: <T>(promise: Promise<T>) => Promise<T>;

  /**
   * @param destroy destroys a staging buffer.
   * @param wait how this JavaScript environment awaits GPU work.
   */
  constructor(
    gpu: GPUDevice,
    recorder: Recorder,
    failures: Failures,
    destroy: (buffer: PooledBuffer) => void,
    wait: <T>(promise: Promise<T>) => Promise<T>,
  ) {
    this.staging = new BufferPool(gpu, USAGE.MAP_READ | USAGE.COPY_DST, STAGING_BYTES, destroy);
    this.#recorder = recorder;
    this.#failures = failures;
    this.#wait = wait;
  }

  /**
   * Waits for all that is recorded, and gives `use` a storage's bytes, in memory that unmap() takes away again.
   *
   * @param turn is awaited before, if it is given.
   */
  async read<T>(storage: GpuStorage, use: (range: ArrayBuffer) => T, turn?: () => Promise<void>): Promise<T> {
    const bytes = copyBytes(storage);
    const staging = this.staging.take(bytes);
    this.#recorder.copy(storage.buffer, storage.offset, staging, 0, bytes);
    this.#recorder.flush();
    const mapped = () => this.#wait(staging.gpu.mapAsync(MAP_MODE_READ, 0, bytes));
    await this.#failures.unlessLost(() => span("wait for a result", mapped));
    try {
      await turn?.();
      // A device that was destroyed meanwhile has taken the memory with it.
      this.#failures.throwFailure();
      let range: ArrayBuffer;
      try {
        range = staging.gpu.getMappedRange(0, bytes);
      } catch (error) {
        throw await this.#failures.lossOr(error);
      }
      // In the same task of the event loop, without an `await`: other work may lose the device in between.
      return span("copy a result", () => use(range));
    } finally {
      staging.gpu.unmap();
      this.staging.give(staging);
    }
  }
}
