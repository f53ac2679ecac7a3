/** The loop over all tiles of a picture, with progress, aborts and tiles that are begun ahead. */
import type { Size } from "../picture/image.ts";
import { type Box, enlargeBox } from "./box.ts";
import type { Method } from "./method.ts";
import type { Tile } from "./tile-plan.ts";
import type { TileSource } from "./timed-tiles.ts";
import type { UpscaleOptions } from "./upscale-options.ts";

/**
 * Enlarges a window. `part` is the tile's rectangle within the enlarged window, `place` that in the whole result.
 *
 * @param turn called when a result has arrived. Resolves when those of all tiles before it have been used, and
 *   rejects if this one is not wanted any more.
 */
export type EnlargeTile<T> = (window: Box, part: Box, place: Box, turn: () => Promise<void>) => Promise<T>;

export interface TileLoop extends Pick<UpscaleOptions, "signal" | "onProgress"> {
  /** The small picture. */
  readonly picture: Size;
  readonly scale: number;
  /**
   * So many tiles are begun before the one is finished that is waited for: while a device computes, the next tiles are
   * on their way to it, and the one before comes back.
   */
  readonly ahead: number;
}

/**
 * The loop over all tiles, row by row from left to right. Yields for every tile what `enlarge` made of its
 * window, and its place in the result.
 */
export async function* enlargeInTiles<T>(
  tiles: TileSource,
  enlarge: EnlargeTile<T>,
  { picture: { width, height }, scale, ahead, signal, onProgress }: TileLoop,
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
    const part = enlargeBox(tile.inner, scale, tile.window);
    const large = enlarge(tile.window, part, enlargeBox(tile.inner, scale), onArrival);
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
      yield { large, place: enlargeBox(inner, scale) };
    }
  } finally {
    for (const { turn } of queue) turn.cancel();
    await Promise.allSettled(queue.map(({ large }) => large));
  }
}

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
