/** What the page's own decoders make of files that others take for something else. */
import { expect, test } from "vitest";
import { readPng, readRaster } from "../../site/pictures/content.ts";
import { noise } from "../data/support.ts";
import { exifOf } from "../support/exif.ts";
import { pngChunk, pngOf } from "../support/png.ts";

test("a PNG whose EXIF data begin as those of a JPEG is turned", async () => {
  const exif = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exifOf({ first: [[274, [6]]] })]);
  const rows = Array.from({ length: 5 }, (_, y) => noise(33, 1, 1, y).data);
  for (const place of [{ before: [pngChunk("eXIf", exif)] }, { after: [pngChunk("eXIf", exif)] }]) {
    const { image } = await readPng(pngOf({ width: 11, height: 5, colorType: 2, rows, ...place }));
    expect(image).toMatchObject({ width: 5, height: 11 });
    expect([...image.data.subarray(12, 15)]).toEqual([...rows[0].subarray(0, 3)]);
  }
});

test("a BMP that holds a JPEG is called that, and not damaged", () => {
  const file = Buffer.alloc(200);
  file.write("BM");
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  for (const place of [18, 22]) file.writeUInt32LE(4, place);
  file.writeUInt32LE(4, 30);
  expect(() => readRaster(file, "bmp")).toThrow(/a BMP file that holds a JPEG picture, which is not read/);
});
