/**
 * Pictures too large to be computed at once are computed in tiles. A tile's window is the tile and a margin
 * around it, wide enough for all that the method sees. The method enlarges the window, and only the tile's
 * part of the result stays.
 *
 * Beyond the picture's edges lies its padding: a few pixels of the mirrored picture. Without it most networks
 * would meet zeros there, and answer with a dark rim. Beyond the padding there is nothing, for a tile as for
 * the whole picture. So every pixel of the result is the same sum of the same numbers as in the whole picture,
 * in the same order: the results are equal to the last bit.
 *
 * All windows of a picture have the same size (they overlap a little more instead), so that a device can use
 * the same buffers for all.
 */
import {
  aFunction,
  aSignal,
  checkArguments,
  checkIsObject,
  keysOf,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, whole } from "../options/kinds.ts";
import type { Samples } from "../picture/image.ts";
import type { Planes } from "../picture/planes.ts";
import { mirror } from "../picture/resize-weights.ts";
import type { Method } from "./method.ts";

export interface UpscaleOptions {
  /** Aborting it stops the work between two tiles: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Called after each tile. `share` is how much of the result is done, 0 to 1. `total` is the same in all calls,
   * unless `tileTime` sizes the tiles: then it is what the tiles so far let expect.
   */
  readonly onProgress?: (progress: Progress) => void;
  /** Side of the tiles, in pixels of the small picture. Default: as large as memory and device allow. */
  readonly tile?: number;
  /**
   * How long a tile should take, in milliseconds, for programs that show progress and can be stopped: an abort
   * waits for two tiles at most. The first tile is small; each one tells how large the next may be, but none
   * is larger than memory and device allow. The result is the same to the last bit. Not together with `tile`.
   * Default: tiles as large as they can be, which is fastest on the whole.
   */
  readonly tileTime?: number;
  /**
   * How many bytes the work on a row of tiles may take, on the device and in JavaScript together, with the band
   * of the result that it fills. The picture itself and the whole result are not counted. Default 512 MiB.
   */
  readonly maxMemory?: number;
  /**
   * What networks see beyond the picture's edges. "mirror", the default: the picture mirrored. "none":
   * whatever their layers take for it, zeros in most of them. That is how published figures were measured, and
   * it tints the edges. Interpolations always mirror, as Matlab does.
   */
  readonly padding?: "mirror" | "none";
}

export interface Progress {
  /** Tiles. */
  readonly done: number;
  readonly total: number;
  readonly share: number;
}

export const paddings = oneOf("mirror", "none");

/** The names of UpscaleOptions. */
export const upscaleOptionNames = keysOf<UpscaleOptions>({
  signal: true,
  onProgress: true,
  tile: true,
  tileTime: true,
  maxMemory: true,
  padding: true,
});

const millisecondsAboveZero: Wanted<number> = {
  wants: "a number of milliseconds above 0",
  fits: (value): value is number => typeof value === "number" && value > 0,
};

const bytesAboveZero: Wanted<number> = {
  wants: "a number of bytes above 0",
  fits: (value): value is number => typeof value === "number" && value > 0,
};

/** Throws a RangeError for options of all that enlarges, unless they have the right types. */
export function checkUpscaleOptions(caller: string, options: object): void {
  checkIsObject(caller, options, "such as { scale: 2 }");
  const { signal, onProgress, tile, tileTime, maxMemory, padding } = options as UpscaleOptions;
  checkArguments(caller, {
    signal: [signal, optional(aSignal)],
    onProgress: [onProgress, optional(aFunction)],
    tile: [tile, optional(whole(1))],
    tileTime: [tileTime, optional(millisecondsAboveZero)],
    maxMemory: [maxMemory, optional(bytesAboveZero)],
    padding: [padding, optional(paddings)],
  });
  if (tile !== undefined && tileTime !== undefined) {
    throw new RangeError(`${caller}: tile and tileTime both size the tiles. Leave one of them out.`);
  }
}

