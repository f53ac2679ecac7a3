/** What the headers of the pictures say before the first step. */
import { basename } from "node:path";
import { DataError, type PairFiles } from "../data/index.ts";
import { croppedTo, describeCropped, fittingLows, type SizedPair } from "../data/pair-sizes.ts";
import { pathsOf } from "../data/pairs.ts";
import { type Header, uprightSize } from "../files/header.ts";
import { readWithWarning } from "../files/image-files.ts";
import type { Note } from "../files/picture-file.ts";
import { headersOf, notesOnWarnings, reductionsOf } from "../files/reductions.ts";
import { firstOf, quantity } from "../options/lists.ts";
import type { Size } from "../picture/image.ts";

/**
 * Reads the headers of all pictures, LR files included, and says what they have that training does not use. Files
 * that look as if they were cut short are decoded; other damage shows only when a picture's turn comes.
 *
 * @param train pictures to train on: each must have room for a patch.
 * @param others pictures to measure on.
 * @param size `patch` is the side of a patch in LR pixels.
 * @throws DataError that names the pictures to train on which are too small, LR whose size does not fit, and
 *   pictures that are damaged.
 */
export async function survey(
  train: readonly PairFiles[],
  others: readonly PairFiles[],
  { scale, patch }: { readonly scale: number; readonly patch: number },
): Promise<Note[]> {
  const paths = [...new Set([...train, ...others].flatMap(pathsOf))];
  const headers = await headersOf(paths);
  const warnings = await refuseDamaged(paths.filter((path) => !headers.get(path)?.looksWhole));
  const small = train.flatMap(({ high }) => {
    const header = headers.get(high);
    const { width, height } = header ? uprightSize(header) : { width: Infinity, height: Infinity };
    return Math.floor(Math.min(width, height) / scale) < patch ? [`${high} (${width}x${height})`] : [];
  });
  if (small.length > 0) {
    throw new DataError(
      `Too small to train on, as a patch takes ${patch * scale}x${patch * scale} pixels of HR: ` +
        `${firstOf(small, 5)}. Leave such pictures out, or choose a smaller \`patch\`.`,
    );
  }
  const cropped = [train, others].flatMap((set) => croppedPairs(set, headers, scale));
  const kinds = ["alpha", "depth", "frames", "color"] as const;
  const notes = [...reductionsOf(headers, kinds), ...notesOnWarnings(warnings)];
  if (cropped.length === 0) return notes;
  const count = new Set([...train, ...others]).size;
  const verb = cropped.length === 1 ? "is" : "are";
  const text =
    `${cropped.length} of ${quantity(count, "pair")} ${verb} cropped, so that HR is ${scale} times LR: ` +
    firstOf(cropped);
  return [...notes, { kind: "size", text }];
}

/**
 * What decoders warn of in pictures that are not damaged.
 *
 * @throws DataError that says what is wrong with the first of those that are, and names the others
 */
async function refuseDamaged(suspects: readonly string[]): Promise<Map<string, string>> {
  const warnings = new Map<string, string>();
  let first: DataError | undefined;
  const others: string[] = [];
  for (const path of suspects) {
    try {
      const { warning } = await readWithWarning(path);
      if (warning !== undefined) warnings.set(path, warning);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (first) others.push(path);
      first ??= error;
    }
  }
  if (!first) return warnings;
  const more = others.length > 0 ? ` Nor can these be read: ${firstOf(others, 5)}.` : "";
  throw new DataError(first.message + more, { cause: first });
}

/**
 * The pairs of files that lose pixels at the right or at the bottom, in words; without pictures to measure on of
 * which nothing is left, as others name these.
 *
 * @throws DataError for LR files that do not fit HR.
 */
function croppedPairs(
  set: readonly PairFiles[],
  headers: ReadonlyMap<string, Header>,
  scale: number,
): string[] {
  const pairs = set.flatMap((files): SizedPair[] => {
    const [high, low] = [headers.get(files.high), files.low !== undefined && headers.get(files.low)];
    const isTooSmall = high && Math.min(high.width, high.height) < scale;
    return high && low && !isTooSmall ? [{ files, high: uprightSize(high), low: uprightSize(low) }] : [];
  });
  const sizes = fittingLows(pairs, scale);
  const errors = sizes.filter((size) => size instanceof DataError);
  if (errors.length > 0) {
    const more = errors.length === 1 ? "" : ` Of ${pairs.length} pairs, ${errors.length} do not fit.`;
    throw new DataError(errors[0].message + more);
  }
  return (sizes as Size[]).flatMap((size, i) => {
    const { files, high, low } = pairs[i];
    const cropped = croppedTo(size, high, low, scale);
    return cropped.high || cropped.low ? [describeCropped(basename(files.high), cropped)] : [];
  });
}
