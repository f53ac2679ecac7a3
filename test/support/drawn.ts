/** Pictures from formulas; nothing here needs Node. */
import type { Image } from "../../src/picture/image.ts";
import { Random } from "../../src/tensor/random.ts";

/** A picture of independent random bytes. */
export function noise(width: number, height: number, channels: Image["channels"], seed = 1): Image {
  const random = new Random(seed);
  const data = Uint8Array.from({ length: width * height * channels }, () => random.int(256));
  return { width, height, channels, data };
}

/** A picture in which every byte is a function of its position. */
export function drawn(
  width: number,
  height: number,
  channels: Image["channels"],
  value: (x: number, y: number, c: number) => number,
): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return value(pixel % width, Math.floor(pixel / width), i % channels);
  });
  return { width, height, channels, data };
}

/** How many samples of two pictures differ; NaN if their sizes differ. */
export function differing(a: Image, b: Image): number {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) return Number.NaN;
  return a.data.reduce((count, v, i) => count + (v === b.data[i] ? 0 : 1), 0);
}
