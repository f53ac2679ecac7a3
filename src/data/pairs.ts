import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { crop, type Image, modcrop, toRgb } from "../picture/image.ts";
import { imresize } from "../picture/imresize.ts";
import { type Degradation, degrade } from "./degrade.ts";
import { readImage } from "./files.ts";

/** What the pictures of a pair look like. */
export interface PairFormat {
  /** How many times wider and higher HR is than the picture that is to be enlarged. */
  readonly scale: number;
  /** RGB, three channels; or luma alone, one channel: BT.601 studio range (16..235) in bytes, see rgbToY. */
  readonly colors: "rgb" | "y";
  /** "low": small, as usual; "high": already enlarged to HR's size by imresize, as SRCNN takes it. */
  readonly inputSize: "low" | "high";
}

/**
 * A picture in both sizes, with the same channels: high is exactly `scale` times as wide and high as low, or
 * as large as low if the format's inputSize is "high".
 */
export interface Pair {
  name: string;
  low: Image;
  high: Image;
}

/** Where a pair lies on disk. Without `low` the small picture is made from the large one. */
export interface PairFiles {
  name: string;
  low?: string;
  high: string;
  /** How the small picture is made, where there is none. Default: by imresize (Matlab's bicubic) alone. */
  degradation?: Degradation;
}

/** Picture pairs, decoded one at a time and only when asked for. */
export interface PairDataset extends PairFormat {
  /** For logs, such as "DIV2K train X2". */
  readonly name: string;
  /** How many pairs there are. */
  readonly length: number;
  readonly names: readonly string[];
  /**
   * The files behind the pairs. A dataset that has them is decoded on worker threads by PatchLoader; one that
   * has none (pictures made by a program, say) is asked through load() on the calling thread.
   */
  readonly files?: readonly PairFiles[];
  /** Pair `index` in 0 .. length - 1. */
  load(index: number): Promise<Pair>;
}

/** A dataset of files; load() throws a DataError for a picture that is damaged or whose sizes do not fit. */
export function filePairs(name: string, format: PairFormat, files: readonly PairFiles[]): PairDataset {
  return {
    ...format,
    name,
    length: files.length,
    names: files.map((pair) => pair.name),
    files,
    async load(index) {
      if (!(index in files)) {
        throw new DataError(`${name}: there is no pair ${index}; it has 0 to ${files.length - 1}.`);
      }
      return loadPair(files[index], format);
    },
  };
}

/**
 * Reads a pair. high loses the few pixels at its right and bottom edge that are no multiple of `scale`. Where
 * there is a file for low, it must then have the size of high / scale, or one more where imresize would have
 * rounded up (as in DIV2K's X8), which is cut off as well. Else it is made from high. Grey files count as RGB
 * with equal channels.
 *
 * With colors "y", luma is rounded to bytes and the small picture is made by imresize from this one plane, as
 * in the papers' Matlab code (and not from RGB, which differs by a level here and there). A small picture
 * that has a file of its own, or was degraded, is RGB and is converted by itself. With inputSize "high", low
 * is then enlarged by imresize, rounded to bytes once more.
 */
export async function loadPair(files: PairFiles, format: PairFormat): Promise<Pair> {
  const { scale, colors, inputSize } = format;
  const convert = colors === "y" ? lumaOf : (image: Image) => image;
  const large = toRgb(await readImage(files.high));
  const size = { width: Math.floor(large.width / scale), height: Math.floor(large.height / scale) };
  if (size.width === 0 || size.height === 0) {
    throw new DataError(
      `${files.high}: ${large.width}x${large.height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  const cropped = modcrop(large, scale);
  const high = convert(cropped);
  const small = async (): Promise<Image> => {
    if (files.low !== undefined) {
      return convert(fitSmall(toRgb(await readImage(files.low)), files.low, large, files.high, scale));
    }
    if (files.degradation) return convert(await degrade(cropped, scale, files.degradation));
    return imresize(high, size);
  };
  const low = await small();
  return { name: files.name, low: inputSize === "high" ? imresize(low, scale) : low, high };
}

/**
 * The small picture of a pair in the size that belongs to the large one: it may be a pixel wider and higher,
 * which is cut off. Throws a DataError if its size is another one.
 */
export function fitSmall(small: Image, path: string, large: Image, highPath: string, scale: number): Image {
  const [width, height] = [Math.floor(large.width / scale), Math.floor(large.height / scale)];
  const fits = (side: number, of: number) =>
    side === Math.floor(of / scale) || side === Math.ceil(of / scale);
  if (!fits(small.width, large.width) || !fits(small.height, large.height)) {
    throw new DataError(
      `${path} is ${small.width}x${small.height}, but at scale ${scale} the small version of ${highPath} ` +
        `(${large.width}x${large.height}) must be ${width}x${height}. Do both belong to the same picture and scale?`,
    );
  }
  return small.width === width && small.height === height ? small : crop(small, 0, 0, width, height);
}

/**
 * What is asked of a dataset, with RGB and small pictures where nothing else is said. Throws a RangeError if
 * it means nothing. Scales are whole: a pixel of low stands for scale x scale pixels of high.
 */
export function pairFormat(options: Partial<PairFormat> & { scale: number }): PairFormat {
  const { scale, colors = "rgb", inputSize = "low" } = options;
  if (!Number.isInteger(scale) || scale < 2) {
    throw new RangeError(`scale must be a whole number of at least 2, not ${scale}.`);
  }
  if (colors !== "rgb" && colors !== "y") {
    throw new RangeError(`colors must be "rgb" or "y", not ${JSON.stringify(colors)}.`);
  }
  if (inputSize !== "low" && inputSize !== "high") {
    throw new RangeError(`inputSize must be "low" or "high", not ${JSON.stringify(inputSize)}.`);
  }
  return { scale, colors, inputSize };
}
