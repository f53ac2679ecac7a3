/** What damageOf finds in pictures whose past is known. docs/damage.md has the rates over many pictures. */
import sharp, { type JpegOptions } from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng, readImage } from "../../src/files/image-files.ts";
import { damageOf } from "../../src/picture/damage.ts";
import { crop, type Image } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { jpegQualityOfFile } from "../../src/picture/jpeg-quality.ts";
import { Random } from "../../src/tensor/random.ts";
import { photograph } from "../data/support.ts";
import { drawn } from "../support/drawn.ts";

const names = ["allium-oreophilum", "nagasaki-boats", "locomotion-house-cat"] as const;
/** Shrunk, they no longer show that they are JPEG files. */
let clean: Image[];

beforeAll(async () => {
  clean = await Promise.all(
    names.map(async (name) => {
      const image = await readImage(photograph(name));
      return imresize(crop(image, 0, 0, Math.min(800, image.width), Math.min(600, image.height)), 0.5);
    }),
  );
});

const jpegOf = async (image: Image, quality: number, options: JpegOptions = {}) =>
  new Uint8Array(
    await sharp(await encodePng(image))
      .jpeg({ quality, ...options })
      .toBuffer(),
  );
const decoded = async (file: Uint8Array): Promise<Image> => {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    channels: info.channels as 1 | 3,
    data: new Uint8Array(data),
  };
};
function withNoise(image: Image, sigma: number): Image {
  const random = new Random(7);
  const data = image.data.map((value) =>
    Math.max(0, Math.min(255, Math.round(value + sigma * random.normal()))),
  );
  return { ...image, data };
}

test("clean photographs show nothing", () => {
  for (const image of clean) {
    const { jpegQuality, noise, steepness } = damageOf(image);
    expect(jpegQuality).toBeUndefined();
    expect(noise).toBeLessThan(1.5);
    expect(steepness).toBeGreaterThan(0.45);
  }
});

describe("JPEG", () => {
  test.each([1, 10, 30, 49, 50, 62, 75, 90, 95, 100])("a file's table: quality %i", async (quality) => {
    expect(jpegQualityOfFile(await jpegOf(clean[0], quality))).toBe(quality);
    expect(jpegQualityOfFile(await jpegOf(clean[0], quality, { progressive: true }))).toBe(quality);
  });

  test("a grey file's, and one with values of 16 bits", async () => {
    const grey = await sharp(await encodePng(clean[0]))
      .greyscale()
      .jpeg({ quality: 40 })
      .toBuffer();
    expect(jpegQualityOfFile(grey)).toBe(40);
    const at = grey.indexOf(Buffer.of(0xff, 0xdb));
    const wide = Buffer.concat([
      grey.subarray(0, at),
      Buffer.of(0xff, 0xdb, 0, 2 + 1 + 128, 0x10),
      ...Array.from(grey.subarray(at + 5, at + 5 + 64), (step) => Buffer.of(0, step)),
      grey.subarray(at + 2 + 67),
    ]);
    expect(jpegQualityOfFile(wide)).toBe(40);
  });

  test("other files, and those that end too early, have none", async () => {
    const file = await jpegOf(clean[0], 60);
    expect(jpegQualityOfFile(await encodePng(clean[0]))).toBeUndefined();
    expect(jpegQualityOfFile(new Uint8Array())).toBeUndefined();
    const end = Buffer.from(file).indexOf(Buffer.of(0xff, 0xdb)) + 40;
    for (const length of [2, 4, 20, end]) expect(jpegQualityOfFile(file.subarray(0, length))).toBeUndefined();
  });

  test.each([30, 60, 75, 85])("pixels that were a file of quality %i", async (quality) => {
    for (const image of clean) {
      const pixels = await decoded(await jpegOf(image, quality));
      expect(Math.abs(damageOf(pixels).jpegQuality! - quality)).toBeLessThanOrEqual(3);
      // The grid of blocks is elsewhere.
      const part = crop(pixels, 3, 5, pixels.width - 7, pixels.height - 9);
      expect(Math.abs(damageOf(part).jpegQuality! - quality)).toBeLessThanOrEqual(3);
    }
  });

  test("the file's table wins over the pixels; resizing removes the traces", async () => {
    const pixels = await decoded(await jpegOf(clean[1], 60));
    expect(damageOf(pixels, 80).jpegQuality).toBe(80);
    const { width, height } = pixels;
    const resized = imresize(pixels, { width: Math.round(0.8 * width), height: Math.round(0.8 * height) });
    expect(damageOf(resized).jpegQuality).toBeUndefined();
  });
});

