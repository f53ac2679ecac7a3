/** A wanted size in pixels: what a picture becomes, by which scale, and its rows resized on the way. */
import { describe, expect, test } from "vitest";
import type { Image, Samples } from "../../src/picture/image.ts";
import { imresizePlane } from "../../src/picture/imresize.ts";
import { toLevel } from "../../src/picture/levels.ts";
import { RowResizer, scaleFor, sizeWithin } from "../../src/picture/target-size.ts";
import { Random } from "../../src/tensor/random.ts";

const picture = { width: 400, height: 300 };

test("the largest size that fits, with the same proportions", () => {
  expect(sizeWithin(picture, { width: 1000 })).toEqual({ width: 1000, height: 750 });
  expect(sizeWithin(picture, { height: 1000 })).toEqual({ width: 1333, height: 1000 });
  expect(sizeWithin(picture, { width: 1000, height: 500 })).toEqual({ width: 667, height: 500 });
  expect(sizeWithin({ width: 3000, height: 1 }, { width: 100 })).toEqual({ width: 100, height: 1 });
});

test("the smallest scale that makes a picture large enough", () => {
  const scales = [4, 2, 3];
  expect(scaleFor(picture, { width: 100 }, scales)).toBe(2);
  expect(scaleFor(picture, { width: 800 }, scales)).toBe(2);
  expect(scaleFor(picture, { width: 801 }, scales)).toBe(3);
  expect(scaleFor(picture, { width: 9000, height: 1200 }, scales)).toBe(4);
  expect(scaleFor(picture, { width: 1601 }, scales)).toBeUndefined();
});

function random(
  channels: Image["channels"],
  { width, height } = { width: 23, height: 17 },
): Image<Uint16Array> {
  const numbers = new Random(1);
  const data = Uint16Array.from({ length: width * height * channels }, () => numbers.int(65536));
  return { width, height, channels, data };
}

/** Rows go in `step` at a time. */
function resized(image: Image<Uint16Array>, to: typeof picture, depth: 8 | 16, step: number): Samples {
  const resizer = new RowResizer(image, to);
  const { width, height, channels, data } = image;
  const parts: number[] = [];
  for (let top = 0; top < height; top += step) {
    const rows = data.subarray(top * width * channels, (top + step) * width * channels);
    const part = { width, channels, height: rows.length / width / channels, data: rows };
    parts.push(...resizer.push(part, depth));
  }
  return depth === 8 ? Uint8Array.from(parts) : Uint16Array.from(parts);
}

const planeOf = ({ channels, data }: Image<Uint16Array>, c: number) =>
  Float64Array.from(data.filter((_, i) => i % channels === c));

describe("a picture row by row", () => {
  const to = { width: 13, height: 11 };

  test.each([1, 3] as const)("%i channels: each as imresize does with real numbers", (channels) => {
    const image = random(channels);
    const wanted = new Uint16Array(to.width * to.height * channels);
    for (let c = 0; c < channels; c++) {
      const plane = imresizePlane(planeOf(image, c), image, to);
      for (const [i, value] of plane.entries()) wanted[i * channels + c] = toLevel(value, 65535);
    }
    // The order of the sums is another one.
    const got = resized(image, to, 16, 1);
    expect(got.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries()) expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(1);
  });

  test("in strips of any height it is the same", () => {
    for (const step of [2, 5, 17])
      expect(resized(random(4), to, 8, step)).toEqual(resized(random(4), to, 8, 1));
  });

  test("colours of pixels that nobody sees do not bleed, and are kept", () => {
    const image = random(4, { width: 8, height: 8 });
    // The left half is opaque grey, the right one transparent white.
    for (let i = 0; i < 64; i++)
      image.data.set(i % 8 < 4 ? [30000, 30000, 30000, 65535] : [65535, 65535, 65535, 0], 4 * i);
    const got = resized(image, { width: 6, height: 6 }, 16, 8);
    for (let i = 0; i < 36; i++) {
      const [red, , , alpha] = got.subarray(4 * i);
      if (alpha > 0) expect(Math.abs(red - 30000)).toBeLessThanOrEqual(1);
    }
    expect(got.subarray(20, 24)).toEqual(Uint16Array.of(65535, 65535, 65535, 0));
  });
});
