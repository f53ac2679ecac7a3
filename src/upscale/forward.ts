/**
 * A network's forward pass, and how much memory it takes. In a network that enlarges, the last layers work on
 * up to scale² times as many pixels as the others. So where a network has two stages, the second runs in
 * strips, each with a margin, like tiles. That leaves memory for larger tiles in the first stage, whose
 * margin costs most (docs/measurements.md).
 */
import { bytesPerElement, type Device, type DType } from "../device/device.ts";
import { cast } from "../kernels/cast/index.ts";
import { slice } from "../kernels/layout/index.ts";
import type { SuperResolver, TwoStages } from "../models/super-resolver.ts";
import type { Planes } from "../picture/planes.ts";
import { noGrad } from "../tensor/op.ts";
import { keep, outsideScopes, scope } from "../tensor/scope.ts";
import { type Tensor, tensor, zeros } from "../tensor/tensor.ts";
import { paste, spans } from "./tiles.ts";

/** Least width of a strip without its margins, in pixels. */
const minStrip = 16;

/** Strips may take this share of the memory that the first stage takes. */
const stripShare = 0.5;

/** Runs a network, in strips where it has two stages. */
export class Forward {
  readonly #model: SuperResolver;
  #cachedNeeds: Needs | undefined;

  constructor(model: SuperResolver) {
    this.#model = model;
  }

