/** The pictures to measure on: which files belong together, and what a method gets of them. */
import { basename } from "node:path";
import { readImage } from "../data/files.ts";
import { openFolder } from "../data/folder.ts";
import type { PairFiles } from "../data/pairs.ts";
import { partnersOf } from "../data/partners.ts";
import { picturesIn } from "../data/pictures-in.ts";
import { sameFile } from "../data/same-file.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { type Image, modcrop, toRgb } from "../picture/image.ts";
import { imresize, imresizePlane } from "../picture/imresize.ts";

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
}

/**
 * Reads a picture. hr loses the edges that are no multiple of the scale. Grey files count as RGB with equal channels.
 *
 * @throws DataError that names the file if it cannot be read, has transparency, or its size does not fit.
 */
export async function loadPicture(files: PairFiles, scale: number): Promise<Picture> {
  const large = await readOpaque(files.hr);
  if (Math.min(large.width, large.height) < scale) {
    throw new DataError(
      `${files.hr}: ${large.width}x${large.height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  const hr = modcrop(large, scale);
  const hrY = lumaOf(hr);
  const size = { width: hr.width / scale, height: hr.height / scale };
  if (files.lr === undefined) {
    return { name: files.name, hr, hrY, lr: imresize(hr, size), lrY: imresizePlane(hrY.data, hr, size) };
  }
  const lr = await readOpaque(files.lr);
  if (lr.width !== size.width || lr.height !== size.height) {
    throw new DataError(
      `${files.lr} is ${lr.width}x${lr.height}, but at scale ${scale} the small version of ${files.hr} ` +
        `(${large.width}x${large.height}) must be ${size.width}x${size.height}. Do both belong to the same picture ` +
        "and scale?",
    );
  }
  return { name: files.name, hr, hrY, lr, lrY: lumaOf(lr).data };
}

async function readOpaque(path: string): Promise<Image> {
  const image = await readImage(path);
  if (image.channels === 2 || image.channels === 4) {
    throw new DataError(
      `${path}: it has ${image.channels} channels, the last one for transparency, which no protocol measures. ` +
        "Save it as RGB (3 channels) or grey (1).",
    );
  }
  return toRgb(image);
}
