/** Cuts the patches of a batch out of pictures, on the loader's thread or on a worker's. */
import { DataError } from "../picture/errors.ts";
import type { Image } from "../picture/image.ts";
import { copyPatch, type PatchPlace } from "../picture/patches.ts";
import type { Pair } from "./pairs.ts";
import { type RawFile, readPart } from "./raw-file.ts";

/** A pair of pictures to cut patches from: in memory, or decoded in a file. */
export type OpenPair = {
  readonly low: Omit<Image, "data">;
  readonly high: Omit<Image, "data">;
} & ({ readonly pictures: Pair } | { readonly raw: RawFile });

/** One patch of a batch. */
export interface Cut {
  readonly pair: OpenPair;
  /** In pixels of the small picture, even if low has been enlarged. */
  readonly place: PatchPlace;
  /** The picture's path or name, for errors. */
  readonly label: string;
}

/** What a batch looks like. */
export interface BatchFormat {
  readonly channels: 1 | 3;
  /** Side of a patch, in pixels of the small picture. */
  readonly patch: number;
  /** How many times wider low and high are. */
  readonly zooms: Readonly<Record<"low" | "high", number>>;
}

/** Values 0..1, one patch after the other: [n, channels, side, side], where the side is patch * zoom. */
export type Patches = Readonly<Record<"low" | "high", Float32Array<ArrayBuffer>>>;

/** @throws DataError that begins with the picture's label */
export function cutBatch(cuts: readonly Cut[], format: BatchFormat): Patches {
  const { channels, patch, zooms } = format;
  const sizeOf = (which: "low" | "high") => channels * (patch * zooms[which]) ** 2;
  const batch = {
    low: new Float32Array(cuts.length * sizeOf("low")),
    high: new Float32Array(cuts.length * sizeOf("high")),
  };
  for (const [slot, { pair, place, label }] of cuts.entries()) {
    try {
      for (const which of ["low", "high"] as const) {
        const zoom = zooms[which];
        const { image, x, y } = partOf(pair, which, place.x * zoom, place.y * zoom, patch * zoom);
        copyPatch(batch[which], slot * sizeOf(which), image, x, y, patch * zoom, place.symmetry);
      }
    } catch (cause) {
      throw new DataError(`${label}: ${(cause as Error).message}`, { cause });
    }
  }
  return batch;
}

/**
 * A picture that contains the square whose top left pixel is column `x` of row `y`, and the square's place in
 * it.
 */
function partOf(
  pair: OpenPair,
  which: "low" | "high",
  x: number,
  y: number,
  size: number,
): { image: Image; x: number; y: number } {
  if ("pictures" in pair) return { image: pair.pictures[which], x, y };
  try {
    return { ...readPart(pair.raw, which, { x, y, w: size, h: size }), y: 0 };
  } catch (cause) {
    throw new DataError(
      `${pair.raw.path}: this file of the cache cannot be read (${(cause as Error).message}). Was the folder ` +
        "emptied? Start again to make it anew.",
      { cause },
    );
  }
}
