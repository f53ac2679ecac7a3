/** A picture enlarged in bands: strips of the result, from top to bottom. */

import { MAX_ROUNDING } from "../device/pool.ts";
import { span } from "../device/trace.ts";
import { packedWidth, packSamples, unpackSamples, useSamples } from "../kernels/samples/index.ts";
import { ArgumentError, aFunction, checkArguments, optional } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { checkImage, hasBytes, type Image, type Samples, zerosLike } from "../picture/image.ts";
import { aTargetSize, RowResizer, sizeWithin, type TargetSize } from "../picture/target-size.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { withAlpha, withColors } from "./adapters.ts";
import { type Box, copyBox } from "./box.ts";
import type { Choice } from "./choice.ts";
import { compute, computeFrom } from "./compute.ts";
import {
  adapterOf,
  BICUBIC_MARGIN,
  type LevelsMethod,
  type Method,
  notFinite,
  type TensorMethod,
  withChanges,
  withDeviceOf,
} from "./method.ts";
import type { PictureNote } from "./source.ts";
import { type EnlargeTile, enlargeInTiles, NotWanted, tilesAhead } from "./tile-loop.ts";
import { type TileSource, tilesFor } from "./timed-tiles.ts";
import type { UpscaleOptions } from "./upscale-options.ts";

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

/** What is done with a window on a device. */
interface DeviceWork {
  /** The tile within the enlarged window. */
  readonly part: Box;
  /** Resolves when the tile's turn to be used has come. */
  readonly turn: () => Promise<void>;
  /** Gets a result of which the tile is the part `from`, in memory that is lent. */
  readonly use: (large: Image<Samples>, from: Box) => void;
  /** What the method computes with: values in 0..1, or levels of 0..255. */
  readonly values: "unit" | "levels";
}