  /** Measured when first asked for: that runs the network on a small picture. */
  get #needs(): Needs {
    this.#cachedNeeds ??= measureNeeds(this.#model);
    return this.#cachedNeeds;
  }

  /**
   * How many pixels of the network's input fit into this many bytes at once, if each pixel takes `more` bytes
   * besides.
   */
  pixelsWithin(bytes: number, more: number): number {
    const { first, second, narrowest, bindable } = this.#needs;
    const each = first + more;
    if (second === 0) return Math.floor(Math.min(bytes / each, bindable));
    const ifWide = bytes / (each + stripShare * first);
    // The narrowest strips of a square of side s are s long: each * s² + second * narrowest * s = bytes.
    const strip = second * narrowest;
    const side = (Math.sqrt(strip ** 2 + 4 * each * bytes) - strip) / (2 * each);
    const ifWhole = bytes / (each + second);
    return Math.floor(Math.min(bindable, Math.max(ifWhole, Math.min(ifWide, side ** 2))));
  }

  /** From planes with the network's colours and input size to its output. */
  async run({ width, height, channels, data }: Planes): Promise<Planes> {
    const { twoStages } = this.#model;
    const { device, dtype } = storedOn(this.#model);
    const input = () => castTo(dtype, tensor(data, [1, channels, height, width], { device }));
    if (!twoStages) return planesOf(compute(() => this.#model.forward(input())));
    const features = compute(() => twoStages.features(input()));
    try {
      return await this.#reconstruct(twoStages, features, channels);
    } finally {
      features.dispose();
    }
  }

  /** The second stage, in strips across the longer side. */
  async #reconstruct(twoStages: TwoStages, features: Tensor, channels: number): Promise<Planes> {
    const { scale } = this.#model;
    const { halo } = twoStages;
    const [, , height, width] = features.shape;
    const wide = width > height;
    const [length, across] = wide ? [width, height] : [height, width];
    const { first: bytes, second, narrowest, bindableStrip } = this.#needs;
    const area = width * height;
    const pixels = Math.max(narrowest * Math.sqrt(area), (stripShare * bytes * area) / second);
    const window = Math.max(2 * halo + 1, Math.floor(Math.min(bindableStrip, pixels) / across));
    if (window >= length) return planesOf(compute(() => twoStages.reconstruct(features)));
    const result = {
      width: width * scale,
      height: height * scale,
      channels,
      data: new Float32Array(channels * area * scale ** 2),
    };
    for (const { from, to, first, end } of spans(length, window, halo)) {
      const strip = compute(() => {
        const part = twoStages.reconstruct(cutAlong(features, wide, from, to));
        return cutAlong(part, wide, (first - from) * scale, (end - from) * scale);
      });
      paste(result, await planesOf(strip), wide ? 0 : first * scale, wide ? first * scale : 0);
    }
    return result;
  }
}

/** What a network needs on its device: bytes for each pixel of its input, and limits. */
interface Needs {
  /** Bytes for the whole pass, or for its first stage if there are two. */
  readonly first: number;
  /** Bytes besides for the second stage, if there is one. */
  readonly second: number;
  /** Width of the narrowest strip, margins included. */
  readonly narrowest: number;
  /** Most pixels of the first stage, and of a strip, whose largest feature map a kernel can bind at once. */
  readonly bindable: number;
  readonly bindableStrip: number;
}

/**
 * Runs the network once on a small picture and divides the memory that the device took by the number of
 * pixels. That counts the buffers in use, and those that the device keeps to use again. An eighth is added,
 * because a buffer may be that much larger than asked for (see sizeClass).
 */
function measureNeeds(model: SuperResolver): Needs {
  const { device, dtype } = storedOn(model);
  const { reference, maxTensorBytes } = device.profile;
  const side = reference ? 8 : 48; // the CPU device is slow
  const channels = model.colors === "rgb" ? 3 : 1;
  const { scale, inputSize, twoStages, valuesPerPixel } = model;
  const input = () => castTo(dtype, zeros([1, channels, side, side], { device }));
  const measure = (work: () => Tensor): [result: Tensor, bytesPerPixel: number] => {
    device.freeUnused();
    const before = device.memory();
    device.resetPeak();
    const result = compute(work);
    const { peakBytes, bufferBytes } = device.memory();
    device.resetPeak(Math.max(before.peakBytes, peakBytes));
    const bytes = reference ? peakBytes - before.liveBytes : bufferBytes - before.bufferBytes;
    return [result, ((bytes / side ** 2) * 9) / 8];
  };
  // Reading a result copies it to memory that JavaScript can see.
  const bytesEach = bytesPerElement[dtype];
  const readBytes = (bytesEach * channels * (inputSize === "low" ? scale ** 2 : 1) * 9) / 8;
  const maxValues = maxTensorBytes / bytesEach;
  const bindableStrip = Math.floor(maxValues / valuesPerPixel);
  if (!twoStages) {
    const [y, bytes] = measure(() => model.forward(input()));
    y.dispose();
    return { first: bytes + readBytes, second: 0, narrowest: 0, bindable: bindableStrip, bindableStrip };
  }
  const [features, first] = measure(() => twoStages.features(input()));
  const [y, bytes] = measure(() => twoStages.reconstruct(features));
  features.dispose();
  y.dispose();
  return {
    first,
    // A strip's features are copied, and so is the part of its result that stays.
    second: bytes + 2 * readBytes + (bytesEach * twoStages.featureValues * 9) / 8,
    narrowest: minStrip + 2 * twoStages.halo,
    bindable: Math.floor(maxValues / Math.max(twoStages.featureValues, channels)),
    bindableStrip,
  };
}

/**
 * Computes a tensor without gradients, and disposes all intermediate results. The caller disposes the tensor:
 * it is used across `await`, when a training run beside it may end a scope.
 */
function compute(work: () => Tensor): Tensor {
  return outsideScopes(() => {
    using _noGrad = noGrad();
    using _scope = scope();
    return keep(work());
  });
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

/** The picture as the network's tensors are stored; `x` is disposed if that makes another tensor of it. */
function castTo(dtype: DType, x: Tensor): Tensor {
  if (dtype === x.dtype) return x;
  const y = cast(x, dtype);
  x.dispose();
  return y;
}

/** Where and how a network's tensors are stored. */
export function storedOn(model: SuperResolver): { readonly device: Device; readonly dtype: DType } {
  return model.parameters()[0];
}
