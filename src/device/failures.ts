import { DeviceLostError, GpuError } from "./device.ts";

/** How this JavaScript environment tells of failures that no call has thrown by the end of the program. */
export interface FailureWatch {
  /** Called once per device with a function that returns such a failure. The result ends that. */
  watchFailures(unseen: () => Error | undefined): () => void;
}

/**
 * What ends the work of a device: an error, its loss, or destroy(). WebGPU reports errors late, when the call that
 * made one has long returned. The first is kept, and the next call that can throw throws it.
 */
export class Failures {
  /** See {@link Device.lost}. */
  readonly lost: Promise<DeviceLostError>;
  readonly #gpu: GPUDevice;
  readonly #name: string;
  readonly #unwatch: () => void;
  readonly #onError = (event: GPUUncapturedErrorEvent) => {
    this.#fail(new GpuError(`WebGPU on ${this.#name}: ${event.error.message}`));
  };
  #failure: GpuError | undefined;
  /** Has a call thrown it? */
  #seen = false;
  #destroyed = false;

  /** @param name the device's, for messages. */
  constructor(gpu: GPUDevice, name: string, host: FailureWatch) {
    this.#gpu = gpu;
    this.#name = name;
    gpu.addEventListener("uncapturederror", quieten);
    gpu.addEventListener("uncapturederror", this.#onError);
    this.lost = new Promise((resolve) => {
      gpu.lost.then(({ reason, message }) => {
        if (this.#destroyed) return;
        const advice =
          "Its tensors are lost, too. Call init() again, then make networks and tensors anew; upscale() does that " +
          "by itself for methods that are given by name, path or bytes.";
        const error = new DeviceLostError(
          `The GPU device ${name} was lost (${reason}): ${message}. ${advice}`,
        );
        this.#fail(error);
        resolve(error);
      });
    });
    this.#unwatch = host.watchFailures(() => (this.#seen ? undefined : this.#failure));
  }

  #fail(error: GpuError): void {
    this.#failure ??= error;
  }

  /** A kernel cannot be compiled. The complaints about its invalid pipeline, which arrive first, give way to that. */
  failToCompile(error: GpuError): void {
    this.#failure = error;
  }

  get failure(): GpuError | undefined {
    if (!this.#destroyed) return this.#failure;
    return new GpuError(`The device ${this.#name} has been destroyed; call init() again.`);
  }

  throwFailure(): void {
    const { failure } = this;
    if (!failure) return;
    this.#seen = true;
    throw failure;
  }

  /** The result of a step, or what {@link lossOr} says about its error. */
  async unlessLost<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      throw await this.lossOr(error);
    }
  }

  /** What to throw for an error of WebGPU. If it came of the device's loss, that is known a little later. */
  async lossOr(error: unknown): Promise<unknown> {
    await Promise.race([this.#gpu.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
    this.throwFailure();
    return error;
  }

  /** The device is about to be destroyed. */
  end(): void {
    // A failure that nobody has seen is still reported when the program ends.
    if (!this.#failure || this.#seen) this.#unwatch();
    this.#destroyed = true;
    // Dawn keeps listeners for ever, and by this one the device, with its threads in the driver.
    this.#gpu.removeEventListener("uncapturederror", this.#onError);
  }
}

/** Dawn would print the error on standard output and go on. */
function quieten(event: GPUUncapturedErrorEvent): void {
  event.preventDefault();
}