/** What `upscaleBands` adds to them. */
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
  /** What goes from bytes to bytes on a device, if this picture has bytes and the device works. */
  readonly #levelsMethod: LevelsMethod | undefined;
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
    const { caller = "upscale", depth = 8, onTile, size } = options;
    checkArguments(caller, { onTile: [onTile, optional(aFunction)], size: [size, optional(aTargetSize)] });
    if (depth !== 8 && depth !== 16)
      throw new ArgumentError(caller, `depth must be 8 or 16, got ${quote(depth)}.`);
    checkImage(image, caller);
    const large = { width: image.width * method.scale, height: image.height * method.scale };
    const { width, height } = size ? sizeWithin(image, size) : large;
    if (width > large.width || height > large.height) {
      throw new ArgumentError(
        caller,
        `scale ${method.scale} makes ${large.width} x ${large.height} pixels of this picture, fewer than ` +
          `the ${width} x ${height} of its size. Take a larger scale, or a smaller size.`,
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
    const { onLevels } = method;
    this.#levelsMethod = this.#inBytes && onLevels?.device.failure === undefined ? onLevels : undefined;
    this.#options = options;
    this.choice = options.choice;
    this.notes = options.notes ?? [];
    this.#release = release;
    const bytesPerRow = large.width * this.channels * (this.#large.depth / 8) * method.scale;
    // The adapters for colours and transparency look that far.
    const hasAdapters = method.colors !== "any" || image.channels % 2 === 0;
    const margin = hasAdapters ? Math.max(method.margin, BICUBIC_MARGIN) : method.margin;
    const bytesPerPixel = adapterBytes(image.channels, this.#large.depth, method);
    const { pixelsWithin } = this.#runner;
    const planned = withChanges(method, { margin, pixelsWithin });
    this.#tiles = tilesFor(image, planned, { ...options, bytesPerRow, bytesPerPixel });
  }

  /** Time and memory are counted up to the last band that was read. */
  get report(): UpscaleReport {
    const { name: method, scale } = this.#method;
    const { largest: window, count: tiles = this.#done } = this.#tiles;
    const [ms, peakBytes] = [this.#ms, this.#peakBytes];
    const adapter = adapterOf(this.#runner);
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
    const { device } = this.#runner;
    const before = device?.memory().peakBytes ?? 0;
    device?.resetPeak();
    const ahead = tilesAhead(this.#runner, this.#options);
    const windows = new Windows(this.#image, ahead + 1);
    const { onTile } = this.#options;
    let band: Image<Samples> | undefined;
    const enlarge: EnlargeTile<void> = (box, part, place, turn) =>
      this.#enlarge(windows.cut(box), part, turn, (large, from) => {
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
        this.#peakBytes = this.#runner.device?.memory().peakBytes ?? 0;
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

  /**
   * Enlarges a window of the picture. When its turn has come, `use` gets the result, of which the tile is only the
   * part `from`, in memory that is lent.
   */
  async #enlarge(
    window: Image<Samples>,
    part: Box,
    turn: () => Promise<void>,
    use: (large: Image<Samples>, from: Box) => void,
  ): Promise<void> {
    const { enlargeBytes } = this.#method;
    if (this.#inBytes && enlargeBytes) {
      const levelsMethod = this.#levelsMethod;
      if (levelsMethod && levelsMethod.device.failure === undefined) {
        const { device } = levelsMethod;
        const tensorMethod = {
          device,
          enlarge: async (x: Tensor) => computeFrom([x], () => levelsMethod.enlarge(x)),
        };
        try {
          return await this.#enlargeWith(tensorMethod, window, { part, turn, use, values: "levels" });
        } catch (error) {
          if (device.failure === undefined || error instanceof NotWanted) throw error;
        }
      }
      const large = await enlargeBytes.call(this.#method, window as Image);
      await turn();
      return use(large, part);
    }
    const { signal } = this.#options;
    await span("enlarge a window", () =>
      withDeviceOf(this.#method)((method) => {
        const colors = withColors(method, this.#method);
        const { scale } = this.#method;
        const isOpaque = this.channels % 2 === 1;
        const withAdapters = isOpaque ? colors : withAlpha(colors, { scale, flat: hasFlatAlpha(window) });
        return this.#enlargeWith(withAdapters, window, { part, turn, use, values: "unit" });
      }, signal),
    );
  }

  /** The same on a device: samples go there, and samples come back. */
  async #enlargeWith(
    { device, enlarge }: TensorMethod,
    { width, height, channels, data }: Image<Samples>,
    { part, turn, use, values }: DeviceWork,
  ): Promise<void> {
    const { depth } = this.#large;
    const unit = values === "unit";
    const x = compute(() => unpackSamples(data, [channels, height, width], device, { unit }));
    const large = await enlarge(x, this.#options.signal);
    const packed = computeFrom([large], () => packSamples(large, { depth, unit, region: part }));
    const [right, bottom] = [part.right - part.left, part.bottom - part.top];
    const columns = packedWidth(right, depth);
    await useSamples(
      packed,
      depth,
      (samples) => {
        if (!samples.finite) throw notFinite(this.#method, this.#options.caller ?? "upscale");
        const image = { width: columns, height: bottom, channels, data: samples.data };
        use(image, { top: 0, left: 0, bottom, right });
      },
      turn,
    );
  }

  /** What computes the windows, and so decides how large they are and how many are begun ahead. */
  get #runner(): Pick<Method, "device" | "pixelsWithin" | "ahead"> {
    return this.#levelsMethod ?? this.#method;
  }

  /** Whether the method goes from bytes to bytes, if it can. */
  get #inBytes(): boolean {
    const { colors, enlargeBytes } = this.#method;
    const ofBytes = this.#large.depth === 8 && hasBytes(this.#image);
    return enlargeBytes !== undefined && ofBytes && colors === "any" && this.channels % 2 === 1;
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

/**
 * Bytes around a method for each pixel of the small picture. Floats on the device: the picture, its parts, and
 * of the result chroma and colours, alpha and all together. For this tile and the two begun ahead, samples of the
 * window in JavaScript and of the result in staging buffers; and those of one result packed.
 */
function adapterBytes(channels: number, depth: 8 | 16, { colors, scale }: Method): number {
  const splitsColors = colors === "y" && channels > 2;
  const largePlanes = (splitsColors ? 2 + 3 : 1) + (channels % 2 === 0 ? 2 + channels : 0);
  const floats = 4 * (3 * channels + scale ** 2 * largePlanes);
  const samples = (depth / 8) * channels * (3 + (3 + 1) * scale ** 2);
  return floats + MAX_ROUNDING * samples;
}

/** The parts of a picture that a method sees at once, mirrored beyond the edges. */
class Windows {
  readonly #image: Image<Samples>;
  /** Memory for so many windows at once, each used again when all of them are. */
  readonly #memory: Samples[];
  #next = 0;

  constructor(image: Image<Samples>, count: number) {
    this.#image = image;
    this.#memory = Array.from({ length: count }, () => zerosLike(image.data, 0));
  }

  cut(box: Box): Image<Samples> {
    const { channels, width: columns, height: rows, data } = this.#image;
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    if (box.top === 0 && box.left === 0 && width === columns && height === rows) return this.#image;
    const length = width * height * channels;
    const at = this.#next++ % this.#memory.length;
    if (this.#memory[at].length < length) this.#memory[at] = zerosLike(data, length);
    const window = { width, height, channels, data: this.#memory[at].subarray(0, length) };
    copyBox(this.#image, box, window.data);
    return window;
  }
}

/** Whether alpha, the last channel, is the same everywhere. */
function hasFlatAlpha({ channels, data }: Image<Samples>): boolean {
  const first = data[channels - 1];
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== first) return false;
  return true;
}

/** Some rows of a picture, in its own memory. */
function rowsOf(image: Image<Samples>, top: number, height: number): Image<Samples> {
  const row = image.width * image.channels;
  return { ...image, height, data: image.data.subarray(top * row, (top + height) * row) };
}

/** A copy of some columns of a picture. */
function columnsOf(from: Image<Samples>, left: number, right: number): Image<Samples> {
  const { height, channels } = from;
  const width = right - left;
  const part = { width, height, channels, data: zerosLike(from.data, width * height * channels) };
  copyPart(from, { top: 0, left, bottom: height, right }, part, { left: 0 });
  return part;
}

/** Copies a part of a picture into the top rows of `to`, from column `left` on. */
function copyPart(from: Image<Samples>, part: Box, to: Image<Samples>, { left }: Pick<Box, "left">): void {
  const { channels } = from;
  const [first, length] = [part.left * channels, (part.right - part.left) * channels];
  const [rowFrom, rowTo] = [from.width * channels, to.width * channels];
  if (rowFrom === length && rowTo === length) {
    to.data.set(from.data.subarray(part.top * rowFrom, part.bottom * rowFrom));
    return;
  }
  for (let row = part.top, at = left * channels; row < part.bottom; row++, at += rowTo) {
    const start = row * rowFrom + first;
    to.data.set(from.data.subarray(start, start + length), at);
  }
}
