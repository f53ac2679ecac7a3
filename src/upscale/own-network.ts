/** Networks that are loaded here, and that survive the loss of their device. */
import { checkDType, DeviceLostError } from "../device/device.ts";
import { defaultDevice, ensureDevice } from "../device/open.ts";
import type { SuperResolver } from "../models/super-resolver.ts";
import { outsideScopes } from "../tensor/scope.ts";
import { enlargeWithDevice, type Method, type WithDevice, withChanges, withDeviceOf } from "./method.ts";
import { NotWanted } from "./tile-loop.ts";
import { networkUpscaler, type Upscaler, upscalerOf } from "./upscaler.ts";

/** More losses of a device within one window mean that the next device would not live longer. */
export const MAX_RELOADS = 3;

export interface OwnNetwork {
  readonly upscaler: Upscaler;
  /** How many numbers were trained. */
  readonly parameters: number;
  /** Frees the network. */
  close(): void;
}

/**
 * A network that was loaded here, and that `close` frees. If its device is lost, it is loaded again, on a new
 * one, and computes the window once more: whoever enlarges a picture notices nothing but the time.
 */
export function ownNetwork(make: () => SuperResolver, half: boolean, name?: string): OwnNetwork {
  const load = () => {
    if (!half) return outsideScopes(make);
    checkDType(defaultDevice(), "float16", "half");
    return outsideScopes(() => make().half());
  };
  let model = load();
  let current = networkUpscaler(model, name);
  let reloading: Promise<void> | undefined;
  /** Windows of several pictures may notice a loss: they share one reload. */
  const reload = (): Promise<void> => {
    reloading ??= reloadOnce().finally(() => {
      reloading = undefined;
    });
    return reloading;
  };
  const reloadOnce = async (): Promise<void> => {
    await ensureDevice();
    model.dispose();
    model = load();
    current = networkUpscaler(model, name);
  };
  /** Between two pictures, a loss is noticed here. */
  const prepare = async (): Promise<void> => {
    if (isLost(current)) await reload();
    await current.prepare?.();
  };
  const withDevice: WithDevice = async (work, signal) => {
    for (let reloads = 0; ; reloads++) {
      const before = current;
      try {
        return await withDeviceOf(before)(work, signal);
      } catch (error) {
        const isOver = signal?.aborted || error instanceof NotWanted;
        if (isOver || !isLost(before) || reloads === MAX_RELOADS) throw error;
        // Windows of other pictures may have noticed, too.
        if (before !== current) continue;
        await reload();
      }
    }
  };
  const survivor = withChanges(current, {
    get device() {
      return current.device;
    },
    get pixelsWithin() {
      return current.pixelsWithin;
    },
    prepare,
    enlarge: enlargeWithDevice(withDevice),
  });
  const upscaler = upscalerOf(survivor);
  const parameters = model.parameterCount();
  return { upscaler, parameters, close: () => model.dispose() };
}

/** Is the device gone on which the method runs? */
export function isLost({ device }: Method): boolean {
  return device?.failure instanceof DeviceLostError;
}
