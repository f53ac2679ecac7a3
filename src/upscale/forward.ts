/**
 * A network's forward pass, and how much memory it takes. The last layers of a network that enlarges work on scale² as many pixels as all
 * those before, so where a network tells its two steps apart, the second is done in strips, each with a margin as tiles have
 * one: then the first, whose margin costs most, may have larger tiles. (EDSR x4 of 64 channels on lavapipe, which binds 128 MiB: windows
 * of 690² pixels instead of 181², and with its margin of 36 pixels less than half the work.)
 */
import { slice } from "../kernels/layout/index.ts";
import type { SuperResolver, TwoSteps } from "../models/super-resolver.ts";
import { GpuDevice } from "../tensor/gpu-device.ts";
import { keep, scope } from "../tensor/scope.ts";
import { noGrad } from "../tensor/tape.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import type { Planes } from "./upscaler.ts";

/** What a strip keeps beside its margins, in pixels, is no narrower than this. */
const smallestStrip = 16;

/** Runs a network on pictures up to a size. */
export class Forward {
  readonly #model: SuperResolver;
  #needs: Needs | undefined;

  constructor(model: SuperResolver) {
    this.#model = model;
  }

  /** Measured when first asked for: it runs the network on a small picture. */
  get needs(): Needs {
    this.#needs ??= needsOf(this.#model);
    return this.#needs;
  }

  /** Planes of the network's colours and input size to those of its output. */
  async run({ width, height, channels, data }: Planes): Promise<Planes> {
    const { steps } = this.#model;
    const device = deviceOf(this.#model);
    const input = () => tensor(data, [1, channels, height, width], { device });
    if (!steps) return planesOf(compute(() => this.#model.forward(input())));
    const features = compute(() => steps.features(input()));
    try {
      return await this.#reconstruct(steps, features, channels);
    } finally {
      features.dispose();
    }
  }

  /** The second step, in strips across the longer side. */
  async #reconstruct(steps: TwoSteps, features: Tensor, channels: number): Promise<Planes> {
    const { scale } = this.#model;
    const { halo } = steps;
    const [, , height, width] = features.shape;
    const pixels = stripPixels(this.needs, width * height);
    const wide = width > height;
    const [length, across] = wide ? [width, height] : [height, width];
    const seen = Math.floor(pixels / across);
    if (seen >= length) return planesOf(compute(() => steps.reconstruct(features)));
    const result = {
      width: width * scale,
      height: height * scale,
      channels,
      data: new Float32Array(channels * width * height * scale ** 2),
    };
    const kept = Math.max(1, seen - 2 * halo);
    for (let from = 0; from < length; from += kept) {
      const to = Math.min(length, from + kept);
      const [first, end] = [Math.max(0, from - halo), Math.min(length, to + halo)];
      const strip = await planesOf(
        compute(() => {
          const part = cutAlong(features, wide, first, end);
          return cutAlong(steps.reconstruct(part), wide, (from - first) * scale, (to - first) * scale);
        }),
      );
      const [left, top] = wide ? [from * scale, 0] : [0, from * scale];
      for (let row = 0; row < channels * strip.height; row++) {
        const c = Math.floor(row / strip.height);
        const at = (c * result.height + top + (row % strip.height)) * result.width + left;
        result.data.set(strip.data.subarray(row * strip.width, (row + 1) * strip.width), at);
      }
    }
    return result;
  }
}

/** Bytes of the device for each pixel of the network's input. */
export interface Needs {
  /** At the worst moment of the whole pass, or of its first step. */
  readonly first: number;
  /** Of the second step, if there is one: the features that wait, and the most that is in use beside them. */
  readonly features: number;
  readonly second: number;
  /** Width of the narrowest strip, margins included. */
  readonly narrowest: number;
  /** The most pixels whose largest map a kernel can be given as a whole: in the first step, and in the second. */
  readonly bindable: number;
  readonly bindableStrip: number;
}

/** The most pixels for whose pass `bytes` are enough, if each takes `more` bytes besides. */
export function pixelsWithin(bytes: number, more: number, needs: Needs): number {
  const { first, features, second, narrowest, bindable } = needs;
  const byFirst = bytes / (first + more);
  if (second === 0) return Math.floor(Math.min(byFirst, bindable));
  // Strips of a square of side s are s long: (features + more) s² + second * narrowest * s = bytes.
  const narrow = narrowest * second;
  const side = (Math.sqrt(narrow ** 2 + 4 * (features + more) * bytes) - narrow) / (2 * (features + more));
  const bySecond = Math.max(side ** 2, bytes / (features + more + second));
  return Math.floor(Math.min(byFirst, bySecond, bindable));
}

/** Pixels of a strip of `area` pixels: as many as the second step can take without needing more than the first. */
function stripPixels(needs: Needs, area: number): number {
  const { first, features, second, narrowest, bindableStrip } = needs;
  return Math.min(bindableStrip, Math.max(narrowest * Math.sqrt(area), (area * (first - features)) / second));
}

/**
 * Measured on a small picture, which counts what is really in use at a time, of every network. The next size of buffers may be an eighth
 * larger than what is asked for (see sizeClass).
 */
function needsOf(model: SuperResolver): Needs {
  const device = deviceOf(model);
  const side = device.kind === "gpu" ? 48 : 8; // the CPU device computes it, slowly
  const channels = model.colors === "rgb" ? 3 : 1;
  const input = () => zeros([1, channels, side, side], { device });
  const measured = (work: () => Tensor): [Tensor, number] => {
    const before = device.memory();
    device.resetPeak();
    const result = compute(work);
    const { peakBytes } = device.memory();
    device.resetPeak(Math.max(before.peakBytes, peakBytes));
    return [result, ((peakBytes - before.liveBytes) / side ** 2) * (9 / 8)];
  };
  const most =
    device instanceof GpuDevice
      ? Math.min(device.gpu.limits.maxStorageBufferBindingSize, device.gpu.limits.maxBufferSize) / 4
      : Number.POSITIVE_INFINITY;
  const bindableStrip = Math.floor(most / model.valuesPerPixel);
  const { steps } = model;
  if (!steps) {
    const [y, first] = measured(() => model.forward(input()));
    y.dispose();
    return { first, features: 0, second: 0, narrowest: 0, bindable: bindableStrip, bindableStrip };
  }
  const [features, first] = measured(() => steps.features(input()));
  const [y, second] = measured(() => steps.reconstruct(features));
  features.dispose();
  y.dispose();
  return {
    first,
    features: 4 * steps.featureValues * (9 / 8),
    second,
    narrowest: smallestStrip + 2 * steps.halo,
    bindable: Math.floor(most / Math.max(steps.featureValues, channels)),
    bindableStrip,
  };
}

/** A tensor computed without gradients, and without leaving anything else behind. */
function compute(work: () => Tensor): Tensor {
  using _noGrad = noGrad();
  using _scope = scope();
  return keep(work());
}

function cutAlong(x: Tensor, wide: boolean, from: number, to: number): Tensor {
  const [n, c, h, w] = x.shape;
  return wide ? slice(x, [0, 0, 0, from], [n, c, h, to]) : slice(x, [0, 0, from, 0], [n, c, to, w]);
}

/** Reads a tensor [1, channels, h, w] and frees it. */
async function planesOf(x: Tensor): Promise<Planes> {
  try {
    const [, channels, height, width] = x.shape;
    return { width, height, channels, data: await x.data() };
  } finally {
    x.dispose();
  }
}

export function deviceOf(model: SuperResolver) {
  return model.parameters()[0].device;
}
