/** Files that libvips reads as something else than they are, and in silence. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readHeaderOfFile } from "../../src/files/decode.ts";
import { decodeImage } from "../../src/files/image-files.ts";
import { decodePictureFile } from "../../src/files/picture-file.ts";
import { DataError } from "../../src/picture/errors.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { exifOf } from "../support/exif.ts";
import { pngChunk, pngOf } from "../support/png.ts";
import { tiffFile } from "../support/tiff-planes.ts";

const folder = temporaryFolder();
const [width, height] = [11, 6];
const lacks = "without a channel that the file does not call transparency";
const notesOf = (notes: readonly { text: string }[]) => notes.map(({ text }) => text);

describe("a TIFF file of 3 or 4 channels that calls its picture grey holds them as RGB", () => {
  const [isBlack, isWhite] = [1, 0];

  function greyTiff(
    channels: 3 | 4,
    depth: 8 | 16,
    { photometric = isBlack, extra = undefined as readonly number[] | undefined, inPlanes = false } = {},
  ) {
    const bytes = noise(width, height, channels).data;
    const data = depth === 8 ? bytes : Uint16Array.from(bytes, (value) => value * 251 + 3);
    const channel = (c: number) => data.filter((_, i) => i % channels === c);
    const usual = {
      258: new Array(channels).fill(depth),
      262: [photometric],
      277: [channels],
      284: [inPlanes ? 2 : 1],
    };
    const tags = extra === undefined ? usual : { ...usual, 338: extra };
    const planes = inPlanes ? Array.from({ length: channels }, (_, c) => channel(c)) : [data];
    return {
      file: tiffFile({ width, height, planes, tags }),
      data,
      withoutLast: data.filter((_, i) => i % channels !== 3),
    };
  }

  const unspecified = [0, 0];
  test.each([
    ["3 channels", 3, 8, {}],
    ["3 channels with ExtraSamples", 3, 8, { extra: unspecified }],
    ["3 channels in planes", 3, 8, { extra: unspecified, inPlanes: true }],
    ["3 channels where 0 is white", 3, 8, { photometric: isWhite }],
    ["3 channels of 16 bits", 3, 16, { extra: unspecified }],
    ["3 channels of 16 bits in planes, where 0 is white", 3, 16, { photometric: isWhite, inPlanes: true }],
    ["4 channels, the last of them alpha", 4, 8, { extra: [0, 0, 2] }],
    ["4 channels of 16 bits in planes, the last of them alpha", 4, 16, { extra: [0, 0, 2], inPlanes: true }],
  ] as const)("%s", async (_, channels, depth, kind) => {
    const { file, data } = greyTiff(channels, depth, kind);
    const { image, notes } = await decodePictureFile(file, "it");
    expect(image).toEqual({ width, height, channels, data });
    expect(notes).toEqual([]);
    const bytes = depth === 8 ? data : Uint8Array.from(data, (value) => value >> 8);
    expect(await decodeImage(file, "it")).toEqual({ width, height, channels, data: bytes });
  });

  test.each([
    ["without ExtraSamples", {}],
    ["that are called nothing", { extra: [0, 0, 0] }],
    ["in planes", { extra: [0, 0, 0], inPlanes: true }],
    ["where 0 is white", { photometric: isWhite }],
  ] as const)("4 channels %s: the first three, with a note", async (kind, options) => {
    for (const depth of [8, 16] as const) {
      const { file, withoutLast } = greyTiff(4, depth, options);
      const { image, notes } = await decodePictureFile(file, "it");
      expect(image).toEqual({ width, height, channels: 3, data: withoutLast });
      expect(notesOf(notes)).toContain(lacks);
      const path = join(folder, `${kind} ${depth}.tif`);
      writeFileSync(path, file);
      const header = await readHeaderOfFile(path);
      expect(header).toMatchObject({ channels: 3, lacksChannel: true, metadata: { hasAlpha: false } });
    }
  });

  test("alpha where a colour should be is refused", async () => {
    for (const [channels, extra] of [
      [3, [2, 0]],
      [4, [1, 0, 0]],
    ] as const) {
      const error = await decodeImage(greyTiff(channels, 8, { extra }).file, "it").catch((e: Error) => e);
      expect(error).toBeInstanceOf(DataError);
      expect((error as Error).message).toMatch(
        /a TIFF file of \d channels, grey and alpha and others, which is not/,
      );
    }
  });
});

describe("a TIFF file of luma and chroma that is not packed as JPEG", () => {
  /** From RGB, TIFF 6.0, section 21; `range` as ReferenceBlackWhite, for 0..1. */
  function encode(rgb: Uint8Array, depth: 8 | 16, luma: readonly number[], range: readonly number[]) {
    const coded = new (depth === 8 ? Uint8Array : Uint16Array)(rgb.length);
    for (let i = 0; i < rgb.length; i += 3) {
      const [r, g, b] = [0, 1, 2].map((c) => rgb[i + c] / 255);
      const y = luma[0] * r + luma[1] * g + luma[2] * b;
      const parts = [y, (b - y) / (1 - luma[2]), (r - y) / (1 - luma[0])]; // chroma from -1 to 1
      for (const [c, part] of parts.entries()) {
        coded[i + c] = Math.round(range[2 * c] + part * (range[2 * c + 1] - range[2 * c]));
      }
    }
    return coded;
  }
  const usual = [0, 255, 128, 255, 128, 255];
  const deep = [0, 65535, 32768, 65535, 32768, 65535];
  const bt601 = [0.299, 0.587, 0.114];
  const none: Parameters<typeof tiffFile>[0]["tags"] = {};
  const bt709 = [0.2126, 0.7152, 0.0722];
  const studio = [16, 235, 128, 240, 128, 240];

  test.each([
    ["8 bits", 8, bt601, usual, none],
    ["8 bits, with the usual numbers", 8, bt601, usual, { 532: { fractions: usual } }],
    ["8 bits of a limited range", 8, bt601, studio, { 532: { fractions: studio } }],
    ["8 bits, by the colours of television", 8, bt709, usual, { 529: { fractions: bt709 } }],
    ["16 bits", 16, bt601, deep, none],
    ["16 bits, with the numbers of 8 bits beside them", 16, bt601, deep, { 532: { fractions: usual } }],
  ] as const)("%s", async (_, depth, luma, range, further) => {
    const rgb = noise(width, height, 3).data;
    const coded = encode(rgb, depth, luma, range);
    const tags = { 258: [depth, depth, depth], 262: [6], 277: [3], 530: [1, 1], ...further };
    const planes = [0, 1, 2].map((c) => coded.filter((_, i) => i % 3 === c));
    for (const file of [
      tiffFile({ width, height, planes: [coded], tags: { ...tags, 284: [1] } }),
      tiffFile({ width, height, planes, tags: { ...tags, 284: [2] } }),
    ]) {
      const { image } = await decodePictureFile(file, "it");
      const unit = depth === 8 ? 1 : 257;
      const [exact, bytes] = [image.data, (await decodeImage(file, "it")).data];
      expect(image).toMatchObject({ width, height, channels: 3 });
      for (const [i, value] of rgb.entries()) {
        expect(Math.abs(exact[i] / unit - value), `${i}`).toBeLessThanOrEqual(depth === 8 ? 2 : 0.01);
        expect(Math.abs(bytes[i] - value), `${i}`).toBeLessThanOrEqual(depth === 8 ? 2 : 1);
      }
    }
  });

  test("its profile is that of RGB", async () => {
    const rgb = noise(width, height, 3).data;
    const raw = sharp(rgb, { raw: { width, height, channels: 3 } }).withIccProfile("p3");
    const { icc } = await sharp(await raw.png().toBuffer()).metadata();
    const file = (photometric: number, data: Uint8Array | Uint16Array) =>
      tiffFile({
        ...{ width, height, planes: [data] },
        tags: { 258: [8, 8, 8], 262: [photometric], 277: [3], 284: [1], 530: [1, 1], 34675: [...icc!] },
      });
    expect(icc).toBeDefined();
    const want = await decodePictureFile(file(2, rgb), "rgb", { target: "srgb" });
    const { image } = await decodePictureFile(file(6, encode(rgb, 8, bt601, usual)), "it", {
      target: "srgb",
    });
    for (const [i, value] of want.image.data.entries()) {
      expect(Math.abs(image.data[i] - value)).toBeLessThanOrEqual(8);
    }
  });

  test("numbers that mean nothing are damage", async () => {
    const wrong: (typeof none)[] = [
      { 529: { fractions: [0, 1, 0] } },
      { 532: { fractions: [0, 0, 0, 0, 0, 0] } },
    ];
    for (const further of wrong) {
      const tags = { 258: [8, 8, 8], 262: [6], 277: [3], 284: [1], 530: [1, 1], ...further };
      const file = tiffFile({ width, height, planes: [noise(width, height, 3).data], tags });
      await expect(decodeImage(file, "it")).rejects.toThrow(
        /YCbCrCoefficients 0, 1, 0|ReferenceBlackWhite 0, 0/,
      );
    }
  });
});

