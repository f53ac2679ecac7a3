/** What TIFF, BMP, AVIF and PNG say of their colours in numbers of their own: kept as a profile or a code, or named. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage, readWithWarning } from "../../src/files/image-files.ts";
import { decodePictureFile, PictureWriter } from "../../src/files/picture-file.ts";
import { gammaCurve, profileOf, srgbPrimaries } from "../../src/formats/icc.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { gifParts, gifWith } from "../support/gif.ts";
import { pngChunk } from "../support/png.ts";
import { tiffOf } from "../support/tiff.ts";

const folder = temporaryFolder();
const image = noise(8, 6, 3);
const wide: readonly (readonly [number, number])[] = [
  srgbPrimaries[0],
  [0.68, 0.32],
  [0.265, 0.69],
  [0.15, 0.06],
];

/** The largest difference to what a colour-managed program shows of the samples with a profile of linear light. */
async function offLinear(icc: Uint8Array | undefined, primaries = srgbPrimaries): Promise<number> {
  const shown = async (profile: Uint8Array | undefined) => {
    const path = join(folder, "shown.tif");
    const options = { ...image, format: "tiff", depth: 8, icc: profile } as const;
    const writer = await PictureWriter.create(path, options);
    await writer.write(image.data);
    await writer.finish();
    return sharp(path).withIccProfile("srgb").toColourspace("srgb").raw().toBuffer();
  };
  const [a, b, plain] = [
    await shown(icc),
    await shown(profileOf("RGB", gammaCurve(1), primaries)),
    await shown(undefined),
  ];
  const largest = (one: Buffer, other: Buffer) =>
    Math.max(...one.map((value, i) => Math.abs(value - other[i])));
  expect(largest(b, plain)).toBeGreaterThan(30);
  return largest(a, b);
}

const colorsOf = (primaries: readonly (readonly [number, number])[]) =>
  [
    [318, 5, primaries[0]],
    [319, 5, primaries.slice(1).flat()],
  ] as const;
const linear = Array.from({ length: 256 }, (_, i) => i * 257);
const read = (bytes: Uint8Array, target: PictureFormat | "srgb" = "png") =>
  decodePictureFile(bytes, "it", { target });
const textsOf = (notes: readonly { text: string }[]) => notes.map(({ text }) => text);

describe("TIFF", () => {
  test("its curve and primaries become a profile", async () => {
    for (const curve of [linear, [...linear, ...linear, ...linear]]) {
      const { icc, notes, image: same } = await read(tiffOf(image, [[301, 3, curve], ...colorsOf(wide)]));
      expect(same.data).toEqual(image.data);
      expect(notes).toEqual([]);
      expect(await offLinear(icc, wide)).toBeLessThanOrEqual(1);
    }
    const { icc } = await read(tiffOf(image, [[301, 3, linear]]), "tiff");
    expect(await offLinear(icc)).toBeLessThanOrEqual(1);
  });

  test("a grey picture keeps its curve", async () => {
    const grey = noise(8, 6, 1);
    const { icc } = await read(tiffOf(grey, [[301, 3, linear]]));
    expect(Buffer.from(icc!).toString("latin1", 16, 20)).toBe("GRAY");
  });

  test("for whoever wants samples alone, they are converted", async () => {
    const { image: converted } = await read(tiffOf(image, [[301, 3, linear]]), "srgb");
    const encoded = (v: number) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
    const off = image.data.map((value, i) =>
      Math.abs(Math.round(255 * encoded(value / 255)) - converted.data[i]),
    );
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  });

  test("those of sRGB, and nonsense, ask for nothing", async () => {
    const zeros = Array.from({ length: 4 }, () => [0, 0] as const);
    for (const primaries of [srgbPrimaries, zeros, Array.from({ length: 4 }, () => [0.3, 0.3] as const)]) {
      const { icc, notes } = await read(tiffOf(image, colorsOf(primaries)));
      expect([icc, notes]).toEqual([undefined, []]);
    }
    const { icc } = await read(tiffOf(image, [[301, 3, linear.slice(0, 100)]]));
    expect(icc).toBeUndefined();
  });

  test("a white point alone is named", async () => {
    const { notes } = await read(tiffOf(image, [[318, 5, [0.3457, 0.3585]]]));
    expect(textsOf(notes)).toEqual(["without its white point, which it states without its primaries"]);
    expect((await read(tiffOf(image, [[318, 5, srgbPrimaries[0]]]))).notes).toEqual([]);
  });
});

