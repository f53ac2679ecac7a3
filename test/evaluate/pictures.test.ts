import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { openFolder } from "../../src/data/folder.ts";
import { loadPair } from "../../src/data/pairs.ts";
import { type Failure, findPictures, loadPicture } from "../../src/evaluate/pictures.ts";
import { readImage, writePng } from "../../src/files/image-files.ts";
import { rgbToY } from "../../src/picture/color.ts";
import { crop, type Image, modcrop, toRgb } from "../../src/picture/image.ts";
import { imresize, imresizePlane } from "../../src/picture/imresize.ts";
import { drawn, noise, temporaryFolder } from "../data/support.ts";

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);

describe("findPictures", () => {
  const make = (name: string, ...files: string[]) => {
    mkdirSync(path(name));
    for (const file of files) writeFileSync(path(name, file), "");
    return path(name);
  };

  test("finds small versions under the names that data sets use", () => {
    const high = make("high", "a.png", "b.png", "c.png", "d.png", "notes.txt");
    // Other scales beside them, and names that only begin alike.
    const low = make("low", "a.png", "bx2.png", "cx2m.png", "d.jpg", "ax3.png", "bx2x2.png", "e.png");
    const name = (k: number) => ["a", "b", "c", "d"][k];
    const small = ["a.png", "bx2.png", "cx2m.png", "d.jpg"];
    expect(findPictures(high, { scale: 2, lowFolder: low })).toEqual(
      small.map((file, k) => ({
        name: name(k),
        high: path("high", `${name(k)}.png`),
        low: path("low", file),
      })),
    );
    expect(findPictures(high, { scale: 2 })).toEqual(
      small.map((_, k) => ({ name: name(k), high: path("high", `${name(k)}.png`) })),
    );
  });

  test("small pictures that belong to no large one are told", () => {
    const [high, low] = [make("few", "a.png"), make("many", "ax2.png", "bx2.png", "cx2.png", "note.txt")];
    const lines: string[] = [];
    expect(
      findPictures(high, { scale: 2, lowFolder: low, onLeftOut: (line) => lines.push(line) }),
    ).toHaveLength(1);
    expect(lines.at(-1)).toBe(`${low}: left out bx2.png, cx2.png (the small version of none)`);
  });

  test("pairs in one folder; a line says what is left out", () => {
    const set = make("image_SRF_2", "1_HR.png", "1_LR.png", "2_HR.png", "2_LR.png");
    const lines: string[] = [];
    const found = findPictures(set, { scale: 2, onLeftOut: (line) => lines.push(line) });
    expect(found.map(({ name }) => name)).toEqual(["1_HR", "2_HR"]);
    expect(lines).toEqual([`${set}: left out 1_LR.png, 2_LR.png (small version of another)`]);
    const pairs = findPictures(set, { scale: 2, lowFolder: set, onLeftOut: (line) => lines.push(line) });
    expect(lines).toHaveLength(1);
    expect(pairs.map(({ low }) => low)).toEqual([
      path("image_SRF_2", "1_LR.png"),
      path("image_SRF_2", "2_LR.png"),
    ]);
  });

  test("LR pictures without their HR pictures are no HR pictures", () => {
    for (const [i, name] of ["a_LR", "a_LRx2", "a_lq", "a_SRF_2_LR", "a_LRBI_x2", "a (LR)"].entries()) {
      const isLikely = ["a_LR", "a_lq", "a (LR)"].includes(name);
      const set = make(`alone${i}`, ...(isLikely ? [] : ["b.png"]), `${name}.png`);
      const text = `${set}: by its name, ${name}.png is a small version, and HR pictures are wanted.`;
      expect(() => findPictures(set, { scale: 2 }), name).toThrow(text);
      expect(() => openFolder(set, { scale: 2 }), name).toThrow(text);
    }
    for (const [i, name] of ["LR", "ALR", "a_low", "a_small", "a_x2", "a_input"].entries()) {
      expect(findPictures(make(`own${i}`, `${name}.png`), { scale: 2 }), name).toHaveLength(1);
    }
    // Lightroom's, among others.
    for (const [i, name] of ["sunset_lr", "IMG_1_LR", "IMG_1_lr2", "panorama LR"].entries()) {
      expect(findPictures(make(`likely${i}`, `${name}.png`, "beach.png"), { scale: 2 }), name).toHaveLength(
        2,
      );
    }
    const set = make("gtlq", "0_gt.png", "0_lq.png", "1_gt.png", "1_lq.png");
    expect(findPictures(set, { scale: 2 }).map(({ name }) => name)).toEqual(["0_gt", "1_gt"]);
    expect(openFolder(set, { scale: 2 }).names).toEqual(["0_gt", "1_gt"]);
    expect(findPictures(set, { scale: 2, lowFolder: set }).map(({ low }) => low)).toEqual([
      path("gtlq", "0_lq.png"),
      path("gtlq", "1_lq.png"),
    ]);
  });

  test("of pictures that are there for several scales, those of the asked one count", () => {
    const of = (scale: number) => [`1_SRF_${scale}_HR.png`, `1_SRF_${scale}_LR.png`];
    const set = make("srf", ...of(2), ...of(3), "2_x2_HR.png", "2_HR.png", "3_HR_x4.png");
    const lines: string[] = [];
    const names = (scale: number) =>
      findPictures(set, { scale, onLeftOut: (line) => lines.push(line) }).map(({ name }) => name);
    expect(names(2)).toEqual(["1_SRF_2_HR", "2_x2_HR", "3_HR_x4"]);
    expect(lines.join()).toContain("1_SRF_3_HR.png, 2_HR.png (not for scale 2)");
    expect(names(3)).toEqual(["1_SRF_3_HR", "2_HR", "3_HR_x4"]);
    expect(() => names(4)).toThrow(
      /1_SRF_2_HR\.png and .*1_SRF_3_HR\.png show the same for other scales than 4/,
    );
    const both = make("srf-pairs", ...of(2), ...of(3));
    expect(findPictures(both, { scale: 3, lowFolder: both }).map(({ low }) => low)).toEqual([
      path("srf-pairs", of(3)[1]),
    ]);
    // Training, too.
    expect(openFolder(set, { scale: 2 }).names).toEqual(names(2));
  });

  test("a second link to the same file counts once, which is told", () => {
    const set = make("links", "a.png", "b.png");
    symlinkSync("a.png", path("links", "c.png"));
    const lines: string[] = [];
    expect(findPictures(set, { scale: 2, onLeftOut: (line) => lines.push(line) })).toHaveLength(2);
    expect(lines).toEqual([`${set}: left out c.png (the same file as a.png)`]);
  });

  test("a missing or ambiguous partner is an error that names the picture", () => {
    const high = make("hr2", "a.png");
    expect(() => findPictures(high, { scale: 2, lowFolder: make("empty") })).toThrow(
      /empty: there are no pictures/,
    );
    expect(() => findPictures(high, { scale: 2, lowFolder: make("others", "b.png") })).toThrow(
      /hr2.a\.png has no small version in .*others.*ax2\.png/,
    );
    expect(() => findPictures(high, { scale: 2, lowFolder: high })).toThrow(/has no small version/);
    expect(() => findPictures(high, { scale: 2, lowFolder: make("two", "a.png", "ax2.png") })).toThrow(
      /2 small versions .*a\.png, ax2\.png/,
    );
    const failures: string[] = [];
    const some = make("some", "a.png", "b.png", "c.jpg", "c.png", "d.png");
    const theirs = make("theirs", "a.png", "bx2.png", "b_LR.png", "cx2.png");
    const onFailure = ({ name, error }: Failure) => failures.push(`${name}: ${error}`);
    const pairs = findPictures(some, { scale: 2, lowFolder: theirs, onFailure });
    expect(pairs.map(({ name }) => name)).toEqual(["a"]);
    const shared = /^c\.\w+: .*cx2\.png may be the small version of .*c\.jpg and of .*c\.png/;
    expect(failures).toEqual(
      [/^b: .*2 small versions/, shared, shared, /^d: .*has no small version/].map((message) =>
        expect.stringMatching(message),
      ),
    );
    expect(() => findPictures(high, { scale: 2, lowFolder: make("nobody", "b.png"), onFailure })).toThrow(
      /None of the pictures in .*hr2 has a small version of its own in .*nobody/,
    );
    const twins = make("twins", "b.jpg", "b.png");
    expect(
      findPictures(twins, { scale: 2, lowFolder: make("twins-low", "b.png", "b.jpg") }).map(
        ({ name }) => name,
      ),
    ).toEqual(["b.jpg", "b.png"]);
    expect(() => findPictures(twins, { scale: 2, lowFolder: make("one-low", "bx2.png") })).toThrow(
      /one-low.bx2\.png may be the small version of .*b\.jpg and of .*b\.png/,
    );
    expect(() => findPictures(high, { scale: 2, lowFolder: path("absent") })).toThrow(
      /absent: there is no such folder/,
    );
    expect(() => findPictures(path("absent"), { scale: 2 })).toThrow(/absent: there is no such folder/);
    expect(() => findPictures(make("none", "a.txt"), { scale: 2 })).toThrow(/no pictures/);
  });
});

