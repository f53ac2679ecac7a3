/**
 * Pictures larger than memory would allow at once. A picture is cut into tiles; each is computed in a window
 * that also shows a margin around it, as wide as the method can see, and of the result only the tile is kept.
 * At the picture's own edge there is no margin, as there is none for the whole picture. So every pixel of the
 * result is the same sum of the same numbers as in the whole picture, in the same order: the results are
 * equal to the last bit.
 *
 * All windows of a picture have the same size (they overlap a little more instead), so that a device's
 * buffers serve for all.
 */
import type { Planes } from "../picture/planes.ts";
import type { Method } from "./method.ts";

export interface UpscaleOptions {
  /** Aborting it stops the work between two tiles: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each tile; `total` is known from the start and stays the same. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Side of the tiles, in pixels of the small picture. Default: as large as memory and device allow. */
  readonly tile?: number;
  /**
   * The most that the work on one tile may take, in bytes, on the device and in JavaScript together; the
   * picture itself and the result come on top. Default 512 MiB.
   */
  readonly maxMemory?: number;
}

/** A rectangle of pixels, right and bottom edge not included. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export interface Tile {
  /** What is computed, in the picture's coordinates. */
  readonly window: Box;
  /** What is kept of it, in the same coordinates. */
  readonly inner: Box;
}

/** How a picture is worked on. */
export interface Tiling {
  /** Tiles that lie side by side, from left to right; rows from top to bottom. */
  readonly rows: readonly (readonly Tile[])[];
  /** How many there are. */
  readonly count: number;
  /** Size of every window. */
  readonly width: number;
  readonly height: number;
}

/** A tile below this size would be all margin. */
const smallestTile = 16;

export interface PlanOptions extends Pick<UpscaleOptions, "tile" | "maxMemory"> {
  /** Bytes that each row of a tile takes besides: its part of a band, which is as wide as the result. */
  readonly bytesPerRow?: number;
}

/** @throws RangeError if not even a small tile fits into the memory that is allowed. */
export function planTiles(
  picture: { readonly width: number; readonly height: number },
  { name, margin, pixelsWithin }: Pick<Method, "name" | "margin" | "pixelsWithin">,
  { tile, maxMemory = 512 * 2 ** 20, bytesPerRow = 0 }: PlanOptions,
): Tiling {
  if (tile !== undefined && (!Number.isInteger(tile) || tile < 1)) {
    throw new RangeError(`upscale: tile must be a whole number of pixels above 0, got ${tile}.`);
  }
  if (!(maxMemory > 0))
    throw new RangeError(`upscale: maxMemory must be a number of bytes above 0, got ${maxMemory}.`);
  const free = tile === undefined;
  const most = (rows: number) => pixelsWithin(Math.max(0, maxMemory - bytesPerRow * rows));
  let side = free ? Math.floor(Math.sqrt(most(0))) : tile + 2 * margin;
  while (free && side ** 2 > most(side)) side--; // the higher the tiles, the higher the strip beside them
  // Narrow pictures leave room for longer windows.
  const width = Math.min(
    picture.width,
    Math.max(side, free ? Math.floor(most(picture.height) / picture.height) : 0),
  );
  let height = Math.min(picture.height, side);
  while (free && height < picture.height && width * (height + 1) <= most(height + 1)) height++;
  const least = (length: number) => Math.min(length, (tile ?? smallestTile) + 2 * margin);
  const needed = least(picture.width) * least(picture.height);
  if (needed > most(least(picture.height)) || width * height > most(height)) {
    const pixels = Math.max(needed, width * height);
    throw new RangeError(
      `upscale: ${name} sees ${margin} pixels around each, so it works on at least ${pixels} pixels at once here, and ` +
        `${mebibytes(maxMemory)} are enough for ${most(height)}. ` +
        (tile === undefined
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

/** One axis: windows [from, to) of equal length, at most `window`, and what of each is kept, [first, end). */
export function spans(length: number, window: number, margin: number) {
  if (window >= length) return [{ from: 0, to: length, first: 0, end: length }];
  // The first and the last one keep one of their margins.
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

/** A window that has been enlarged. */
export interface LargeWindow<T> {
  readonly large: T;
  /** What is to be kept of it. */
  readonly part: Box;
  /** Where that belongs in the result. */
  readonly place: Box;
}

/**
 * The loop over all tiles, row by row from left to right.
 *
 * @param enlarge computes a window, of planes or of a picture.
 */
export async function* enlargeInTiles<T>(
  tiling: Tiling,
  scale: number,
  enlarge: (window: Box) => Promise<T>,
  { signal, onProgress }: UpscaleOptions,
): AsyncGenerator<LargeWindow<T>> {
  let done = 0;
  for (const { window, inner } of tiling.rows.flat()) {
    // Interpolation never waits for anything; this lets others work, who may abort the signal.
    if (done > 0) await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    const large = await enlarge(window);
    onProgress?.({ done: ++done, total: tiling.count });
    yield { large, part: times(within(inner, window), scale), place: times(inner, scale) };
  }
}

/** Planes that the method takes, in tiles. */
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

/** A box seen from the corner of another. */
function within({ top, left, bottom, right }: Box, corner: Box): Box {
  return {
    top: top - corner.top,
    left: left - corner.left,
    bottom: bottom - corner.top,
    right: right - corner.left,
  };
}

function times({ top, left, bottom, right }: Box, factor: number): Box {
  return { top: top * factor, left: left * factor, bottom: bottom * factor, right: right * factor };
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

/** Puts planes at a place of larger ones. */
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

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