test("a TIFF whose curve does not rise keeps its samples' usual meaning", async () => {
  const flat = new Array(256).fill(0);
  expect((await read(tiffOf(image, [[301, 3, flat]]))).icc).toBeUndefined();
});

test("a TIFF whose first samples are Canon's mark is a picture", async () => {
  const data = Uint8Array.from([67, 82, 2, ...image.data.subarray(3)]);
  const path = join(folder, "mark.tif");
  await sharp(data, { raw: image }).tiff({ compression: "none" }).toFile(path);
  const bytes = readFileSync(path);
  expect(bytes.toString("latin1", 8, 11)).toBe("CR\x02");
  expect((await read(bytes)).image.data).toEqual(data);
});

describe("BMP", () => {
  /** With a header of Windows 4. XYZ of the primaries are of full light. */
  function bmpOf(type: number, gamma: number, primaries: readonly (readonly number[])[]): Buffer {
    const header = Buffer.alloc(14 + 108);
    header.write("BM");
    header.writeUInt32LE(header.length, 10);
    header.writeUInt32LE(108, 14);
    header.writeInt32LE(image.width, 18);
    header.writeInt32LE(-image.height, 22);
    header.writeUInt16LE(1, 26);
    header.writeUInt16LE(24, 28);
    header.writeUInt32LE(type, 70);
    for (const [i, xyz] of primaries.entries()) {
      for (const [k, value] of xyz.entries()) {
        header.writeInt32LE(Math.round(value * 2 ** 30), 74 + 12 * i + 4 * k);
      }
    }
    for (let i = 0; i < 3; i++) header.writeUInt32LE(Math.round(gamma * 65536), 110 + 4 * i);
    const bgr = image.data.map((_, i) => image.data[i - (i % 3) + 2 - (i % 3)]);
    return Buffer.concat([header, bgr]);
  }
  const p3 = [
    [0.48657, 0.22897, 0],
    [0.26567, 0.69174, 0.04511],
    [0.19822, 0.07929, 1.04394],
  ];

  test("its gamma and primaries become a profile", async () => {
    const { icc, notes, image: same } = await read(bmpOf(0, 1, p3));
    expect(same.data).toEqual(image.data);
    expect(notes).toEqual([]);
    expect(await offLinear(icc, wide)).toBeLessThanOrEqual(1);
  });

  test("without numbers, and where it calls itself sRGB, it is sRGB", async () => {
    const sRGB = 0x73524742;
    for (const bytes of [bmpOf(0, 0, []), bmpOf(0, 2.2, []), bmpOf(0, 60000, []), bmpOf(sRGB, 1, p3)]) {
      expect((await read(bytes)).icc).toBeUndefined();
    }
  });
});

