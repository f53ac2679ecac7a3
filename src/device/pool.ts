/** A GPU buffer and what the pool must know about it. */
export interface PooledBuffer {
  readonly gpu: GPUBuffer;
  /** Distinct among the buffers of all pools; bind groups are cached by it. */
  readonly id: number;
  readonly bytes: number;
  /** Number of the command encoder that last used it; see Recorder. */
  lastUse: number;
  /** Does it lie in the pool, unused? */
  free: boolean;
  /**
   * How often it was taken from the pool, and how often a part of it went elsewhere or was released: another number,
   * and what lay there may not be there any more.
   */
  takes: number;
  /** How many captures (capture.ts) count on it while it is free. */
  captures: number;
}

/** Rather than take a buffer that a capture counts on, the pool creates a new one of up to so many bytes. */
const SMALL = 64 * 2 ** 10;

let nextId = 0;

/**
 * Keeps released buffers for the next tensor of about the same size: creating one costs more than most
 * kernels, and a training step asks for the same sizes again and again. Taking and giving back are O(1). The
 * pool keeps at most `budget` bytes, and drops the size that has been unused for the longest time first.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #usage: number;
  readonly #budget: number;
  readonly #destroyed: (buffer: PooledBuffer) => void;
  /** Free buffers by size class. The last one given back is taken first: its bind groups may be cached. */
  readonly #free = new Map<number, PooledBuffer[]>();
  #freeBytes = 0;
  /** Buffers that exist, free or in use. */
  count = 0;
  bytes = 0;
  created = 0;

  constructor(device: GPUDevice, usage: number, budget: number, destroyed: (buffer: PooledBuffer) => void) {
    this.#device = device;
    this.#usage = usage;
    this.#budget = budget;
    this.#destroyed = destroyed;
  }

  take(bytes: number): PooledBuffer {
    const rounded = sizeClass(bytes);
    // The largest buffers that a device can make leave no room for rounding up.
    const size = rounded <= this.#device.limits.maxBufferSize ? rounded : Math.ceil(bytes / 256) * 256;
    const reused = this.#reuse(size);
    if (reused) {
      this.#freeBytes -= size;
      reused.free = false;
      reused.takes++;
      return reused;
    }
    const gpu = this.#device.createBuffer({ size, usage: this.#usage });
    this.count++;
    this.created++;
    this.bytes += size;
    return { gpu, id: nextId++, bytes: size, lastUse: -1, free: false, takes: 1, captures: 0 };
  }

  /** Removes a free buffer from its list, one on which no capture counts if there is one. */
  #reuse(size: number): PooledBuffer | undefined {
    const buffers = this.#free.get(size) ?? [];
    let at = buffers.length - 1;
    while (at >= 0 && buffers[at].captures > 0) at--;
    if (at < 0 && size > SMALL) at = buffers.length - 1;
    return at < 0 ? undefined : buffers.splice(at, 1)[0];
  }

  give(buffer: PooledBuffer): void {
    if (buffer.bytes > this.#budget) {
      this.#drop(buffer); // all others would have to go to make room for it
      return;
    }
    buffer.free = true;
    const buffers = this.#free.get(buffer.bytes) ?? [];
    buffers.push(buffer);
    this.#free.delete(buffer.bytes); // and set again, which moves the size to the end of the map
    this.#free.set(buffer.bytes, buffers);
    this.#freeBytes += buffer.bytes;
    while (this.#freeBytes > this.#budget) this.#dropOldest();
  }

  /** Drops every buffer that is not in use. */
  clear(): void {
    while (this.#freeBytes > 0) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const [size, buffers] of this.#free) {
      const oldest = buffers.shift();
      if (buffers.length === 0) this.#free.delete(size);
      if (!oldest) continue;
      this.#freeBytes -= size;
      this.#drop(oldest);
      return;
    }
  }

  #drop(buffer: PooledBuffer): void {
    buffer.free = false;
    buffer.takes++; // it belongs to nobody
    this.count--;
    this.bytes -= buffer.bytes;
    this.#destroyed(buffer);
  }
}

/**
 * How many times as large as asked for a buffer may be, for plans of memory: `sizeClass` adds an eighth at most (but
 * for the smallest).
 */
export const MAX_ROUNDING = 9 / 8;

/**
 * Sizes are rounded up so that nearly equal requests share buffers: to 256 bytes (the alignment of storage
 * bindings), and from 4 KiB on to eighths of the power of two below, which wastes at most an eighth.
 */
export function sizeClass(bytes: number): number {
  const step = bytes <= 4096 ? 256 : 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.max(256, Math.ceil(bytes / step) * step);
}
