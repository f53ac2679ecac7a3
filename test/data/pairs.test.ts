import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openDiv2k } from "../../src/data/div2k.ts";
import { downloadDiv2k } from "../../src/data/div2k-download.ts";
import { openFolder } from "../../src/data/folder.ts";
import { encodePng, readImage } from "../../src/files/image-files.ts";
import { rgbToY } from "../../src/picture/color.ts";
import { DataError } from "../../src/picture/errors.ts";
import { crop, type Image, modcrop, toRgb } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { differing, noise, photograph, temporaryFolder, testData } from "./support.ts";

const folder = temporaryFolder();
const save = async (path: string, image: Image) => writeFileSync(path, await encodePng(image));

const luma = (rgb: Image): Image => ({
  ...rgb,
  channels: 1,
  data: Uint8Array.from(rgbToY(rgb, { round: true })),
});

describe("openDiv2k", () => {
  const root = join(folder, "DIV2K");
  const high = join(root, "DIV2K_train_HR");
  const low = join(root, "DIV2K_train_LR_bicubic", "X2");

  beforeAll(async () => {
    mkdirSync(high, { recursive: true });
    mkdirSync(low, { recursive: true });
    for (const [name, seed] of [
      ["0002", 2],
      ["0001", 1],
    ] as const) {
      await save(join(high, `${name}.png`), noise(20, 14, 3, seed));
      await save(join(low, `${name}x2.png`), noise(10, 7, 3, seed + 10));
    }
    writeFileSync(join(high, "readme.txt"), "not a picture");
  });

  test("pairs the files by name, in order", async () => {
    const dataset = openDiv2k(root, { split: "train", scale: 2 });
    expect(dataset).toMatchObject({ name: "DIV2K train X2", scale: 2, length: 2, names: ["0001", "0002"] });
    expect(await dataset.load(0)).toEqual({
      name: "0001",
      low: noise(10, 7, 3, 11),
      high: noise(20, 14, 3, 1),
    });
    expect((await dataset.load(1)).high).toEqual(noise(20, 14, 3, 2));
    await expect(dataset.load(2)).rejects.toThrow(/no pair 2; it has 0 to 1/);
  });

  test("names in capitals and hidden files, as in any other folder", async () => {
    const [large, small] = ["DIV2K_train_HR", "DIV2K_train_LR_bicubic/X2"].map((name) =>
      join(folder, "loud", name),
    );
    for (const place of [large, small]) mkdirSync(place, { recursive: true });
    await save(join(large, "0001.PNG"), noise(20, 14, 3, 1));
    await save(join(small, "0001X2.PNG"), noise(10, 7, 3, 11));
    for (const place of [large, small]) writeFileSync(join(place, "._0001.png"), "of a Mac");
    const dataset = openDiv2k(join(folder, "loud"), { split: "train", scale: 2 });
    expect(dataset.names).toEqual(["0001"]);
    expect((await dataset.load(0)).low).toEqual(noise(10, 7, 3, 11));
  });

  test("colors y: a small picture with a file of its own is converted by itself", async () => {
    const dataset = openDiv2k(root, { split: "train", scale: 2, colors: "y" });
    const pair = await dataset.load(0);
    expect(pair).toEqual({ name: "0001", low: luma(noise(10, 7, 3, 11)), high: luma(noise(20, 14, 3, 1)) });
    const enlarged = await openDiv2k(root, { split: "train", scale: 2, colors: "y", inputSize: "high" }).load(
      0,
    );
    expect(enlarged).toEqual({ ...pair, low: imresize(pair.low, 2) });
  });

  test("HR is cropped to a multiple of the scale, as official LR sizes imply; grey becomes RGB", async () => {
    const large = noise(21, 15, 1);
    await save(join(high, "0003.png"), large);
    await save(join(low, "0003x2.png"), noise(10, 7, 1));
    const pair = await openDiv2k(root, { split: "train", scale: 2 }).load(2);
    expect(pair.high).toEqual(toRgb(crop(large, 0, 0, 20, 14)));
    expect(pair.low).toEqual(toRgb(noise(10, 7, 1)));
    rmSync(join(high, "0003.png"));
  });

  test("sizes that do not fit are refused with both files and sizes", async () => {
    await save(join(high, "0004.png"), noise(20, 16, 3));
    await save(join(low, "0004x2.png"), noise(10, 7, 3));
    const dataset = openDiv2k(root, { split: "train", scale: 2 });
    await expect(dataset.load(2)).rejects.toThrow(DataError);
    await expect(dataset.load(2)).rejects.toThrow(
      /0004x2\.png is 10x7, but at scale 2 .*0004\.png \(20x16\) must be 10x8/,
    );
    rmSync(join(high, "0004.png"));
  });

  test("an HR picture without partner is named", async () => {
    await save(join(high, "0005.png"), noise(20, 14, 3));
    expect(() => openDiv2k(root, { split: "train", scale: 2 })).toThrow(/1 of 3 .*0005x2\.png/);
    rmSync(join(high, "0005.png"));
  });

  test.each([
    ["by Windows", "DIV2K_train_HR/DIV2K_train_HR", "DIV2K_train_LR_bicubic_X2/DIV2K_train_LR_bicubic/X2"],
    ["doubled", "DIV2K_train_HR/DIV2K_train_HR", "DIV2K_train_LR_bicubic/DIV2K_train_LR_bicubic/X2/X2"],
    ["with a small x", "DIV2K_train_HR", "DIV2K_train_LR_bicubic/x2"],
    ["in small letters", "div2k_train_hr", "div2k_train_lr_bicubic/x2"],
  ])("unpacked %s", async (how, large, small) => {
    const unpacked = join(folder, how);
    for (const place of [large, small]) mkdirSync(join(unpacked, place), { recursive: true });
    await save(join(unpacked, large, "0001.png"), noise(20, 14, 3, 1));
    await save(join(unpacked, small, "0001x2.png"), noise(10, 7, 3, 11));
    const dataset = openDiv2k(unpacked, { split: "train", scale: 2 });
    expect(await dataset.load(0)).toEqual({
      name: "0001",
      low: noise(10, 7, 3, 11),
      high: noise(20, 14, 3, 1),
    });
    await downloadDiv2k(unpacked, {
      splits: ["train"],
      scales: [2],
      baseUrl: "http://localhost:1/none",
      retries: 0,
    });
  });

  test("missing and empty folders and wrong scales are refused", () => {
    expect(() => openDiv2k(root, { split: "valid", scale: 2 })).toThrow(/DIV2K_valid_HR: .*Unpack/);
    expect(() => openDiv2k(root, { split: "train", scale: 3 })).toThrow(/LR_bicubic.X3: .*X3\.zip/);
    expect(() => openDiv2k(root, { split: "train", scale: 1 })).toThrow(
      /"bicubic" at scale 2, 3, 4, 8, not at 1/,
    );
    mkdirSync(join(root, "DIV2K_valid_HR"));
    mkdirSync(join(root, "DIV2K_valid_LR_bicubic", "X2"), { recursive: true });
    expect(() => openDiv2k(root, { split: "valid", scale: 2 })).toThrow(
      /DIV2K_valid_HR: there are no pictures/,
    );
  });
});

