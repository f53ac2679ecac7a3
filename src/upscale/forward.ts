/**
 * A network's forward pass, and how much memory it takes. In a network that enlarges, the last layers work on
 * up to scale² times as many pixels as the others. So where a network has two stages, the second runs in
 * strips, each with a margin, like tiles. That leaves memory for larger tiles in the first stage, whose
 * margin costs most (docs/measurements.md).
 */
import { bytesPerElement, type Device } from "../device/device.ts";
import { MAX_ROUNDING } from "../device/pool.ts";
import { cast } from "../kernels/cast/index.ts";
import { copyInto, slice } from "../kernels/layout/index.ts";
import { featuresOf, forwardOf, reconstructionOf } from "../models/check-network.ts";
import { placeOf, type SuperResolver, type TwoStages } from "../models/super-resolver.ts";
import { zeros } from "../tensor/create.ts";
import { Tensor } from "../tensor/tensor.ts";
import { compute, computeFrom } from "./compute.ts";
import { cutAxis } from "./tile-plan.ts";

/** Least width of a strip without its margins, in pixels. */
const MIN_STRIP = 16;

/** Strips may take this share of the memory that the first stage takes. */
const STRIP_SHARE = 0.5;

/** Runs a network, in strips where it has two stages. */
export class Forward {
  readonly #model: SuperResolver;
  #cachedNeeds: { readonly device: Device; readonly needs: Needs } | undefined;

  constructor(model: SuperResolver) {
    this.#model = model;
  }

  /** Measured when first asked for on a device: that runs the network on a small picture. */
  get #needs(): Needs {
    const { device } = placeOf(this.#model);
    if (this.#cachedNeeds?.device !== device) {
      this.#cachedNeeds = { device, needs: this.#model.evaluating(() => measureNeeds(this.#model)) };
    }
    return this.#cachedNeeds.needs;
  }

