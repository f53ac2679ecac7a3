/** A picture enlarged in bands: strips of the result, from top to bottom. */

import { ArgumentError, aFunction, checkArguments, optional } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { checkImage, type Image, type Samples } from "../picture/image.ts";
import { scales } from "../picture/scales.ts";
import { aTargetSize, RowResizer, sizeWithin } from "../picture/target-size.ts";
import { columnsOf, copyPart, rowsOf } from "./box.ts";
import type { Choice } from "./choice.ts";
import { adapterBytes, WindowEnlarger } from "./enlarge-window.ts";
import { adapterOf, BICUBIC_MARGIN, type Method, withChanges } from "./method.ts";
import type { PictureNote } from "./source.ts";
import { type EnlargeTile, enlargeInTiles, tilesAhead } from "./tile-loop.ts";
import { type TileSource, tilesFor } from "./timed-tiles.ts";
import type { BandOptions } from "./upscale-options.ts";
import { Windows } from "./windows.ts";

/** What `upscaleBands` adds to the options. */
interface InnerOptions extends BandOptions {
  /** The function that the program has called, for errors. Default "upscale". */
  readonly caller?: string;
  readonly choice?: Choice;
  readonly notes?: readonly PictureNote[];
}

/** A strip of the result, as wide as the whole. */
export interface Band {
  /** The row of the result at which it begins. */
  readonly top: number;
  readonly rows: Image<Samples>;
}

/**
 * Memory for a band that begins at row `top` of the result. It is asked for when the band before it has been used.
 */
type Room = (top: number, height: number) => Image<Samples>;

