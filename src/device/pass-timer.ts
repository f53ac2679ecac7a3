/**
 * How long the GPU itself works, as opposed to how long a program waits for it: timestamps that the GPU takes
 * at the beginning and the end of every compute pass.
 */

/** WebGPU's largest query set has 4096 timestamps, two for each pass. */
const MAX_PASSES = 2048;

/** Constants of WebGPU's specification. Browsers have them as globals, Node does not. */
const USAGE = { MAP_READ: 0x01, COPY_SRC: 0x04, COPY_DST: 0x08, QUERY_RESOLVE: 0x200 };
const MAP_MODE_READ = 0x1;

/** The recorder (recorder.ts), as far as its passes are timed. */
interface TimedRecorder {
  passTimer: PassTimer | undefined;
  flush(): void;
}

/** Gives passes their timestamps while it is the recorder's `passTimer`. */
export class PassTimer {
  readonly #gpu: GPUDevice;
  readonly #wait: <T>(promise: Promise<T>) => Promise<T>;
  readonly #queries: GPUQuerySet;
  #passes = 0;
  /** How many passes there had been at the end of each body. */
  readonly #ends: number[] = [];
  #tooMany = false;

  /** @param wait how this JavaScript environment awaits GPU work. */
  constructor(gpu: GPUDevice, wait: <T>(promise: Promise<T>) => Promise<T>) {
    this.#gpu = gpu;
    this.#wait = wait;
    this.#queries = gpu.createQuerySet({ type: "timestamp", count: 2 * MAX_PASSES });
  }

  /** The timestamps that the next pass is to write, for its descriptor. */
  next(): GPUComputePassTimestampWrites | undefined {
    if (this.#passes === MAX_PASSES) {
      this.#tooMany = true;
      return undefined;
    }
    const first = 2 * this.#passes++;
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Runs several bodies, each submitted before the next one begins, and notes which passes are whose. */
  run(bodies: readonly (() => void)[], recorder: TimedRecorder): void {
    recorder.flush(); // passes from before are not counted
    recorder.passTimer = this;
    try {
      for (const body of bodies) {
        body();
        recorder.flush();
        this.#ends.push(this.#passes);
      }
    } finally {
      recorder.passTimer = undefined;
    }
  }

  /**
   * Milliseconds that each body's passes took together. Undefined if there were more passes than it can time, or if
   * the GPU's clock was set back meanwhile.
   */
  async read(): Promise<number[] | undefined> {
    const passes = await this.#readPasses();
    return passes && this.#ends.map((end, i) => sum(passes.slice(this.#ends[i - 1] ?? 0, end)));
  }

  /** Milliseconds of each pass. */
  async #readPasses(): Promise<number[] | undefined> {
    const count = 2 * this.#passes;
    if (this.#tooMany) return undefined;
    if (count === 0) return [];
    const bytes = 8 * count;
    const resolved = this.#gpu.createBuffer({ size: bytes, usage: USAGE.QUERY_RESOLVE | USAGE.COPY_SRC });
    const staging = this.#gpu.createBuffer({ size: bytes, usage: USAGE.MAP_READ | USAGE.COPY_DST });
    const encoder = this.#gpu.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    this.#gpu.queue.submit([encoder.finish()]);
    await this.#wait(staging.mapAsync(MAP_MODE_READ));
    const times = new BigInt64Array(staging.getMappedRange());
    const passes = Array.from({ length: count / 2 }, (_, i) => times[2 * i + 1] - times[2 * i]);
    staging.destroy();
    resolved.destroy();
    return passes.some((took) => took < 0n) ? undefined : passes.map((took) => Number(took) / 1e6);
  }

  destroy(): void {
    this.#queries.destroy();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
