import { checkRoom, type Device, emptyStats, type MemoryStats, type Storage } from "./device.ts";
import { cpuProfile } from "./profile.ts";

export type FloatArray = Float32Array | Float64Array;

export class CpuStorage implements Storage {
  refs = 1;
  version = 0;
  readonly array: FloatArray;
  /** The storage that this one is a part of. */
  readonly whole: CpuStorage | undefined;

  constructor(array: FloatArray, whole?: CpuStorage) {
    this.array = array;
    this.whole = whole;
  }

  get length(): number {
    return this.array.length;
  }

  /** The memory as bytes, four for each element (of float64 the other four are not used). */
  get bytes(): Uint8Array {
    const { buffer, byteOffset, length } = this.array;
    return new Uint8Array(buffer, byteOffset, 4 * length);
  }
}

/**
 * Runs every operation as its CPU reference: plain loops over typed arrays. It is slow, and the yardstick: in
 * `float64` it checks every gradient rule, in `float32` every kernel.
 */
export class CpuDevice implements Device {
  readonly name = "cpu";
  readonly profile = cpuProfile;
  readonly failure = undefined;
  readonly #array: Float32ArrayConstructor | Float64ArrayConstructor;
  readonly #stats = emptyStats();

  constructor(precision: "float32" | "float64") {
    this.#array = precision === "float64" ? Float64Array : Float32Array;
  }

  allocate(length: number): CpuStorage {
    checkRoom(this, length, `A tensor of ${length} elements`);
    const array = new this.#array(length);
    this.#stats.live++;
    this.#stats.liveBytes += array.byteLength;
    this.#stats.peakBytes = Math.max(this.#stats.peakBytes, this.#stats.liveBytes);
    return new CpuStorage(array);
  }

  slice(storage: CpuStorage, offset: number, length: number): CpuStorage {
    storage.refs++;
    return new CpuStorage(storage.array.subarray(offset, offset + length), storage);
  }

  release(storage: CpuStorage): void {
    if (--storage.refs > 0) return;
    if (storage.whole) {
      this.release(storage.whole);
      return;
    }
    this.#stats.live--;
    this.#stats.liveBytes -= storage.array.byteLength;
  }

  write(storage: CpuStorage, values: ArrayLike<number>): void {
    storage.array.set(values);
  }

  async read(storage: CpuStorage): Promise<Float32Array> {
    return Float32Array.from(storage.array);
  }

  writeBytes(storage: CpuStorage, bytes: Uint8Array): void {
    storage.bytes.set(bytes);
  }

  async readBytes(storage: CpuStorage): Promise<Uint8Array> {
    return storage.bytes.slice();
  }

  copy(from: CpuStorage, to: CpuStorage): void {
    to.array.set(from.array);
  }

  async sync(): Promise<void> {}

  async compileAhead(): Promise<void> {}

  memory(): MemoryStats {
    return { ...this.#stats };
  }

  resetPeak(peak = this.#stats.liveBytes): void {
    this.#stats.peakBytes = peak;
  }

  freeUnused(): void {}

  destroy(): void {}
}
