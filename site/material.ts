/**
 * What a training run learns from: pairs of a small picture and its original, and parts of them that are held
 * out, on which the network is measured.
 *
 * A picture alone makes a pair with its own small version. Files that belong together make one as they are: those
 * whose names differ only in words such as "LR", "HR", "low", "high" or "x2", whose sizes fit the scale, and which show
 * the same: cameras give the same names again. Of a picture in several sizes, the largest is the original.
 */
import { readSource } from "../src/index.ts";
import { crop, type Image, imresize, modcrop, psnr, toRgb, withoutAlpha } from "../src/picture/index.ts";
import type { FineTuneInput, MaterialFacts, TrainingFault } from "./messages.ts";
import { withEightBits } from "./pictures/eight-bits.ts";
import { pairStem } from "./pictures/pair-stem.ts";

/**
 * RGB. Colours are multiplied by alpha, as a network gets them when it enlarges; so nothing is learned from the
 * arbitrary colours of transparent pixels.
 */
export interface Pair {
  readonly low: Image;
  readonly high: Image;
  /** Of `high`, one channel; undefined if it is opaque. */
  readonly alpha?: Image;
}

export interface Material extends MaterialFacts {
  readonly training: readonly Pair[];
  readonly heldOut: readonly Pair[];
}

/** The shortest side of a picture that can be split, in LR pixels. */
const SHORTEST = 8;
/** Parts that are held out: how many at most, and their largest side in HR pixels. */
const HELD_OUT_PARTS = 4;
const HELD_OUT_SIDE = 256;
/** Of a larger picture, the middle is used. Stop waits while a picture is made small. */
const LARGEST_SIDE = 1536;
/** All pictures together: more would not fit into a browser's memory. */
const MAX_PIXELS = 100e6;
/** To see whether two pictures show the same, so many parts of them are compared, across and down. */
const SEEN_PARTS = 32;
/** Many pictures have the sky above and the ground below: so coarse, patterns tell nothing. */
const COARSE_PARTS = 4;
/** The least correlation of pictures that show the same, however badly. */
const LEAST_CORRELATION = 0.3;

function trainingFault(name: TrainingFault, message = ""): Error {
  return Object.assign(new Error(message), { name });
}

/** @throws an error named NothingToLearnFrom or OtherScale. */
export async function readMaterial(pictures: FineTuneInput["pictures"], scale: number): Promise<Material> {
  const { images, leftOut } = await readAll(pictures);
  const { pairs, singles, others } = await pairUp(images, scale);
  const fits = ({ image: { width, height } }: NamedImage) => Math.min(width, height) >= SHORTEST * scale;
  leftOut.push(...[...others, ...singles.filter((single) => !fits(single))].map(({ name }) => name));
  const usable = singles.filter(fits);
  const examples: Pair[] = [];
  for (const { high, low } of [...pairs, ...usable.map(({ image }) => ({ high: image, low: undefined }))]) {
    examples.push(pairOf(scale, high, low));
    await messagesIn();
  }
  if (examples.length === 0) throw trainingFault("NothingToLearnFrom");
  // Of many pictures, a few are enough to measure by; they are spread over the list.
  const every = Math.ceil(examples.length / HELD_OUT_PARTS);
  const halves = examples.map((pair, i) => (i % every === 0 ? split(pair, scale) : { training: pair }));
  const training = halves.map(({ training }) => training);
  return {
    training,
    heldOut: halves.flatMap((half) => ("heldOut" in half ? [half.heldOut] : [])),
    pairs: pairs.length,
    singles: usable.length,
    leftOut,
    pixels: training.reduce((sum, { low }) => sum + low.width * low.height, 0),
  };
}

/** Lets messages in, such as a request to stop. */
function messagesIn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

async function readAll(
  pictures: FineTuneInput["pictures"],
): Promise<{ images: NamedImage[]; leftOut: string[] }> {
  const images: NamedImage[] = [];
  const leftOut: string[] = [];
  let pixels = 0;
  for (const { name, image } of pictures) {
    const read = image instanceof Blob ? await readSource(image).catch(() => undefined) : image;
    if (read && pixels + read.width * read.height <= MAX_PIXELS) {
      pixels += read.width * read.height;
      images.push({ name, image: withEightBits(read) });
    } else leftOut.push(name);
  }
  return { images, leftOut };
}

/** What the names, sizes and contents of files tell. */
interface Groups {
  readonly pairs: readonly { readonly low: Image; readonly high: Image }[];
  readonly singles: readonly NamedImage[];
  /** Smaller versions of pairs' originals, by other scales. */
  readonly others: readonly NamedImage[];
}

