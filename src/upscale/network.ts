import { DataError } from "../data/errors.ts";
import type { SuperResolver } from "../models/super-resolver.ts";
import { GpuDevice } from "../tensor/gpu-device.ts";
import { keep, scope } from "../tensor/scope.ts";
import { noGrad } from "../tensor/tape.ts";
import { tensor, zeros } from "../tensor/tensor.ts";
import { enlarge } from "./enlarge.ts";
import { bytesPerPixel } from "./interpolator.ts";
import { upscalerOf } from "./picture.ts";
import type { Planes, Upscaler } from "./upscaler.ts";

/**
 * Enlarging by a network. Networks that take enlarged pictures (SRCNN) get them by bicubic interpolation without
 * rounding.
 */
export function networkUpscaler(model: SuperResolver): Upscaler {
  const { scale, colors, inputSize, halo } = model;
  const name = model.metadata().architecture;
  const wanted = colors === "rgb" ? 3 : 1;
  let perPixel: number | undefined;
  return upscalerOf({
    name,
    scale,
    colors,
    device: deviceOf(model),
    // The halo of a network for enlarged pictures counts in their pixels; before it comes bicubic interpolation, which sees 2. So
    // do the colours of networks for luma.
    margin: inputSize === "hr" ? Math.ceil(halo / scale) + 2 : Math.max(halo, 2),
    pixelsWithin(bytes) {
      perPixel ??= forwardBytesPerPixel(model);
      const fitting = Math.floor(bytes / (perPixel + bytesPerPixel(scale)));
      return Math.min(fitting, bindablePixels(model));
    },
    async enlarge(planes) {
      if (planes.channels !== wanted) {
        throw new DataError(
          `upscalePlanes: ${name} takes ${wanted} planes, but ${planes.channels} were given.`,
        );
      }
      return forward(model, inputSize === "hr" ? enlarge(planes, scale) : planes);
    },
  });
}

/** What the network makes of planes of its colours and input size, on the device that its weights are on. */
async function forward(model: SuperResolver, { width, height, channels, data }: Planes): Promise<Planes> {
  const output = launch(() => {
    const x = tensor(data, [1, channels, height, width], { device: deviceOf(model) });
    return keep(model.forward(x));
  });
  try {
    const [, , rows, columns] = output.shape;
    return { width: columns, height: rows, channels, data: await output.data() };
  } finally {
    output.dispose();
  }
}

/** Without gradients, and without leaving anything behind. */
function launch<T>(work: () => T): T {
  using _noGrad = noGrad();
  using _scope = scope();
  return work();
}

function deviceOf(model: SuperResolver) {
  return model.parameters()[0].device;
}

/** Enlarged pictures have more pixels than the small ones, in which all is counted here. */
function pixelFactor({ inputSize, scale }: SuperResolver): number {
  return inputSize === "hr" ? scale ** 2 : 1;
}

/**
 * Bytes of the device that are in use at the worst moment of a forward pass, for each pixel of the small picture. Measured, on a
 * small picture: that counts what is really alive at a time, of every network. The next size of buffers may be an eighth larger (see
 * sizeClass); and what comes back is mapped before it is copied.
 */
function forwardBytesPerPixel(model: SuperResolver): number {
  const device = deviceOf(model);
  const side = device.kind === "gpu" ? 48 : 8; // the CPU device computes it, slowly
  const before = device.memory();
  device.resetPeak();
  launch(() => model.forward(zeros([1, model.colors === "rgb" ? 3 : 1, side, side], { device })));
  const { peakBytes } = device.memory();
  device.resetPeak(Math.max(before.peakBytes, peakBytes));
  const peak = peakBytes - before.liveBytes;
  const returned = 4 * (model.colors === "rgb" ? 3 : 1) * model.scale ** 2;
  return (peak / side ** 2) * (9 / 8) * pixelFactor(model) + returned;
}

/** Pixels of the small picture whose largest feature map a kernel can still be given as a whole. */
function bindablePixels(model: SuperResolver): number {
  const device = deviceOf(model);
  if (!(device instanceof GpuDevice)) return Infinity;
  const { maxStorageBufferBindingSize, maxBufferSize } = device.gpu.limits;
  const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  return Math.floor(most / (4 * model.valuesPerPixel * pixelFactor(model)));
}
