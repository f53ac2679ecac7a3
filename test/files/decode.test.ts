/** Formats that are read: every kind of PNG against pngjs, BMP and PPM against files written here byte by byte. */
import fs, { truncateSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { PNG } from "pngjs";
import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage, readImage } from "../../src/files/image-files.ts";
import {
  decodePictureFile,
  encodeTo,
  readPictureFile,
  sizeOfPictureFile,
} from "../../src/files/picture-file.ts";
import { toSrgb } from "../../src/files/to-srgb.ts";
import { mayBeCutShort } from "../../src/formats/cut-short.ts";
import { readPnm } from "../../src/formats/pnm.ts";
import { readFrom } from "../../src/formats/read.ts";
import { tiffHeader } from "../../src/formats/tiff.ts";
import { DataError } from "../../src/picture/errors.ts";
import type { Image } from "../../src/picture/image.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { exifOf, segment, withSegments } from "../support/exif.ts";
import { pngChunk, pngOf, uint32s } from "../support/png.ts";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const text = (value: string) => Buffer.from(value, "latin1");

describe("PNG of every kind is what pngjs reads", () => {
  const palette = noise(16, 1, 3).data;
  const rows = (bytes: number, seed: number) =>
    Array.from({ length: 5 }, (_, y) => noise(bytes, 1, 1, seed + y).data);

  test.each([
    ["1-bit grey", { colorType: 0, bits: 1 }, 2, []],
    ["2-bit grey", { colorType: 0, bits: 2 }, 3, []],
    ["4-bit grey", { colorType: 0, bits: 4 }, 6, []],
    ["8-bit grey with tRNS", { colorType: 0, bits: 8 }, 11, [pngChunk("tRNS", Buffer.of(0, 77))]],
    ["RGB with tRNS", { colorType: 2, bits: 8 }, 33, [pngChunk("tRNS", Buffer.of(0, 1, 0, 2, 0, 3))]],
    ["1-bit palette", { colorType: 3, bits: 1 }, 2, [pngChunk("PLTE", palette.subarray(0, 6))]],
    ["2-bit palette", { colorType: 3, bits: 2 }, 3, [pngChunk("PLTE", palette.subarray(0, 12))]],
    [
      "4-bit palette with tRNS",
      { colorType: 3, bits: 4 },
      6,
      [pngChunk("PLTE", palette), pngChunk("tRNS", Buffer.of(0, 128, 255, 7))],
    ],
  ] as const)("%s", async (name, kind, bytes, before) => {
    const file = pngOf({ width: 11, height: 5, ...kind, rows: rows(bytes, 9), before });
    const { image } = await decodePictureFile(file, name);
    expect(rgbaOf(image)).toEqual([...PNG.sync.read(file).data]);
  });

  test("interlaced, of 8 and 16 bits", async () => {
    const picture = noise(13, 9, 4);
    const raw = sharp(picture.data, { raw: { width: 13, height: 9, channels: 4 } });
    const interlaced = await raw.png({ progressive: true }).toBuffer();
    expect(interlaced[28]).toBe(1);
    expect((await decodePictureFile(interlaced, "i")).image).toEqual(picture);
    const levels = Uint16Array.from(picture.data, (value, i) => value * 250 + i);
    const deep = sharp(levels, { raw: { width: 13, height: 9, channels: 4 } }).toColourspace("rgb16");
    const { image } = await decodePictureFile(await deep.png({ progressive: true }).toBuffer(), "d");
    expect(image.data).toEqual(levels);
  });
});

function rgbaOf({ channels, data }: Pick<Image, "channels"> & { data: ArrayLike<number> }): number[] {
  const pixels: number[] = [];
  for (let i = 0; i < data.length; i += channels) {
    const [r, g, b] = channels <= 2 ? [0, 0, 0] : [0, 1, 2];
    pixels.push(data[i + r], data[i + g], data[i + b], channels % 2 === 0 ? data[i + channels - 1] : 255);
  }
  return pixels;
}

