/**
 * What the samples of a TIFF file mean, where libvips takes them for something else: RGB under the name of grey, and
 * luma and chroma that are not packed as JPEG.
 */
import type { Image, Samples } from "../picture/image.ts";
import { toLevel, whiteOf } from "../picture/levels.ts";
import { Directories, RATIONAL, tags } from "./directories.ts";
import type { Read } from "./read.ts";

/** Numbers of `tags.photometric`: what the colours of a pixel are. */
const [RGB, Y_CB_CR] = [2, 6];

/** Values of `tags.extraSamples`: alpha by which the colours are multiplied, and other alpha. */
const [ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA] = [1, 2];

/** A number of `tags.compression`. */
const JPEG = 7;

/** More values than any of the tags here has. */
const MOST_BYTES = 2 ** 10;

/** The numbers of a tag in the first directory, wherever they lie; none without the tag, or if it is damaged. */
function numbersIn(read: Read, tag: number): readonly number[] {
  try {
    // The first directory, wherever that lies, right behind the header.
    const header = read(0, 16);
    const near = new Directories(Buffer.concat([header, read(new Directories(header).first, 2 ** 16)]));
    const place = near.placeOf(header.length, tag);
    if (place === undefined || place.size > MOST_BYTES) return [];
    if (place.isWithin) return numbersOf(near, place);
    const far = new Directories(Buffer.concat([header, read(place.at, place.size)]));
    return numbersOf(far, { ...place, at: header.length });
  } catch {
    return []; // no directory is where it should be
  }
}

type Values = Parameters<Directories["values"]>[0];

/** Whole numbers, or fractions. */
function numbersOf(file: Directories, { type, count, at }: Values): number[] {
  if (type !== RATIONAL) return file.values({ type, count, at });
  const places = Array.from({ length: count }, (_, i) => at + 8 * i);
  return places.map((place) => file.uint(place, 4) / file.uint(place + 4, 4));
}

/** Whether a TIFF file has a channel besides its colours of which it does not say that it is transparency. */
export function hasUnspecifiedChannel(read: Read): boolean {
  const extra = numbersIn(read, tags.extraSamples);
  return extra.length === 1 && extra[0] === 0;
}

/**
 * What the last of 3 or 4 channels is in a file that calls its picture grey. Programs for maps and for science store
 * RGB so. "unknown" if alpha stands where a colour should be.
 */
export function lastOfGreyChannels(read: Read, channels: number): "color" | "alpha" | "other" | "unknown" {
  const isAlpha = (extra: number) => extra === ASSOCIATED_ALPHA || extra === UNASSOCIATED_ALPHA;
  const extras = numbersIn(read, tags.extraSamples).map(isAlpha);
  const last = channels === 4 && extras.pop();
  if (extras.includes(true)) return "unknown";
  if (channels === 3) return "color";
  return last ? "alpha" : "other";
}

/**
 * The same file, which calls its picture RGB. Programs that store bands so mean no negative, whichever grey they name:
 * with 0 for black, or for white.
 */
export function asRgb(bytes: Uint8Array): Uint8Array {
  const file = new Directories(Uint8Array.from(bytes));
  file.setShort(file.first, tags.photometric, RGB);
  return file.bytes;
}

/** How luma and chroma of a file are meant. */
export interface YCbCr {
  /** What red, green and blue add to luma. */
  readonly luma: readonly number[];
  /** Samples for black and white of luma, and for none and the most of each chroma. */
  readonly range: readonly number[];
}

/**
 * How a file means luma and chroma that libvips gives as if they were RGB; undefined if it converts them itself, as
 * it does those that are packed as JPEG, and those of which pixels share chroma.
 *
 * @throws RangeError for numbers by which nothing can be converted
 */
export function yCbCrOf(read: Read, depth: 8 | 16): YCbCr | undefined {
  const [photometric] = numbersIn(read, tags.photometric);
  if (photometric !== Y_CB_CR) return undefined;
  const [compression] = numbersIn(read, tags.compression);
  const [across = 2, down = 2] = numbersIn(read, tags.yCbCrSubsampling);
  if (compression === JPEG || across !== 1 || down !== 1) return undefined;
  const luma = numbersIn(read, tags.yCbCrCoefficients);
  const stated = numbersIn(read, tags.referenceBlackWhite);
  const [white, none] = [2 ** depth - 1, 2 ** (depth - 1)];
  const usual = [0, white, none, white, none, white];
  // Programs write the usual numbers of 8 bits beside samples of 16, too.
  const isStated = stated.length > 0 && !(depth === 16 && Math.max(...stated) <= 255);
  return checkYCbCr({
    luma: luma.length > 0 ? luma : [0.299, 0.587, 0.114],
    range: isStated ? stated : usual,
  });
}

function checkYCbCr(yCbCr: YCbCr): YCbCr {
  const { luma, range } = yCbCr;
  const areShares = luma.length === 3 && luma.every((share) => share > 0 && share < 1);
  if (!areShares) throw new RangeError(`YCbCrCoefficients ${luma.join(", ")}`);
  const areRanges = range.length === 6 && [0, 2, 4].every((i) => range[i + 1] > range[i]);
  if (!areRanges) throw new RangeError(`ReferenceBlackWhite ${range.join(", ")}`);
  return yCbCr;
}

/** Luma and chroma as RGB: TIFF 6.0, sections 20 and 21. */
export function rgbOfYCbCr(image: Image<Samples>, { luma, range }: YCbCr): Image<Samples> {
  const { data } = image;
  const white = whiteOf(data);
  const [red, green, blue] = luma;
  const half = (white - 1) / 2;
  const [scale, blueScale, redScale] = [white, half, half].map(
    (most, i) => most / (range[2 * i + 1] - range[2 * i]),
  );
  const rgb = new (data instanceof Uint8Array ? Uint8Array : Uint16Array)(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const y = (data[i] - range[0]) * scale;
    const r = y + (data[i + 2] - range[4]) * redScale * (2 - 2 * red);
    const b = y + (data[i + 1] - range[2]) * blueScale * (2 - 2 * blue);
    rgb[i] = toLevel(r, white);
    rgb[i + 1] = toLevel((y - red * r - blue * b) / green, white);
    rgb[i + 2] = toLevel(b, white);
  }
  return { ...image, data: rgb };
}
