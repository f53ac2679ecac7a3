/** The options of all that enlarges, and their checks. */
import {
  ArgumentError,
  aFunction,
  aSignal,
  checkArguments,
  checkIsObject,
  keysOf,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, whole } from "../options/kinds.ts";
import type { Image, Samples } from "../picture/image.ts";
import type { TargetSize } from "../picture/target-size.ts";

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
    throw new ArgumentError(caller, `tile and tileTime both size the tiles. Leave one of them out.`);
  }
}