describe("BMP", () => {
  /** 3x2 pixels: red, green, blue; white, black, grey. */
  const colors = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
    [0, 0, 0],
    [132, 132, 132],
  ];
  const picture: Image = { width: 3, height: 2, channels: 3, data: Uint8Array.from(colors.flat()) };

  interface Bmp {
    bits: number;
    rows: number[][];
    compression?: number;
    palette?: number[][];
    masks?: number[];
    topDown?: boolean;
    headerSize?: number;
    perMeter?: number;
  }

  /** Rows are given from the top, and padded here. */
  function bmpOf({
    bits,
    rows,
    compression = 0,
    palette = [],
    masks = [],
    topDown,
    headerSize = 40,
    perMeter = 0,
  }: Bmp) {
    const info = Buffer.alloc(headerSize);
    info.writeUInt32LE(headerSize, 0);
    info.writeInt32LE(3, 4);
    info.writeInt32LE(topDown ? -2 : 2, 8);
    info.writeUInt16LE(1, 12);
    info.writeUInt16LE(bits, 14);
    info.writeUInt32LE(compression, 16);
    info.writeInt32LE(perMeter, 24);
    info.writeInt32LE(perMeter, 28);
    info.writeUInt32LE(palette.length, 32);
    const maskBytes = Buffer.alloc(4 * masks.length);
    for (const [i, mask] of masks.entries()) maskBytes.writeUInt32LE(mask, 4 * i);
    if (headerSize > 40) maskBytes.copy(info, 40);
    const extra = headerSize > 40 ? Buffer.alloc(0) : maskBytes;
    const table = Buffer.from(palette.flatMap(([r, g, b]) => [b, g, r, 0]));
    const padded = rows.map((row) => Buffer.from([...row, ...new Array(-row.length & 3).fill(0)]));
    const samples = Buffer.concat(topDown ? padded : padded.reverse());
    const head = Buffer.alloc(14);
    head.write("BM");
    head.writeUInt32LE(14 + info.length + extra.length + table.length, 10);
    return Buffer.concat([head, info, extra, table, samples]);
  }

  const bgr = (pixels: number[][]) => pixels.flatMap(([r, g, b]) => [b, g, r]);
  const two = <T>(values: T[]) => [values.slice(0, 3), values.slice(3)];
  const words = (values: number[]) => values.flatMap((value) => [value & 255, value >> 8]);
  const five = (v: number) => Math.round((v * 31) / 255);

  test.each<[string, Bmp]>([
    ["24 bits", { bits: 24, rows: two(colors).map(bgr) }],
    ["from top to bottom", { bits: 24, rows: two(colors).map(bgr), topDown: true }],
    [
      "32 bits, the upper 8 of which mean nothing",
      { bits: 32, rows: two(colors).map((row) => row.flatMap(([r, g, b]) => [b, g, r, 0])) },
    ],
    [
      "8 bits with a palette",
      {
        bits: 8,
        palette: colors,
        rows: [
          [0, 1, 2],
          [3, 4, 5],
        ],
      },
    ],
    [
      "4 bits",
      {
        bits: 4,
        palette: colors,
        rows: [
          [0x01, 0x20],
          [0x34, 0x50],
        ],
      },
    ],
    [
      "run lengths",
      {
        bits: 8,
        compression: 1,
        palette: colors,
        rows: [
          [0, 3, 0, 1, 2, 0, 0, 1],
          [0, 3, 3, 4, 5, 0, 0, 0],
        ],
      },
    ],
    [
      "run lengths of 4 bits",
      {
        bits: 4,
        compression: 2,
        palette: colors,
        rows: [
          [0, 3, 0x01, 0x20, 0, 1, 0, 1],
          [1, 0x30, 1, 0x40, 1, 0x50, 0, 0],
        ],
      },
    ],
    [
      "16 bits",
      {
        bits: 16,
        rows: two(colors).map((row) =>
          words(row.map(([r, g, b]) => (five(r) << 10) | (five(g) << 5) | five(b))),
        ),
      },
    ],
    [
      "bit masks",
      {
        bits: 16,
        compression: 3,
        masks: [0x1f, 0x3e0, 0x7c00],
        rows: two(colors).map((row) =>
          words(row.map(([r, g, b]) => (five(b) << 10) | (five(g) << 5) | five(r))),
        ),
      },
    ],
  ])("%s", async (name, parts) => {
    expect(await decodeImage(bmpOf(parts), name)).toEqual(picture);
  });

  test("1 bit, and a palette of greys: grey", async () => {
    const file = bmpOf({
      bits: 1,
      palette: [
        [0, 0, 0],
        [255, 255, 255],
      ],
      rows: [[0b10100000], [0b01000000]],
    });
    const data = Uint8Array.of(255, 0, 255, 0, 255, 0);
    expect(await decodeImage(file, "bits")).toEqual({ width: 3, height: 2, channels: 1, data });
  });

  test("alpha in a mask of its own; 0 everywhere means none", async () => {
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    const rows = (alpha: number) => two(colors).map((row) => row.flatMap(([r, g, b]) => [b, g, r, alpha]));
    const parts = { bits: 32, compression: 3, masks, headerSize: 108 };
    const half = await decodeImage(bmpOf({ ...parts, rows: rows(99) }), "alpha");
    expect(half.channels).toBe(4);
    expect([...half.data.filter((_, i) => i % 4 === 3)]).toEqual(new Array(6).fill(99));
    const none = await decodeImage(bmpOf({ ...parts, rows: rows(0) }), "none");
    expect([...none.data.filter((_, i) => i % 4 === 3)]).toEqual(new Array(6).fill(255));
  });

  test("the header of OS/2, and a resolution", async () => {
    const rows = two(colors)
      .map(bgr)
      .map((row) => [...row, ...new Array(-row.length & 3).fill(0)]);
    const old = Buffer.concat([
      Buffer.from("424d0000000000000000", "hex"),
      Buffer.from([26, 0, 0, 0, 12, 0, 0, 0, 3, 0, 2, 0, 1, 0, 24, 0]),
      Buffer.from([...rows[1], ...rows[0]]),
    ]);
    expect(await decodeImage(old, "os2")).toEqual(picture);
    const { density } = await decodePictureFile(
      bmpOf({ bits: 24, rows: two(colors).map(bgr), perMeter: 11_811 }),
      "d",
    );
    expect(density!.x).toBeCloseTo(300, 2);
  });

  test("what is cut short, and what claims too much, is refused", async () => {
    const whole = bmpOf({ bits: 24, rows: two(colors).map(bgr) });
    await expect(decodeImage(whole.subarray(0, -1), "cut.bmp")).rejects.toThrow(
      /^cut\.bmp: this BMP picture cannot be decoded \(3x2 pixels of 24 bits take 24 bytes, and the file has 23\)/,
    );
    for (const [at, value] of [
      [18, 0x7fffffff],
      [22, 0x7fffffff],
      [22, -0x80000000],
      [14, 0],
      [14, 0xffff],
      [28, 5],
      [30, 4],
    ]) {
      const odd = Buffer.from(whole);
      odd.writeInt32LE(value, at);
      await expect(decodeImage(odd, "odd.bmp")).rejects.toThrow(DataError);
    }
  });
});

