import { type Device, type DType, emptyStats, type MemoryStats, type Storage } from "./device.ts";
import { cpuProfile } from "./profile.ts";

/** More was allocated on a MetaDevice than it has room for. */
export class MetaDeviceFull extends Error {
  override name = "MetaDeviceFull";
}

/** Throws an Error if the device is one without values. `what` is to be computed on it, and begins the sentence. */
export function checkHasValues(device: Device, what: string): void {
  if (!(device instanceof MetaDevice)) return;
  throw new Error(
    `${what} cannot run on the device meta, whose tensors have shapes and no values. Make the tensors on the CPU ` +
      "device or on the one that init() opens.",
  );
}

/**
 * A device without memory, as PyTorch's of that name: its tensors have shapes and no values, and operations do
 * not run on it. A network that is built on it says in no time which tensors it has. Its room is limited, so
 * that the description of an enormous network costs nothing either.
 */
export class MetaDevice implements Device {
  readonly name = "meta";
  readonly failure = undefined;
  readonly lost = new Promise<never>(() => {});
  readonly profile = { ...cpuProfile, maxTensorBytes: Number.POSITIVE_INFINITY };
  #tensors: number;
  #elements: number;

  constructor(room: { readonly tensors: number; readonly elements: number }) {
    this.#tensors = room.tensors;
    this.#elements = room.elements;
  }

  /** @throws MetaDeviceFull beyond the device's room. */
  allocate(length: number, dtype: DType = "float32"): Storage {
    this.#tensors--;
    this.#elements -= length;
    if (this.#tensors < 0 || this.#elements < 0) throw new MetaDeviceFull("There is no room left.");
    return { dtype, length, refs: 1, version: 0 };
  }

  slice({ dtype }: Storage, _: number, length: number): Storage {
    return { dtype, length, refs: 1, version: 0 };
  }

  moveInto(whole: Storage, _: number, storage: Storage): void {
    Object.assign(storage, { whole });
  }
  release(): void {}
  leave(): void {}
  write(): void {}
  writeConstant(): void {}
  writeBytes(): void {}
  copy(): void {}

  eachTime(effect: () => void): void {
    effect();
  }

  async read(): Promise<never> {
    throw new Error("Tensors on the device meta have no values.");
  }

  async readBytes(): Promise<never> {
    return this.read();
  }

  async sync(): Promise<void> {}
  async compileAhead(): Promise<void> {}

  memory(): MemoryStats {
    return emptyStats();
  }

  resetPeak(): void {}
  freeUnused(): void {}
  destroy(): void {}
}