/** @throws an error named OtherScale, if there are pairs and none fits. */
export async function pairUp(images: readonly NamedImage[], scale: number): Promise<Groups> {
  const byStem = new Map<string, NamedImage[]>();
  for (const picture of images) {
    const stem = pairStem(picture.name);
    byStem.set(stem, [...(byStem.get(stem) ?? []), picture]);
  }
  const pairs: { low: Image; high: Image }[] = [];
  const singles: NamedImage[] = [];
  const others: NamedImage[] = [];
  let otherScale: number | undefined;
  for (const group of byStem.values()) {
    const [{ image: high }, ...rest] = group.sort((a, b) => b.image.width - a.image.width);
    const smaller = rest.filter(
      ({ image }) => ratioOf(image, high) !== undefined && showTheSame(image, high),
    );
    if (rest.length > 0) await messagesIn();
    const low = smaller.find(({ image }) => ratioOf(image, high) === scale && isLarge(image));
    if (low) {
      pairs.push({ low: low.image, high });
      others.push(...smaller.filter((one) => one !== low));
      singles.push(...rest.filter((one) => !smaller.includes(one)));
      continue;
    }
    const ratios = smaller.map(({ image }) => ratioOf(image, high));
    const isOfOtherScale = ratios.length > 0 && ratios.length === rest.length && !ratios.includes(scale);
    if (isOfOtherScale) otherScale = ratios[0];
    else singles.push(...group);
  }
  if (pairs.length === 0 && otherScale !== undefined) throw trainingFault("OtherScale", `${otherScale}`);
  return { pairs, singles, others };
}

const isLarge = ({ width, height }: Image) => Math.min(width, height) >= SHORTEST;

/** How many times a picture fits into another one, in both directions; undefined if that is no whole number. */
function ratioOf(low: Image, high: Image): number | undefined {
  const ratio = high.width / low.width;
  return ratio > 1 && Number.isInteger(ratio) && high.height === low.height * ratio ? ratio : undefined;
}

function showTheSame(one: Image, other: Image): boolean {
  const [a, b] = [patternOf(one), patternOf(other)];
  const product = (c: readonly number[], d: readonly number[]) =>
    c.reduce((sum, value, i) => sum + value * d[i], 0);
  // Where there is no pattern, both are 0: nothing speaks against it.
  return product(a, b) >= LEAST_CORRELATION * Math.sqrt(product(a, a) * product(b, b));
}

/** A picture's parts, lighter or darker than what is around them. */
function patternOf(image: Image): number[] {
  const resize = (one: Image, side: number) => imresize(one, { width: side, height: side });
  const parts = resize(toRgb(withoutAlpha(image, "black")), SEEN_PARTS);
  const around = resize(resize(parts, COARSE_PARTS), SEEN_PARTS).data;
  return Array.from(parts.data, (value, i) => value - around[i]);
}

function pairOf(scale: number, original: Image, low?: Image): Pair {
  const side = Math.floor(LARGEST_SIDE / scale);
  if (low) {
    const [high, alpha] = [toRgb(withoutAlpha(original, "black")), alphaOf(original)];
    const pair = { high, alpha, low: toRgb(withoutAlpha(low, "black")) };
    return cut(pair, middleOf([0, 0, low.width, low.height], side), scale);
  }
  const middle = crop(original, ...middleOf([0, 0, original.width, original.height], side * scale));
  const whole = modcrop(middle, scale);
  const high = toRgb(withoutAlpha(whole, "black"));
  return { high, alpha: alphaOf(whole), low: shrink(high, scale) };
}

function shrink(high: Image, scale: number): Image {
  return imresize(high, { width: high.width / scale, height: high.height / scale });
}

/** Undefined if no pixel is transparent. */
function alphaOf({ width, height, channels, data }: Image): Image | undefined {
  if (channels % 2 === 1) return undefined;
  const alpha = data.filter((_, i) => i % channels === channels - 1);
  return alpha.every((value) => value === 255) ? undefined : { width, height, channels: 1, data: alpha };
}

/**
 * Holds a quarter of the picture out, at one end of its longer side: the end that bicubic interpolation restores
 * less well, for on an even area every method is as good. Measured is the middle of that quarter.
 */
function split(pair: Pair, scale: number): { training: Pair; heldOut: Pair } {
  const { width, height } = pair.low;
  const wide = width >= height;
  const length = Math.max(width, height);
  const quarter = Math.max(SHORTEST / 2, Math.round(length / 4));
  const along = (from: number, to: number): Box =>
    wide ? [from, 0, to - from, height] : [0, from, width, to - from];
  const ends = [along(0, quarter), along(length - quarter, length)].map((box) => {
    const part = cut(pair, middleOf(box, Math.floor(HELD_OUT_SIDE / scale)), scale);
    return { part, decibels: psnr(imresize(part.low, scale), part.high, { border: 0, channels: "y" }) };
  });
  const first = ends[0].decibels < ends[1].decibels;
  return {
    heldOut: ends[first ? 0 : 1].part,
    training: cut(pair, first ? along(quarter, length) : along(0, length - quarter), scale),
  };
}

/** Left, top, width, height, mostly in LR pixels. */
type Box = readonly [number, number, number, number];

function middleOf([x, y, width, height]: Box, side: number): Box {
  const [w, h] = [Math.min(width, side), Math.min(height, side)];
  return [x + Math.floor((width - w) / 2), y + Math.floor((height - h) / 2), w, h];
}

function cut({ low, high, alpha }: Pair, [x, y, w, h]: Box, scale: number): Pair {
  const large = [x * scale, y * scale, w * scale, h * scale] as const;
  return {
    low: crop(low, x, y, w, h),
    high: crop(high, ...large),
    alpha: alpha && crop(alpha, ...large),
  };
}