describe("openDiv2k's tracks", () => {
  const root = join(folder, "tracks");
  const put = async (path: string, image: Image) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    await save(join(root, path), image);
  };
  const large = noise(24, 16, 3, 1);
  const small = (scale: number, seed: number) => noise(24 / scale, 16 / scale, 3, seed);

  beforeAll(async () => {
    await put("DIV2K_train_HR/0001.png", large);
    await put("DIV2K_valid_HR/0801.png", large);
    await put("DIV2K_train_LR_unknown/X2/0001x2.png", small(2, 2));
    await put("DIV2K_train_LR_x8/0001x8.png", small(8, 3));
    await put("DIV2K_valid_LR_bicubic/X8/0801x8.png", small(8, 4));
    await put("DIV2K_train_LR_mild/0001x4m.png", small(4, 5));
    await put("DIV2K_valid_LR_mild/X4/0801x4m.png", small(4, 6));
    await put("DIV2K_train_LR_difficult/0001x4d.png", small(4, 7));
    for (const k of [1, 2, 3, 4]) await put(`DIV2K_train_LR_wild/0001x4w${k}.png`, small(4, 10 + k));
    await put("DIV2K_valid_LR_wild/0801x4w.png", small(4, 8));
  });

  test.each([
    ["train", "unknown", 2, 2, "DIV2K train unknown X2"],
    ["train", "bicubic", 8, 3, "DIV2K train X8"],
    ["valid", "bicubic", 8, 4, "DIV2K valid X8"],
    ["train", "mild", 4, 5, "DIV2K train mild X4"],
    ["valid", "mild", 4, 6, "DIV2K valid mild X4"],
    ["train", "difficult", 4, 7, "DIV2K train difficult X4"],
  ] as const)("%s %s X%i", async (split, track, scale, seed, name) => {
    const dataset = openDiv2k(root, { split, track, scale });
    const picture = split === "train" ? "0001" : "0801";
    expect(dataset).toMatchObject({ name, length: 1, names: [picture] });
    expect(await dataset.load(0)).toEqual({ name: picture, low: small(scale, seed), high: large });
  });

  test("wild: each small version is a pair", async () => {
    const train = openDiv2k(root, { split: "train", track: "wild", scale: 4 });
    expect(train.names).toEqual(["0001x4w1", "0001x4w2", "0001x4w3", "0001x4w4"]);
    expect(await train.load(2)).toEqual({ name: "0001x4w3", low: small(4, 13), high: large });
    const valid = openDiv2k(root, { split: "valid", track: "wild", scale: 4 });
    expect(await valid.load(0)).toEqual({ name: "0801x4w", low: small(4, 8), high: large });
  });

  test("X8: LR sides that imresize rounded up are cut, as HR is", async () => {
    const uneven = noise(28, 20, 3, 20);
    await put("uneven/DIV2K_train_HR/0002.png", uneven);
    await put("uneven/DIV2K_train_LR_x8/0002x8.png", imresize(uneven, 1 / 8));
    const pair = await openDiv2k(join(root, "uneven"), { split: "train", scale: 8 }).load(0);
    expect(imresize(uneven, 1 / 8)).toMatchObject({ width: 4, height: 3 });
    expect(pair.low).toEqual(crop(imresize(uneven, 1 / 8), 0, 0, 3, 2));
    expect(pair.high).toEqual(crop(uneven, 0, 0, 24, 16));
  });

  test("unpublished tracks and scales are refused, and a missing folder is named with its archive", () => {
    const open = (track: string, scale: number) =>
      openDiv2k(root, { split: "train", track: track as "mild", scale });
    expect(() => open("mild", 2)).toThrow(/"mild" at scale 4, not at 2/);
    expect(() => open("unknown", 8)).toThrow(/"unknown" at scale 2, 3, 4, not at 8/);
    expect(() => open("tame", 4)).toThrow(/track must be bicubic, unknown, .*got "tame"/);
    expect(() => open("unknown", 3)).toThrow(/LR_unknown.X3: .*DIV2K_train_LR_unknown_X3\.zip/);
    expect(() => openDiv2k(root, { split: "valid", track: "difficult", scale: 4 })).toThrow(
      /DIV2K_valid_LR_difficult: .*DIV2K_valid_LR_difficult\.zip/,
    );
  });

  test("an HR picture without any wild version is named", async () => {
    await put("DIV2K_train_HR/0002.png", large);
    expect(() => openDiv2k(root, { split: "train", track: "wild", scale: 4 })).toThrow(
      /1 of 2 .*0002x4w1\.png/,
    );
    rmSync(join(root, "DIV2K_train_HR", "0002.png"));
  });
});

