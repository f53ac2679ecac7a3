/** What the page's own decoders make of files that others take for something else. */
import sharp from "sharp";
import { expect, test } from "vitest";
import { contents, readPng, readRaster, uprightFile } from "../../site/pictures/content.ts";
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

test("the resolution of a turned picture is turned with it", async () => {
  const first = [
    [274, [6]],
    [282, { rational: [300, 1] }],
    [283, { rational: [150, 1] }],
  ] as const;
  const exif = pngChunk("eXIf", exifOf({ first }));
  const rows = Array.from({ length: 5 }, (_, y) => noise(33, 1, 1, y).data);
  const { metadata } = await readPng(pngOf({ width: 11, height: 5, colorType: 2, rows, before: [exif] }));
  expect(metadata.density).toEqual({ x: 150, y: 300 });

  const tiff = await sharp(noise(11, 5, 3).data, { raw: { width: 11, height: 5, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .tiff({ xres: 300 / 25.4, yres: 150 / 25.4 })
    .toBuffer();
  const picture = sharp(tiff).withMetadata();
  for (const format of ["jpeg", "webp", "avif"] as const) {
    const { orientation, notes, ...content } = contents[format](await picture.toFormat(format).toBuffer());
    const image = noise(5, 11, 3); // which the browser has turned
    const file = uprightFile({ ...content, notes, image, format }, orientation, true);
    const { x, y } = file.metadata.density!;
    expect([x, y].map(Math.round), format).toEqual([150, 300]);
    expect(file.metadata.source, format).toEqual({ width: 5, height: 11, orientation: 6 });
  }
});
