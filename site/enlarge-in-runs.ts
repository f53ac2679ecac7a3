/** In the worker: runs of methods, one after the other. */
import {
  type Choice,
  chooseMethod,
  defaultMethod,
  type ReadPicture,
  type UpscalePictureOptions,
  upscaleBands,
} from "../src/index.ts";
import type { Image, Samples } from "../src/picture/index.ts";
import { automatic } from "./messages.ts";
import type { Networks } from "./networks.ts";
import type { Enlargement, Run } from "./runs.ts";

/** Memory for one tile. */
const TILE_BYTES = 256 * 2 ** 20;

interface RunOptions extends Pick<UpscalePictureOptions, "depth" | "tileTime" | "signal"> {
  /** The share of the whole work that is done, 0 to 1. */
  readonly onShare?: (share: number) => void;
  /** A tile of the last run's result, before that is reduced to its size. */
  readonly onTile?: UpscalePictureOptions["onTile"];
}

/** Between two runs, a picture has 16 bits; `depth` and `size` are those of the result. */
export async function enlargeInRuns(
  image: Image<Samples>,
  { runs, size }: Enlargement,
  networks: Pick<Networks, "upscaler">,
  { depth, tileTime, signal, onShare, onTile }: RunOptions,
): Promise<{ readonly image: Image<Samples>; readonly adapter: string; readonly tiles: number }> {
  let [adapter, tiles, done] = ["", 0, 0];
  const total = workOf(runs);
  for (const [i, { method, scale }] of runs.entries()) {
    const isLast = i === runs.length - 1;
    const share = workOf(runs.slice(0, i + 1)) / total - done;
    const bands = await upscaleBands(image, {
      method: await networks.upscaler(method, scale),
      depth: isLast ? depth : 16,
      size: isLast ? size : undefined,
      maxMemory: TILE_BYTES,
      onTile: isLast ? onTile : undefined,
      onProgress: onShare && ((progress) => onShare(done + share * progress.share)),
      ...{ tileTime, signal },
    });
    image = await bands.image();
    tiles += bands.report.tiles;
    adapter = bands.report.adapter;
    done += share;
  }
  return { image, adapter, tiles };
}

/** With the picture's own choice of methods, where that was left to it, and the reason for the first. */
export function chooseMethods(
  runs: readonly Run[],
  picture: ReadPicture,
): { readonly runs: readonly Run[]; readonly choice?: Choice } {
  if (runs[0].method !== automatic) return { runs };
  // What a network has enlarged once is clean.
  const choice = chooseMethod(picture, runs[0].scale);
  const methods = runs.map(({ scale }, i) => (i === 0 && choice?.method) || defaultMethod(scale)!);
  return { runs: runs.map(({ scale }, i) => ({ method: methods[i], scale })), choice };
}

/** By the pixels that go in. */
function workOf(runs: readonly Run[]): number {
  let [work, pixels] = [0, 1];
  for (const { scale } of runs) {
    work += pixels;
    pixels *= scale ** 2;
  }
  return work;
}
