/** The visitor's card: opened once, and again after it was lost. */
import { DeviceLostError, init } from "../../src/index.ts";
import type { GpuDevice } from "../../src/kernel.ts";
import type { CardInfo } from "./messages.ts";

const ATTEMPTS_AFTER_LOSS = 4;

export class Card {
  #device: GpuDevice | undefined;

  /** The device, which is opened if there is none that works. */
  async device(): Promise<GpuDevice> {
    if (this.#device && !this.#device.failure) return this.#device;
    const attempts = this.#device ? ATTEMPTS_AFTER_LOSS : 1;
    for (let attempt = 1; ; attempt++) {
      try {
        this.#device = (await init()) as GpuDevice;
        return this.#device;
      } catch (error) {
        // After a crash, the browser needs a moment until there are adapters again.
        if (attempt === attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
      }
    }
  }

  /** Was an error the loss of the device? That may be known a little later than the failure of its work. */
  async lost(error: unknown): Promise<boolean> {
    if (error instanceof DeviceLostError) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return this.#device?.failure instanceof DeviceLostError;
  }

  /** The device, if there is one that works. */
  get opened(): GpuDevice | undefined {
    return this.#device?.failure ? undefined : this.#device;
  }
}

export function describeDevice({ name, profile, gpu }: GpuDevice): CardInfo {
  return {
    adapter: name,
    software: !profile.separateProcessor,
    timestamps: gpu.features.has("timestamp-query"),
    subgroupSize: profile.subgroupSize,
  };
}
