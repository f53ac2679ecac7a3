import type { PooledBuffer } from "./pool.ts";

/**
 * The commands of a piece of work, kept to be given again. JavaScript then neither builds a graph nor looks
 * for kernels, buffers and bind groups: they are in the commands. See `capture` in src/tensor/capture.ts.
 *
 * A command names its buffers. Those of tensors that were made and released on the way (the *scratch*) lie
 * unused in the pool between two replays, so they cost no memory; but the pool may give one to somebody else.
 * All others hold the same tensor for good, if it was neither released nor moved since (an optimizer moves parameters).
 * `isValid` looks at both.
 */
export class Capture {
  readonly #commands: (() => void)[] = [];
  /** Buffers that the work took from the pool. */
  readonly #taken = new Set<PooledBuffer>();
  /** The other buffers that it used, and the `takes` of each then. */
  readonly #fixed = new Map<PooledBuffer, number>();
  #scratchBytes = 0;
  /** Why the commands would not do the work again: undefined if they would. */
  obstacle: string | undefined;

  /** Notes a command, and the buffers that it uses. */
  add(command: () => void, buffers: Iterable<PooledBuffer>): void {
    this.#commands.push(command);
    for (const buffer of buffers) {
      if (!this.#taken.has(buffer) && !this.#fixed.has(buffer)) this.#fixed.set(buffer, buffer.takes);
    }
  }

  /** Notes that the work took a buffer from the pool. */
  take(buffer: PooledBuffer): void {
    if (this.#fixed.has(buffer)) this.obstacle ??= "it released a tensor that it had not made";
    if (!this.#taken.has(buffer)) this.#scratchBytes += buffer.bytes;
    this.#taken.add(buffer);
  }

  /** Ends the capture. `results` are the buffers of what the work made and did not release. */
  end(results: readonly PooledBuffer[]): void {
    for (const buffer of results) {
      if (this.#taken.delete(buffer)) this.#fixed.set(buffer, buffer.takes);
    }
    for (const { free } of this.#taken) {
      if (!free) this.obstacle ??= "it kept a tensor that is not among its results";
    }
    if (!this.isValid()) this.obstacle ??= "it released a tensor that it had not made";
    for (const buffer of this.#taken) buffer.captures++;
  }

  /** Lets go of the scratch. */
  dispose(): void {
    for (const buffer of this.#taken) buffer.captures--;
    this.#taken.clear();
  }

  /** Are all buffers what they were, so that the commands would do the work again? */
  isValid(): boolean {
    for (const { free } of this.#taken) if (!free) return false;
    for (const [buffer, takes] of this.#fixed) if (buffer.free || buffer.takes !== takes) return false;
    return true;
  }

  /** Bytes of memory that the work needs on the way. */
  get scratchBytes(): number {
    return this.#scratchBytes;
  }

  /** Gives all commands again. */
  replay(): void {
    for (const command of this.#commands) command();
  }
}