/** A rectangle of pixels, right and bottom edge not included. Windows may stick out of the picture. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export interface Tile {
  /** What the method enlarges, in the picture's coordinates. */
  readonly window: Box;
  /** The tile itself, in the same coordinates: its result stays. */
  readonly inner: Box;
}

/** How a picture is cut into tiles. */
export interface Tiling {
  /** Tiles that lie side by side, from left to right; rows from top to bottom. */
  readonly rows: readonly (readonly Tile[])[];
  /** Number of tiles. */
  readonly count: number;
  /** Size of every window. */
  readonly width: number;
  readonly height: number;
}

/** A smaller tile would be all margin. */
const minTile = 16;

/** Kernels load four pixels of a row at once where it has a multiple of four (conv2d's step 4). */
const quad = 4;

/**
 * Cuts a picture into tiles, as large as memory and device allow, or as `options.tile` says.
 *
 * @param options.bytesPerRow bytes that each row of a tile takes besides: its rows of the band, which is as
 *   wide as the result.
 * @param options.bytesPerPixel bytes that each pixel of a window takes around the method.
 * @throws RangeError if not even a small tile fits into the memory: TooLittleMemory if more would help.
 */
export function planTiles(
  picture: { readonly width: number; readonly height: number },
  method: Pick<Method, "name" | "margin" | "pixelsWithin" | "padding" | "multiple">,
  options: UpscaleOptions & { readonly bytesPerRow?: number; readonly bytesPerPixel?: number },
): Tiling {
  const { name, margin, pixelsWithin, multiple = 1 } = method;
  const { tile, maxMemory = 512 * 2 ** 20, bytesPerRow = 0, bytesPerPixel } = options;
  checkUpscaleOptions("upscale", options);
  const padding = paddingOf(method, options);
  const padded = {
    width: paddedLength(picture.width, padding, multiple),
    height: paddedLength(picture.height, padding, multiple),
  };
  const automatic = tile === undefined;
  const maxPixels = (rows: number) =>
    pixelsWithin(Math.max(0, maxMemory - bytesPerRow * rows), bytesPerPixel);
  let side = automatic ? Math.floor(Math.sqrt(maxPixels(0))) : Math.max(tile, multiple) + 2 * margin;
  while (automatic && side ** 2 > maxPixels(side)) side--; // higher tiles need higher bands
  // Narrow pictures leave room for longer windows.
  const widest = automatic ? Math.max(side, Math.floor(maxPixels(padded.height) / padded.height)) : side;
  const width = Math.min(padded.width, widest);
  let height = Math.min(padded.height, side);
  while (automatic && height < padded.height && width * (height + 1) <= maxPixels(height + 1)) height++;
  const minSide = (length: number) => Math.min(length, Math.max(tile ?? minTile, multiple) + 2 * margin);
  const minPixels = minSide(padded.width) * minSide(padded.height);
  if (minPixels > maxPixels(minSide(padded.height)) || width * height > maxPixels(height)) {
    const needed = Math.max(minPixels, width * height);
    const deviceLimit = pixelsWithin(Number.MAX_SAFE_INTEGER, bytesPerPixel);
    const limited = deviceLimit < needed;
    const remedies = automatic
      ? ["Allow more memory or take a smaller network.", "Take a smaller network."]
      : ["Choose smaller tiles or allow more memory.", "Choose smaller tiles."];
    throw new (limited ? RangeError : TooLittleMemory)(
      `upscale: ${name} looks ${margin} pixels far, so it works on at least ${needed} pixels at once here, and ` +
        (limited
          ? `the device takes ${deviceLimit} at most, whatever the memory. `
          : `${Math.round(maxMemory / 2 ** 20)} MiB are enough for ${maxPixels(height)}. `) +
        remedies[limited ? 1 : 0],
    );
  }
  const rows = spans(picture.height, height, margin, padding, multiple).map((down) =>
    spans(picture.width, width, margin, padding, multiple, quad).map((across) => ({
      window: { top: down.from, left: across.from, bottom: down.to, right: across.to },
      inner: { top: down.first, left: across.first, bottom: down.end, right: across.end },
    })),
  );
  const { window } = rows[0][0];
  return {
    rows,
    count: rows.length * rows[0].length,
    width: window.right - window.left,
    height: window.bottom - window.top,
  };
}

