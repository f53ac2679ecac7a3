/** Which sizes HR and LR of a pair may have, and what is cropped of them: one rule for training and measuring. */
import { dirname } from "node:path";
import { whole } from "../options/kinds.ts";
import { orList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { Size } from "../picture/image.ts";

/** How many times larger HR is: an LR pixel stands for a square of whole pixels of HR. */
export const aPairScale = whole(1, 64);

/** Where HR and LR of a pair lie. */
interface Paths {
  readonly high: string;
  readonly low?: string;
}

/** What the pictures of a pair lost at the right and at the bottom. A picture that lost nothing is absent. */
export interface Cropped {
  readonly high?: { readonly from: Size; readonly to: Size };
  readonly low?: { readonly from: Size; readonly to: Size };
}

/**
 * Sets of several scales show the same part at all of them: HR was cut to a common multiple of those scales
 * (12 for x2, x3 and x4; 24 with x8; 16 and 48 of scales that are powers of 2, or of these and 3) before it was made
 * smaller. At other multiples, LR is off by some pixels.
 */
const publishedMultiples = [4, 6, 8, 12, 16, 24, 48];

/**
 * The size of LR after cropping; HR's is `scale` times that. Without a file for LR that is HR / scale, rounded
 * down. A file may have this size; or that of HR / scale where it was rounded up, as imresize does (and DIV2K
 * at X8); or that of HR cut to a multiple that published sets are cut to.
 *
 * @throws DataError that names the files if HR is smaller than `scale`, or LR has none of these sizes.
 */
export function fittingLow(files: Paths, high: Size, low: Size | undefined, scale: number): Size {
  if (Math.min(high.width, high.height) < scale) {
    throw new DataError(
      `${files.high}: ${high.width}x${high.height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  if (low === undefined) return cutLow(high, scale, scale);
  const [multiple] = multiplesOf(high, low, scale);
  if (multiple === undefined) throw misfit(files, high, low, scale);
  return cutLow(high, scale, multiple);
}

/** A pair whose sizes are known, before its pictures are read. */
export interface SizedPair {
  readonly files: Paths;
  readonly high: Size;
  readonly low: Size | undefined;
}

/**
 * fittingLow for all pairs. All HR of a set were cut to the same multiple, so LR that could have been cut so, where
 * the rest of its folder was not, is off by some pixels. For each pair its size, or the error.
 */
export function fittingLows(pairs: readonly SizedPair[], scale: number): (Size | DataError)[] {
  const candidates = pairs.map(({ high, low }) => (low ? multiplesOf(high, low, scale) : []));
  const folders = pairs.map(({ files }) => dirname(files.low ?? ""));
  const commonOf = new Map<string, number | undefined>();
  for (const folder of new Set(folders)) {
    const set = candidates.filter((_, i) => folders[i] === folder);
    const votes = (multiple: number) => set.filter((own) => own.includes(multiple)).length;
    const [common] = [scale, ...publishedMultiples].sort((a, b) => votes(b) - votes(a));
    // What explains few pairs does so by chance.
    commonOf.set(folder, 2 * votes(common) >= set.length ? common : undefined);
  }
  return pairs.map(({ files, high, low }, i) => {
    const common = commonOf.get(folders[i]);
    const isAlone = common !== undefined && candidates[i].length > 0 && !candidates[i].includes(common);
    if (low && isAlone) return misfit(files, high, low, scale, common);
    try {
      return fittingLow(files, high, low, scale);
    } catch (error) {
      if (error instanceof DataError) return error;
      throw error;
    }
  });
}

/** The multiples that HR may have been cut to before LR was made of it; `scale`, the first, also if LR was rounded. */
function multiplesOf(high: Size, low: Size, scale: number): number[] {
  const isRounded = (side: number, highSide: number) =>
    side === Math.floor(highSide / scale) || side === Math.ceil(highSide / scale);
  const usual = isRounded(low.width, high.width) && isRounded(low.height, high.height) ? [scale] : [];
  const larger = multiplesAt(scale).filter((multiple) => {
    const { width, height } = cutLow(high, scale, multiple);
    return width === low.width && height === low.height;
  });
  return [...usual, ...larger];
}

/** Multiples beyond the scale itself that HR may be cut to. */
function multiplesAt(scale: number): number[] {
  return scale === 1
    ? []
    : publishedMultiples.filter((multiple) => multiple > scale && multiple % scale === 0);
}

/** The size of LR of HR that is cut to a multiple. */
function cutLow(high: Size, scale: number, multiple: number): Size {
  return {
    width: Math.floor(high.width / multiple) * (multiple / scale),
    height: Math.floor(high.height / multiple) * (multiple / scale),
  };
}

/** @param common what HR of the other pairs was cut to, if only that speaks against this one. */
function misfit(files: Paths, high: Size, low: Size, scale: number, common?: number): DataError {
  const want = cutLow(high, scale, common ?? scale);
  const tried = multiplesAt(scale);
  const cut = tried.length > 0 ? `; nor is it that of HR cut to a multiple of ${orList(tried)}` : "";
  const why =
    common === undefined ? cut : `, if its HR was cut to a multiple of ${common} as the others were`;
  return new DataError(
    `${files.low} is ${low.width}x${low.height}, but at scale ${scale} the small version of ${files.high} ` +
      `(${high.width}x${high.height}) must be ${want.width}x${want.height}${why}. ` +
      "Do both belong to the same picture and scale?",
  );
}

/** What a pair loses if LR becomes that large, and HR `scale` times as large. */
export function croppedTo(to: Size, high: Size, low: Size | undefined, scale: number): Cropped {
  const large = { width: to.width * scale, height: to.height * scale };
  return { ...cropping("high", high, large), ...(low && cropping("low", low, to)) };
}

function cropping(which: "high" | "low", before: Size, after: Size): Cropped {
  if (before.width === after.width && before.height === after.height) return {};
  const size = ({ width, height }: Size): Size => ({ width, height });
  return { [which]: { from: size(before), to: size(after) } };
}

/** Such as "a (HR 65x65 to 60x60)". */
export function describeCropped(name: string, cropped: Cropped): string {
  const size = ({ width, height }: Size) => `${width}x${height}`;
  const parts = (["high", "low"] as const).flatMap((which) => {
    const cut = cropped[which];
    return cut ? [`${which === "high" ? "HR" : "LR"} ${size(cut.from)} to ${size(cut.to)}`] : [];
  });
  return `${name} (${parts.join(", ")})`;
}