describe("noise", () => {
  test.each([4, 10, 25])("of %i levels", (sigma) => {
    // The cat's fur, which is all over the third, hides slight noise.
    for (const image of clean.slice(0, sigma < 10 ? 2 : 3)) {
      const { noise } = damageOf(withNoise(image, sigma));
      expect(noise / sigma).toBeGreaterThan(0.8);
      expect(noise / sigma).toBeLessThan(1.25);
    }
  });

  test("of 16 bits, in levels of 8", () => {
    const image = withNoise(clean[0], 10);
    const deep = { ...image, data: Uint16Array.from(image.data, (value) => 257 * value) };
    expect(damageOf(deep).noise).toBeCloseTo(damageOf(image).noise, 6);
    expect(damageOf(deep).steepness).toBe(damageOf(image).steepness);
  });

  test("not in what is drawn: plain areas, stripes, a gradient, text-like blocks", () => {
    const random = new Random(3);
    const glyphs = Uint8Array.from({ length: 40 * 40 }, () => (random.int(3) === 0 ? 30 : 240));
    const pictures = [
      drawn(256, 256, 3, () => 200),
      drawn(256, 256, 3, (x) => (x % 7 < 3 ? 40 : 220)),
      drawn(256, 256, 3, (x, y, c) => 20 + ((x + y) >> 2) + c),
      drawn(320, 320, 3, (x, y) => (y % 16 < 9 && x % 3 < 2 ? glyphs[(y >> 3) * 40 + (x >> 3)] : 240)),
    ];
    for (const image of pictures) {
      const { noise, jpegQuality } = damageOf(image);
      expect(noise).toBeLessThan(1);
      expect(jpegQuality).toBeUndefined();
    }
  });
});

test("blur: the steepest edges say how much", async () => {
  for (const image of clean) {
    const blurred = async (sigma: number) =>
      damageOf(
        await decoded(
          new Uint8Array(
            await sharp(await encodePng(image))
              .blur(sigma)
              .png()
              .toBuffer(),
          ),
        ),
      );
    const [slight, strong] = [await blurred(1.2), await blurred(2)];
    expect(slight.steepness).toBeLessThan(0.42);
    expect(strong.steepness).toBeLessThan(0.3);
  }
});

test("what transparency hides is no damage", () => {
  const random = new Random(4);
  for (const image of clean) {
    const veiled = (hidden: () => number): Image => {
      const data = new Uint8Array(image.width * image.height * 4);
      for (let i = 0; i < image.width * image.height; i++) {
        const isSeen = i % image.width < image.width / 3;
        for (let c = 0; c < 3; c++) data[4 * i + c] = isSeen ? image.data[3 * i + c] : hidden();
        data[4 * i + 3] = isSeen ? 255 : 0;
      }
      return { ...image, channels: 4, data };
    };
    const noisy = damageOf(veiled(() => 128 + Math.round(20 * random.normal())));
    expect(noisy).toEqual(damageOf(veiled(() => 255)));
  }
});

test("the smallest pictures show nothing, and wrong arguments are refused", () => {
  expect(damageOf(drawn(1, 1, 1, () => 9))).toEqual({ noise: 0 });
  expect(damageOf(drawn(17, 3, 4, (x) => 9 * x))).toEqual({ noise: 0 });
  expect(() => damageOf({} as Image)).toThrow("damageOf: a picture is");
  expect(() => damageOf(clean[0], 0)).toThrow(RangeError);
});