describe("codes of colours", () => {
  const withCode = async (primaries: number, transfer: number) => {
    const raw = sharp(image.data, { raw: image }).avif({ quality: 100, lossless: true });
    const file = await raw.toBuffer();
    const at = file.indexOf("colrnclx", 0, "latin1");
    file.writeUInt16BE(primaries, at + 8);
    file.writeUInt16BE(transfer, at + 10);
    return file;
  };
  const codeIn = (chunks: readonly Uint8Array[] = []) =>
    chunks.map((chunk) => Buffer.from(chunk).toString("hex", 4, 12));

  test.each([
    ["PQ", 9, 16],
    ["HLG", 9, 18],
    ["a code that no profile says", 10, 17],
  ])("an AVIF in %s is one as PNG, too", async (_, primaries, transfer) => {
    const { image: same, pngColor, notes, icc } = await read(await withCode(primaries, transfer));
    expect(same.data).toEqual(image.data);
    expect(codeIn(pngColor)).toEqual([
      Buffer.from([...Buffer.from("cICP"), primaries, transfer, 0, 1]).toString("hex"),
    ]);
    expect([notes, icc]).toEqual([[], undefined]);
  });

  test("elsewhere, what is lost is named", async () => {
    const says = async (primaries: number, transfer: number, target: PictureFormat | "srgb") =>
      textsOf((await read(await withCode(primaries, transfer), target)).notes);
    const hdr = "without the note that its colours are HDR";
    expect(await says(9, 16, "avif")).toEqual([`${hdr}, which only PNG results get: it looks dull`]);
    expect(await says(9, 18, "srgb")).toEqual([`taken for sRGB, ${hdr}`]);
    expect(await says(10, 17, "tiff")).toEqual([
      "without the note on its colours (codes 10 and 17), which only PNG results get",
    ]);
  });

  test("codes that say nothing ask for nothing", async () => {
    const { pngColor, icc, notes } = await read(await withCode(2, 2));
    expect([pngColor, icc, notes]).toEqual([undefined, undefined, []]);
  });
});

test.each([
  ["RGB", 3, "GRAY", "grey"],
  ["grey", 1, "RGB", "RGB"],
] as const)(
  "a PNG of %s with a profile for other colours: it is not damaged",
  async (_, channels, space, name) => {
    const { data } = noise(8, 6, channels);
    const raw = sharp(data, { raw: { width: 8, height: 6, channels } });
    const png = await raw
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .png()
      .toBuffer();
    const profile = deflateSync(profileOf(space, gammaCurve(1)));
    const chunk = pngChunk("iCCP", Buffer.concat([Buffer.from("a\0\0"), profile]));
    const file = Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
    expect(textsOf((await read(file)).notes)).toEqual([`without its colour profile, which is for ${name}`]);
    expect(textsOf((await read(file, "srgb")).notes)).toEqual([
      `taken for sRGB, without its colour profile, which is for ${name}`,
    ]);
  },
);

describe("GIF", () => {
  test("all who read it convert by its profile, as they do that of a PNG", async () => {
    const rgba = noise(8, 6, 4);
    for (let i = 3; i < rgba.data.length; i += 4) rgba.data[i] = i % 8 === 3 ? 255 : 0;
    for (const { data, ...size } of [image, noise(8, 6, 1), rgba]) {
      const plain = await sharp(data, { raw: size }).gif().toBuffer();
      const stored = await decodeImage(plain, "it");
      const path = (kind: string) => join(folder, `profile.${kind}`);
      const [gif, png, damaged] = ["gif", "png", "damaged.gif"].map(path);
      const profile = Buffer.from(profileOf("RGB", gammaCurve(1), stored.channels < 3 ? undefined : wide));
      writeFileSync(gif, gifWith(plain, "ICCRGBG1012", gifParts(profile)));
      writeFileSync(damaged, gifWith(plain, "ICCRGBG1012", gifParts(profile.subarray(0, 100))));
      const writer = await PictureWriter.create(png, { ...stored, format: "png", depth: 8, icc: profile });
      await writer.write(stored.data);
      await writer.finish();

      const { image: shown } = await read(readFileSync(gif), "srgb");
      expect(Math.max(...shown.data.map((value, i) => Math.abs(value - stored.data[i])))).toBeGreaterThan(30);
      for (const colors of [undefined, "srgb"] as const) {
        expect(await readWithWarning(gif, colors)).toEqual({ image: shown, isConverted: true });
      }
      expect(await decodeImage(readFileSync(gif), "it")).toEqual(shown);
      const { image: ofPng } = await read(readFileSync(png), "srgb");
      expect(shown).toEqual(ofPng);
      const asItIs = await readWithWarning(damaged);
      expect(asItIs).toEqual({ image: stored, isConverted: false });
    }
  });
});
