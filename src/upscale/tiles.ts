/**
 * Pictures too large to be computed at once are computed in tiles. A tile's window is the tile and a margin
 * around it, wide enough for all that the method sees. The method enlarges the window, and only the tile's
 * part of the result stays. At the picture's own edge there is no margin, as there is none for the whole
 * picture. So every pixel of the result is the same sum of the same numbers as in the whole picture, in the
 * same order: the results are equal to the last bit.
 *
 * All windows of a picture have the same size (they overlap a little more instead), so that a device can use
 * the same buffers for all.
 */

import { aFunction, aSignal, checkArguments, isObject, optional, type Wanted } from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";
import type { Planes } from "../picture/planes.ts";
import type { Method } from "./method.ts";

export interface UpscaleOptions {
  /** Aborting it stops the work between two tiles: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each tile; `total` is the same in all calls. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Side of the tiles, in pixels of the small picture. Default: as large as memory and device allow. */
  readonly tile?: number;
  /**
   * How many bytes the work on a row of tiles may take, on the device and in JavaScript together, with the band
   * of the result that it fills. The picture itself and the whole result are not counted. Default 512 MiB.
   */
  readonly maxMemory?: number;
}

const bytesAboveZero: Wanted<number> = {
  wants: "a number of bytes above 0",
  fits: (value): value is number => typeof value === "number" && value > 0,
};

/** Throws a RangeError for options of all that enlarges, unless they have the right types. */
export function checkUpscaleOptions(caller: string, options: object): void {
  if (!isObject(options)) {
    throw new RangeError(`${caller}: options are an object such as { scale: 2 }, got ${quote(options)}.`);
  }
  const { signal, onProgress, tile, maxMemory } = options as UpscaleOptions;
  checkArguments(caller, {
    signal: [signal, optional(aSignal)],
    onProgress: [onProgress, optional(aFunction)],
    tile: [tile, optional(whole(1))],
    maxMemory: [maxMemory, optional(bytesAboveZero)],
  });
}

/** A rectangle of pixels, right and bottom edge not included. */
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

/**
 * @param options.bytesPerRow bytes that each row of a tile takes besides: its rows of the band, which is as
 *   wide as the result.
 * @throws RangeError if not even a small tile fits into the memory.
 */
export function planTiles(
  picture: { readonly width: number; readonly height: number },
  { name, margin, pixelsWithin }: Pick<Method, "name" | "margin" | "pixelsWithin">,
  { tile, maxMemory = 512 * 2 ** 20, bytesPerRow = 0 }: UpscaleOptions & { readonly bytesPerRow?: number },
): Tiling {
  checkUpscaleOptions("upscale", { tile, maxMemory });
  const automatic = tile === undefined;
  const maxPixels = (rows: number) => pixelsWithin(Math.max(0, maxMemory - bytesPerRow * rows));
  let side = automatic ? Math.floor(Math.sqrt(maxPixels(0))) : tile + 2 * margin;
  while (automatic && side ** 2 > maxPixels(side)) side--; // higher tiles need higher bands
  // Narrow pictures leave room for longer windows.
  const widest = automatic ? Math.max(side, Math.floor(maxPixels(picture.height) / picture.height)) : side;
  const width = Math.min(picture.width, widest);
  let height = Math.min(picture.height, side);
  while (automatic && height < picture.height && width * (height + 1) <= maxPixels(height + 1)) height++;
  const minSide = (length: number) => Math.min(length, (tile ?? minTile) + 2 * margin);
  const minPixels = minSide(picture.width) * minSide(picture.height);
  if (minPixels > maxPixels(minSide(picture.height)) || width * height > maxPixels(height)) {
    throw new RangeError(
      `upscale: ${name} looks ${margin} pixels far, so it works on at least ` +
        `${Math.max(minPixels, width * height)} pixels at once here, and ` +
        `${Math.round(maxMemory / 2 ** 20)} MiB are enough for ${maxPixels(height)}. ` +
        (automatic
          ? "Allow more memory or take a smaller network."
          : "Choose smaller tiles or allow more memory."),
    );
  }
  const rows = spans(picture.height, height, margin).map((down) =>
    spans(picture.width, width, margin).map((across) => ({
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

/** One axis: windows [from, to) of equal length, at most `window`. The part [first, end) of each stays. */
export function spans(length: number, window: number, margin: number) {
  if (window >= length) return [{ from: 0, to: length, first: 0, end: length }];
  // The first and the last window have one margin less.
  const count = Math.ceil((length - 2 * margin) / (window - 2 * margin));
  const step = Math.ceil((length - 2 * margin) / count);
  const even = step + 2 * margin;
  return Array.from({ length: count }, (_, k) => {
    const from = Math.min(k * step, length - even);
    return {
      from,
      to: from + even,
      first: k === 0 ? 0 : k * step + margin,
      end: k === count - 1 ? length : (k + 1) * step + margin,
    };
  });
}

/**
 * The loop over all tiles, row by row from left to right. Yields every enlarged window (`large`), the part of
 * it that is the tile, and that part's place in the result.
 *
 * @param enlarge enlarges a window, of planes or of a picture.
 */
export async function* enlargeInTiles<T>(
  tiling: Tiling,
  scale: number,
  enlarge: (window: Box) => Promise<T>,
  { signal, onProgress }: UpscaleOptions,
) {
  let done = 0;
  for (const { window, inner } of tiling.rows.flat()) {
    // Interpolation never waits for anything. This pause lets other code run, which may abort the signal.
    if (done > 0) await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    const large = await enlarge(window);
    onProgress?.({ done: ++done, total: tiling.count });
    yield { large, part: enlarged(inner, scale, window), place: enlarged(inner, scale) };
  }
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
  const tiling = planTiles(planes, method, options);
  const result = { width, height, channels, data: new Float32Array(channels * width * height) };
  const enlarge = (window: Box) => method.enlarge(cut(planes, window), options.signal);
  for await (const { large, part, place } of enlargeInTiles(tiling, scale, enlarge, options)) {
    paste(result, cut(large, part), place.top, place.left);
  }
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

function cut(planes: Planes, { top, left, bottom, right }: Box): Planes {
  const { width, height, channels, data } = planes;
  const [columns, rows] = [right - left, bottom - top];
  if (columns === width && rows === height) return planes;
  const part = new Float32Array(channels * columns * rows);
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = top; row < bottom; row++, at += columns) {
      const start = (c * height + row) * width;
      part.set(data.subarray(start + left, start + right), at);
    }
  }
  return { width: columns, height: rows, channels, data: part };
}

/** Copies `part` into larger planes, at `top` and `left`. */
export function paste(
  { width, height, channels, data }: Planes,
  part: Planes,
  top: number,
  left: number,
): void {
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let row = 0; row < part.height; row++, at += part.width) {
      data.set(part.data.subarray(at, at + part.width), (c * height + top + row) * width + left);
    }
  }
}