/** How a picture was enlarged. */
export interface UpscaleReport {
  /** The method's name, such as `bicubic` or `wren+`. */
  readonly method: string;
  readonly scale: number;
  /** Where it ran: an adapter's name, or "JavaScript" for interpolation. */
  readonly adapter: string;
  /** Number of tiles, and the size of their windows, padding included, in pixels of the small picture. */
  readonly tiles: number;
  readonly window: { readonly width: number; readonly height: number };
  /** Milliseconds from the picture in memory to the result in memory. */
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
  /** What the result of a picture file lacks, and what was odd about the file; in Node. */
  readonly notes: readonly PictureNote[];
  readonly #image: Image<Samples>;
  readonly #method: Method;
  readonly #enlarger: WindowEnlarger;
  readonly #tiles: TileSource;
  readonly #options: InnerOptions;
  readonly #release: () => void;
  /** Reading has begun, or there is nothing to read any more. */
  #isOver = false;
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
    const { caller = "upscale", depth = 8, signal, onTile, size } = options;
    checkArguments(caller, { onTile: [onTile, optional(aFunction)], size: [size, optional(aTargetSize)] });
    if (depth !== 8 && depth !== 16)
      throw new ArgumentError(caller, `depth must be 8 or 16, got ${quote(depth)}.`);
    checkImage(image, caller);
    const large = { width: image.width * method.scale, height: image.height * method.scale };
    const { width, height } = size ? sizeWithin(image, size) : large;
    if (width > large.width || height > large.height) {
      const largest = Math.max(...scales);
      // Which scales a network has, it does not say.
      const further =
        method.scale < largest ? `, or a larger scale: bicubic interpolation has up to ${largest}` : "";
      throw new ArgumentError(
        caller,
        `scale ${method.scale} makes ${large.width} x ${large.height} pixels of this picture, fewer than ` +
          `the ${width} x ${height} of its size. Take a smaller size${further}.`,
      );
    }
    this.width = width;
    this.height = height;
    this.channels = image.channels;
    this.depth = depth;
    const isReduced = width < large.width || height < large.height;
    // What is reduced afterwards is kept in 16 bits until then.
    this.#large = { ...large, depth: isReduced ? 16 : depth };
    this.#image = image;
    this.#method = method;
    this.#enlarger = new WindowEnlarger(image, method, { depth: this.#large.depth, signal, caller });
    this.#options = options;
    this.choice = options.choice;
    this.notes = options.notes ?? [];
    this.#release = release;
    const bytesPerRow = large.width * this.channels * (this.#large.depth / 8) * method.scale;
    // The adapters for colours and transparency look that far.
    const hasAdapters = method.colors !== "any" || image.channels % 2 === 0;
    const margin = hasAdapters ? Math.max(method.margin, BICUBIC_MARGIN) : method.margin;
    const bytesPerPixel = adapterBytes(image.channels, this.#large.depth, method);
    const { pixelsWithin } = this.#enlarger.runner;
    const planned = withChanges(method, { margin, pixelsWithin });
    this.#tiles = tilesFor(image, planned, { ...options, bytesPerRow, bytesPerPixel });
  }

  /** Time and memory are counted up to the last band that was read. */
  get report(): UpscaleReport {
    const { name: method, scale } = this.#method;
    const { largest: window, count: tiles = this.#done } = this.#tiles;
    const [ms, peakBytes] = [this.#ms, this.#peakBytes];
    const adapter = adapterOf(this.#enlarger.runner);
    const { width, height } = window;
    return { method, scale, adapter, tiles, window: { width, height }, ms, peakBytes };
  }

  [Symbol.asyncIterator](): AsyncGenerator<Band> {
    return this.#isReduced ? this.#reduced() : this.#enlarged(this.#strips());
  }

  get #isReduced(): boolean {
    return this.width < this.#large.width || this.height < this.#large.height;
  }

  /** Bands of the size that was asked for. */
  async *#reduced(): AsyncGenerator<Band> {
    const { width, channels, depth } = this;
    const resizer = new RowResizer({ ...this.#large, channels }, this);
    let top = 0;
    for await (const { rows } of this.#enlarged(this.#strips())) {
      const data = resizer.push(rows as Image<Uint16Array>, depth);
      const height = data.length / (width * channels);
      if (height > 0) yield { top, rows: this.#withSpace({ width, height, channels, data }) };
      top += height;
    }
  }

  /** Bands as the method makes them. */
  async *#enlarged(room: Room): AsyncGenerator<Band> {
    if (this.#isOver)
      throw new Error("upscaleBands: these bands have been read or closed. Call upscaleBands again.");
    this.#isOver = true;
    const start = performance.now();
    const { scale } = this.#method;
    const { device } = this.#enlarger.runner;
    const before = device?.memory().peakBytes ?? 0;
    device?.resetPeak();
    const ahead = tilesAhead(this.#enlarger.runner, this.#options);
    const windows = new Windows(this.#image, ahead + 1);
    const { onTile } = this.#options;
    let band: Image<Samples> | undefined;
    const enlarge: EnlargeTile<void> = (box, part, place, turn) =>
      this.#enlarger.enlarge(windows.cut(box), part, turn, (large, from) => {
        // Tiles come from left to right.
        if (place.left === 0) band = room(place.top, place.bottom - place.top);
        copyPart(large, from, band!, place);
      });
    try {
      const { signal, onProgress } = this.#options;
      const picture = this.#image;
      const tiles = enlargeInTiles(this.#tiles, enlarge, { picture, scale, ahead, signal, onProgress });
      for await (const { place } of tiles) {
        this.#done++;
        const { left, top, right } = place;
        onTile?.({ left, top, image: this.#withSpace(columnsOf(band!, left, right)) });
        if (right < this.#large.width) continue;
        this.#ms = performance.now() - start;
        // If the device was lost meanwhile, this is another one.
        this.#peakBytes = this.#enlarger.runner.device?.memory().peakBytes ?? 0;
        yield { top, rows: this.#withSpace(band!) };
      }
    } finally {
      device?.resetPeak(Math.max(before, device.memory().peakBytes));
      this.close();
    }
  }

  /** The whole result. */
  async image(): Promise<Image<Samples>> {
    const whole = this.#samples(this);
    if (this.#isReduced) {
      for await (const { top, rows } of this) whole.data.set(rows.data, top * this.width * this.channels);
    } else {
      for await (const _ of this.#enlarged((top, height) => rowsOf(whole, top, height)));
    }
    return this.#withSpace(whole);
  }

  /** Frees what was opened for this picture. Reading all bands does so, too. */
  close(): void {
    this.#isOver = true;
    this.#release();
  }

  /** The same numbers, said to be of the colour space that they have had all along. */
  #withSpace(image: Image<Samples>): Image<Samples> {
    const { colorSpace } = this.#image;
    return colorSpace === undefined ? image : { ...image, colorSpace };
  }

  /** Memory that all bands share. */
  #strips(): Room {
    let strip: Image<Samples> | undefined;
    return (_, height) => {
      // Of equal rows, the last may be lower.
      if (strip === undefined || strip.height < height) strip = this.#samples({ ...this.#large, height });
      return rowsOf(strip, 0, height);
    };
  }

  #samples({ width, height, depth }: Pick<Bands, "width" | "height" | "depth">): Image<Samples> {
    const { channels } = this;
    const length = width * height * channels;
    return { width, height, channels, data: depth === 8 ? new Uint8Array(length) : new Uint16Array(length) };
  }
}