describe("EXIF data of a PNG turn it", () => {
  const exif = exifOf({ first: [[274, [6]]] });
  const prefixed = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exif]);
  const rows = Array.from({ length: 5 }, (_, y) => noise(33, 1, 1, y).data);

  test.each([
    ["in front of its samples", { before: [pngChunk("eXIf", exif)] }],
    ["behind them", { after: [pngChunk("eXIf", exif)] }],
    ["in front, with the beginning that JPEG gives them", { before: [pngChunk("eXIf", prefixed)] }],
    ["behind, with that beginning", { after: [pngChunk("eXIf", prefixed)] }],
  ] as const)("%s", async (_, place) => {
    const plain = await decodeImage(pngOf({ width: 11, height: 5, colorType: 2, rows }), "plain");
    const file = pngOf({ width: 11, height: 5, colorType: 2, rows, ...place });
    const { image } = await decodePictureFile(file, "it");
    expect(image).toMatchObject({ width: 5, height: 11 });
    // A quarter turn clockwise: the first row becomes the last column.
    expect([...image.data.subarray(12, 15)]).toEqual([...plain.data.subarray(0, 3)]);
    expect(await decodeImage(file, "it")).toEqual(image);
  });
});

describe("an AVIF file of grey in a limited range is stretched", () => {
  /** 16x16 pixels of 0 to 255, by avifenc; the second with 10 bits, and with alpha of 255 to 0. */
  const files = {
    8: "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAPBtZXRhAAAAAAAAAChoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAbGliYXZpZgAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAEUAAAAYwAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABoaXBycAAAAElpcGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAOcGl4aQAAAAABCAAAAAxhdjFDgQAcAAAAABNjb2xybmNseAABAA0ABgAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAAGttZGF0EgAKCBgM/9hgIaDEMlUQAG4EpzlsHYC1DaQ41/M0/gGe8FXRbkrk6ShIW0yxFznkjZSeoPSJRBXn3HbdMdVVxfGvJCKwez8LaxEwa7n2vsoG5Yyyr7bhvUx74xhl3zseSI/w",
    10: "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAXFtZXRhAAAAAAAAAChoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAbGliYXZpZgAAAAAOcGl0bQAAAAAAAQAAACxpbG9jAAAAAEQAAAIAAQAAAAEAAAH8AAAAcwACAAAAAQAAAZUAAABnAAAAQmlpbmYAAAAAAAIAAAAaaW5mZQIAAAAAAQAAYXYwMUNvbG9yAAAAABppbmZlAgAAAAACAABhdjAxQWxwaGEAAAAAGmlyZWYAAAAAAAAADmF1eGwAAgABAAEAAACnaXBycAAAAIFpcGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAOcGl4aQAAAAABCgAAAAxhdjFDgQBcAAAAABNjb2xybmNseAABAA0ABgAAAAA4YXV4QwAAAAB1cm46bXBlZzptcGVnQjpjaWNwOnN5c3RlbXM6YXV4aWxpYXJ5OmFscGhhAAAAAB5pcG1hAAAAAAAAAAIAAQQBAoMEAAIEAQKDBQAAAOJtZGF0EgAKBRgM/9jUMlwQAG4Ep26xYv+9i5XiscCJ6RlVujvbfB93Rl5rHJ8RCTdgMfSP+SPQbWc4lHDZmr2bCALs9z0iNHIE5zYTeYr1fwDgUpNym+Cm2ircrE4Nay4MkEOZjRuwYZhZXhIACggYDP/Y4CGgxDJlEABuBKdpXCvchvIejBceirHRW/hJd6BL21im4fIqJBPyfR/Z1DnnCueteV912kOK9AQBxJR7/iXQnNS6qfz5P5I6+UUSevVMAHXb4fkDsaODoDQE5L1yeRlefvueWvbE5+atkMA=",
  };

  test("8 bits", async () => {
    const { data } = await decodeImage(Buffer.from(files[8], "base64"), "it");
    for (let i = 0; i < 256; i++) expect(Math.abs(data[3 * i] - i)).toBeLessThanOrEqual(1);
    expect([data[0], data[3 * 255]]).toEqual([0, 255]);
  });

  test("10 bits, but not alpha", async () => {
    const file = Buffer.from(files[10], "base64");
    const [bytes, { image }] = [await decodeImage(file, "it"), await decodePictureFile(file, "it")];
    for (let i = 0; i < 256; i++) {
      expect(Math.abs(image.data[4 * i] / 257 - i)).toBeLessThanOrEqual(0.5);
      expect(Math.abs(image.data[4 * i + 3] / 257 - (255 - i))).toBeLessThanOrEqual(0.5);
      expect(Math.abs(bytes.data[4 * i] - i)).toBeLessThanOrEqual(1);
      expect(Math.abs(bytes.data[4 * i + 3] - (255 - i))).toBeLessThanOrEqual(1);
    }
    expect([image.data[0], image.data[4 * 255]]).toEqual([0, 65535]);
  });

  test("in the full range, it stays as it is", async () => {
    const file = Buffer.from(files[8], "base64");
    file[file.indexOf("colrnclx") + 14] |= 0x80;
    const { data } = await decodeImage(file, "it");
    expect([data[0], data[3 * 255]]).toEqual([16, 235]);
  });
});