/** How many pixels of the mirrored picture a method gets beyond each edge. */
function paddingOf(
  { padding: pixels = 0, margin }: Pick<Method, "padding" | "margin">,
  { padding = "mirror" }: UpscaleOptions,
): number {
  return padding === "none" ? 0 : Math.min(pixels, margin);
}

/** A side with the padding at both ends, and as much more at the end as makes it a multiple. */
function paddedLength(length: number, padding: number, multiple: number): number {
  return Math.ceil((length + 2 * padding) / multiple) * multiple;
}

/**
 * One axis: windows [from, to) of equal length, at most `window`, in a picture of `length` pixels and the
 * padding at both ends. The part [first, end) of each stays. Windows begin and end at multiples of `multiple`,
 * counted from the padding's beginning, and `margin` is a multiple of it, too. If there are several, their length is
 * a multiple of `preferred` as well, where that costs no more than `maxWaste`.
 */
export function spans(
  length: number,
  window: number,
  margin: number,
  padding = 0,
  multiple = 1,
  preferred = 1,
) {
  const padded = paddedLength(length, padding, multiple);
  if (window >= padded) return [{ from: -padding, to: padded - padding, first: 0, end: length }];
  const unit = leastCommonMultiple(preferred, multiple);
  const step = stepWithin(window, padded, margin, multiple, unit);
  const windowLength = lengthWithin(Math.min(window, padded), step + 2 * margin, unit);
  // The first and the last window have one margin less, since nothing lies beyond the padding.
  const count = Math.ceil((padded - 2 * margin) / step);
  return Array.from({ length: count }, (_, k) => {
    const from = Math.min(k * step, padded - windowLength) - padding;
    return {
      from,
      to: from + windowLength,
      first: k === 0 ? 0 : k * step + margin - padding,
      end: k === count - 1 ? length : (k + 1) * step + margin - padding,
    };
  });
}

/** By which share tiles may be shorter, or windows longer, for a length that kernels prefer. */
const maxWaste = 1 / 16;

/**
 * How far tiles are apart: as far as windows of at most `window` pixels let them, then a little less, so that the
 * last is about as long as the others.
 */
function stepWithin(window: number, padded: number, margin: number, multiple: number, unit: number): number {
  const largest = window - 2 * margin;
  const inUnits = Math.floor(window / unit) * unit - 2 * margin; // if the window's length is to be a multiple of unit
  const most = Math.floor((inUnits >= (1 - maxWaste) * largest ? inUnits : largest) / multiple) * multiple;
  const covered = padded - 2 * margin;
  return Math.ceil(covered / Math.ceil(covered / most) / multiple) * multiple;
}

/** The length of windows that have to be `least` long: the next multiple of `unit`, if it fits and is not much more. */
function lengthWithin(limit: number, least: number, unit: number): number {
  const inUnits = Math.ceil(least / unit) * unit;
  return inUnits <= limit && inUnits <= (1 + maxWaste) * least ? inUnits : least;
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b > 0) multiple += a;
  return multiple;
}

/** Tiles row by row from left to right. They are asked for one after the other, when work on one begins. */
export interface TileSource extends Iterable<Tile> {
  /** How many there are; undefined as long as their sizes are open. */
  readonly count: number | undefined;
  /** The largest window so far. */
  readonly largest: { readonly width: number; readonly height: number };
  /** Hears how long a tile has taken. */
  took(tile: Tile, ms: number): void;
}

