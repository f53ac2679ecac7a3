import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import * as evaluation from "../../src/evaluate/index.ts";
import * as main from "../../src/node.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import * as picture from "../../src/picture/index.ts";
import { drawn, noise, temporaryFolder } from "../data/support.ts";

const folder = temporaryFolder();
const small = { width: 12, height: 12 };
const inverse = { hflip: true, vflip: false, transpose: false };
const measured = { border: 0, channels: "rgb" } as const;
const luma = { border: 0, channels: "y" } as const;

/** Functions that say the same of a picture, and of the same in 16 bits. */
const sameOf: Record<string, (image: Image<Samples>) => unknown> = {
  damageOf: (image) => picture.damageOf(image),
  psnr: (image) => [measured, luma].map((options) => picture.psnr(image, shiftedBy8(image), options)),
  ssim: (image) => [measured, luma].map((options) => picture.ssim(image, shiftedBy8(image), options)),
  rgbToY: (image) => [...picture.rgbToY(image)],
  rgbToYcbcr: (image) => [...picture.rgbToYcbcr(image)],
  toPlanar: (image) => [...picture.toPlanar(image)],
  encodePng: async (image) => (await main.readSource(await data.encodePng(image))).data.length,
};

/** Functions that give a picture of as many bits. */
const pictureOf: Record<string, (image: Image<Samples>) => Image<Samples> | Promise<Image<Samples>>> = {
  crop: (image) => picture.crop(image, 1, 2, 12, 11),
  modcrop: (image) => picture.modcrop(image, 5),
  toRgb: (image) => picture.toRgb(image),
  toRgbOfGrey: (image) => picture.toRgb(picture.lumaOf(image)),
  withoutAlpha: (image) => picture.withoutAlpha({ ...image, width: 18, channels: 4 }, "white"),
  lumaOf: (image) => picture.lumaOf(image),
  imresize: (image) => picture.imresize(image, 0.5),
  imresizeLarger: (image) => picture.imresize(image, { width: 30, height: 24 }),
  imresizePart: (image) => picture.imresizePart(image, small, { left: 1, top: 2, width: 8, height: 9 }),
  readSource: (image) => main.readSource(image),
  writePng: async (image) => {
    const path = join(folder, `${image.data.BYTES_PER_ELEMENT}.png`);
    await data.writePng(path, image);
    return main.readSource(path);
  },
};

/** Functions of bytes alone. */
const ofBytes: Record<string, (image: Image) => unknown> = {
  copyPatch: (image) => picture.copyPatch(new Float32Array(3 * 64), 0, image, 0, 0, 8, inverse),
  degrade: (image) =>
    data.degrade(image, 2, data.drawDegradation({ seed: 1, noise: 3 }, 0, 2) as data.Degradation),
};

/** For a browser's canvas, and tested there. */
const elsewhere = ["toImageData"];

const bytes = noise(24, 24, 3);
const deep = { ...bytes, data: Uint16Array.from(bytes.data, (value) => 257 * value) };

/** One level of 8 bits lighter in every sample below the highest levels. */
function shiftedBy8({ width, height, channels, data }: Image<Samples>): Image<Samples> {
  const unit = data.BYTES_PER_ELEMENT === 1 ? 1 : 257;
  const shifted = data.map((value) => (value < 250 * unit ? value + unit : value));
  return { width, height, channels, data: shifted };
}

describe("pictures of 16 bits", () => {
  test.each(Object.entries(sameOf))("%s says what it says of 8 bits", async (_, call) => {
    const [got, wanted] = [await call(deep), await call(bytes)];
    const values = (value: unknown) => JSON.parse(JSON.stringify(value), (_, v) => near(v));
    expect(values(got)).toEqual(values(wanted));
  });

  test.each(Object.entries(pictureOf))("%s gives 16 bits", async (_, call) => {
    const [got, wanted] = [await call(deep), await call(bytes)];
    expect(got.data.BYTES_PER_ELEMENT).toBe(2);
    expect({ ...got, data: 0 }).toEqual({ ...wanted, data: 0 });
    const most = Math.max(...Array.from(got.data, (value, i) => Math.abs(value - 257 * wanted.data[i])));
    expect(most).toBeLessThanOrEqual(257); // bytes are rounded after each of two passes
  });

  test.each(Object.entries(ofBytes))("%s refuses them, and says what to do", async (name, call) => {
    await call(bytes);
    const message = new RegExp(
      `^${name}: takes pictures of 8 bits per sample, .* fromPlanar\\(toPlanar\\(image\\)`,
    );
    await expect(async () => call(deep as unknown as Image)).rejects.toThrow(message);
  });

  test("metrics refuse to compare 8 bits and 16", () => {
    for (const metric of [picture.psnr, picture.ssim]) {
      expect(() => metric(bytes, deep, measured)).toThrow(
        /one picture has 8 bits per sample and the other 16; convert/,
      );
    }
  });

  test("metrics count single levels of 16 bits", () => {
    const flat = (level: number) => ({ ...deep, data: deep.data.map(() => level) });
    expect(picture.psnr(flat(1000), flat(1001), measured)).toBeCloseTo(20 * Math.log10(65535), 6);
    expect(picture.psnr(flat(1000), flat(1001), { ...luma, roundY: true })).toBeCloseTo(
      20 * Math.log10(65535),
      6,
    );
    expect(picture.lumaOf(flat(65535)).data[0]).toBe(257 * 235);
  });

  test("every public function that takes a picture is among these", () => {
    const exported = new Set([main, picture, data, evaluation].flatMap((entry) => Object.keys(entry)));
    const root = fileURLToPath(new URL("../../src", import.meta.url));
    const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".ts"),
    );
    const found = paths.flatMap((path) =>
      [...readFileSync(join(root, path), "utf8").matchAll(/^export (?:async )?function (\w+)(.*?)\n}/gms)]
        .filter(([, , text]) => /\w: Image\b(?!\[)/.test(text.split(/\):|\) \{/)[0]))
        .map(([, name]) => name),
    );
    const known = [sameOf, pictureOf, ofBytes].flatMap((table) => Object.keys(table));
    const missing = found.filter((name) => exported.has(name) && !known.includes(name));
    expect(missing).toEqual(elsewhere);
  });
});

/** Numbers without what the order of additions changes. */
function near(value: unknown): unknown {
  return typeof value === "number" ? Number(value.toFixed(5)) : value;
}

test("what a program draws in 16 bits is written as it is", async () => {
  const image = drawn(5, 3, 3, (x, y, c) => 11 * x + y + c);
  const exact = { ...image, data: Uint16Array.from(image.data, (value, i) => (257 * value + i) % 65536) };
  const read = await main.readSource(await data.encodePng(exact));
  expect(read.data).toEqual(exact.data);
});
