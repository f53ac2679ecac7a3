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
import { ArgumentError } from "../options/arguments.ts";
import type { Size } from "../picture/image.ts";
import type { Box } from "./box.ts";
import type { Method } from "./method.ts";
import type { UpscaleOptions } from "./upscale-options.ts";

export interface Tile {
  /** What the method enlarges, in the picture's coordinates. */
  readonly window: Box;
  /** The tile itself, in the same coordinates: its result stays. */
  readonly inner: Box;
}

/** How a picture is cut into tiles. Its width and height are those of every window. */
export interface Tiling extends Size {
  /** Tiles that lie side by side, from left to right; rows from top to bottom. */
  readonly rows: readonly (readonly Tile[])[];
  /** Number of tiles. */
  readonly count: number;
}

/** A smaller tile would be all margin. */
const MIN_TILE = 16;

/** Kernels load four pixels of a row at once where it has a multiple of four (conv2d's step 4). */
export const QUAD = 4;

/** What a plan asks of a method. */
export type PlannedMethod = Pick<Method, "name" | "margin" | "pixelsWithin" | "padding" | "multiple">;

export interface PlanOptions extends UpscaleOptions {
  /** The function that the program has called, for errors. Default "upscale". */
  readonly caller?: string;
  /** Bytes that each row of a tile takes besides: its rows of the band, which is as wide as the result. */
  readonly bytesPerRow?: number;
  /** Bytes that each pixel of a window takes around the method. */
  readonly bytesPerPixel?: number;
}

/**
 * Cuts a picture into tiles, as large as memory and device allow, or as `options.tile` says.
 *
 * @throws RangeError if not even a small tile fits into the memory; if more would help, with `code`
 *   "TOO_LITTLE_MEMORY", and with the bytes that suffice as `needed`
 */