/** The tiles of a plan, or of sizes that go by time. Parameters and errors are those of `planTiles`. */
export function tilesFor(
  picture: { readonly width: number; readonly height: number },
  method: Parameters<typeof planTiles>[1],
  options: Parameters<typeof planTiles>[2],
): TileSource {
  const plan = planTiles(picture, method, options);
  const { tileTime } = options;
  if (tileTime !== undefined) return new TimedTiles(picture, method, options, plan, tileTime);
  const tiles = plan.rows.flat();
  return { count: plan.count, largest: plan, took() {}, [Symbol.iterator]: () => tiles.values() };
}

/**
 * The first window has room for a tile of so many pixels a side, and none is smaller, unless memory is short: most of
 * the work would be margins.
 */
const firstTile = 64;

/** Windows grow by no more than this from one tile to the next, since a short time is measured badly. */
const maxGrowth = 4;

/**
 * How long a pixel of a window took, in milliseconds, by the last picture of a method. Methods are told apart by
 * their `pixelsWithin`: a method is copied with other margins, and these copies have the function in common.
 */
const pace = new WeakMap<object, number>();

/** Tiles that each take about the same time. Within a row, windows have one height, and any width. */
class TimedTiles implements TileSource {
  readonly count = undefined;
  largest = { width: 0, height: 0 };
  readonly #picture: { readonly width: number; readonly height: number };
  readonly #method: Parameters<typeof planTiles>[1];
  readonly #padding: number;
  /** No window is larger. */
  readonly #limit: { readonly width: number; readonly height: number };
  readonly #tileTime: number;
  /** How many pixels the next window may have. */
  #pixels: number;

  constructor(
    picture: { readonly width: number; readonly height: number },
    method: Parameters<typeof planTiles>[1],
    options: UpscaleOptions,
    limit: { readonly width: number; readonly height: number },
    tileTime: number,
  ) {
    this.#picture = picture;
    this.#method = method;
    this.#padding = paddingOf(method, options);
    this.#limit = limit;
    this.#tileTime = tileTime;
    const known = pace.get(method.pixelsWithin);
    this.#pixels = known === undefined ? (firstTile + 2 * method.margin) ** 2 : tileTime / known;
  }

