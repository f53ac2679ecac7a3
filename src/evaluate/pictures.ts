/** The pictures to measure on: which files belong together, and what a method gets of them. */
import { basename } from "node:path";
import { degrade } from "../data/degrade.ts";
import { readImage } from "../data/files.ts";
import { openFolder } from "../data/folder.ts";
import { fitSmall, type PairFiles } from "../data/pairs.ts";
import { partnersOf } from "../data/partners.ts";
import { picturesIn } from "../data/pictures-in.ts";
import { sameFile } from "../data/same-file.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { type Image, modcrop, toRgb } from "../picture/image.ts";
import { imresize, imresizePlane } from "../picture/imresize.ts";
import type { LrSource } from "./protocol.ts";

/**
 * The pictures of a folder, in the order of their names; with `lr`, each with its small version there, as
 * partnersOf finds it by its name. `onLeftOut` is called with a line for each folder of which something is
 * left out.
 *
 * @throws DataError for a missing folder, a folder without pictures, and a picture whose partner is missing
 *   or not the only one. The pictures themselves are read later.
 */
export function findPictures(
  hr: string,
  lr: string | undefined,
  scale: number,
  onLeftOut?: (line: string) => void,
): PairFiles[] {
  const together = lr !== undefined && sameFile(hr, lr); // then the small ones are not left out
  const options = { scale, onLeftOut: together ? undefined : onLeftOut };
  const large = openFolder(hr, options).files!.map(({ name, hr }) => ({ name, hr }));
  if (lr === undefined) return large;
  const small = picturesIn(lr, onLeftOut).pictures;
  const partners = partnersOf(
    large.map(({ hr }) => hr),
    small,
    scale,
  );
  return large.map(({ name, hr }, i) => {
    const found = partners[i];
    if (found.length === 1) return { name, hr, lr: found[0] };
    throw new DataError(
      found.length === 0
        ? `${hr} has no small version in ${lr}: it should be called ${name}x${scale}.png, ${name}_LRBI_x${scale}.png or ` +
            `${name}.png, say. Add it, or move the large one away.`
        : `${hr} has ${found.length} small versions in ${lr} (${found.map((path) => basename(path)).join(", ")}). ` +
            "Move all but one away.",
    );
  });
}

/** A picture to measure on: HR and LR in RGB, and of both what protocol "y" compares. */
export interface Picture {
  readonly name: string;
  readonly hr: Image;
  readonly lr: Image;
  /** Y of hr, rounded, as a 1-channel picture. */
  readonly hrY: Image;
  /** Y for methods to enlarge, [height, width] in 16..235: see protocol.ts. */
  readonly lrY: ArrayLike<number>;
  /** Where the small picture is from. */
  readonly lrSource: LrSource;
}

/** Where the small version of a picture will be from. */
export function lrSourceOf({ lr, degradation }: PairFiles): LrSource {
  if (lr !== undefined) return "files";
  return degradation ? "degraded" : "made";
}

/**
 * Reads a picture. hr loses the edges that are no multiple of the scale. Grey files count as RGB with equal
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
  const large = await read(files.hr);
  if (Math.min(large.width, large.height) < scale) {
    throw new DataError(
      `${files.hr}: ${large.width}x${large.height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  const hr = modcrop(large, scale);
  const hrY = lumaOf(hr);
  const [{ name, lr: path, degradation }, lrSource] = [files, lrSourceOf(files)];
  const small =
    path !== undefined
      ? fitSmall(await read(path), path, large, files.hr, scale)
      : degradation && (await degrade(hr, scale, degradation));
  if (small) return { name, lrSource, hr, hrY, lr: small, lrY: lumaOf(small).data };
  const size = { width: hr.width / scale, height: hr.height / scale };
  return { name, lrSource, hr, hrY, lr: imresize(hr, size), lrY: imresizePlane(hrY.data, hr, size) };
}

function refuseTransparency({ channels }: Image, path: string): void {
  if (channels === 1 || channels === 3) return;
  throw new DataError(
    `${path}: it has ${channels} channels, the last one for transparency, which no protocol measures. ` +
      "Save it as RGB (3 channels) or grey (1).",
  );
}
