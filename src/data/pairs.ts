import { DataError } from "./errors.ts";
import { readImage } from "./files.ts";
import { type Image, modcrop, toRgb } from "./image.ts";
import { imresize } from "./imresize.ts";

/** A picture in both sizes, both RGB: hr is exactly `scale` times as wide and high as lr. */
export interface Pair {
  name: string;
  lr: Image;
  hr: Image;
}

/** Where a pair lies on disk. Without `lr` the small picture is made from the large one. */
export interface PairFiles {
  name: string;
  lr?: string;
  hr: string;
}

/** Picture pairs, decoded one at a time and only when asked for. */
export interface PairDataset {
  /** For logs, such as "DIV2K train X2". */
  readonly name: string;
  readonly scale: number;
  /** How many pairs there are. */
  readonly length: number;
  readonly names: readonly string[];
  /**
   * The files behind the pairs. A dataset that has them is decoded on worker threads by PatchLoader; one that has
   * none (pictures made by a program, say) is asked through load() on the calling thread.
   */
  readonly files?: readonly PairFiles[];
  /** Pair `index` in 0 .. length - 1. */
  load(index: number): Promise<Pair>;
}

/** A dataset of files; load() throws a DataError for a picture that is damaged or whose sizes do not fit. */
export function filePairs(name: string, scale: number, files: readonly PairFiles[]): PairDataset {
  return {
    name,
    scale,
    length: files.length,
    names: files.map((pair) => pair.name),
    files,
    async load(index) {
      if (!(index in files)) {
        throw new DataError(`${name}: there is no pair ${index}; it has 0 to ${files.length - 1}.`);
      }
      return loadPair(files[index], scale);
    },
  };
}

/**
 * Reads a pair. hr loses the few pixels at its right and bottom edge that are no multiple of `scale`; lr must then
 * be exactly hr / scale, or is made by imresize (Matlab's bicubic) if there is no file for it.
 */
export async function loadPair(files: PairFiles, scale: number): Promise<Pair> {
  const { name } = files;
  const large = toRgb(await readImage(files.hr));
  const width = Math.floor(large.width / scale);
  const height = Math.floor(large.height / scale);
  if (width === 0 || height === 0) {
    throw new DataError(
      `${files.hr}: ${large.width}x${large.height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  const hr = modcrop(large, scale);
  if (files.lr === undefined) return { name, lr: imresize(hr, { width, height }), hr };

  const lr = toRgb(await readImage(files.lr));
  if (lr.width !== width || lr.height !== height) {
    throw new DataError(
      `${files.lr} is ${lr.width}x${lr.height}, but at scale ${scale} the small version of ${files.hr} ` +
        `(${large.width}x${large.height}) must be ${width}x${height}. Do both belong to the same picture and scale?`,
    );
  }
  return { name, lr, hr };
}

/** Scales are whole: a pixel of lr stands for scale x scale pixels of hr. */
export function checkScale(scale: number): void {
  if (!Number.isInteger(scale) || scale < 2) {
    throw new DataError(`scale must be a whole number of at least 2, not ${scale}.`);
  }
}