describe("PPM, PGM, PBM, PAM", () => {
  const image = noise(5, 3, 3);
  const grey = noise(5, 3, 1);
  const bits = { ...grey, data: grey.data.map((value) => (value > 127 ? 255 : 0)) };
  const packed = Buffer.from(
    [0, 1, 2].map((y) =>
      [0, 1, 2, 3, 4].reduce((byte, x) => byte | (bits.data[5 * y + x] ? 0 : 128 >> x), 0),
    ),
  );
  const words = (values: Uint8Array) => Buffer.from([...values].flatMap((value) => [value, 255 - value]));

  test.each<[string, Buffer, Image]>([
    ["P6", Buffer.concat([text("P6\n# a comment\n5 3\n255\n"), image.data]), image],
    ["P5", Buffer.concat([text("P5 5 3 255\n"), grey.data]), grey],
    ["P4", Buffer.concat([text("P4\n5 3\n"), packed]), bits],
    ["P3", text(`P3\n5 3\n255\n${[...image.data].join("\n")}\n`), image],
    ["P2", text(`P2 5 3 255 ${[...grey.data].join(" ")}`), grey],
    ["P1", text(`P1\n5 3\n${[...bits.data].map((value) => (value ? 0 : 1)).join("")}\n`), bits],
    [
      "P7",
      Buffer.concat([text("P7\nWIDTH 5\nHEIGHT 3\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"), image.data]),
      image,
    ],
    ["16 bits, of which 8 are taken", Buffer.concat([text("P6 5 3 65535\n"), words(image.data)]), image],
    [
      "another white",
      Buffer.concat([text("P5 5 3 51\n"), grey.data.map((value) => value / 5)]),
      { ...grey, data: grey.data.map((value) => 5 * Math.floor(value / 5)) },
    ],
  ])("%s", async (name, file, wanted) => {
    expect(await decodeImage(file, name)).toEqual(wanted);
  });

  test("16 bits are kept for people", async () => {
    const file = Buffer.concat([text("P6 5 3 65535\n"), words(image.data)]);
    const { image: deep } = await decodePictureFile(file, "deep");
    expect(deep.data).toEqual(Uint16Array.from(image.data, (value) => value * 256 + 255 - value));
  });

  test("alpha in PAM; more than one picture", async () => {
    const header = "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n";
    const one = Buffer.concat([text(header), Buffer.of(1, 2, 3, 4)]);
    const { image: pixel, notes } = await decodePictureFile(Buffer.concat([one, one]), "two");
    expect(pixel).toEqual({ width: 1, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 4) });
    expect(notes).toEqual([{ kind: "frames", text: "only the first of several pictures was taken" }]);
  });

  test.each([
    "P6 5 3 255\nabc",
    "P6 99999 99999 255\nabc",
    "P3 2 2 255 1 2",
    "P5 0 3 255\n",
    "P5 5 3 0\n",
    "P6 ",
    "P7\nWIDTH 5\nENDHDR\n",
    "P2 5 3 70000 1",
  ])("refused: %j", async (file) => {
    await expect(decodeImage(text(file), "x.ppm")).rejects.toThrow(DataError);
  });
});

test("TIFF of 8 and 16 bits, and AVIF", async () => {
  const image = noise(20, 12, 3);
  const raw = sharp(image.data, { raw: { width: 20, height: 12, channels: 3 } });
  for (const compression of ["none", "lzw", "deflate", "packbits"] as const) {
    const tiff = await raw.clone().tiff({ compression, predictor: "none" }).toBuffer();
    expect(await decodeImage(tiff, compression)).toEqual(image);
  }
  const levels = Uint16Array.from(image.data, (value) => value * 250);
  const deep = sharp(levels, { raw: { width: 20, height: 12, channels: 3 } }).toColourspace("rgb16");
  writeFileSync(path("deep.tif"), await deep.tiff({ compression: "lzw" }).toBuffer());
  expect((await readPictureFile(path("deep.tif"))).image.data).toEqual(levels);
  expect((await readImage(path("deep.tif"))).data).toEqual(Uint8Array.from(levels, (value) => value >> 8));
  expect(await decodeImage(await raw.clone().avif({ lossless: true }).toBuffer(), "avif")).toEqual(image);
  const floats = await raw.clone().toColourspace("scrgb").tiff({ compression: "none" }).toBuffer();
  if ((await sharp(floats).metadata()).depth === "float") {
    await expect(decodeImage(floats, "float.tif")).rejects.toThrow("floating-point numbers of 32 bits");
  }
});

