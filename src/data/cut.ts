/** Cuts the patches of a batch out of pictures, on the loader's thread or on a worker's. */
import { DataError } from "../picture/errors.ts";
import { crop, type Image } from "../picture/image.ts";
import { copyPatch, type PatchPlace } from "../picture/patches.ts";
import { planeCount } from "../picture/planes.ts";
import type { Random } from "../tensor/random.ts";
import { type Degradation, degrade } from "./degrade.ts";
import { inFormat, noPicture, type Pair, type PairFormat } from "./pairs.ts";
import { type RawFile, readPart } from "./raw-file.ts";

/** A pair of pictures to cut patches from: in memory, or decoded in a file. */
export type OpenPair = {
  readonly low: Omit<Image, "data">;
  readonly high: Omit<Image, "data">;
} & (
  | {
      readonly pictures: Pick<Pair, "low" | "high">;
      /** Their samples lie in memory that all threads see. */
      readonly shared?: boolean;
    }
  | { readonly raw: RawFile }
);

/** One patch of a batch. */
export interface Cut {
  readonly pair: OpenPair;
  /** Place of the patch in pixels of the small picture, even if low has been enlarged. */
  readonly place: PatchPlace;
  /** The picture's path or name, for errors. */
  readonly label: string;
  /** LR is made from HR, by this: the pair has no LR, and its HR is RGB. */
  readonly degraded?: { readonly window: Window; readonly degradation: Degradation };
}

/** A part of HR around a patch, in pixels of LR: it is degraded as if it were a whole picture. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws the window around a patch. It is 8 pixels wider and higher, and begins 0 to 7 of them before the
 * patch: so the blocks of JPEG, which begin with the window, may lie anywhere in the patch.
 */
export function randomWindow(
  random: Random,
  { x, y }: PatchPlace,
  patch: number,
  picture: { readonly width: number; readonly height: number },
): Window {
  const along = (place: number, length: number) => {
    const size = Math.min(patch + 8, length);
    return { start: Math.max(0, Math.min(place - random.int(8), length - size)), size };
  };
  const [across, down] = [along(x, picture.width), along(y, picture.height)];
  return { x: across.start, y: down.start, width: across.size, height: down.size };
}

/** What a batch looks like. */
export interface BatchFormat {
  readonly colors: PairFormat["colors"];
  /** Side of a patch, in pixels of the small picture. */
  readonly patch: number;
  /** How many times wider low and high are. */
  readonly zooms: Readonly<Record<"low" | "high", number>>;
}

/** Values 0..1, one patch after the other: [n, channels, side, side], where the side is patch * zoom. */
export type Patches = Readonly<Record<"low" | "high", Float32Array<ArrayBuffer>>>;

/** The lengths of a patch in values. */
export function lengthsOf({ colors, patch, zooms }: BatchFormat): Readonly<Record<"low" | "high", number>> {
  const length = (zoom: number) => planeCount(colors) * (patch * zoom) ** 2;
  return { low: length(zooms.low), high: length(zooms.high) };
}

/** @throws DataError that begins with the picture's label */
export async function cutBatch(cuts: readonly Cut[], format: BatchFormat): Promise<Patches> {
  const { patch, zooms } = format;
  const lengths = lengthsOf(format);
  const batch = {
    low: new Float32Array(cuts.length * lengths.low),
    high: new Float32Array(cuts.length * lengths.high),
  };
  for (const [slot, cut] of cuts.entries()) {
    try {
      const { pair, place } = cut.degraded ? await degradedWindow(cut, cut.degraded, format) : cut;
      for (const which of ["low", "high"] as const) {
        const zoom = zooms[which];
        const { image, x, y } = partOf(pair, which, place.x * zoom, place.y * zoom, patch * zoom);
        copyPatch(batch[which], slot * lengths[which], image, x, y, patch * zoom, place.symmetry);
      }
    } catch (cause) {
      throw new DataError(`${cut.label}: ${(cause as Error).message}`, { cause });
    }
  }
  return batch;
}

/** The window around a patch as a pair of pictures, and the patch's place in it. */
async function degradedWindow(
  cut: Cut,
  { window, degradation }: NonNullable<Cut["degraded"]>,
  { colors, zooms }: BatchFormat,
): Promise<Pick<Cut, "pair" | "place">> {
  const scale = zooms.high;
  const high = windowOf(cut.pair, window, scale);
  const low = await degrade(high, scale, degradation);
  const inputSize = zooms.low === scale ? "high" : "low";
  const pictures = inFormat(high, low, { scale, colors, inputSize });
  return { pair: { ...pictures, pictures }, place: within(cut.place, window) };
}

/** The same cut with no more of a picture in memory than it needs, to be sent to another thread. */
export function trimCut(cut: Cut, scale: number): Cut {
  if (!cut.degraded || !("pictures" in cut.pair)) return cut;
  const { window, degradation } = cut.degraded;
  const high = windowOf(cut.pair, window, scale);
  const pictures = { low: noPicture(), high };
  return {
    ...cut,
    pair: { ...pictures, pictures },
    place: within(cut.place, window),
    degraded: { window: { ...window, x: 0, y: 0 }, degradation },
  };
}

/** HR in a window. */
function windowOf(pair: OpenPair, window: Window, scale: number): Image {
  const [width, height] = [window.width * scale, window.height * scale];
  const part = partOf(pair, "high", window.x * scale, window.y * scale, width, height);
  return crop(part.image, part.x, part.y, width, height);
}

function within({ x, y, symmetry }: PatchPlace, window: Window): PatchPlace {
  return { x: x - window.x, y: y - window.y, symmetry };
}

/** A picture that contains the part whose top left pixel is column `x` of row `y`, and that part's place in it. */
function partOf(
  pair: OpenPair,
  which: "low" | "high",
  x: number,
  y: number,
  w: number,
  h: number = w,
): { image: Image; x: number; y: number } {
  if ("pictures" in pair) return { image: pair.pictures[which], x, y };
  try {
    return { ...readPart(pair.raw, which, { x, y, w, h }), y: 0 };
  } catch (cause) {
    throw new DataError(
      `${pair.raw.path}: this file of the cache cannot be read (${(cause as Error).message}). Was the folder ` +
        "emptied? Start again to make it anew.",
      { cause },
    );
  }
}
