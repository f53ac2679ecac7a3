/** A picture enlarged in bands: strips of the result, from top to bottom. */
import { quote } from "../options/kinds.ts";
import { checkImage, type Image, type Samples, zerosLike } from "../picture/image.ts";
import { fromPlanar, toPlanar } from "../picture/planes.ts";
import { withAlpha, withColors } from "./adapters.ts";
import { adapterOf, type Method } from "./method.ts";
import {
  type Box,
  checkUpscaleOptions,
  copyBox,
  enlargeInTiles,
  planTiles,
  type Tiling,
  type UpscaleOptions,
} from "./tiles.ts";

export interface BandOptions extends UpscaleOptions {
  /** Bits of each sample of the result. Default 8. */
  readonly depth?: 8 | 16;
}

/** A strip of the result, as wide as the whole. */
export interface Band {
  /** The row of the result at which it begins. */
  readonly top: number;
  readonly rows: Image<Samples>;
}

/** How a picture was enlarged. */
export interface UpscaleReport {
  /** For tables, such as `bicubic` or `edsr-small+`. */
  readonly method: string;
  readonly scale: number;
  /** Where it ran: an adapter's name, or "JavaScript" for interpolation. */
  readonly adapter: string;
  /** Number of tiles, and the size of their windows, padding included, in pixels of the small picture. */
  readonly tiles: number;
  readonly window: { readonly width: number; readonly height: number };
  /** From the picture in memory to the result in memory. */
  readonly ms: number;
  /** Peak memory of the device, weights included; 0 for interpolation. */
  readonly peakBytes: number;
}

/**
 * The result of enlarging a picture. It can be read once, from top to bottom, and is never whole in memory:
 *
 *     for await (const { top, rows } of bands) write(rows.data);
 *
 * All bands lie in the same memory: use one before you ask for the next.
 */
export class Bands implements AsyncIterable<Band> {
  /** Size of the whole result, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: Image["channels"];
  /** Bits of each sample. */
  readonly depth: 8 | 16;
  readonly #image: Image<Samples>;
  readonly #method: Method;
  readonly #tiling: Tiling;
  readonly #options: BandOptions;
  readonly #release: () => void;
  #ms = 0;
  #peakBytes = 0;

  /**
   * Plans the work; nothing is computed yet.
   *
   * @param release called when reading ends, or by `close`.
   * @throws RangeError for options that make no sense, and if not even a small tile fits into the memory.
   */
  constructor(image: Image<Samples>, method: Method, options: BandOptions, release = () => {}) {
    checkUpscaleOptions("upscale", options);
    const { depth = 8 } = options;
    if (depth !== 8 && depth !== 16)
      throw new RangeError(`upscale: depth must be 8 or 16, got ${quote(depth)}.`);
    checkImage(image, "upscale");
    this.width = image.width * method.scale;
    this.height = image.height * method.scale;
    this.channels = image.channels;
    this.depth = depth;
    this.#image = image;
    this.#method = image.channels % 2 === 0 ? withAlpha(withColors(method)) : withColors(method);
    this.#options = options;
    this.#release = release;
    const bytesPerRow = this.width * this.channels * (depth / 8) * method.scale;
    this.#tiling = planTiles(image, this.#method, { ...options, bytesPerRow });
  }

  /** Time and memory are counted up to the last band that was read. */
  get report(): UpscaleReport {
    const { name: method, scale } = this.#method;
    const { count: tiles, width, height } = this.#tiling;
    const [adapter, ms, peakBytes] = [adapterOf(this.#method), this.#ms, this.#peakBytes];
    return { method, scale, adapter, tiles, window: { width, height }, ms, peakBytes };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Band> {
    const start = performance.now();
    const { device, scale } = this.#method;
    const before = device?.memory().peakBytes ?? 0;
    device?.resetPeak();
    const heights = this.#tiling.rows.map(([{ inner }]) => inner.bottom - inner.top);
    const strip = this.#samples(Math.max(...heights) * scale);
    try {
      const windows = enlargeInTiles(this.#tiling, scale, (window) => this.#enlarge(window), this.#options);
      for await (const { large, part, place } of windows) {
        copyPart(large, part, strip, place.left);
        if (place.right < this.width) continue;
        this.#ms = performance.now() - start;
        this.#peakBytes = device?.memory().peakBytes ?? 0;
        const height = place.bottom - place.top;
        const data = strip.data.subarray(0, height * strip.width * strip.channels);
        yield { top: place.top, rows: { ...strip, height, data } };
      }
    } finally {
      device?.resetPeak(Math.max(before, device.memory().peakBytes));
      this.close();
    }
  }

  /** The whole result. */
  async image(): Promise<Image<Samples>> {
    const whole = this.#samples(this.height);
    for await (const { top, rows } of this) whole.data.set(rows.data, top * this.width * this.channels);
    return whole;
  }

  /** Frees what was opened for this picture. Reading all bands does so, too. */
  close(): void {
    this.#release();
  }

  async #enlarge(box: Box): Promise<Image<Samples>> {
    const [columns, rows] = [box.right - box.left, box.bottom - box.top];
    const data = zerosLike(this.#image.data, columns * rows * this.channels);
    copyBox(this.#image, box, data);
    const window: Image<Samples> = { width: columns, height: rows, channels: this.channels, data };
    const { enlarge, enlargeBytes } = this.#method;
    if (enlargeBytes && this.depth === 8 && window.data instanceof Uint8Array) {
      return enlargeBytes(window as Image);
    }
    const planes = { ...window, data: toPlanar(window) };
    const large = await enlarge(planes, this.#options.signal);
    return fromPlanar(large.data, large.width, large.height, this.channels, this.depth);
  }

  #samples(height: number): Image<Samples> {
    const { width, channels, depth } = this;
    const length = width * height * channels;
    return { width, height, channels, data: depth === 8 ? new Uint8Array(length) : new Uint16Array(length) };
  }
}

/** Copies a part of a picture into the top rows of `to`, from column `left` on. */
function copyPart(from: Image<Samples>, part: Box, to: Image<Samples>, left: number): void {
  const { channels } = from;
  for (let row = part.top; row < part.bottom; row++) {
    const start = row * from.width;
    const line = from.data.subarray((start + part.left) * channels, (start + part.right) * channels);
    to.data.set(line, ((row - part.top) * to.width + left) * channels);
  }
}
