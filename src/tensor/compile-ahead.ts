import type { Device } from "../device/device.ts";
import { aDevice, defaultDevice } from "../device/open.ts";
import { aFunction, checkArguments } from "../options/arguments.ts";
import { scope } from "./scope.ts";

/**
 * Compiles the kernels that `body` would launch, all at once, on as many threads as the driver uses. Without
 * this, each is compiled at its first launch, one after the other. Nothing is computed: the tensors of `body`
 * have no meaningful values and are disposed at its end, so it must neither read one nor step an optimizer.
 *
 *     await compileAhead(() => backward(l1Loss(model.forward(x), y)));
 *
 * Worth it before the first step or picture where compiling takes seconds, as on many GPUs. (Some drivers
 * compile only when a kernel runs.) Does nothing on the CPU device. Throws a GpuError if a kernel does not
 * compile.
 */
export async function compileAhead(body: () => void, device: Device = defaultDevice()): Promise<void> {
  checkArguments("compileAhead", { "the first argument": [body, aFunction], device: [device, aDevice] });
  await device.compileAhead(() => {
    using _ = scope();
    body();
  });
}
