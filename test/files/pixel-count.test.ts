import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { openFolder } from "../../src/data/folder.ts";
import { findPictures } from "../../src/evaluate/index.ts";
import { writePng } from "../../src/files/image-files.ts";
import { pixelCountOf } from "../../src/files/pixel-count.ts";
import { noise, temporaryFolder } from "../data/support.ts";

const folder = temporaryFolder();

describe("pixelCountOf", () => {
  const picture = () => sharp({ create: { width: 37, height: 21, channels: 3, background: "#a52" } });
  const bmp = Buffer.alloc(54 + 37 * 3 * 21 + 21);
  bmp.write("BM");
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, 37],
    [22, 21],
  ])
    bmp.writeUInt32LE(value, at);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  const files: Record<string, () => Promise<Uint8Array> | Uint8Array> = {
    png: () => picture().png().toBuffer(),
    jpg: () =>
      picture()
        .jpeg()
        .withExif({ IFD0: { Copyright: "x".repeat(9000) } })
        .toBuffer(),
    "progressive.jpg": () => picture().jpeg({ progressive: true }).toBuffer(),
    "lossy.webp": () => picture().webp().toBuffer(),
    "lossless.webp": () => picture().webp({ lossless: true }).toBuffer(),
    "alpha.webp": () => picture().ensureAlpha(0.5).webp().toBuffer(),
    tif: () => picture().tiff({ compression: "none" }).toBuffer(),
    "big.tif": () => picture().tiff({ bigtiff: true }).toBuffer(),
    avif: () => picture().avif().toBuffer(),
    gif: () => picture().gif().toBuffer(),
    bmp: () => bmp,
    ppm: () => Buffer.concat([Buffer.from("P6 37 21 255\n"), Buffer.alloc(37 * 21 * 3)]),
  };
  test.each(Object.entries(files))("%s", async (name, make) => {
    const path = join(folder, `a.${name}`);
    const bytes = await make();
    writeFileSync(path, bytes);
    expect(pixelCountOf(path)).toBe(37 * 21);
    for (const length of [0, 8]) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(pixelCountOf(path)).toBeUndefined();
    }
  });

  test("undefined for what is not there, and for folders", () => {
    expect(pixelCountOf(join(folder, "none.png"))).toBeUndefined();
    expect(pixelCountOf(folder)).toBeUndefined();
  });
});

test("a picture is a small version of another one only if it is not larger", async () => {
  const mixed = join(folder, "mixed");
  mkdirSync(mixed);
  const write = (name: string, width: number, height: number) =>
    writePng(join(mixed, `${name}.png`), noise(width, height, 3));
  await write("cat", 24, 16);
  await write("cat-x4", 96, 64);
  await write("dog", 24, 16);
  await write("dog_2x", 48, 32);
  await write("hen", 24, 16);
  await write("hen_2x", 12, 8);
  await write("owl", 24, 16);
  await write("owl_lq", 24, 16);
  const said: string[] = [];
  const options = { scale: 2, onLeftOut: (line: string) => said.push(line) };
  const names = ["cat-x4", "cat", "dog", "dog_2x", "hen", "owl"];
  expect(openFolder(mixed, options).names).toEqual(names);
  expect(findPictures(mixed, options).map(({ name }) => name)).toEqual(names);
  const line = `${mixed}: left out hen_2x.png, owl_lq.png (small version of another)`;
  expect(said).toEqual([line, line]);
});