describe("whole files that nothing here reads are called what they are, and not damaged", () => {
  /** An uncompressed TIFF file of 4x4 pixels. */
  const tiffOf = (
    bits: number,
    channels: number,
    photometric: number,
    sampleFormat = 1,
    { compression = 1, further = [] as readonly (readonly [tag: number, value: number])[] } = {},
  ) => {
    const lists = Buffer.alloc(32);
    for (let i = 0; i < 8; i++) {
      lists.writeUInt16LE(bits, 2 * i);
      lists.writeUInt16LE(sampleFormat, 16 + 2 * i);
    }
    const samples = Buffer.alloc((16 * channels * bits) / 8, 60);
    const place = 8 + 2 + 12 * (11 + further.length) + 4;
    // A list of one or two values lies in the entry itself.
    const list = (value: number, at: number): [number, number] =>
      channels > 2 ? [channels, at] : [channels, value * (channels === 2 ? 65537 : 1)];
    const extra = channels - (photometric === 1 ? 1 : 3);
    const entries: (readonly [tag: number, type: number, count: number, value: number])[] = [
      [256, 3, 1, 4],
      [257, 3, 1, 4],
      [258, 3, ...list(bits, place)],
      [259, 3, 1, compression],
      [262, 3, 1, photometric],
      [273, 4, 1, place + 32],
      [277, 3, 1, channels],
      [278, 3, 1, 4],
      [279, 4, 1, samples.length],
      ...(extra > 0 && extra <= 2 ? ([[338, 3, extra, 0]] as const) : []),
      [339, 3, ...list(sampleFormat, place + 16)],
      ...further.map(([tag, value]) => [tag, 4, 1, value] as const),
    ];
    entries.sort(([one], [other]) => one - other);
    const directory = Buffer.alloc(place - 8);
    directory.writeUInt16LE(entries.length);
    for (const [i, [tag, type, count, value]] of entries.entries()) {
      directory.writeUInt16LE(tag, 2 + 12 * i);
      directory.writeUInt16LE(type, 4 + 12 * i);
      directory.writeUInt32LE(count, 6 + 12 * i);
      directory.writeUInt32LE(value, 10 + 12 * i);
    }
    return Buffer.concat([Buffer.from("49492a0008000000", "hex"), directory, lists, samples]);
  };
  /** A JPEG file up to its first scan: 4x4 pixels, grey. */
  const jpegOf = (frame: number, bits: number) =>
    Buffer.concat([
      Buffer.of(0xff, 0xd8, 0xff, frame, 0, 11, bits, 0, 4, 0, 4, 1, 1, 0x11, 0),
      Buffer.of(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 3, 4, 0xff, 0xd9),
    ]);
  const bmpOf = (headerSize: number, compression: number) => {
    const file = Buffer.alloc(200);
    file.write("BM");
    file.writeUInt32LE(14 + headerSize, 10);
    file.writeUInt32LE(headerSize, 14);
    for (const place of [18, 22]) file.writeUInt32LE(4, place);
    file.writeUInt32LE(compression, 30);
    return file;
  };
  const thumbnail = [
    [254, 1],
    [330, 8],
  ] as const;
  const png = () =>
    sharp(noise(8, 8, 3).data, { raw: { width: 8, height: 8, channels: 3 } })
      .png()
      .toBuffer();

  test("the drawn files are right: one of the usual kind is read", async () => {
    expect((await decodeImage(tiffOf(8, 3, 2), "rgb.tif")).data).toEqual(new Uint8Array(48).fill(60));
  });

  test.each<[string, () => Buffer | Promise<Buffer>, RegExp]>([
    [
      "5 channels",
      () => tiffOf(8, 5, 2),
      /a TIFF file of 5 channels, which is not read\. Convert it to grey or/,
    ],
    ["6 channels of 16 bits", () => tiffOf(16, 6, 2), /a TIFF file of 6 channels/],
    ["Lab", () => tiffOf(8, 3, 8), /a TIFF file of CIELab, which is not read/],
    ["Lab of 16 bits", () => tiffOf(16, 3, 8), /a TIFF file of CIELab/],
    ["LogLuv", () => tiffOf(16, 3, 32845), /a TIFF file of LogLuv/],
    ["raw samples", () => tiffOf(16, 1, 32803), /a TIFF file of a camera's raw samples/],
    ["doubles", () => tiffOf(64, 1, 1, 3), /a TIFF file of floating-point numbers of 64 bits/],
    [
      "ZSTD",
      () => tiffOf(8, 3, 2, 1, { compression: 50000 }),
      /a TIFF file that is compressed by ZSTD, which is not read\. Save it without compression or by LZW/,
    ],
    ["LZMA", () => tiffOf(8, 3, 2, 1, { compression: 34925 }), /a TIFF file that is compressed by LZMA/],
    ["a thumbnail", () => tiffOf(8, 3, 2, 1, { further: thumbnail }), /a camera's raw file/],
    ["DNG", () => tiffOf(8, 3, 2, 1, { further: [[50706, 0x401]] }), /a camera's raw file.*darktable/],
    ["12 bits", () => tiffOf(12, 1, 1), /a TIFF file of whole numbers of 12 bits/],
    [
      "CgBI",
      async () => {
        const file = await png();
        const chunk = pngChunk("CgBI", Buffer.of(0x50, 0, 0x20, 2));
        return Buffer.concat([file.subarray(0, 8), chunk, file.subarray(8)]);
      },
      /Apple's own variant of PNG \(CgBI\), which is not read\. Open it on a Mac/,
    ],
    [
      "AVIF animation without a still picture",
      async () => {
        const file = await sharp(await png())
          .avif()
          .toBuffer();
        file.write("avis", 8, "latin1");
        file.write("free", file.indexOf("meta"), "latin1");
        return file;
      },
      /an AVIF animation without a still picture, which is not read\. Save a frame of it as PNG/,
    ],
    [
      "PNG in TIFF",
      () => tiffOf(8, 3, 2, 1, { compression: 34933 }),
      /a TIFF file that is compressed by PNG/,
    ],
    ["old JPEG", () => tiffOf(8, 3, 6, 1, { compression: 6 }), /compressed by JPEG in its old way/],
    ["a rare method", () => tiffOf(8, 3, 2, 1, { compression: 50013 }), /by a method of the number 50013/],
    ["a mask", () => tiffOf(8, 1, 4), /a TIFF file of a transparency mask/],
    ["YCbCr with alpha", () => tiffOf(8, 4, 6), /a TIFF file of YCbCr of 4 channels and 8 bits/],
    [
      "16 bits of which pixels share chroma",
      () => tiffOf(16, 3, 6, 1, { further: [[530, 0x20002]] }),
      /a TIFF file of YCbCr of 3 channels and 16 bits/,
    ],
    [
      "tiles of single channels",
      () =>
        tiffOf(8, 3, 2, 1, { further: [284, 322, 323].map((tag) => [tag, tag === 284 ? 2 : 16] as const) }),
      /a TIFF file whose channels lie in tiles of their own, which is not read\. Put them side by side/,
    ],
    ["JPEG of 12 bits", () => jpegOf(0xc1, 12), /a JPEG picture of 12 bits per sample, which is not read/],
    ["lossless JPEG of 16 bits", () => jpegOf(0xc3, 16), /a lossless JPEG picture of 16 bits per sample/],
    ["JPEG-LS", () => jpegOf(0xf7, 8), /a JPEG-LS picture, which is not read/],
    ["hierarchical JPEG", () => jpegOf(0xde, 8), /a hierarchical JPEG picture, which is not read/],
    ["JPEG in BMP", () => bmpOf(40, 4), /a BMP file that holds a JPEG picture, which is not read/],
    ["PNG in BMP", () => bmpOf(40, 5), /a BMP file that holds a PNG picture, which is not read/],
    ["a BMP of OS/2", () => bmpOf(64, 3), /a BMP file of OS\/2 that is packed by Huffman codes/],
    [
      "HEIC that begins as AVIF may",
      () => Buffer.from("\0\0\0\x18ftypmif1\0\0\0\0mif1heic\0\0\0\x08mdat", "latin1"),
      /a HEIC picture, as iPhones take them/,
    ],
  ])("%s", async (_, make, message) => {
    const file = await make();
    for (const decode of [decodeImage, decodePictureFile]) {
      const error = await decode(file, "it").catch((cause: Error) => cause);
      expect(error).toBeInstanceOf(DataError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).not.toMatch(/damaged|cut short|\n/);
    }
  });
});

test("a JPEG whose height stands behind its samples is whole, and not read", async () => {
  const jpeg = await sharp(noise(16, 16, 3).data, { raw: { width: 16, height: 16, channels: 3 } })
    .jpeg()
    .toBuffer();
  const frame = jpeg.indexOf(Buffer.of(0xff, 0xc0));
  jpeg.writeUInt16BE(0, frame + 5);
  const file = Buffer.concat([jpeg.subarray(0, -2), Buffer.of(0xff, 0xdc, 0, 4, 0, 16, 0xff, 0xd9)]);
  const message =
    /^dnl\.jpg: this is a JPEG picture whose header leaves its height open \(DNL\), which is not read/;
  await expect(decodeImage(file, "dnl.jpg")).rejects.toThrow(message);
  writeFileSync(path("dnl.jpg"), file);
  await expect(sizeOfPictureFile(path("dnl.jpg"))).rejects.toThrow("leaves its height open");
});

describe("what is no picture that is read is called what it is", () => {
  test.each<[string, string, RegExp]>([
    [
      "p.jpg",
      "<!DOCTYPE html>\n<html><head>",
      /a web page, such as one that asks to log in.*Download the file itself/,
    ],
    [
      "x.png",
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7",
      /a Git LFS pointer.*git lfs pull/,
    ],
    [
      "i.heic",
      "\0\0\0\x18ftypheic\0\0\0\0mif1heic",
      /a HEIC picture.*"heif-dec FILE picture\.png".*Most Compatible/,
    ],
    ["i.jpg", "\xff\x0a\xfa\x1f\x01", /a JPEG XL picture.*djxl/],
    ["i.jxl", "\0\0\0\x0cJXL \x0d\x0a\x87\x0a", /a JPEG XL picture/],
    ["i.jp2", "\0\0\0\x0cjP  \x0d\x0a\x87\x0a", /a JPEG 2000 picture/],
    ["i.j2k", "\xff\x4f\xff\x51\0\x2f", /a JPEG 2000 picture/],
    ["i.psd", "8BPS\0\x01\0\0", /a Photoshop file/],
    ["i.xcf", "gimp xcf v011", /a GIMP file/],
    ["i.svg", '<?xml version="1.0"?>\n<!-- x --><svg width="3">', /an SVG drawing.*rsvg-convert/],
    ["i.svg", "<svg xmlns=", /an SVG drawing/],
    ["i.pdf", "%PDF-1.7\n", /a PDF document.*pdfimages/],
    ["i.eps", "%!PS-Adobe-3.0 EPSF", /a PostScript file/],
    ["i.exr", "\x76\x2f\x31\x01", /an OpenEXR picture/],
    ["i.hdr", "#?RADIANCE\n", /floating-point numbers/],
    ["f.mp4", "\0\0\0\x20ftypisom", /a film; .*ffmpeg -i FILE -f yuv4mpegpipe - \| pixelgrad upscale/],
    ["f.mov", "\0\0\0\x14ftypqt  ", /a film;/],
    ["f.mkv", "\x1a\x45\xdf\xa3\x01", /a film;/],
    ["f.avi", "RIFF1234AVI LIST", /a film;/],
    ["f.y4m", "YUV4MPEG2 W3 H2", /a y4m video/],
    ["i.cr3", "\0\0\0\x18ftypcrx \0\0\0\x01", /a camera's raw file.*darktable-cli/],
    ["i.raf", "FUJIFILMCCD-RAW 0201", /a camera's raw file/],
    ["i.cr2", "II*\0\x10\0\0\0CR\x02\0", /a camera's raw file/],
    ["i.nef", "MM\0*\0\0\0\x08\0\0", /a camera's raw file/],
    ["i.ico", "\0\0\x01\0\x01\0", /icons of Windows/],
    ["i.tga", "\0\0\x02\0\0\0\0\0", /a Targa picture/],
    ["i.png", "\xff\xfe\x89\0P\0N\0G\0", /a text in UTF-16/],
    ["i.png", "PK\x03\x04\x14\0", /a packed file.*Unpack it/],
    ["i.svg", '<?xml version="1.0"?>\n<Error>', /an XML text/],
    ["w.safetensors", '\x40\0\0\0\0\0\0\0{"__metadata__"', /a file of weights/],
  ])("%s (case %#)", async (name, start, message) => {
    const bytes = Buffer.from(start, "latin1");
    const error = await decodeImage(bytes, `in/${name}`).catch((cause: Error) => cause);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^in\/\S+: this is .*; what is read is PNG, JPEG, .* or PPM\. /);
    expect((error as Error).message).not.toMatch(/damaged|\n/);
  });

  test("hostile texts take no time", async () => {
    const time = await cpuTime(async () => {
      for (const part of ["<!---->", "<?xml ", "<!-- ", "... ", "PK", "<svg"]) {
        const text = Buffer.from(part.repeat(2000));
        await expect(decodeImage(text, "x.png")).rejects.toThrow(DataError);
      }
    });
    expect(time).toBeLessThan(2000);
  });
});

describe("limits", () => {
  const header = (width: number, height: number, bits = 8, colorType = 2) =>
    pngOf({ width, height, bits, colorType, rows: [] });

  test.each([
    [
      "16 bits count twice",
      header(16384, 16384, 16, 6),
      "16384x16384 pixels, which take 2.00 GiB, and at most 1 GiB is read",
    ],
    [
      "more than a PNG of its size can hold",
      header(8000, 8000),
      /8000x8000 pixels, which \d+ bytes cannot hold/,
    ],
    ["no such size", header(0, 7), "cannot be decoded"],
  ])("%s", async (name, file, message) => {
    const time = await cpuTime(async () => {
      for (const read of [decodeImage, decodePictureFile]) {
        const error = await read(file, name).catch((cause) => cause);
        expect(error).toBeInstanceOf(DataError);
        expect(error.message).toMatch(message);
      }
    });
    expect(time).toBeLessThan(2000); // decoding would take several seconds
  });

  test("a JPEG of a few bytes that claims a gigapixel", async () => {
    const raw = { raw: { width: 8, height: 8, channels: 1 as const } };
    const jpeg = await sharp(noise(8, 8, 1).data, raw)
      .toColourspace("b-w")
      .jpeg()
      .toBuffer();
    const frame = jpeg.indexOf(Buffer.of(0xff, 0xc0));
    jpeg.writeUInt16BE(30_000, frame + 5);
    jpeg.writeUInt16BE(30_000, frame + 7);
    await expect(decodeImage(jpeg, "claims.jpg")).rejects.toThrow(/which \d+ bytes cannot hold/);
  });
});

describe("decoders' warnings", () => {
  async function jpegOf(width = 24): Promise<Buffer> {
    return sharp(noise(width, 24, 3).data, { raw: { width, height: 24, channels: 3 } })
      .jpeg()
      .toBuffer();
  }

  test("a scan header that some phones write is read, with a note", async () => {
    const jpeg = await jpegOf();
    const phone = Buffer.from(jpeg);
    const scan = phone.indexOf(Buffer.of(0xff, 0xda));
    expect(phone[scan + 12]).toBe(63);
    phone[scan + 12] = 0; // Se
    expect((await decodeImage(phone, "phone")).data).toEqual((await decodeImage(jpeg, "jpeg")).data);
    const { notes } = await decodePictureFile(phone, "phone");
    expect(notes).toEqual([
      { kind: "decoder", text: "the decoder warns: Invalid SOS parameters for sequential JPEG" },
    ]);
    expect((await decodePictureFile(jpeg, "jpeg")).notes).toEqual([]);
  });

  test("a JPEG without the mark for its end is read, with a note", async () => {
    for (const progressive of [false, true]) {
      const jpeg = await sharp(await jpegOf(200))
        .jpeg({ progressive })
        .toBuffer();
      const { data } = await decodeImage(jpeg, "jpeg");
      for (const missing of [1, 2]) {
        const { image, notes } = await decodePictureFile(jpeg.subarray(0, -missing), "cut.jpg");
        expect(image.data).toEqual(data);
        expect(notes.map(({ text }) => text)).toEqual([
          "the decoder warns: the mark for the end of the file is missing",
        ]);
      }
    }
  });

  test("a GIF has its end, whatever stands behind it", async () => {
    const frames = sharp(noise(8, 12, 3).data, { raw: { width: 8, height: 12, channels: 3, pageHeight: 6 } });
    const gif = await frames.gif({ delay: [100, 100] }).toBuffer();
    const decoderNotes = async (bytes: Uint8Array) =>
      (await decodePictureFile(bytes, "it.gif")).notes.filter(({ kind }) => kind === "decoder");
    for (const rest of ["", "\r\n", "<html>", "\0\0;"])
      expect(await decoderNotes(Buffer.concat([gif, text(rest)])), rest).toEqual([]);
    const noEnd = [
      { kind: "decoder", text: "the decoder warns: the mark for the end of the file is missing" },
    ];
    for (const rest of ["", "\0;", "\r\n"])
      expect(await decoderNotes(Buffer.concat([gif.subarray(0, -1), text(rest)])), rest).toEqual(noEnd);
  });

  test("what a decoder says is told, and not what libvips says of itself", async () => {
    const rows = [Buffer.of(1, 2)];
    const png = pngOf({ width: 2, height: 1, colorType: 0, rows });
    const twice = Buffer.concat([png.subarray(0, 33), png.subarray(8)]); // IHDR
    await expect(decodeImage(twice, "twice.png")).rejects.toThrow(
      "(Input buffer has corrupt header: IHDR: out of place)",
    );
    const tiff = await sharp(Buffer.alloc(12), { raw: { width: 2, height: 2, channels: 3 } })
      .tiff()
      .toBuffer();
    const shuffled = Buffer.from(tiff);
    shuffled.set([0x31, 0x01], shuffled.indexOf(Buffer.of(0x1a, 0x01, 5, 0))); // XResolution gets another number
    const { notes } = await decodePictureFile(shuffled, "shuffled.tif");
    expect(notes.map(({ text }) => text)).toEqual([
      "the decoder warns: Invalid TIFF directory; tags are not sorted in ascending order",
    ]);
  });

  test("many pictures at once, of which libvips mixes the messages, fare as one alone", async () => {
    const jpeg = await jpegOf(200);
    const cut = jpeg.subarray(0, jpeg.length / 2);
    const endless = jpeg.subarray(0, -2);
    const png = pngOf({ width: 2, height: 1, colorType: 0, rows: [Buffer.of(1, 2)] });
    const twice = Buffer.concat([png.subarray(0, 33), png.subarray(8)]);
    const files = [jpeg, endless, cut, twice];
    const all = await Promise.allSettled(
      Array.from({ length: 80 }, (_, i) => decodeImage(files[i % files.length], "it")),
    );
    for (const [i, result] of all.entries()) {
      expect(result.status, `${i}`).toBe(i % files.length < 2 ? "fulfilled" : "rejected");
      if (result.status === "fulfilled") continue;
      expect(result.reason).toBeInstanceOf(DataError);
      expect(result.reason.message).toMatch(/^it: .*damaged or was cut short/);
    }
  });

  test("too few samples are damage", async () => {
    const jpeg = await jpegOf(200);
    for (const cut of [jpeg.subarray(0, -20), jpeg.subarray(0, jpeg.length / 2)]) {
      await expect(decodeImage(cut, "cut.jpg")).rejects.toThrow("damaged or was cut short");
    }
    // The end of the picture in the middle of its samples.
    const early = Buffer.concat([jpeg.subarray(0, jpeg.length / 2), Buffer.of(0xff, 0xd9)]);
    await expect(decodeImage(early, "early.jpg")).rejects.toThrow("damaged or was cut short");
  });
});

describe("whether a file may be cut short", () => {
  test("a TIFF with its directory in front: only that is read", () => {
    // The places of 6250 strips take more than the first part that is read.
    for (const size of [
      { width: 900, height: 1200 },
      { width: 30, height: 100_000 },
    ]) {
      const header = tiffHeader({ ...size, channels: 3, depth: 8 });
      const file = Buffer.concat([header, Buffer.alloc(size.width * size.height * 3)]);
      const cutAt = (length: number) => {
        let bytes = 0;
        const read = readFrom(file.subarray(0, length));
        const counting = (start: number, length: number) => {
          const part = read(start, length);
          bytes += part.length;
          return part;
        };
        return { isCut: mayBeCutShort("tiff", counting, length), bytes };
      };
      expect(cutAt(file.length).isCut).toBe(false);
      expect(cutAt(file.length).bytes).toBeLessThan(1e6);
      for (const length of [file.length - 1, header.length + 1, header.length - 1, 100])
        expect(cutAt(length).isCut, `${length}`).toBe(true);
    }
  });

  test("a TIFF with its directory behind the first of several large pages does not look cut short", () => {
    const start = Buffer.from("49492a0000000000", "hex");
    start.writeUInt32LE(72e6, 4);
    const read = (_: number, length: number) => Buffer.concat([start, Buffer.alloc(length)], length);
    expect(mayBeCutShort("tiff", read, 3 * 72e6 + 1000)).toBe(false);
  });

  test("a TIFF with its directory in front that says nothing of its samples: not all of it is searched", () => {
    const start = Buffer.from("49492a00080000000000", "hex");
    let most = 0;
    const read = (from: number, length: number) => {
      most = Math.max(most, length);
      const bytes = Buffer.alloc(length);
      if (from === 0) start.copy(bytes);
      return bytes;
    };
    expect(mayBeCutShort("tiff", read, 2 ** 31)).toBe(true);
    expect(most).toBeLessThanOrEqual(2 ** 26);
  });

  test("the end of a JPEG's thumbnail is not its own", async () => {
    const encode = ({ width, height, data }: Image) =>
      sharp(data, { raw: { width, height, channels: 3 } })
        .jpeg()
        .toBuffer();
    const thumbnail = await encode(noise(8, 8, 3));
    const exif = segment(0xe1, "Exif\0\0", exifOf({ first: [[0x112, [1]]], thumbnail }));
    for (const side of [40, 200]) {
      const jpeg = withSegments(await encode(noise(side, side, 3)), exif);
      const isCut = (bytes: Uint8Array) => mayBeCutShort("jpeg", readFrom(bytes), bytes.length);
      expect(isCut(jpeg)).toBe(false);
      expect(isCut(jpeg.subarray(0, jpeg.length / 2))).toBe(true);
    }
  });
});

describe("zeros in place of the rest, as a download leaves them that broke off", () => {
  const [width, height] = [96, 80];
  const flatBelow = noise(width, height, 3);
  flatBelow.data.fill(120, width * 3 * 24); // few bits: zeros decode to enough samples
  const pictures = [noise(width, height, 3, 1), flatBelow];
  const encode = ({ data }: Image) => sharp(data, { raw: { width, height, channels: 3 } });

  test.each([
    ["JPEG", (image: Image) => encode(image).jpeg()],
    ["progressive JPEG", (image: Image) => encode(image).jpeg({ progressive: true })],
    ["AVIF", (image: Image) => encode(image).avif()],
    ["GIF", (image: Image) => encode(image).gif()],
    ["PNG", (image: Image) => encode(image).png()],
  ])("%s: refused", async (_, encoder) => {
    for (const picture of pictures) {
      const bytes = await encoder(picture).toBuffer();
      await decodeImage(bytes, "whole");
      for (const part of [0.5, 0.6, 0.7, 0.8]) {
        const zeroed = Buffer.from(bytes).fill(0, Math.floor(part * bytes.length));
        await expect(decodeImage(zeroed, "zeroed"), `${part}`).rejects.toThrow(/^zeroed: .*damaged/);
      }
    }
  });

  test.each([
    ["WebP", (picture: Sharp) => picture.webp()],
    ["WebP of low quality", (picture: Sharp) => picture.webp({ quality: 10 })],
    ["lossless WebP", (picture: Sharp) => picture.webp({ lossless: true, effort: 0 })],
    ["JPEG", (picture: Sharp) => picture.jpeg()],
    ["progressive JPEG", (picture: Sharp) => picture.jpeg({ progressive: true })],
    ["GIF", (picture: Sharp) => picture.gif({ effort: 1, dither: 0 })],
  ])("%s of a flat or transparent area is whole, though it may end in zeros", async (_, encoder) => {
    const size = { width: 1600, height: 1200 };
    const rgb = noise(size.width, size.height, 3).data;
    const rgba = noise(size.width, size.height, 4).data;
    const halves = [rgb.slice().fill(120, rgb.length / 2), rgba.fill(0, rgba.length / 2)];
    const flat = [rgb.fill(128), new Uint8Array(rgba.length)];
    for (const data of [...halves, ...flat]) {
      const channels = data.length === rgba.length ? 4 : 3;
      const bytes = await encoder(sharp(data, { raw: { ...size, channels } })).toBuffer();
      const { image, notes } = await decodePictureFile(bytes, "whole");
      expect([image.width, notes]).toEqual([size.width, []]);
    }
  });

  test("behind all samples, they do no harm", async () => {
    const jpeg = await encode(pictures[0]).jpeg().toBuffer();
    const { data } = await decodeImage(jpeg, "jpeg");
    const zeros = Buffer.alloc(5000);
    const { image, notes } = await decodePictureFile(Buffer.concat([jpeg.subarray(0, -2), zeros]), "endless");
    expect(image.data).toEqual(data);
    expect(notes.map(({ text }) => text)).toEqual([
      "the decoder warns: the mark for the end of the file is missing",
    ]);
    expect((await decodePictureFile(Buffer.concat([jpeg, zeros]), "padded")).notes).toEqual([]);
    const exif = { IFD0: { ImageDescription: "x".padEnd(300, "\0") } };
    const webp = await encode(pictures[0]).withExif(exif).webp().toBuffer();
    await decodeImage(Buffer.concat([webp, zeros]), "padded.webp");
  });
});

describe("AVIF", () => {
  /** The same file, in which the picture says that its colours are multiplied by alpha, as libavif writes it. */
  function premultiplied(avif: Buffer): Buffer {
    const at = avif.indexOf("iref") - 4;
    const reference = Buffer.from("0000000e7072656d" + "000100010002", "hex"); // "prem", from item 1 to item 2
    const end = at + avif.readUInt32BE(at);
    const file = Buffer.concat([avif.subarray(0, end), reference, avif.subarray(end)]);
    for (const box of [at, avif.indexOf("meta") - 4]) {
      file.writeUInt32BE(file.readUInt32BE(box) + reference.length, box);
    }
    // The places of samples of both items move on.
    for (const item of [0, 1]) {
      const place = avif.indexOf("iloc") + 16 + 18 * item;
      file.writeUInt32BE(file.readUInt32BE(place) + reference.length, place);
    }
    return file;
  }

  test("colours that are stored multiplied by alpha are divided by it, and then converted", async () => {
    const [width, height] = [24, 16];
    const colors = noise(width, height, 4, 3).data;
    const multiplied = colors.map((value, i) =>
      i % 4 === 3 ? value : Math.round((value * colors[i - (i % 4) + 3]) / 255),
    );
    const encode = (data: Uint8Array) => sharp(data, { raw: { width, height, channels: 4 } });
    const straight = await decodeImage(
      await encode(multiplied).avif({ lossless: true }).toBuffer(),
      "straight",
    );
    expect(straight.data).toEqual(multiplied);
    const file = premultiplied(await encode(multiplied).avif({ lossless: true }).toBuffer());
    const { data } = await decodeImage(file, "premultiplied");
    for (const [i, value] of data.entries()) {
      const alpha = colors[i - (i % 4) + 3];
      if (i % 4 === 3) expect(value).toBe(alpha);
      else if (alpha > 0)
        expect(Math.abs(value - colors[i]), `${i}`).toBeLessThanOrEqual(Math.ceil(128 / alpha));
    }
    expect((await decodePictureFile(file, "premultiplied")).image.data).toEqual(data);
    // With a profile: as the straight picture with that profile.
    const wide = encode(multiplied).withIccProfile("p3").avif({ lossless: true });
    const profile = (await sharp(await wide.toBuffer()).metadata()).icc!;
    const { image } = await decodePictureFile(premultiplied(await wide.toBuffer()), "p3", { target: "srgb" });
    const want = await toSrgb(
      (await decodePictureFile(premultiplied(await wide.toBuffer()), "p3")).image,
      profile,
    );
    expect(image.data).toEqual(want.data);
    expect((await decodeImage(premultiplied(await wide.toBuffer()), "p3")).data).toEqual(want.data);
  });

  test.each([10, 12] as const)(
    "%i bits: white is white, and each level is where it belongs",
    async (bits) => {
      const levels = 2 ** bits;
      const samples = Uint16Array.from({ length: levels }, (_, i) => i << (16 - bits));
      const picture = sharp(samples, { raw: { width: 64, height: levels / 64, channels: 1 } });
      const avif = await picture.toColourspace("grey16").avif({ lossless: true, bitdepth: bits }).toBuffer();
      const { image } = await decodePictureFile(avif, "deep");
      const { channels, data } = image;
      expect(data[data.length - 1]).toBe(65535);
      for (let i = 0; i < levels; i++) {
        expect(data[channels * i]).toBe(Math.round((i * 65535) / (levels - 1)));
      }
    },
  );
});

describe("files larger than what is read at once", () => {
  const sparse = (name: string, header: Uint8Array, length: number) => {
    writeFileSync(path(name), header);
    truncateSync(path(name), length);
    return path(name);
  };
  const bmp = (width: number, height: number) => {
    const header = Buffer.alloc(54);
    header.write("BM");
    header.writeUInt32LE(54, 10);
    header.writeUInt32LE(40, 14);
    header.writeInt32LE(width, 18);
    header.writeInt32LE(height, 22);
    header.writeUInt16LE(24, 28);
    return header;
  };

  test.each([
    ["large.ppm", text("P6 20000 10000 255\n"), text("P6 100000 100000 255\n")],
    ["large.bmp", bmp(20_000, 10_000), bmp(40_000, 30_000)],
  ])("%s: the header alone tells its size, or that it is too large", async (name, usual, large) => {
    const file = sparse(name, usual, 5e9);
    expect(await sizeOfPictureFile(file)).toEqual({ width: 20_000, height: 10_000 });
    await expect(readPictureFile(file)).rejects.toThrow(
      `${file}: cannot be read: it is larger than 2 GiB. Only smaller files are read whole.`,
    );
    const { readSync } = fs;
    let bytes = 0;
    fs.readSync = ((...args: Parameters<typeof readSync>) => {
      const count = readSync(...args);
      bytes += count;
      return count;
    }) as typeof readSync;
    syncBuiltinESMExports();
    try {
      await expect(sizeOfPictureFile(sparse(name, large, 32e9))).rejects.toThrow(/at most 1 GiB is read/);
    } finally {
      fs.readSync = readSync;
      syncBuiltinESMExports();
    }
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(1e6);
  });

  test("of a header, no more is read than it has, and comments may be long", () => {
    const file = Buffer.concat([text(`P5\n#${"x".repeat(5000)}\n1000 1000\n255\n`), Buffer.alloc(1e6)]);
    let bytes = 0;
    const read = (start: number, length: number) => {
      const part = readFrom(file)(start, length);
      bytes += part.length;
      return part;
    };
    expect(readPnm(read, file.length, "x")).toMatchObject({ width: 1000, height: 1000, frames: 1 });
    expect(bytes).toBeLessThan(1e5);
    const endless = text(`P5\n#${"x".repeat(1e5)}\n1000 1000\n255\n`);
    expect(() => readPnm(readFrom(endless), 2e6, "x")).toThrow("the header is incomplete");
    const split = Buffer.concat([text(`P5${" ".repeat(2 ** 16 - 3)}1000 1000 255 `), Buffer.alloc(1e6)]);
    expect(() => readPnm(readFrom(split), split.length, "x")).toThrow("the header is incomplete");
  });
});

test("names that libvips would take for options", async () => {
  const file = pngOf({ width: 2, height: 1, colorType: 0, rows: [Buffer.of(1, 2)] });
  for (const name of ["scan[1]", "scan[n=2]", "a[page=3].png"]) {
    writeFileSync(path(name), file);
    expect((await readPictureFile(path(name))).image.data).toEqual(Uint8Array.of(1, 2));
    expect(await sizeOfPictureFile(path(name))).toEqual({ width: 2, height: 1 });
  }
});

test.skipIf(process.platform === "win32")("a full disk that the encoder meets has its own code", async () => {
  const picture = sharp(noise(300, 300, 3).data, { raw: { width: 300, height: 300, channels: 3 } }).png();
  await expect(encodeTo(picture, "/dev/full")).rejects.toMatchObject({ code: "ENOSPC" });
});

test("a PNG that says nothing of its frames, where it should, has one", async () => {
  const row = { width: 1, height: 1, colorType: 0, rows: [Buffer.of(9)] };
  const { image, notes } = await decodePictureFile(pngOf({ ...row, before: [pngChunk("acTL")] }), "empty");
  expect([image.data[0], notes]).toEqual([9, []]);
});

test("a PNG of empty chunks without end is read in no time", async () => {
  const many = Buffer.concat(new Array(20_000).fill(pngChunk("teSt")));
  const file = pngOf({
    width: 1,
    height: 1,
    colorType: 0,
    rows: [Buffer.of(9)],
    after: [many, pngChunk("acTL", uint32s(3, 0))],
  });
  const { image, notes } = await decodePictureFile(file, "many");
  expect([image.data[0], notes]).toEqual([9, []]);
});
