/** The page's own PNG: it reads what the command line reads, sample for sample, and writes what others read. */
import { describe, expect, test } from "vitest";
import { decodePng } from "../../site/pictures/decode-png.ts";
import { encodePng, PngWriter } from "../../site/pictures/encode-png.ts";
import { decodePictureFile } from "../../src/files/picture-file.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import { noise } from "../data/support.ts";
import { pngKinds } from "../support/png-kinds.ts";

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

test.each(pngKinds())("reads $name as the command line does", async ({ bytes }) => {
  const { image } = await decodePng(bytes);
  expect(image).toEqual((await decodePictureFile(bytes, "picture.png")).image);
});

test.each([
  { width: 1, height: 1 },
  { width: 3, height: 2 },
  { width: 2, height: 9 },
])("interlaced pictures of $width x $height have passes without pixels", async ({ width, height }) => {
  for (const { bytes } of pngKinds(width, height)) {
    expect((await decodePng(bytes)).image).toEqual((await decodePictureFile(bytes, "picture.png")).image);
  }
});

function deep({ width, height, channels, data }: Image): Image<Uint16Array> {
  return { width, height, channels, data: Uint16Array.from(data, (value, i) => 256 * value + (i % 256)) };
}

describe.each([1, 2, 3, 4] as const)("%d channels", (channels) => {
  test.each([8, 16])("of %d bits come back as they were", async (depth) => {
    const image: Image<Samples> = depth === 8 ? noise(37, 23, channels) : deep(noise(37, 23, channels));
    const bytes = await bytesOf(await encodePng(image));
    expect((await decodePng(bytes)).image).toEqual(image);
    expect((await decodePictureFile(bytes, "picture.png")).image).toEqual(image);
  });
});

test("strips of any height make the same file, and a profile is in it", async () => {
  const image = noise(40, 30, 3);
  const icc = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
  const whole = await encodePng(image, { icc });
  const writer = new PngWriter({ ...image, depth: 8, icc });
  for (const [from, to] of [
    [0, 1],
    [1, 17],
    [17, 30],
  ]) {
    await writer.write(image.data.subarray(from * 120, to * 120));
  }
  expect(await bytesOf(await writer.finish())).toEqual(await bytesOf(whole));
  expect((await decodePng(await bytesOf(whole))).icc).toEqual(icc);
});

test("gradients are packed well: the filters are chosen row by row", async () => {
  const data = Uint8Array.from({ length: 200 * 200 }, (_, i) => (i % 200) + Math.floor(i / 200) / 4);
  const { size } = await encodePng({ width: 200, height: 200, channels: 1, data });
  expect(size).toBeLessThan(2000);
});

test("damaged files are refused with a reason, and never as a picture", async () => {
  const bytes = await bytesOf(await encodePng(noise(40, 30, 3)));
  await expect(decodePng(bytes.subarray(0, 40))).rejects.toThrow("cut short");
  await expect(decodePng(bytes.subarray(0, bytes.length - 500))).rejects.toThrow("cut short");
  await expect(decodePng(bytes.subarray(0, 20))).rejects.toThrow("no header");
  const broken = Uint8Array.from(bytes).fill(0xff, 60, 200);
  await expect(decodePng(broken)).rejects.toThrow("its samples cannot be unpacked");
  const huge = Uint8Array.from(bytes);
  huge.set([0, 1, 0, 0, 0, 1, 0, 0], 16); // 65536 x 65536
  await expect(decodePng(huge)).rejects.toThrow("65536x65536 pixels are more than a gigabyte");
  const noPalette = Uint8Array.from(bytes).fill(3, 25, 26);
  await expect(decodePng(noPalette)).rejects.toThrow("no palette");
});

test("bytes behind the samples do no harm", async () => {
  const image = noise(20, 10, 1);
  const bytes = await bytesOf(await encodePng(image));
  const { chunksOf, encodeChunk } = await import("../../src/formats/png.ts");
  const { readFrom } = await import("../../src/formats/read.ts");
  const parts = [...chunksOf(readFrom(bytes))].map(({ type, data, start, end }) =>
    type === "IDAT"
      ? encodeChunk("IDAT", Buffer.concat([data(), Buffer.alloc(30, 7)]))
      : bytes.subarray(start, end),
  );
  expect((await decodePng(Buffer.concat([bytes.subarray(0, 8), ...parts]))).image).toEqual(image);
});
