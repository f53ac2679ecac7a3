/** The pictures to measure on: which files belong together, and what a method gets of them. */
import { readdirSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { readImage } from "../data/files.ts";
import { openFolder } from "../data/folder.ts";
import type { PairFiles } from "../data/pairs.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { type Image, modcrop, toRgb } from "../picture/image.ts";
import { imresize, imresizePlane } from "../picture/imresize.ts";

/**
 * The pictures of a folder, in the order of their names; with `lr`, each with its small version there, which has the
 * same name or one that ends in x2 (at scale 2; 0001x4m and the like for DIV2K's mild, difficult and wild tracks).
 *
 * @throws DataError for a missing folder, a folder without pictures, and a picture whose partner is missing or not the
 *   only one. The pictures themselves are read later.
 */
export function findPictures(hr: string, lr: string | undefined, scale: number): PairFiles[] {
  const large = openFolder(hr, { scale }).files!;
  if (lr === undefined) return large.map(({ name, hr }) => ({ name, hr }));
  if (!statSync(lr, { throwIfNoEntry: false })?.isDirectory()) {
    throw new DataError(`${lr}: there is no such folder. Check the path of the LR pictures.`);
  }
  const small = new Map<string, string[]>();
  for (const file of readdirSync(lr).sort()) {
    if (!/\.(png|jpe?g|webp)$/i.test(file)) continue;
    const name = basename(file, extname(file));
    small.set(name, [...(small.get(name) ?? []), join(lr, file)]);
  }
  return large.map(({ name, hr }) => {
    const names = ["", ...["", "m", "d", "w"].map((track) => `x${scale}${track}`)].map((end) => name + end);
    const found = names.flatMap((candidate) => small.get(candidate) ?? []);
    if (found.length === 1) return { name, hr, lr: found[0] };
    throw new DataError(
      found.length === 0
        ? `${hr} has no small version in ${lr}: it should be called ${name}x${scale}.png or ${name}.png. Add it, or ` +
            "move the large one away."
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