describe("loadPicture", () => {
  const rgb = noise(25, 20, 3, 4);
  const luma = (image: Image) => rgbToY(toRgb(image), { round: true });
  beforeAll(async () => {
    await writePng(path("rgb.png"), rgb);
    await writePng(path("rgb-small.png"), noise(8, 6, 3, 5));
    await writePng(path("grey.png"), noise(12, 12, 1));
    await writePng(path("clear.png"), noise(12, 12, 4));
    await writePng(path("greyclear.png"), noise(12, 12, 2));
    await writePng(
      path("dot.png"),
      drawn(2, 30, 3, () => 7),
    );
  });

  test("without LR: bytes of RGB for RGB methods, real numbers of rounded luma for the others", async () => {
    const picture = await loadPicture({ name: "p", high: path("rgb.png") }, 3);
    const high = modcrop(rgb, 3);
    expect(picture).toMatchObject({ name: "p", high: { width: 24, height: 18 }, low: imresize(high, 1 / 3) });
    expect(Array.from(picture.highY.data)).toEqual(Array.from(luma(high)));
    expect(picture.lowY).toEqual(
      imresizePlane(luma(high), { width: 24, height: 18 }, { width: 8, height: 6 }),
    );
  });

  test.each([
    // HR, LR, scale, HR afterwards
    [[65, 65], [30, 30], 2, [60, 60]], // cut to multiples of 12
    [[65, 52], [32, 26], 2, [64, 52]], // of 2
    [[65, 52], [33, 26], 2, [64, 52]], // rounded up
    [[50, 50], [6, 6], 8, [48, 48]],
    [[50, 70], [6, 6], 8, [48, 48]], // of 24
    [[47, 35], [12, 8], 4, [44, 32]], // up and down
    [[40, 53], [12, 16], 3, [36, 48]], // of 12
  ] as const)("HR of %j and LR of %j at x%i are cropped together, to %j", async (high, low, scale, want) => {
    const [large, small] = [noise(high[0], high[1], 3, 1), noise(low[0], low[1], 3, 2)];
    await writePng(path("fit-high.png"), large);
    await writePng(path("fit-low.png"), small);
    const files = { name: "p", high: path("fit-high.png"), low: path("fit-low.png") };
    const picture = await loadPicture(files, scale);
    expect(picture.high).toEqual(crop(large, 0, 0, want[0], want[1]));
    expect(picture.low).toEqual(crop(small, 0, 0, want[0] / scale, want[1] / scale));
    const { cropped } = picture;
    expect(cropped.high?.to ?? { width: high[0], height: high[1] }).toEqual({
      width: want[0],
      height: want[1],
    });
    expect(cropped.low !== undefined).toBe(low[0] * scale !== want[0] || low[1] * scale !== want[1]);
    // Training takes the same pixels.
    const pair = await loadPair(files, { scale, colors: "rgb", inputSize: "low" });
    expect(pair).toEqual({ name: "p", low: picture.low, high: picture.high });
  });

  test.each([
    [[65, 65], [31, 31], 2],
    [[65, 65], [30, 32], 2], // one side alone
    [[65, 65], [34, 32], 2],
    [[100, 100], [36, 36], 2], // more than any usual multiple
  ] as const)("HR of %j and LR of %j at x%i are refused", async (high, low, scale) => {
    await writePng(path("misfit-high.png"), noise(high[0], high[1], 3, 1));
    await writePng(path("misfit-low.png"), noise(low[0], low[1], 3, 2));
    const files = { name: "p", high: path("misfit-high.png"), low: path("misfit-low.png") };
    await expect(loadPicture(files, scale)).rejects.toThrow(/misfit-low\.png is .* but at scale 2 .*must be/);
  });

  test("with LR: the file, and its own luma", async () => {
    const picture = await loadPicture({ name: "p", high: path("rgb.png"), low: path("rgb-small.png") }, 3);
    const small = await readImage(path("rgb-small.png"));
    expect(picture.low).toEqual(small);
    expect(Array.from(picture.lowY)).toEqual(Array.from(luma(small)));
  });

  test("in every format that is read exactly, the same samples", async () => {
    const image = noise(12, 8, 3, 5);
    mkdirSync(path("formats"));
    const files = ["a.png", "b.tif", "c.webp", "d.ppm", "e.bmp"].map((name) => path("formats", name));
    const raw = { raw: { width: 12, height: 8, channels: 3 } } as const;
    await writePng(files[0], image);
    await sharp(image.data, raw).tiff({ compression: "none" }).toFile(files[1]);
    await sharp(image.data, raw).webp({ lossless: true }).toFile(files[2]);
    writeFileSync(files[3], Buffer.concat([Buffer.from("P6 12 8 255\n"), image.data]));
    writeFileSync(files[4], bmpOf(image));
    const found = findPictures(path("formats"), { scale: 2 });
    expect(found.map(({ high }) => high)).toEqual(files);
    const loaded = await Promise.all(found.map((one) => loadPicture(one, 2)));
    for (const { high } of loaded) expect(high).toEqual(image);
  });

  test("grey counts as RGB with equal channels", async () => {
    const { high, highY } = await loadPicture({ name: "g", high: path("grey.png") }, 2);
    expect(high.channels).toBe(3);
    expect(highY.data[0]).toBe(Math.round(16 + (219 * high.data[0]) / 255));
  });

  test("an alpha channel that is opaque is none", async () => {
    const { data } = noise(12, 12, 3);
    const rgba = new Uint8Array(4 * 144).map((_, i) => (i % 4 === 3 ? 255 : data[3 * (i >> 2) + (i % 4)]));
    await writePng(path("opaque.png"), { width: 12, height: 12, channels: 4, data: rgba });
    expect((await loadPicture({ name: "o", high: path("opaque.png") }, 2)).high.data).toEqual(data);
  });

  test("transparency, sizes that do not fit and tiny pictures are errors that name the file", async () => {
    const load = (high: string, low?: string) =>
      loadPicture({ name: "p", high: path(high), low: low && path(low) }, 3);
    await expect(load("clear.png")).rejects.toThrow(/clear\.png: it has 4 channels.*transparency/);
    await expect(load("greyclear.png")).rejects.toThrow(/greyclear\.png: it has 2 channels/);
    await expect(load("rgb.png", "grey.png")).rejects.toThrow(/grey\.png is 12x12.*rgb\.png.*must be 8x6/);
    await expect(load("dot.png")).rejects.toThrow(/dot\.png: 2x30 pixels are too few for scale 3/);
    await expect(load("absent.png")).rejects.toThrow(/absent\.png/);
  });
});

/** As Windows writes it: rows from the bottom to the top, blue first. Rows must be multiples of four bytes. */
function bmpOf({ width, height, data }: Image): Buffer {
  const header = Buffer.alloc(54);
  header.write("BM");
  header.writeUInt32LE(54 + data.length, 2);
  header.writeUInt32LE(54, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  const samples = Buffer.alloc(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        samples[((height - 1 - y) * width + x) * 3 + 2 - c] = data[(y * width + x) * 3 + c];
  return Buffer.concat([header, samples]);
}