test("an AVIF animation gives its first frame, with a note", async () => {
  const picture = noise(16, 8, 3);
  const still = await sharp(picture.data, { raw: { width: 16, height: 8, channels: 3 } })
    .avif({ lossless: true })
    .toBuffer();
  const box = (type: string, content: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, content]);
  };
  const sizes = box("stsz", Buffer.from("00000000" + "00000000" + "00000003" + "000000".repeat(4), "hex"));
  const track = ["stbl", "minf", "mdia", "trak", "moov"].reduce((inner, type) => box(type, inner), sizes);
  still.write("avis", 8, "latin1");
  still.write("msf1avis", 16, "latin1"); // what it is, too
  const file = Buffer.concat([still, track]);
  const { image, notes } = await decodePictureFile(file, "it");
  expect(image).toEqual(picture);
  expect(notesOf(notes)).toEqual(["only the first of 3 pictures was taken"]);
  const path = join(folder, "animation.avif");
  writeFileSync(path, file);
  expect(await readHeaderOfFile(path)).toMatchObject({ width: 16, height: 8, frames: 3 });
});

test("a GIF whose first frame does not fill it is transparent around that", async () => {
  const small = sharp(Buffer.alloc(4 * 3 * 3, 200), { raw: { width: 4, height: 3, channels: 3 } });
  const gif = await small.gif().toBuffer();
  // No colour means transparency: that is how old files leave it to the program what is around their frames.
  gif[gif.indexOf(Buffer.of(0x21, 0xf9, 4)) + 3] &= ~1;
  gif.writeUInt16LE(10, 6);
  gif.writeUInt16LE(7, 8);
  const frame = gif.indexOf(Buffer.from("2c0000000004000300", "hex"));
  gif.writeUInt16LE(5, frame + 1);
  gif.writeUInt16LE(2, frame + 3);
  const isInside = (i: number) => i % 10 >= 5 && i % 10 < 9 && i >= 20 && i < 50;
  const { image } = await decodePictureFile(gif, "it");
  expect(image).toMatchObject({ width: 10, height: 7, channels: 4 });
  for (let i = 0; i < 70; i++) {
    expect([...image.data.subarray(4 * i, 4 * i + 4)], `${i}`).toEqual(
      isInside(i) ? [200, 200, 200, 255] : [0, 0, 0, 0],
    );
  }
  expect(await decodeImage(gif, "it")).toEqual(image);
  const path = join(folder, "small.gif");
  writeFileSync(path, gif);
  expect(await readHeaderOfFile(path)).toMatchObject({ channels: 4, metadata: { hasAlpha: true } });
});

test("a GIF whose first frame is all that the decoder gives has no transparency, whatever size the file says", async () => {
  const small = sharp(Buffer.alloc(53 * 37 * 3, 200), { raw: { width: 53, height: 37, channels: 3 } });
  const gif = await small.gif().toBuffer();
  gif[gif.indexOf(Buffer.of(0x21, 0xf9, 4)) + 3] &= ~1;
  gif.writeUInt16LE(640, 6); // sizes of old screens mean nothing
  gif.writeUInt16LE(480, 8);
  expect((await decodePictureFile(gif, "it")).image).toMatchObject({ width: 53, height: 37, channels: 3 });
});
