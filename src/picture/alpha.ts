/**
 * Transparency. Files store a pixel's colour beside its alpha, even where alpha is 0 and the colour is
 * arbitrary, usually black. Interpolating such colours would draw a black seam around every transparent edge.
 * So colours are multiplied by alpha first: those of transparent pixels become 0, and the others count as far
 * as they are seen. Afterwards they are divided by alpha again (Porter and Duff 1984).
 */
import { ArgumentError } from "../options/arguments.ts";
import { quote } from "../options/kinds.ts";
import { checkImage, type Image, type Samples, zerosLike } from "./image.ts";
import { toLevel, whiteOf } from "./levels.ts";

/** Keep transparency, drop it as if all were opaque, or put the picture on white or black. */
export const alphaChoices = ["keep", "drop", "white", "black"] as const;
export type AlphaChoice = (typeof alphaChoices)[number];

/** The picture that is to be enlarged. Throws a RangeError, for `caller`, if there is no such choice. */
export function withoutAlpha<S extends Samples>(
  image: Image<S>,
  choice: AlphaChoice,
  caller = "withoutAlpha",
): Image<S> {
  if (!alphaChoices.includes(choice)) {
    throw new ArgumentError(caller, `alpha must be ${alphaChoices.join(", ")}, got ${quote(choice)}.`);
  }
  checkImage(image, caller);
  const { channels, data } = image;
  if (choice === "keep" || channels === 1 || channels === 3) return image;
  const white = whiteOf(data);
  const ground = choice === "white" ? white : 0;
  const colors = (channels - 1) as 1 | 3;
  const opaque = zerosLike(data, image.width * image.height * colors);
  for (let from = 0, to = 0; to < opaque.length; from += channels) {
    const alpha = choice === "drop" ? 1 : data[from + colors] / white;
    for (let c = 0; c < colors; c++, to++) {
      opaque[to] = toLevel(alpha * data[from + c] + (1 - alpha) * ground, white);
    }
  }
  return { ...image, channels: colors, data: opaque };
}

/** The picture of a file that stores colours multiplied by their alpha, as others store it. */
export function dividedByAlpha<S extends Samples>(image: Image<S>): Image<S> {
  const { channels, data } = image;
  if (channels % 2 === 1) return image;
  const white = whiteOf(data);
  const straight = zerosLike(data, data.length);
  for (let i = 0; i < data.length; i++) {
    const alpha = data[i - (i % channels) + channels - 1];
    const isAlpha = i % channels === channels - 1;
    straight[i] = isAlpha || alpha === 0 ? data[i] : toLevel((data[i] * white) / alpha, white);
  }
  return { ...image, data: straight };
}

/** A picture without alpha, of which only a part is there: the rest becomes transparent. */
export function transparentAround<S extends Samples>(
  image: Image<S>,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
): Image<S> {
  const { channels, data } = image;
  const white = whiteOf(data);
  const result = zerosLike(data, image.width * image.height * (channels + 1));
  const [right, bottom] = [Math.min(left + width, image.width), Math.min(top + height, image.height)];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const pixel = y * image.width + x;
      for (let c = 0; c < channels; c++) result[pixel * (channels + 1) + c] = data[pixel * channels + c];
      result[pixel * (channels + 1) + channels] = white;
    }
  }
  return { ...image, channels: (channels + 1) as 2 | 4, data: result };
}

/** Whether any pixel is not opaque. */
export function isTransparent(image: Image<Samples>): boolean {
  const { channels, data } = image;
  if (channels % 2 === 1) return false;
  const opaque = whiteOf(data);
  for (let i = channels - 1; i < data.length; i += channels) if (data[i] !== opaque) return true;
  return false;
}