describe("openFolder", () => {
  test("makes LR from a folder of pictures by modcrop and imresize, whatever their format", async () => {
    const own = join(folder, "own");
    mkdirSync(own);
    await save(join(own, "b.png"), noise(16, 13, 3));
    symlinkSync(photograph("nagasaki-boats"), join(own, "a.JPG"));
    writeFileSync(join(own, "notes.txt"), "not a picture");
    const dataset = openFolder(own, { scale: 3 });
    expect(dataset).toMatchObject({ name: "own X3", scale: 3, length: 2, names: ["a", "b"] });
    const high = modcrop(noise(16, 13, 3), 3);
    expect(await dataset.load(1)).toEqual({ name: "b", low: imresize(high, 1 / 3), high });
    const photo = await dataset.load(0);
    expect([photo.high.width, photo.high.height]).toEqual([photo.low.width * 3, photo.low.height * 3]);
    expect(differing(photo.high, toRgb(modcrop(await readImage(photograph("nagasaki-boats")), 3)))).toBe(0);
  });

  test("colors y: LR is made from the rounded Y plane; inputSize high: LR is enlarged again", async () => {
    const path = join(folder, "colours.png");
    const rgb = noise(13, 9, 3);
    await save(path, rgb);
    const high = luma(modcrop(rgb, 2));
    const low = imresize(high, 1 / 2);
    const open = (options: { colors?: "rgb" | "y"; inputSize?: "low" | "high" }) =>
      openFolder([path], { scale: 2, ...options });
    expect(open({})).toMatchObject({ colors: "rgb", inputSize: "low" });
    expect(open({ colors: "y" })).toMatchObject({ colors: "y", inputSize: "low" });
    expect(await open({ colors: "y" }).load(0)).toEqual({ name: "colours", low, high });
    expect(await open({ colors: "y", inputSize: "high" }).load(0)).toMatchObject({
      low: imresize(low, 2),
      high,
    });
    const { low: enlarged } = await open({ inputSize: "high" }).load(0);
    expect(enlarged).toEqual(imresize(imresize(modcrop(rgb, 2), 1 / 2), 2));
    // The two orders differ: Y of the small RGB picture is not the small Y plane.
    expect(differing(low, luma(imresize(modcrop(rgb, 2), 1 / 2)))).toBeGreaterThan(0);
    expect(() => open({ colors: "Y" as "y" })).toThrow(/colors must be rgb or y, got "Y"/);
    expect(() => open({ inputSize: "big" as "high" })).toThrow(/inputSize .* got "big"/);
  });

  test("takes a list of files in its order", async () => {
    const paths = [photograph("nagasaki-boats"), photograph("allium-oreophilum")];
    const dataset = openFolder(paths, { scale: 2 });
    const names = ["nagasaki-boats", "allium-oreophilum"].map(
      (name) => `datasets-img-${name}/data/image.jpg`,
    );
    expect(dataset).toMatchObject({ name: "2 pictures X2", length: 2, names });
    expect((await dataset.load(1)).low.width).toBe(403); // of 807, cropped to 806
  });

  test("refuses what holds no pictures", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    expect(() => openFolder(empty, { scale: 2, degradation: "jpeg:60" as never })).toThrow(
      "openFolder: degradation is an object such as { seed: 0, jpeg: 60 }, or " +
        'degradationKind.read("jpeg:60"), got "jpeg:60".',
    );
    expect(() => openFolder(empty, { scale: 2 })).toThrow(/no pictures \(PNG, JPEG, .* or PPM\)/);
    expect(() => openFolder(join(folder, "nowhere"), { scale: 2 })).toThrow(/no such folder/);
    expect(() => openFolder(photograph("nagasaki-boats"), { scale: 2 })).toThrow(
      /this is a file, not a folder/,
    );
    expect(() => openFolder([], { scale: 2 })).toThrow(/list of files is empty/);
    expect(() => openFolder([join(folder, "no.png")], { scale: 2 })).toThrow(
      /no\.png: there is no such file/,
    );
    expect(() => openFolder(empty, { scale: 2.5 })).toThrow(/scale must be .*got 2\.5/);
    const tiny = join(folder, "tiny.png");
    await save(tiny, noise(30, 3, 3));
    await expect(openFolder([tiny], { scale: 4 }).load(0)).rejects.toThrow(/tiny\.png: 30x3 .* too few/);
  });
});

const div2k = testData("div2k-sample");
test.skipIf(div2k === undefined)("DIV2K 0004: the official LR equals the one openFolder makes", async () => {
  const root = join(folder, "sample");
  mkdirSync(join(root, "DIV2K_train_LR_bicubic"), { recursive: true });
  symlinkSync(join(div2k!, "HR"), join(root, "DIV2K_train_HR"));
  symlinkSync(join(div2k!, "LR_bicubic_X2"), join(root, "DIV2K_train_LR_bicubic", "X2"));
  const official = await openDiv2k(root, { split: "train", scale: 2 }).load(0);
  const made = await openFolder(join(root, "DIV2K_train_HR"), { scale: 2 }).load(0);
  expect(official.name).toBe("0004");
  expect(differing(official.low, made.low)).toBe(0);
  expect(differing(official.high, made.high)).toBe(0);
});
