/** A picture enlarged in bands: strips of the result, from top to bottom. */

import { span } from "../device/trace.ts";
import { packedWidth, packSamples, readSamples, unpackSamples } from "../kernels/samples/index.ts";
import { aFunction, checkArguments, optional } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { checkImage, crop, type Image, type Samples, zerosLike } from "../picture/image.ts";
import { aTargetSize, RowResizer, sizeWithin, type TargetSize } from "../picture/target-size.ts";
import { withAlpha, withColors } from "./adapters.ts";
import type { Choice } from "./choice.ts";
import { compute, computeFrom } from "./compute.ts";
import { adapterOf, bicubicMargin, type Method, notFinite, onDeviceOf, type TensorMethod } from "./method.ts";
import type { PictureNote } from "./source.ts";
import {
  type Box,
  checkUpscaleOptions,
  copyBox,
  enlargeInTiles,
  type TileSource,
  tilesAhead,
  tilesFor,
  type UpscaleOptions,
} from "./tiles.ts";

/** A finished part of a result. Its memory is its own: keep it, or transfer it. */
export interface FinishedTile {
  /** Column and row of the result at which it begins. */
  readonly left: number;
  readonly top: number;
  readonly image: Image<Samples>;
}

/** Options of all that enlarges pictures. */
export interface TileOptions extends UpscaleOptions {
  /**
   * Called with the pixels of each tile as soon as they are there, for a preview that grows:
   *
   *     onTile: ({ left, top, image }) => context.putImageData(toImageData(image), left, top)
   *
   * Tiles come row by row, from left to right; `tile` makes them smaller. Its errors end the work.
   */
  readonly onTile?: (tile: FinishedTile) => void;
}

export interface BandOptions extends TileOptions {
  /** Bits of each sample of the result. Default 8. */
  readonly depth?: 8 | 16;
  /**
   * The most pixels that the result may have across, down, or both: what the method makes is reduced to as many
   * as fit, by bicubic interpolation, and keeps its proportions. `onTile` gets its tiles before that. Without a
   * `scale`, `upscale` takes the smallest that makes a picture large enough. Default: as the scale makes it.
   */
  readonly size?: TargetSize;
}

/** What `upscaleBands` adds to them. */
interface InnerOptions extends BandOptions {
  readonly choice?: Choice;
  readonly notes?: readonly PictureNote[];
}

/** A strip of the result, as wide as the whole. */
export interface Band {
  /** The row of the result at which it begins. */
  readonly top: number;
  readonly rows: Image<Samples>;
}

/** How a picture was enlarged. */
export interface UpscaleReport {
  /** For tables, such as `bicubic` or `wren+`. */
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
  /** Where nobody named a method: which network was chosen, and by what in the picture. */
  readonly choice?: Choice;
  /** What the method makes, before it is reduced to the result's size, if it is. */
  readonly #large: Pick<Bands, "width" | "height" | "depth">;
  /** Of a picture file, in Node: what the result lacks, and what was odd about the file. */
  readonly notes: readonly PictureNote[];
  readonly #image: Image<Samples>;
  readonly #method: Method;
  readonly #tiles: TileSource;
  readonly #options: BandOptions;
  readonly #release: () => void;
  #done = 0;
  #ms = 0;
  #peakBytes = 0;

