/**
 * A network's forward pass, and how much memory it takes. The last layers of a network that enlarges work on scale² as many pixels as all
 * those before, so where a network tells its two stages apart, the second is done in strips, each with a margin as tiles have
 * one: then the first, whose margin costs most, may have larger tiles. (EDSR x4 of 64 channels on lavapipe, which binds 128 MiB: windows
 * of 690² pixels instead of 181², and with its margin of 36 pixels less than half the work.)
 */

import { slice } from "../kernels/layout/index.ts";
import type { SuperResolver, TwoStages } from "../models/super-resolver.ts";
import type { Planes } from "../picture/planes.ts";
import { noGrad } from "../tensor/op.ts";
import { keep, scope } from "../tensor/scope.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { paste, spans } from "./tiles.ts";

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
    const { twoStages } = this.#model;
    const device = deviceOf(this.#model);
    const input = () => tensor(data, [1, channels, height, width], { device });
    if (!twoStages) return planesOf(compute(() => this.#model.forward(input())));
    const features = compute(() => twoStages.features(input()));
    try {
      return await this.#reconstruct(twoStages, features, channels);
    } finally {
      features.dispose();
    }
  }

  /** The second step, in strips across the longer side. */
  async #reconstruct(twoStages: TwoStages, features: Tensor, channels: number): Promise<Planes> {
    const { scale } = this.#model;
    const { halo } = twoStages;
    const [, , height, width] = features.shape;
    const wide = width > height;
    const [length, across] = wide ? [width, height] : [height, width];
    const seen = Math.max(2 * halo + 1, Math.floor(stripPixels(this.needs, width * height) / across));
    if (seen >= length) return planesOf(compute(() => twoStages.reconstruct(features)));
    const result = {
      width: width * scale,
      height: height * scale,
      channels,
      data: new Float32Array(channels * width * height * scale ** 2),
    };
    for (const { from, to, first, end } of spans(length, seen, halo)) {
      const strip = compute(() => {
        const part = twoStages.reconstruct(cutAlong(features, wide, from, to));
        return cutAlong(part, wide, (first - from) * scale, (end - from) * scale);
      });
      paste(result, await planesOf(strip), wide ? 0 : first * scale, wide ? first * scale : 0);
    }
    return result;
  }
}

/** Bytes of the device for each pixel of the network's input. */
export interface Needs {
  /** Of the whole pass, or of its first step. */
  readonly first: number;
  /** Of the second step, if there is one, beside that. */
  readonly second: number;
  /** Width of the narrowest strip, margins included. */
  readonly narrowest: number;
  /** The most pixels whose largest map a kernel can be given as a whole: in the first step, and in the second. */
  readonly bindable: number;
  readonly bindableStrip: number;
}

/** Strips may take this much of what the first step takes. */
const stripShare = 0.5;

/** The most pixels for whose pass `bytes` are enough, if each takes `more` bytes besides. */
export function pixelsWithin(bytes: number, more: number, needs: Needs): number {
  const { first, second, narrowest, bindable } = needs;
  const each = first + more;
  if (second === 0) return Math.floor(Math.min(bytes / each, bindable));
  const ifWide = bytes / (each + stripShare * first);
  // The narrowest strips of a square of side s are s long: each * s² + second * narrowest * s = bytes.
  const strip = second * narrowest;
  const side = (Math.sqrt(strip ** 2 + 4 * each * bytes) - strip) / (2 * each);
  const ifWhole = bytes / (each + second);
  return Math.floor(Math.min(bindable, Math.max(ifWhole, Math.min(ifWide, side ** 2))));
}

/** Pixels of a strip of `area` pixels. */
function stripPixels({ first, second, narrowest, bindableStrip }: Needs, area: number): number {
  return Math.min(bindableStrip, Math.max(narrowest * Math.sqrt(area), (stripShare * first * area) / second));
}

/**
 * Runs the network once on a small picture, and divides the memory that the device took by the number of pixels. That counts
 * buffers in use as well as those that the device keeps to use them again. An eighth is added: a buffer may be that much larger than
 * what was asked for (see sizeClass).
 */
function needsOf(model: SuperResolver): Needs {
  const device = deviceOf(model);
  const { reference, maxTensorBytes } = device.profile;
  const side = reference ? 8 : 48; // the CPU device computes it, slowly
  const channels = model.colors === "rgb" ? 3 : 1;
  const { scale, inputSize, twoStages, valuesPerPixel } = model;
  const input = () => zeros([1, channels, side, side], { device });
  const measured = (work: () => Tensor): [result: Tensor, bytesPerPixel: number] => {
    device.freeUnused();
    const before = device.memory();
    device.resetPeak();
    const result = compute(work);
    const { peakBytes, bufferBytes } = device.memory();
    device.resetPeak(Math.max(before.peakBytes, peakBytes));
    const taken = reference ? peakBytes - before.liveBytes : bufferBytes - before.bufferBytes;
    return [result, ((taken / side ** 2) * 9) / 8];
  };
  // A result that is read is copied to memory that JavaScript can see.
  const read = (4 * channels * (inputSize === "low" ? scale ** 2 : 1) * 9) / 8;
  const most = maxTensorBytes / 4;
  const bindableStrip = Math.floor(most / valuesPerPixel);
  if (!twoStages) {
    const [y, taken] = measured(() => model.forward(input()));
    y.dispose();
    return { first: taken + read, second: 0, narrowest: 0, bindable: bindableStrip, bindableStrip };
  }
  const [features, first] = measured(() => twoStages.features(input()));
  const [y, taken] = measured(() => twoStages.reconstruct(features));
  features.dispose();
  y.dispose();
  return {
    first,
    // What a strip is cut out of the features, and what is kept of its result, are copies.
    second: taken + 2 * read + (4 * twoStages.featureValues * 9) / 8,
    narrowest: smallestStrip + 2 * twoStages.halo,
    bindable: Math.floor(most / Math.max(twoStages.featureValues, channels)),
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