  *[Symbol.iterator](): Generator<Tile> {
    const { width, height } = this.#picture;
    const { margin, multiple = 1 } = this.#method;
    const least = Math.max(firstTile, multiple) + 2 * margin;
    const columns = paddedLength(width, this.#padding, multiple);
    for (let top = 0; top < height; ) {
      const square = Math.max(Math.sqrt(this.#pixels), this.#pixels / columns);
      const rows = Math.min(this.#limit.height, Math.max(least, Math.floor(square)));
      const down = this.#span(top, height, rows);
      for (let left = 0; left < width; ) {
        const wide = Math.max(least, Math.floor(this.#pixels / (down.to - down.from)));
        const room = Math.min(this.#limit.width, wide);
        const across = this.#span(left, width, columns <= room ? room : room - (room % quad));
        const window = { top: down.from, left: across.from, bottom: down.to, right: across.to };
        this.largest = {
          width: Math.max(this.largest.width, window.right - window.left),
          height: Math.max(this.largest.height, window.bottom - window.top),
        };
        yield { window, inner: { top: down.first, left: across.first, bottom: down.end, right: across.end } };
        left = across.end;
      }
      top = down.end;
    }
  }

  took({ window }: Tile, ms: number): void {
    const area = (window.bottom - window.top) * (window.right - window.left);
    const before = pace.get(this.#method.pixelsWithin);
    const now = before === undefined ? ms / area : (before + ms / area) / 2;
    pace.set(this.#method.pixelsWithin, now);
    const wanted = Math.min(this.#tileTime / now, maxGrowth * area);
    // Buffers of the same size are used again, so sizes change only where it matters.
    if (wanted > 1.4 * this.#pixels || wanted < 0.7 * this.#pixels) this.#pixels = wanted;
  }

  /** One axis of the tile that begins at `first`. Windows lie as those of `spans` do. */
  #span(first: number, length: number, window: number) {
    const { margin, multiple = 1 } = this.#method;
    const padded = paddedLength(length, this.#padding, multiple);
    const size = Math.min(padded, Math.floor(window / multiple) * multiple);
    const from = first === 0 ? -this.#padding : first - margin;
    const edge = padded - this.#padding;
    if (from + size >= edge) return { from: edge - size, to: edge, first, end: length };
    return { from, to: from + size, first, end: Math.min(length, from + size - margin) };
  }
}

/**
 * Enlarges a window. The tile is only a part of its result, in coordinates of that result, and has its place in the
 * whole.
 *
 * @param turn called when a result has arrived. Resolves when those of all tiles before it have been used, and
 *   rejects if this one is not wanted any more.
 */
export type EnlargeTile<T> = (window: Box, part: Box, place: Box, turn: () => Promise<void>) => Promise<T>;

/**
 * The loop over all tiles, row by row from left to right. Yields for every tile what `enlarge` made of its
 * window, and its place in the result.
 *
 * @param ahead so many tiles are begun before the one is finished that is waited for: while a device computes,
 *   the next tiles are on their way to it, and the one before comes back.
 */
export async function* enlargeInTiles<T>(
  tiles: TileSource,
  { width, height }: { readonly width: number; readonly height: number },
  scale: number,
  enlarge: EnlargeTile<T>,
  { signal, onProgress }: UpscaleOptions,
  ahead: number,
) {
  const queue: { tile: Tile; large: Promise<T>; turn: Turn }[] = [];
  let lastEnd = 0;
  const begin = (tile: Tile) => {
    const start = performance.now();
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      // A device begins with a tile when it is done with the one before.
      const now = performance.now();
      tiles.took(tile, now - Math.max(start, lastEnd));
      lastEnd = now;
    };
    const turn = new Turn();
    const onArrival = () => {
      end();
      return turn.promise;
    };
    const part = enlarged(tile.inner, scale, tile.window);
    const large = enlarge(tile.window, part, enlarged(tile.inner, scale), onArrival);
    large.then(end, () => {}); // an error is noticed below, when it is this tile's turn
    queue.push({ tile, large, turn });
  };
  const source = tiles[Symbol.iterator]();
  let [done, area] = [0, 0];
  let next = source.next();
  try {
    while (queue.length > 0 || !next.done) {
      // To await what is ready lets no other code run, such as a timer that aborts the signal. This pause does.
      if (done > 0) await pause();
      signal?.throwIfAborted();
      while (!next.done && queue.length <= ahead) {
        begin(next.value);
        next = source.next();
        // The next tile uses the memory of this one, once all commands of this one are recorded.
        if (queue.length <= ahead) await pause();
      }
      const { tile, large: promise, turn } = queue.shift()!;
      const { inner } = tile;
      turn.come();
      const large = await promise;
      done++;
      area += (inner.bottom - inner.top) * (inner.right - inner.left);
      const share = area / (width * height);
      const expected = share === 1 ? done : Math.max(done + 1, Math.round(done / share));
      onProgress?.({ done, total: tiles.count ?? expected, share });
      yield { large, place: enlarged(inner, scale) };
    }
  } finally {
    for (const { turn } of queue) turn.cancel();
    await Promise.allSettled(queue.map(({ large }) => large));
  }
}

/** The device could take a tile, and the memory that it may have is too little. */
export class TooLittleMemory extends RangeError {}

/** What a tile hears whose turn will not come. That is no failure of whatever computed it. */
export class NotWanted extends Error {}

/** When a tile may put its result where the one before has been. */
class Turn {
  readonly promise: Promise<void>;
  come!: () => void;
  cancel!: () => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.come = resolve;
      this.cancel = () => reject(new NotWanted("This tile is not wanted any more."));
    });
    this.promise.catch(() => {}); // whoever awaits it hears of that
  }
}

/** Until other code has had its turn. In Node a timer would take a millisecond. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}

/**
 * How many tiles to begin ahead (see enlargeInTiles): where JavaScript computes, there is nothing to gain. An abort
 * waits for all that are begun, so there are fewer where it should come soon; and software adapters compute on the
 * cores that copy.
 */
export function tilesAhead(
  { device, ahead = 1 }: Pick<Method, "device" | "ahead">,
  { tileTime }: Pick<UpscaleOptions, "tileTime">,
): number {
  if (device === undefined || device.profile.reference) return 0;
  return device.profile.separateProcessor && tileTime === undefined ? ahead : 1;
}

/** Enlarges planes in tiles. They must be those that the method takes. */
export async function enlargePlanes(
  planes: Planes,
  method: Method,
  options: UpscaleOptions = {},
): Promise<Planes> {
  const { scale } = method;
  const { channels } = planes;
  const [width, height] = [planes.width * scale, planes.height * scale];
  const source = tilesFor(planes, method, options);
  const result = { width, height, channels, data: new Float32Array(channels * width * height) };
  const enlarge = async (window: Box, part: Box) =>
    cut(await method.enlarge(cut(planes, window), options.signal), part);
  const ahead = Math.min(1, tilesAhead(method, options)); // planes are large
  const tiles = enlargeInTiles(source, planes, scale, enlarge, options, ahead);
  for await (const { large, place } of tiles) paste(result, large, place.top, place.left);
  return result;
}

/** A box in the enlarged picture, with coordinates counted from `corner`. */
function enlarged({ top, left, bottom, right }: Box, scale: number, corner = { top: 0, left: 0 }): Box {
  return {
    top: (top - corner.top) * scale,
    left: (left - corner.left) * scale,
    bottom: (bottom - corner.top) * scale,
    right: (right - corner.left) * scale,
  };
}

function cut(planes: Planes, box: Box): Planes {
  const { width, height, channels, data } = planes;
  const [columns, rows] = [box.right - box.left, box.bottom - box.top];
  if (box.left === 0 && box.top === 0 && columns === width && rows === height) return planes;
  const part = new Float32Array(channels * columns * rows);
  for (let c = 0; c < channels; c++) {
    const plane = { width, height, channels: 1, data: data.subarray(c * width * height) };
    copyBox(plane, box, part.subarray(c * columns * rows));
  }
  return { width: columns, height: rows, channels, data: part };
}

/**
 * Copies the pixels of a box to the start of `to`, row by row. Where the box sticks out, the picture is
 * mirrored with its outermost pixels twice, as in imresize.
 */
export function copyBox<T extends Float32Array | Samples>(
  { width, height, channels, data }: { width: number; height: number; channels: number; data: T },
  { top, left, bottom, right }: Box,
  to: T,
): void {
  const [first, end] = [Math.max(0, left), Math.min(width, right)];
  for (let row = top, at = 0; row < bottom; row++, at += (right - left) * channels) {
    const start = mirror(row, height) * width;
    const copy = (from: number, until: number, column: number) =>
      to.set(
        data.subarray((start + from) * channels, (start + until) * channels),
        at + (column - left) * channels,
      );
    const mirrored = (column: number) => copy(mirror(column, width), mirror(column, width) + 1, column);
    copy(first, end, first);
    for (let column = left; column < first; column++) mirrored(column);
    for (let column = end; column < right; column++) mirrored(column);
  }
}

/** Copies `part` into larger planes, at `top` and `left`. */
function paste({ width, height, channels, data }: Planes, part: Planes, top: number, left: number): void {
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = 0; row < part.height; row++, at += part.width) {
      data.set(part.data.subarray(at, at + part.width), (c * height + top + row) * width + left);
    }
  }
}
