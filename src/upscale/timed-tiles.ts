/** Where the tiles of a picture come from: a plan, or the clock, for tiles that each take about the same time. */
import type { Size } from "../picture/image.ts";
import {
  type PlannedMethod,
  type PlanOptions,
  paddedLength,
  paddingOf,
  planTiles,
  QUAD,
  type Tile,
} from "./tile-plan.ts";
import type { UpscaleOptions } from "./upscale-options.ts";

/** Tiles row by row from left to right. They are asked for one after the other, when work on one begins. */
export interface TileSource extends Iterable<Tile> {
  /** How many there are; undefined as long as their sizes are open. */
  readonly count: number | undefined;
  /** The largest window so far. */
  readonly largest: Size;
  /** Hears how long a tile has taken. */
  took(tile: Tile, ms: number): void;
}

/** The tiles of a plan, or of sizes that go by time. Parameters and errors are those of `planTiles`. */
export function tilesFor(picture: Size, method: PlannedMethod, options: PlanOptions): TileSource {
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
const FIRST_TILE = 64;

/** Windows grow by no more than this from one tile to the next, since a short time is measured badly. */
const MAX_GROWTH = 4;

/**
 * How long a pixel of a window took, in milliseconds, by the last picture of a method. Methods are told apart by
 * their `pixelsWithin`: a method is copied with other margins, and these copies have the function in common.
 */
const pace = new WeakMap<object, number>();

/** Tiles that each take about the same time. Within a row, windows have one height, and any width. */
class TimedTiles implements TileSource {
  readonly count = undefined;
  largest = { width: 0, height: 0 };
  readonly #picture: Size;
  readonly #method: PlannedMethod;
  readonly #padding: number;
  /** No window is larger. */
  readonly #limit: Size;
  readonly #tileTime: number;
  /** How many pixels the next window may have. */
  #pixels: number;

  constructor(picture: Size, method: PlannedMethod, options: UpscaleOptions, limit: Size, tileTime: number) {
    this.#picture = picture;
    this.#method = method;
    this.#padding = paddingOf(method, options);
    this.#limit = limit;
    this.#tileTime = tileTime;
    const known = pace.get(method.pixelsWithin);
    this.#pixels = known === undefined ? (FIRST_TILE + 2 * method.margin) ** 2 : tileTime / known;
  }

  *[Symbol.iterator](): Generator<Tile> {
    const { width, height } = this.#picture;
    const { margin, multiple = 1 } = this.#method;
    const least = Math.max(FIRST_TILE, multiple) + 2 * margin;
    const columns = paddedLength(width, this.#padding, multiple);
    for (let top = 0; top < height; ) {
      const square = Math.max(Math.sqrt(this.#pixels), this.#pixels / columns);
      const rows = Math.min(this.#limit.height, Math.max(least, Math.floor(square)));
      const down = this.#span(top, height, rows);
      for (let left = 0; left < width; ) {
        const wide = Math.max(least, Math.floor(this.#pixels / (down.to - down.from)));
        const room = Math.min(this.#limit.width, wide);
        const across = this.#span(left, width, columns <= room ? room : room - (room % QUAD));
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
    const wanted = Math.min(this.#tileTime / now, MAX_GROWTH * area);
    // Buffers of the same size are used again, so sizes change only where it matters.
    if (wanted > 1.4 * this.#pixels || wanted < 0.7 * this.#pixels) this.#pixels = wanted;
  }

  /** One axis of the tile that begins at `first`. Windows lie as those of `cutAxis` do. */
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
