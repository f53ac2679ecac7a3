/** The pictures to measure on: which files belong together, and what a method gets of them. */
import { basename } from "node:path";
import { degrade } from "../data/degrade.ts";
import { readImage } from "../data/files.ts";
import { openFolder } from "../data/folder.ts";
import { fitLow, type PairFiles } from "../data/pairs.ts";
import { partnersOf } from "../data/partners.ts";
import { picturesIn } from "../data/pictures-in.ts";
import { sameFile } from "../data/same-file.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { type Image, modcrop, toRgb } from "../picture/image.ts";
import { imresize, imresizePlane } from "../picture/imresize.ts";
import type { LowSource } from "./protocol.ts";

/**
 * The pictures of a folder, in the order of their names; with `low`, each with its small version there, as
 * partnersOf finds it by its name. `onLeftOut` is called with a line for each folder of which something is
 * left out.
 *
 * @throws DataError for a missing folder, a folder without pictures, and a picture whose partner is missing
 *   or not the only one. The pictures themselves are read later.
 */
export function findPictures(
  high: string,
  low: string | undefined,
  scale: number,
  onLeftOut?: (line: string) => void,
): PairFiles[] {
  const together = low !== undefined && sameFile(high, low); // then the small ones are not left out
  const options = { scale, onLeftOut: together ? undefined : onLeftOut };
  const large = openFolder(high, options).files!.map(({ name, high }) => ({ name, high }));
  if (low === undefined) return large;
  const small = picturesIn(low, onLeftOut).pictures;
  const partners = partnersOf(
    large.map(({ high }) => high),
    small,
    scale,
  );
  return large.map(({ name, high }, i) => {
    const found = partners[i];
    if (found.length === 1) return { name, high, low: found[0] };
    throw new DataError(
      found.length === 0
        ? `${high} has no small version in ${low}: it should be called ${name}x${scale}.png, ${name}_LRBI_x${scale}.png or ` +
            `${name}.png, say. Add it, or move the large one away.`
        : `${high} has ${found.length} small versions in ${low} (${found.map((path) => basename(path)).join(", ")}). ` +
            "Move all but one away.",
    );
  });
}

/** A picture to measure on: HR and LR in RGB, and of both what protocol "y" compares. */
export interface Picture {
  readonly name: string;
  readonly high: Image;
  readonly low: Image;
  /** Y of high, rounded, as a 1-channel picture. */
  readonly highY: Image;
  /** Y for methods to enlarge, [height, width] in 16..235: see protocol.ts. */
  readonly lowY: ArrayLike<number>;
  /** Where the small picture is from. */
  readonly lowSource: LowSource;
}

/** Where the small version of a picture will be from. */
export function lowSourceOf({ low, degradation }: PairFiles): LowSource {
  if (low !== undefined) return "files";
  return degradation ? "degraded" : "made";
}

/**
 * Reads a picture. high loses the edges that are no multiple of the scale. Grey files count as RGB with equal
 * channels.
 *
 * @param options.transparency whether a picture with an alpha channel is refused, as no protocol measures it
 *   (the default), or loses that channel.
 * @throws DataError that names the file if it cannot be read, has transparency, or its size does not fit.
 */
export async function loadPicture(
  files: PairFiles,
  scale: number,
  { transparency = "refuse" }: { readonly transparency?: "refuse" | "drop" } = {},
): Promise<Picture> {
  const read = async (path: string) => {
    const image = await readImage(path);
    if (transparency === "refuse") refuseTransparency(image, path);
    return toRgb(image);
  };
  const large = await read(files.high);
  if (Math.min(large.width, large.height) < scale) {
    throw new DataError(
      `${files.high}: ${large.width}x${large.height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  const high = modcrop(large, scale);
  const highY = lumaOf(high);
  const [{ name, low: path, degradation }, lowSource] = [files, lowSourceOf(files)];
  const small =
    path !== undefined
      ? fitLow(await read(path), path, large, files.high, scale)
      : degradation && (await degrade(high, scale, degradation));
  if (small) return { name, lowSource, high, highY, low: small, lowY: lumaOf(small).data };
  const size = { width: high.width / scale, height: high.height / scale };
  return {
    name,
    lowSource,
    high,
    highY,
    low: imresize(high, size),
    lowY: imresizePlane(highY.data, high, size),
  };
}

function refuseTransparency({ channels }: Image, path: string): void {
  if (channels === 1 || channels === 3) return;
  throw new DataError(
    `${path}: it has ${channels} channels, the last one for transparency, which no protocol measures. ` +
      "Save it as RGB (3 channels) or grey (1).",
  );
}
