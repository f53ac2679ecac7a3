import { checkRoom, type Device, type DType, emptyStats, type MemoryStats, type Storage } from "./device.ts";
import { fromHalf, toHalf } from "./half.ts";
import { cpuProfile } from "./profile.ts";

export type FloatArray = Float32Array | Float64Array;

/** The numbers of a tensor on the CPU device, in JavaScript's memory. */
export class CpuStorage implements Storage {
  refs = 1;
  version = 0;
  /** The elements; float16 as the integers of the same bits. */
  memory: FloatArray | Uint16Array;
  /** The storage that this one is a part of. */
  whole: CpuStorage | undefined;

  constructor(memory: FloatArray | Uint16Array, whole?: CpuStorage) {
    this.memory = memory;
    this.whole = whole;
  }

  get length(): number {
    return this.memory.length;
  }

  get dtype(): DType {
    return this.memory instanceof Uint16Array ? "float16" : "float32";
  }

  /** The elements, to read and to change. Throws for float16, which has `values` and `set`. */
  get array(): FloatArray {
    if (this.memory instanceof Uint16Array) throw new Error("A storage of float16 has no floats to change.");
    return this.memory;
  }

  /** The elements as numbers; of float16 a copy. */
  get values(): FloatArray {
    return this.memory instanceof Uint16Array ? fromHalf(this.memory) : this.memory;
  }

  /** Overwrites the elements, rounding where they are float16. */
  set(values: ArrayLike<number>): void {
    this.memory.set(this.memory instanceof Uint16Array ? toHalf(values) : values);
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
  readonly lost = new Promise<never>(() => {});
  readonly #array: Float32ArrayConstructor | Float64ArrayConstructor;
  readonly #stats = emptyStats();

  constructor(precision: "float32" | "float64") {
    this.#array = precision === "float64" ? Float64Array : Float32Array;
  }

  allocate(length: number, dtype: DType = "float32"): CpuStorage {
    checkRoom(this, length, `A tensor of ${length} elements`, dtype);
    const memory = dtype === "float16" ? new Uint16Array(length) : new this.#array(length);
    this.#stats.live++;
    this.#stats.liveBytes += memory.byteLength;
    this.#stats.peakBytes = Math.max(this.#stats.peakBytes, this.#stats.liveBytes);
    return new CpuStorage(memory);
  }

  slice(storage: CpuStorage, offset: number, length: number): CpuStorage {
    storage.refs++;
    return new CpuStorage(storage.array.subarray(offset, offset + length), storage);
  }

  moveInto(whole: CpuStorage, offset: number, storage: CpuStorage): void {
    const part = this.slice(whole, offset, storage.length);
    this.copy(storage, part);
    this.#free(storage);
    storage.memory = part.memory;
    storage.whole = whole;
  }

  release(storage: CpuStorage): void {
    if (--storage.refs === 0) this.#free(storage);
  }

  leave(storage: CpuStorage): void {
    this.release(storage);
  }

  #free({ whole, memory }: CpuStorage): void {
    if (whole) {
      this.release(whole);
      return;
    }
    this.#stats.live--;
    this.#stats.liveBytes -= memory.byteLength;
  }

  write(storage: CpuStorage, values: ArrayLike<number>): void {
    storage.set(values);
  }

  writeConstant(storage: CpuStorage, values: ArrayLike<number>): void {
    this.write(storage, values);
  }

  eachTime(effect: () => void): void {
    effect();
  }

  async read(storage: CpuStorage): Promise<Float32Array> {
    return Float32Array.from(storage.values);
  }

  writeBytes(storage: CpuStorage, bytes: Uint8Array): void {
    storage.bytes.set(bytes);
  }

  async readBytes<T>(
    storage: CpuStorage,
    use: (bytes: Uint8Array) => T,
    turn?: () => Promise<void>,
  ): Promise<T> {
    await turn?.();
    return use(storage.bytes);
  }

  copy(from: CpuStorage, to: CpuStorage): void {
    to.memory.set(from.memory);
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
