import { PNG } from "pngjs";
import { expect, test } from "vitest";
import { decode, MAX_BYTES } from "../../src/files/decode.ts";
import { encodePng } from "../../src/files/image-files.ts";
import { unpackPng } from "../../src/files/png-samples.ts";
import { chunksOf, encodeChunk } from "../../src/formats/png.ts";
import { readFrom } from "../../src/formats/read.ts";
import { drawn, noise } from "../data/support.ts";

/** Smooth parts and noise, as rows with differences and rows without. */
const picture = (width: number, height: number) => {
  const grain = noise(width, height, 3, 5).data;
  return drawn(
    width,
    height,
    3,
    (x, y, c) => (x > y ? 7 * x + 3 * y + c : grain[(y * width + x) * 3 + c]) & 255,
  );
};

function packed(width: number, height: number, options: object): Buffer {
  const png = new PNG({ width, height });
  const { data } = picture(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 4; c++) png.data[4 * i + c] = c === 3 ? 255 : data[3 * i + c];
  }
  return PNG.sync.write(png, options);
}

async function bySharp(bytes: Uint8Array): Promise<Uint8Array> {
  const { image } = await decode(bytes, "picture", () => ({ deep: false, ignoreIcc: true }));
  return new Uint8Array(image.data);
}

test.each([0, 1, 2, 3, 4, -1])("filter %i: the samples are those that sharp reads", async (filterType) => {
  for (const [width, height] of [
    [1, 1],
    [1, 9],
    [13, 1],
    [67, 41],
  ]) {
    const bytes = packed(width, height, { filterType, colorType: 2 });
    const image = unpackPng(bytes, MAX_BYTES)!;
    expect([image.width, image.height, image.channels]).toEqual([width, height, 3]);
    expect(image.data).toEqual(picture(width, height).data);
    expect(image.data).toEqual(await bySharp(bytes));
  }
});

const good = packed(67, 41, { filterType: 4, colorType: 2 });
const chunks = [...chunksOf(readFrom(good))].map(({ type, data }) => ({ type, data: data() }));
const file = (list: readonly { type: string; data: Uint8Array }[]) =>
  Buffer.concat([good.subarray(0, 8), ...list.map(({ type, data }) => encodeChunk(type, data))]);
const text = { type: "tEXt", data: Buffer.from("Software\0a program") };

test("harmless chunks and samples in several pieces", () => {
  const [head, samples, end] = chunks;
  const pieces = [samples.data.subarray(0, 50), samples.data.subarray(50)].map((data) => ({
    type: "IDAT",
    data,
  }));
  expect(unpackPng(file(chunks), MAX_BYTES)!.data).toEqual(picture(67, 41).data);
  expect(unpackPng(file([head, text, ...pieces, text, end]), MAX_BYTES)!.data).toEqual(picture(67, 41).data);
});

test("other kinds are left to sharp", async () => {
  const [head, samples, end] = chunks;
  const withHead = (at: number, value: number) => {
    const data = Buffer.from(head.data);
    data[at] = value;
    return file([{ type: "IHDR", data }, samples, end]);
  };
  expect(unpackPng(packed(67, 41, { colorType: 6 }), MAX_BYTES)).toBeUndefined();
  expect(unpackPng(packed(67, 41, { colorType: 0 }), MAX_BYTES)).toBeUndefined();
  expect(unpackPng(packed(67, 41, { colorType: 2, bitDepth: 16 }), MAX_BYTES)).toBeUndefined();
  expect(unpackPng(await encodePng(noise(8, 8, 1, 1)), MAX_BYTES)).toBeUndefined();
  for (const at of [10, 11, 12]) expect(unpackPng(withHead(at, 1), MAX_BYTES)).toBeUndefined(); // 12: interlaced
  for (const type of ["tRNS", "eXIf", "acTL", "PLTE"]) {
    expect(unpackPng(file([head, { type, data: Buffer.alloc(6) }, samples, end]), MAX_BYTES)).toBeUndefined();
  }
  expect(unpackPng(good, 67 * 41 * 3)).toBeUndefined(); // the filters' numbers make it larger than that
  expect(unpackPng(Buffer.from("GIF89a"), MAX_BYTES)).toBeUndefined();
});

test("damaged files are left to sharp, which says what is wrong", async () => {
  const [head, samples, end] = chunks;
  for (let length = 0; length < good.length; length++) {
    expect(unpackPng(good.subarray(0, length), MAX_BYTES)).toBeUndefined();
  }
  for (let at = 0; at < good.length; at++) {
    const bytes = Buffer.from(good);
    bytes[at] ^= 4;
    expect(unpackPng(bytes, MAX_BYTES)).toBeUndefined();
  }
  const other = (index: number, value: number) => {
    const data = Buffer.from(head.data);
    data.writeUInt32BE(value, index);
    return { type: "IHDR", data };
  };
  for (const wrong of [other(0, 66), other(4, 40), other(4, 42), other(0, 0), other(4, 2 ** 31)]) {
    expect(unpackPng(file([wrong, samples, end]), 2 ** 40)).toBeUndefined();
  }
  // A header of another length, which sharp refuses.
  for (const data of [Buffer.concat([head.data, Buffer.alloc(1)]), head.data.subarray(0, 12)]) {
    const bytes = file([{ type: "IHDR", data }, samples, end]);
    expect(unpackPng(bytes, MAX_BYTES)).toBeUndefined();
    await expect(bySharp(bytes)).rejects.toThrow(/cannot be decoded/);
  }
  expect(unpackPng(file([head, samples]), MAX_BYTES)).toBeUndefined();
  expect(unpackPng(file([head, end]), MAX_BYTES)).toBeUndefined();
  expect(unpackPng(file([samples, head, end]), MAX_BYTES)).toBeUndefined();
  expect(unpackPng(file([head, head, samples, end]), MAX_BYTES)).toBeUndefined();
  const halves = [samples.data.subarray(0, 50), samples.data.subarray(50)].map((data) => ({
    type: "IDAT",
    data,
  }));
  expect(unpackPng(file([head, halves[0], text, halves[1], end]), MAX_BYTES)).toBeUndefined();
});
