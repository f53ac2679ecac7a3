/** What the headers of the pictures say before the first step. */
import { uprightSize } from "../data/decode.ts";
import { DataError, type PairFiles } from "../data/index.ts";
import { pathsOf } from "../data/pairs.ts";
import type { Note } from "../data/picture-file.ts";
import { headersOf, reductionsOf } from "../data/reductions.ts";
import { firstOf } from "../options/lists.ts";

/**
 * Reads the headers of all pictures, LR files included, and says what they have that training does not use.
 *
 * @param train pictures to train on: each must have room for a patch.
 * @param others pictures to measure on.
 * @param size `patch` is the side of a patch in LR pixels.
 * @throws DataError that names the pictures to train on which are too small.
 */
export async function survey(
  train: readonly PairFiles[],
  others: readonly PairFiles[],
  { scale, patch }: { readonly scale: number; readonly patch: number },
): Promise<Note[]> {
  const headers = await headersOf([...new Set([...train, ...others].flatMap(pathsOf))]);
  const small = train.flatMap(({ high }) => {
    const header = headers.get(high);
    const { width, height } = header ? uprightSize(header) : { width: Infinity, height: Infinity };
    return Math.floor(Math.min(width, height) / scale) < patch ? [`${high} (${width}x${height})`] : [];
  });
  if (small.length > 0) {
    throw new DataError(
      `Too small to train on, as a patch takes ${patch * scale}x${patch * scale} pixels of HR: ` +
        `${firstOf(small, 5)}. Leave such pictures out, or choose a smaller --patch.`,
    );
  }
  return reductionsOf(headers, ["alpha", "depth", "frames"]);
}
