import { checkArguments, isObject } from "../options/arguments.ts";
import { quote, whole } from "../options/kinds.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import { crop, type Image, modcrop, toRgb } from "../picture/image.ts";
import { imresize } from "../picture/imresize.ts";
import { type Degradation, degrade } from "./degrade.ts";
import { readImage } from "./files.ts";

/** What the pictures of a pair look like. */
export interface PairFormat {
  /** How many times wider and higher HR is than the LR picture, before any enlarging by `inputSize`. */
  readonly scale: number;
  /**
   * RGB, three channels; or luma alone, one channel of BT.601 in studio range (16..235) in bytes; see rgbToY.
   */
  readonly colors: "rgb" | "y";
  /** What networks get. "low": the small picture; "high": enlarged to HR's size by imresize, as for SRCNN. */
  readonly inputSize: "low" | "high";
}

/**
 * A picture in both sizes, with the same channels. HR is exactly `scale` times as wide and high as LR, or of
 * the same size if the format's inputSize is "high".
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
  /** How to make the small picture where there is none. Default: by imresize (Matlab's bicubic) alone. */
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
   * The files behind the pairs, which PatchLoader decodes on worker threads. Without files (for pictures made
   * by a program, say) it calls load() on its own thread.
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
 * Reads a pair. HR loses the few pixels at its right and bottom edge that exceed a multiple of `scale`. If
 * there is a file for LR, its sides must be those of HR / scale; where imresize would have rounded up (as in
 * DIV2K's X8) they may be one longer, and are cropped. Otherwise LR is made from HR. Grey files count as RGB
 * with equal channels.
 *
 * With colors "y", luma is rounded to bytes and LR is made by imresize from this one plane, as in the papers'
 * Matlab code (and not from RGB, which differs by a level here and there). An LR picture that has a file of
 * its own, or was degraded, is RGB and converted by itself. With inputSize "high", LR is then enlarged by
 * imresize and rounded to bytes once more.
 */
export async function loadPair(files: PairFiles, format: PairFormat): Promise<Pair> {
  const { scale, colors, inputSize } = format;
  const convert = colors === "y" ? lumaOf : (image: Image) => image;
  const uncropped = toRgb(await readImage(files.high));
  const { width, height } = uncropped;
  if (Math.min(width, height) < scale) {
    throw new DataError(
      `${files.high}: ${width}x${height} pixels are too few for scale ${scale}. Leave it out.`,
    );
  }
  const rgb = modcrop(uncropped, scale);
  const high = convert(rgb);
  let low: Image;
  if (files.low !== undefined) {
    low = convert(fitLow(toRgb(await readImage(files.low)), files.low, uncropped, files.high, scale));
  } else if (files.degradation) low = convert(await degrade(rgb, scale, files.degradation));
  else low = imresize(high, { width: high.width / scale, height: high.height / scale });
  return { name: files.name, low: inputSize === "high" ? imresize(low, scale) : low, high };
}

/**
 * The LR picture in the size that fits the uncropped HR picture: it may be a pixel wider and higher, and is
 * cropped then. Throws a DataError if it has any other size.
 */
export function fitLow(low: Image, lowPath: string, high: Image, highPath: string, scale: number): Image {
  const [width, height] = [Math.floor(high.width / scale), Math.floor(high.height / scale)];
  const fits = (side: number, highSide: number) =>
    side === Math.floor(highSide / scale) || side === Math.ceil(highSide / scale);
  if (!fits(low.width, high.width) || !fits(low.height, high.height)) {
    throw new DataError(
      `${lowPath} is ${low.width}x${low.height}, but at scale ${scale} the small version of ${highPath} ` +
        `(${high.width}x${high.height}) must be ${width}x${height}. ` +
        "Do both belong to the same picture and scale?",
    );
  }
  return low.width === width && low.height === height ? low : crop(low, 0, 0, width, height);
}

/**
 * The format that options ask for; by default RGB and small pictures. Throws a RangeError for values that are
 * not allowed. Scales are whole: an LR pixel stands for scale x scale pixels of HR.
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

/** Throws a RangeError unless there are options with a scale. */
export function checkPairOptions(caller: string, options: { readonly scale: number }): void {
  if (!isObject(options)) {
    throw new RangeError(`${caller}: options are an object such as { scale: 2 }, got ${quote(options)}.`);
  }
  checkArguments(caller, { scale: [options.scale, whole(1, 64)] });
}