export function planTiles(picture: Size, method: PlannedMethod, options: PlanOptions): Tiling {
  const { name, margin, multiple = 1 } = method;
  const { caller = "upscale", tile, maxMemory = 512 * 2 ** 20, bytesPerRow = 0, bytesPerPixel } = options;
  const padding = paddingOf(method, options);
  const padded = {
    width: paddedLength(picture.width, padding, multiple),
    height: paddedLength(picture.height, padding, multiple),
  };
  const automatic = tile === undefined;
  const maxPixels = (rows: number) =>
    method.pixelsWithin(Math.max(0, maxMemory - bytesPerRow * rows), bytesPerPixel);
  let side = automatic ? Math.floor(Math.sqrt(maxPixels(0))) : Math.max(tile, multiple) + 2 * margin;
  while (automatic && side ** 2 > maxPixels(side)) side--; // higher tiles need higher bands
  // Narrow pictures leave room for longer windows.
  const widest = automatic ? Math.max(side, Math.floor(maxPixels(padded.height) / padded.height)) : side;
  const width = Math.min(padded.width, widest);
  let height = Math.min(padded.height, side);
  while (automatic && height < padded.height && width * (height + 1) <= maxPixels(height + 1)) height++;
  const minSide = (length: number) => Math.min(length, Math.max(tile ?? MIN_TILE, multiple) + 2 * margin);
  const minPixels = minSide(padded.width) * minSide(padded.height);
  if (minPixels > maxPixels(minSide(padded.height)) || width * height > maxPixels(height)) {
    const needed = Math.max(minPixels, width * height);
    const deviceLimit = method.pixelsWithin(Number.MAX_SAFE_INTEGER, bytesPerPixel);
    const limited = deviceLimit < needed;
    const rows = minPixels < needed ? height : minSide(padded.height);
    /** The least memory for that, if the device takes so many. */
    const suffices = limited
      ? Number.POSITIVE_INFINITY
      : leastMebibytes((bytes) => method.pixelsWithin(bytes - bytesPerRow * rows, bytesPerPixel) >= needed);
    const remedies = automatic
      ? ["Allow more memory or take a smaller network.", "Take a smaller network."]
      : ["Choose smaller tiles or allow more memory.", "Choose smaller tiles."];
    const reach = margin === Infinity ? "at the whole picture" : `${margin} pixels far`;
    const error = new ArgumentError(
      caller,
      `${name} looks ${reach}, so it works on at least ${needed} pixels at once here, and ` +
        (limited
          ? `the device takes ${deviceLimit} at most, whatever the memory. `
          : `that takes ${suffices} MiB; ${Math.floor(maxMemory / 2 ** 20)} MiB are allowed. `) +
        remedies[limited ? 1 : 0],
    );
    throw limited ? error : Object.assign(error, { code: "TOO_LITTLE_MEMORY", needed: suffices * 2 ** 20 });
  }
  const rows = cutAxis(picture.height, { window: height, margin, padding, multiple }).map((down) =>
    cutAxis(picture.width, { window: width, margin, padding, multiple, preferred: QUAD }).map((across) => ({
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

/** The fewest whole mebibytes that pass a test, which more always pass. */
function leastMebibytes(passes: (bytes: number) => boolean): number {
  let fails = 0;
  for (let step = 2 ** 32; step >= 1; step /= 2) {
    if (!passes((fails + step) * 2 ** 20)) fails += step;
  }
  return fails + 1;
}

/** How many pixels of the mirrored picture a method gets beyond each edge. */
export function paddingOf(
  { padding: pixels = 0, margin }: Pick<Method, "padding" | "margin">,
  { padding = "mirror" }: UpscaleOptions,
): number {
  return padding === "none" ? 0 : Math.min(pixels, margin);
}

/** A side with the padding at both ends, and as much more at the end as makes it a multiple. */
export function paddedLength(length: number, padding: number, multiple: number): number {
  return Math.ceil((length + 2 * padding) / multiple) * multiple;
}

/** How an axis is cut, in pixels. */
interface AxisCut {
  /** The most that a window may have. */
  readonly window: number;
  /** What a window has around its part that stays; a multiple of `multiple`. */
  readonly margin: number;
  /** What the picture is continued by, at both ends. Default 0. */
  readonly padding?: number;
  /** Windows begin and end at multiples of this, counted from the padding's beginning. Default 1. */
  readonly multiple?: number;
  /** Several windows have a multiple of this, where that costs no more than `MAX_WASTE`. Default 1. */
  readonly preferred?: number;
}

/**
 * Cuts one axis of a picture of `length` pixels into windows [from, to) of equal length. The part [first, end) of
 * each stays.
 */
export function cutAxis(
  length: number,
  { window, margin, padding = 0, multiple = 1, preferred = 1 }: AxisCut,
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

/** The share by which tiles may be shorter, or windows longer, for a length that kernels prefer. */
const MAX_WASTE = 1 / 16;

/**
 * How far tiles are apart: as far as windows of at most `window` pixels let them, then a little less, so that the
 * last is about as long as the others.
 */
function stepWithin(window: number, padded: number, margin: number, multiple: number, unit: number): number {
  const largest = window - 2 * margin;
  const inUnits = Math.floor(window / unit) * unit - 2 * margin; // if the window's length is to be a multiple of unit
  const most = Math.floor((inUnits >= (1 - MAX_WASTE) * largest ? inUnits : largest) / multiple) * multiple;
  const covered = padded - 2 * margin;
  return Math.ceil(covered / Math.ceil(covered / most) / multiple) * multiple;
}

/** The length of windows that have to be `least` long: the next multiple of `unit`, if it fits and is not much more. */
function lengthWithin(limit: number, least: number, unit: number): number {
  const inUnits = Math.ceil(least / unit) * unit;
  return inUnits <= limit && inUnits <= (1 + MAX_WASTE) * least ? inUnits : least;
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b > 0) multiple += a;
  return multiple;
}