  /**
   * Plans the work; nothing is computed yet.
   *
   * @param release called when reading ends, or by `close`.
   * @throws RangeError for options that make no sense, such as a size that the scale does not reach, and if not
   *   even a small tile fits into the memory.
   */
  constructor(image: Image<Samples>, method: Method, options: InnerOptions, release = () => {}) {
    checkUpscaleOptions("upscale", options);
    const { depth = 8, onTile, size } = options;
    checkArguments("upscale", { onTile: [onTile, optional(aFunction)], size: [size, optional(aTargetSize)] });
    if (depth !== 8 && depth !== 16)
      throw new RangeError(`upscale: depth must be 8 or 16, got ${quote(depth)}.`);
    checkImage(image, "upscale");
    const large = { width: image.width * method.scale, height: image.height * method.scale };
    const { width, height } = size ? sizeWithin(image, size) : large;
    if (width > large.width || height > large.height) {
      throw new RangeError(
        `upscale: scale ${method.scale} makes ${large.width} x ${large.height} pixels of this picture, fewer than ` +
          `the ${width} x ${height} of its size. Take a larger scale, or a smaller size.`,
      );
    }
    this.width = width;
    this.height = height;
    this.channels = image.channels;
    this.depth = depth;
    const isReduced = width < large.width || height < large.height;
    // Reduced are more exact numbers than the result has.
    this.#large = { ...large, depth: isReduced ? 16 : depth };
    this.#image = image;
    this.#method = method;
    this.#options = options;
    this.choice = options.choice;
    this.notes = options.notes ?? [];
    this.#release = release;
    const bytesPerRow = large.width * this.channels * (this.#large.depth / 8) * method.scale;
    // The adapters for colours and transparency look that far.
    const adapted = method.colors !== "any" || image.channels % 2 === 0;
    const margin = adapted ? Math.max(method.margin, bicubicMargin) : method.margin;
    const bytesPerPixel = adapterBytes(image.channels, this.#large.depth, method);
    this.#tiles = tilesFor(image, { ...method, margin }, { ...options, bytesPerRow, bytesPerPixel });
  }

  /** Time and memory are counted up to the last band that was read. */
  get report(): UpscaleReport {
    const { name: method, scale } = this.#method;
    const { largest: window, count: tiles = this.#done } = this.#tiles;
    const [ms, peakBytes] = [this.#ms, this.#peakBytes];
    // Methods with two ways use their device for one of them.
    const inJavaScript = this.#method.enlargeBytes !== undefined && !this.#inBytes;
    const adapter = inJavaScript ? "JavaScript" : adapterOf(this.#method);
    const { width, height } = window;
    return { method, scale, adapter, tiles, window: { width, height }, ms, peakBytes };
  }

  [Symbol.asyncIterator](): AsyncGenerator<Band> {
    return this.width < this.#large.width || this.height < this.#large.height
      ? this.#reduced()
      : this.#enlarged();
  }

  /** Bands of the size that was asked for. */
  async *#reduced(): AsyncGenerator<Band> {
    const { width, channels, depth } = this;
    const resizer = new RowResizer({ ...this.#large, channels }, this);
    let top = 0;
    for await (const { rows } of this.#enlarged()) {
      const data = resizer.push(rows as Image<Uint16Array>, depth);
      const height = data.length / (width * channels);
      if (height > 0) yield { top, rows: this.#withSpace({ width, height, channels, data }) };
      top += height;
    }
  }

  /** Bands as the method makes them. */
  async *#enlarged(): AsyncGenerator<Band> {
    const start = performance.now();
    const { device, scale } = this.#method;
    const before = device?.memory().peakBytes ?? 0;
    device?.resetPeak();
    let strip: Image<Samples> | undefined;
    const enlarge = (window: Box, part: Box) => this.#enlarge(window, part);
    const ahead = tilesAhead(this.#method);
    const { onTile } = this.#options;
    try {
      const tiles = enlargeInTiles(this.#tiles, this.#image, scale, enlarge, this.#options, ahead);
      for await (const { large, place } of tiles) {
        this.#done++;
        const { left, top, right } = place;
        onTile?.({ left, top, image: this.#withSpace(firstColumns(large, right - left)) });
        let rows = large;
        if (large.width !== this.#large.width) {
          // Of equal rows, the last may be lower.
          if (strip === undefined || strip.height < large.height) {
            strip = this.#samples({ ...this.#large, height: large.height });
          }
          copyColumns(large, right - left, strip, left);
          if (right < strip.width) continue;
          const { height } = large;
          rows = { ...strip, height, data: strip.data.subarray(0, height * strip.width * this.channels) };
        }
        this.#ms = performance.now() - start;
        this.#peakBytes = device?.memory().peakBytes ?? 0;
        yield { top, rows: this.#withSpace(rows) };
      }
    } finally {
      device?.resetPeak(Math.max(before, device.memory().peakBytes));
      this.close();
    }
  }

  /** The whole result. */
  async image(): Promise<Image<Samples>> {
    let whole: Image<Samples> | undefined;
    for await (const { top, rows } of this) {
      if (rows.height === this.height) return rows; // the only band
      whole ??= this.#samples(this);
      whole.data.set(rows.data, top * this.width * this.channels);
    }
    return this.#withSpace(whole!);
  }

  /** Frees what was opened for this picture. Reading all bands does so, too. */
  close(): void {
    this.#release();
  }

  /**
   * Enlarges a window of the picture. Of the result only a part stays, in rows that may have a few pixels more
   * at their ends.
   */
  async #enlarge(box: Box, part: Box): Promise<Image<Samples>> {
    const window = this.#window(box);
    const { data } = window;
    const { enlargeBytes } = this.#method;
    if (this.#inBytes && enlargeBytes) {
      return cropped(await enlargeBytes({ ...window, data: data as Uint8Array }), part);
    }
    const { signal } = this.#options;
    return span("enlarge a window", () =>
      onDeviceOf(this.#method)((method) => this.#enlargeOn(method, window, part), signal),
    );
  }

  /** The same on a method's device: samples go there, and samples come back. */
  async #enlargeOn(method: TensorMethod, window: Image<Samples>, part: Box): Promise<Image<Samples>> {
    const { depth } = this.#large;
    const { width, height, channels, data } = window;
    const { scale } = this.#method;
    const colors = withColors(method, this.#method);
    const { enlarge } =
      channels % 2 === 1 ? colors : withAlpha(colors, { scale, flat: hasFlatAlpha(window) });
    const x = compute(() => unpackSamples(data, [channels, height, width], method.device));
    const large = await enlarge(x, this.#options.signal);
    const packed = computeFrom([large], () => packSamples(large, { depth, region: part }));
    const result = await readSamples(packed, depth);
    if (!result.finite) throw notFinite(this.#method);
    const rowLength = packedWidth(part.right - part.left, depth);
    return { width: rowLength, height: part.bottom - part.top, channels, data: result.data };
  }

  /** Whether the method goes from bytes to bytes, if it can. */
  get #inBytes(): boolean {
    const { colors, enlargeBytes } = this.#method;
    const ofBytes = this.#large.depth === 8 && this.#image.data instanceof Uint8Array;
    return enlargeBytes !== undefined && ofBytes && colors === "any" && this.channels % 2 === 1;
  }

  /** The part of the picture that a method sees at once, mirrored beyond the edges. */
  #window(box: Box): Image<Samples> {
    const { channels } = this;
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    const { width: columns, height: rows } = this.#image;
    if (box.top === 0 && box.left === 0 && width === columns && height === rows) return this.#image;
    const data = zerosLike(this.#image.data, width * height * channels);
    copyBox(this.#image, box, data);
    return { width, height, channels, data };
  }

  /** The same numbers, said to be of the colour space that they have had all along. */
  #withSpace(image: Image<Samples>): Image<Samples> {
    const { colorSpace } = this.#image;
    return colorSpace === undefined ? image : { ...image, colorSpace };
  }

  #samples({ width, height, depth }: Pick<Bands, "width" | "height" | "depth">): Image<Samples> {
    const { channels } = this;
    const length = width * height * channels;
    return { width, height, channels, data: depth === 8 ? new Uint8Array(length) : new Uint16Array(length) };
  }
}

/**
 * Bytes around a method for each pixel of the small picture. Floats on the device: the picture, its parts, and
 * of the result chroma and colours, alpha and all together. And samples of the result, packed, in a staging
 * buffer and in JavaScript, for this tile and the one after it.
 */
function adapterBytes(channels: number, depth: 8 | 16, { colors, scale }: Method): number {
  const splitsColors = colors === "y" && channels > 2;
  const largePlanes = (splitsColors ? 2 + 3 : 1) + (channels % 2 === 0 ? 2 + channels : 0);
  return 4 * 3 * channels + scale ** 2 * (4 * largePlanes + (depth / 8) * channels * 2 * 3);
}

/** A part of a picture; the picture itself where that is all of it. */
function cropped(image: Image, { top, left, bottom, right }: Box): Image {
  if (right - left === image.width && bottom - top === image.height) return image;
  return crop(image, left, top, right - left, bottom - top);
}

/** Whether alpha, the last channel, is the same everywhere. */
function hasFlatAlpha({ channels, data }: Image<Samples>): boolean {
  const first = data[channels - 1];
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== first) return false;
  return true;
}

/** A copy of the first columns of a picture. */
function firstColumns(from: Image<Samples>, columns: number): Image<Samples> {
  const { height, channels } = from;
  const data = zerosLike(from.data, columns * height * channels);
  const part = { width: columns, height, channels, data };
  copyColumns(from, columns, part, 0);
  return part;
}

/** Copies the first columns of a picture into the top rows of `to`, from column `left` on. */
function copyColumns(from: Image<Samples>, columns: number, to: Image<Samples>, left: number): void {
  const { channels } = from;
  for (let row = 0; row < from.height; row++) {
    const start = row * from.width * channels;
    const line = from.data.subarray(start, start + columns * channels);
    to.data.set(line, (row * to.width + left) * channels);
  }
}