  /** Compiles the network's kernels, all at once. Otherwise they are compiled one by one when first needed. */
  async prepare(): Promise<void> {
    const { device, input } = samplesFor(this.#model);
    const forward = () => compute(() => forwardOf(this.#model, input()));
    await device.compileAhead(() => this.#model.evaluating(forward).dispose());
  }

  /**
   * How many pixels of the network's input fit into this many bytes at once, if each pixel takes `more` bytes
   * besides.
   */
  pixelsWithin(bytes: number, more: number): number {
    const { first, second, whole, narrowest, bindable } = this.#needs;
    const each = first + whole + more;
    if (second === 0) return Math.floor(Math.min(bytes / each, bindable));
    const ifWide = bytes / (each + STRIP_SHARE * first);
    // The narrowest strips of a square of side s are s long: each * s² + second * narrowest * s = bytes.
    const strip = second * narrowest;
    const side = (Math.sqrt(strip ** 2 + 4 * each * bytes) - strip) / (2 * each);
    const ifWhole = bytes / (each + second);
    return Math.floor(Math.min(bindable, Math.max(ifWhole, Math.min(ifWide, side ** 2))));
  }

  /**
   * From a float32 tensor with the network's colours and input size to its output, in float32 even if the
   * network works in float16. Nothing waits for the device; the caller disposes the result.
   */
  run(x: Tensor): Tensor {
    return this.#model.evaluating(() => this.#run(x));
  }

  #run(x: Tensor): Tensor {
    const model = this.#model;
    const { twoStages } = model;
    const { dtype } = placeOf(model);
    if (!twoStages) return compute(() => cast(forwardOf(model, cast(x, dtype)), "float32"));
    const features = compute(() => featuresOf(model, twoStages, cast(x, dtype)));
    return computeFrom([features], () => this.#reconstruct(twoStages, features));
  }

  /** The second stage, in strips across the longer side. */
  #reconstruct(twoStages: TwoStages, features: Tensor): Tensor {
    const { scale } = this.#model;
    const { halo } = twoStages;
    const [, , height, width] = features.shape;
    const wide = width > height;
    const [length, across] = wide ? [width, height] : [height, width];
    const { first: bytes, second, narrowest, bindableStrip } = this.#needs;
    const area = width * height;
    const pixels = Math.max(narrowest * Math.sqrt(area), (STRIP_SHARE * bytes * area) / second);
    const window = Math.max(2 * halo + 1, Math.floor(Math.min(bindableStrip, pixels) / across));
    const reconstruct = (part: Tensor) => cast(reconstructionOf(this.#model, twoStages, part), "float32");
    if (window >= length) return reconstruct(features);
    const channels = this.#model.planes;
    const whole = Tensor.empty([1, channels, height * scale, width * scale], features.device, "upscale");
    /** A place along the longer side. */
    const at = (place: number) => [0, 0, wide ? 0 : place * scale, wide ? place * scale : 0];
    for (const { from, to, first, end } of cutAxis(length, { window, margin: halo })) {
      const strip = compute(() => reconstruct(cutAlong(features, wide, from, to)));
      const [rows, columns] = wide ? [height, end - first] : [end - first, width];
      copyInto(whole, strip, {
        sizes: [1, channels, rows * scale, columns * scale],
        from: at(first - from),
        to: at(first),
      });
      strip.dispose();
    }
    return whole;
  }
}

/** What a network needs on its device: bytes for each pixel of its input, and limits. */
interface Needs {
  /** Bytes for the whole pass, or for its first stage if there are two. */
  readonly first: number;
  /** Bytes besides for the second stage, if there is one. */
  readonly second: number;
  /** Bytes of the result, where strips are put together. */
  readonly whole: number;
  /** Width of the narrowest strip, margins included. */
  readonly narrowest: number;
  /** Most pixels of the first stage, and of a strip, whose largest feature map a kernel can bind at once. */
  readonly bindable: number;
  readonly bindableStrip: number;
}

/**
 * Runs the network once on a small picture and divides the memory that the device took by the number of
 * pixels. That counts the buffers in use, and those that the device keeps to use again.
 */
function measureNeeds(model: SuperResolver): Needs {
  const { device, dtype, side, channels, input } = samplesFor(model);
  const { reference, maxTensorBytes } = device.profile;
  const { scale, twoStages, valuesPerPixel } = model;
  const measure = (work: () => Tensor): [result: Tensor, bytesPerPixel: number] => {
    device.freeUnused();
    const before = device.memory();
    device.resetPeak();
    const result = compute(work);
    const { peakBytes, bufferBytes } = device.memory();
    device.resetPeak(Math.max(before.peakBytes, peakBytes));
    const bytes = reference ? peakBytes - before.liveBytes : bufferBytes - before.bufferBytes;
    return [result, MAX_ROUNDING * (bytes / side ** 2)];
  };
  const bytesEach = bytesPerElement[dtype];
  const maxValues = maxTensorBytes / bytesEach;
  const bindableStrip = Math.floor(maxValues / valuesPerPixel);
  if (!twoStages) {
    const [y, bytes] = measure(() => forwardOf(model, input()));
    y.dispose();
    return { first: bytes, second: 0, whole: 0, narrowest: 0, bindable: bindableStrip, bindableStrip };
  }
  const [features, first] = measure(() => featuresOf(model, twoStages, input()));
  const [y, bytes] = measure(() => reconstructionOf(model, twoStages, features));
  features.dispose();
  y.dispose();
  return {
    first,
    // A strip's features are a copy of the whole's.
    second: bytes + MAX_ROUNDING * bytesEach * twoStages.featureValues,
    whole: MAX_ROUNDING * 4 * channels * scale ** 2,
    narrowest: MIN_STRIP + 2 * twoStages.halo,
    bindable: Math.floor(maxValues / Math.max(twoStages.featureValues, channels)),
    bindableStrip,
  };
}

/** Small pictures for a network. */
function samplesFor(model: SuperResolver) {
  const { device, dtype } = placeOf(model);
  const side = device.profile.reference ? 8 : 48; // the CPU device is slow
  const channels = model.planes;
  const input = () => cast(zeros([1, channels, side, side], { device }), dtype);
  return { device, dtype, side, channels, input };
}

function cutAlong(x: Tensor, wide: boolean, from: number, to: number): Tensor {
  const [n, c, h, w] = x.shape;
  return wide ? slice(x, [0, 0, 0, from], [n, c, h, to]) : slice(x, [0, 0, from, 0], [n, c, to, w]);
}
