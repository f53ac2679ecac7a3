import { type ReadImage, readWithWarning } from "../files/image-files.ts";
import { checkArguments, checkIsObject, checkNames, keysOf } from "../options/arguments.ts";
import { oneOf } from "../options/kinds.ts";
import { withoutAlpha } from "../picture/alpha.ts";
import { lumaOf } from "../picture/color.ts";
import { DataError } from "../picture/errors.ts";
import type { Size } from "../picture/image.ts";
import { crop, type Image, toRgb } from "../picture/image.ts";
import { imresize } from "../picture/imresize.ts";
import { type Degradation, type DegradationOptions, degrade } from "./degrade.ts";
import { aPairScale, type Cropped, croppedTo, fittingLow } from "./pair-sizes.ts";

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

/** The format alone, which may be sent to threads and saved: a dataset has functions besides. */
export function formatOnly({ scale, colors, inputSize }: PairFormat): PairFormat {
  return { scale, colors, inputSize };
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
  /**
   * What `degradation` was drawn from. A PatchLoader draws another one for every patch, so that a network sees
   * each picture in many states.
   */
  drawnFrom?: DegradationOptions;
}

/** The files of a pair: one or two. */
export function pathsOf({ high, low }: PairFiles): string[] {
  return low === undefined ? [high] : [high, low];
}

/** Picture pairs, decoded one at a time and only when asked for. */
export interface PairDataset extends PairFormat {
  /** Its name in logs, such as "DIV2K train X2". */
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
 * Reads a pair, cropped as readFitting says. Without a file for LR, it is made from HR. Grey files count as
 * RGB with equal channels.
 *
 * With colors "y", luma is rounded to bytes and LR is made by imresize from this one plane, as in the papers'
 * Matlab code (and not from RGB, which differs by a level here and there). An LR picture that has a file of
 * its own, or was degraded, is RGB and converted by itself. With inputSize "high", LR is then enlarged by
 * imresize and rounded to bytes once more.
 */
export async function loadPair(files: PairFiles, format: PairFormat): Promise<Pair> {
  const { high, low } = await readFitting(files, format.scale, readRgb);
  return { name: files.name, ...inFormat(high, low, format) };
}

/** The HR picture of a pair alone, in RGB, whose patches will be degraded. In place of LR stands `noPicture()`. */
export async function loadHigh({ name, high }: PairFiles): Promise<Pair> {
  return { name, low: noPicture(), high: (await readRgb(high)).image };
}

/** A picture without pixels. Each has memory of its own: what is transferred to another thread is lost here. */
export function noPicture(): Image {
  return { width: 0, height: 0, channels: 3, data: new Uint8Array(0) };
}

/** Two RGB pictures as networks get them; without LR, imresize makes it. */
export function inFormat(
  high: Image,
  low: Image | undefined,
  { scale, colors, inputSize }: PairFormat,
): Pick<Pair, "low" | "high"> {
  const convert = colors === "y" ? lumaOf : (image: Image) => image;
  const large = convert(high);
  const small = low
    ? convert(low)
    : imresize(large, { width: large.width / scale, height: large.height / scale });
  return { low: inputSize === "high" ? imresize(small, scale) : small, high: large };
}

/** A pair, cropped: HR is `scale` times as wide and high as LR, if that is there. */
export interface FittingPair {
  readonly high: Image;
  /** LR from its file, or made by the degradation. Undefined where imresize is to make it. */
  readonly low: Image | undefined;
  readonly cropped: Cropped;
}

/**
 * Reads a picture as networks learn from it. Grey is repeated; a transparent picture is put on white, as the
 * colours that it hides may be anything; of 16 bits per sample the upper 8 are taken.
 */
async function readRgb(path: string, colors?: "srgb"): Promise<ReadImage> {
  const read = await readWithWarning(path, colors);
  return { ...read, image: toRgb(withoutAlpha(read.image, "white")) };
}

/**
 * Reads the files of a pair and crops what does not fit: one rule for training and measuring. HR loses what
 * exceeds a multiple of `scale`, or of the larger number by whose multiples LR's file was made (see
 * fittingLow). An LR picture that was rounded up loses a row or a column.
 *
 * @param read reads a file as RGB.
 * @throws DataError that names the files if their sizes do not belong together.
 */
export async function readFitting(
  files: PairFiles,
  scale: number,
  read: (path: string, colors?: "srgb") => Promise<ReadImage>,
): Promise<FittingPair> {
  const { large, small } = await readInSameColors(files, read);
  const size = fittingLow(files, large, small, scale);
  const high = cropTo(large, { width: size.width * scale, height: size.height * scale });
  const low = small && cropTo(small, size);
  const degraded = !low && files.degradation ? await degrade(high, scale, files.degradation) : undefined;
  return { high, low: low ?? degraded, cropped: croppedTo(size, large, small, scale) };
}

/** Formats whose colours stay as they are stored, and others: if one of a pair is in sRGB, the other one becomes it. */
async function readInSameColors(
  { high, low }: PairFiles,
  read: (path: string, colors?: "srgb") => Promise<ReadImage>,
): Promise<{ large: Image; small?: Image }> {
  const large = await read(high);
  if (low === undefined) return { large: large.image };
  const small = await read(low);
  const again = async (one: ReadImage, path: string) =>
    large.isConverted === small.isConverted || one.isConverted ? one : read(path, "srgb");
  return { large: (await again(large, high)).image, small: (await again(small, low)).image };
}

/** The top left part of a picture. */
function cropTo(image: Image, { width, height }: Size): Image {
  return image.width === width && image.height === height ? image : crop(image, 0, 0, width, height);
}

/**
 * The format that the options of a function ask for; by default RGB and small pictures. Scales are whole: an LR
 * pixel stands for scale x scale pixels of HR. At scale 1, LR is a degraded picture of the same size.
 *
 * @param others the names of the options that the function has besides.
 * @throws RangeError that names `caller` if there are no options, or they have other names or values.
 */
export function pairFormat(
  caller: string,
  options: Partial<PairFormat> & { readonly scale: number },
  others: readonly string[],
): PairFormat {
  checkIsObject(caller, options, "such as { scale: 2 }");
  checkNames(caller, options, [
    ...keysOf<PairFormat>({ scale: true, colors: true, inputSize: true }),
    ...others,
  ]);
  const { scale, colors = "rgb", inputSize = "low" } = options;
  checkArguments(caller, {
    scale: [scale, aPairScale],
    colors: [colors, oneOf("rgb", "y")],
    inputSize: [inputSize, oneOf("low", "high")],
  });
  return { scale, colors, inputSize };
}
