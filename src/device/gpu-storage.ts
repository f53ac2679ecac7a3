/** The memory behind a tensor on a GPU: where it lies, how many bytes it has, and how numbers are written there. */
import { bytesPerElement, type DType, type Storage } from "./device.ts";
import { toHalf } from "./half.ts";
import type { Kernel } from "./kernel.ts";
import type { PooledBuffer } from "./pool.ts";

/** A part of a GPU buffer that holds one tensor's elements. */
export class GpuStorage implements Storage {
  refs = 1;
  version = 0;
  buffer: PooledBuffer;
  /** Start of the elements, in bytes; a multiple of 256. */
  offset: number;
  readonly length: number;
  readonly dtype: DType;
  /** The storage that this one is a part of. */
  whole: GpuStorage | undefined;
  /** A kernel's table, which is no tensor and does not count as live. */
  readonly isTable: boolean;

  constructor(
    buffer: PooledBuffer,
    offset: number,
    length: number,
    dtype: DType = "float32",
    { whole, isTable = false }: { whole?: GpuStorage; isTable?: boolean } = {},
  ) {
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
    this.dtype = dtype;
    this.whole = whole;
    this.isTable = isTable;
  }
}

/** What a launch binds: memory, or a tensor on this device, which has some. */
export type Bindable = GpuStorage | { readonly gpuStorage: GpuStorage };

export function storageOf(value: Bindable): GpuStorage {
  return value instanceof GpuStorage ? value : value?.gpuStorage;
}

/** A storage's bytes, rounded up to whole vec4s, which some kernels read; every buffer has that room. */
export function vec4Bytes({ length, dtype }: Pick<Storage, "length" | "dtype">): number {
  return Math.ceil(length / 4) * 4 * bytesPerElement[dtype];
}

/** A storage's bytes, rounded up to 4, as WebGPU copies them. */
export function copyBytes({ length, dtype }: Storage): number {
  return Math.ceil((length * bytesPerElement[dtype]) / 4) * 4;
}

/**
 * Are the tensors of a launch stored as float16? Those that the kernel declares as arrays of `element` have one
 * dtype, and all others are float32.
 */
export function storedAsHalf(kernel: Kernel, buffers: Readonly<Record<string, Bindable>>): boolean {
  let common: DType | undefined;
  for (const { name, kind, anyFloat } of kernel.bindings) {
    if (kind === "uniform") continue;
    const storage = storageOf(buffers[name]);
    if (!storage) throw new Error(`Kernel ${kernel.name}: the buffer for ${name} is missing.`);
    const wanted = anyFloat ? common : "float32";
    if (wanted && storage.dtype !== wanted) {
      throw new Error(
        `Kernel ${kernel.name}: ${name} is stored as ${storage.dtype}, and should be ${wanted}.`,
      );
    }
    if (anyFloat) common = storage.dtype;
  }
  return common === "float16";
}

/** Values as a storage has them. */
export function dataFor(storage: GpuStorage, values: ArrayLike<number>): ArrayBufferView {
  if (storage.dtype === "float16") {
    // WebGPU writes whole words of 4 bytes. The 2 after an odd number of elements belong to nobody.
    const words = new Uint16Array(copyBytes(storage) / 2);
    words.set(toHalf(values));
    return words;
  }
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
