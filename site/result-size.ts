/** Which results fit into the page's memory. */
import { type Image, type Samples, sizeWithin, type TargetSize } from "../src/picture/index.ts";
import { dimensions, timesScale } from "./size.ts";
import { say } from "./worker-language.ts";

/** The most bytes of a result's samples. */
const MAX_RESULT = 2 ** 30;

/** The least that a network enlarges by. */
const SMALLEST_SCALE = 2;

/** @throws RangeError for a picture whose result would be too large, with what helps */
export function checkResultSize(image: Image<Samples>, scale: number, size?: TargetSize): void {
  const { channels, data } = image;
  const { width, height } = size ? sizeWithin(image, size) : timesScale(image, scale);
  if (width * height * channels * data.BYTES_PER_ELEMENT <= MAX_RESULT) return;
  const byScale = scale > SMALLEST_SCALE ? say.smallerScale : say.sizeInPixels;
  throw new RangeError(say.tooLarge(dimensions({ width, height }), size ? say.fewerPixels : byScale));
}
