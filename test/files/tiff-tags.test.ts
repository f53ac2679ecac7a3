/** Tags of TIFF files: what stays is true of the result, and what goes is named. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodePictureFile, PictureWriter, readPictureFile } from "../../src/files/picture-file.ts";
import { Directories } from "../../src/formats/directories.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import type { Size } from "../../src/picture/image.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { pngChunk, pngOf } from "../support/png.ts";
import { type TiffEntry, tiffOf } from "../support/tiff.ts";

const folder = temporaryFolder();
const image = noise(8, 6, 3);

/** Writes a result of another size, all black; returns its notes, and its first directory's entries by tag. */
async function enlarge(bytes: Uint8Array, format: PictureFormat, size: Size = { width: 16, height: 12 }) {
  const path = join(folder, `result.${format}`);
  const { image: small, notes, ...metadata } = await decodePictureFile(bytes, "it", { target: format });
  const channels = small.channels;
  const writer = await PictureWriter.create(path, { ...metadata, ...size, format, channels, depth: 8 });
  await writer.write(new Uint8Array(size.width * size.height * channels));
  await writer.finish();
  const exif = format === "tiff" ? readFileSync(path) : (await readPictureFile(path)).exif;
  return { notes: notes.map(({ text }) => text), tags: exif ? tagsIn(exif) : {} };
}

/** Texts as texts, fractions as numbers, and anything else as its values. */
function tagsIn(exif: Uint8Array): Record<number, string | readonly number[]> {
  const file = new Directories(exif);
  const of = (type: number, bytes: Uint8Array, count: number, at: number) => {
    if (type === 2) return Buffer.from(bytes).toString().replace(/\0$/, "");
    if (type !== 12) return file.values(file.entries(file.first).find((entry) => entry.at === at)!);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, file.littleEndian));
  };
  const entries = file.entries(file.first);
  return Object.fromEntries(
    entries.map(({ tag, type, bytes, count, at }) => [tag, of(type, bytes, count, at)]),
  );
}

describe("GeoTIFF", () => {
  const keysOf = (rasterType: 1 | 2) =>
    [34735, 3, [1, 1, 0, 2, 1024, 0, 1, 1, 1025, 0, 1, rasterType]] as const;
  const scale = [33550, 12, [10, 20, 0]] as const;
  const ties = [33922, 12, [3, 2, 0, 500_000, 4_600_000, 0]] as const;
  const matrix = [34264, 12, [9, 1, 0, 500_000, 1.5, -11, 0, 4_600_000, 0, 0, 0, 0, 0, 0, 0, 1]] as const;
  const geo = [33550, 33922, 34264, 34735];

  test.each([false, true])("corners: a pixel's size and tie points; big-endian: %s", async (bigEndian) => {
    const file = tiffOf(image, [scale, ties, keysOf(1)], bigEndian);
    const { notes, tags } = await enlarge(file, "tiff");
    expect(notes).toEqual([]);
    expect(tags[33550]).toEqual([5, 10, 0]);
    expect(tags[33922]).toEqual([6, 4, 0, 500_000, 4_600_000, 0]);
    expect(tags[34735]).toEqual(keysOf(1)[2]);
    const flat = await enlarge(file, "tiff", { width: 20, height: 6 }); // each side by a factor of its own
    expect(flat.tags[33550]).toEqual([4, 20, 0]);
    expect(flat.tags[33922]).toEqual([7.5, 2, 0, 500_000, 4_600_000, 0]);
  });

  test("middles of pixels: a place moves by half a pixel", async () => {
    const { notes, tags } = await enlarge(tiffOf(image, [scale, ties, keysOf(2)]), "tiff");
    expect(notes).toEqual([]);
    expect(tags[33550]).toEqual([5, 10, 0]);
    // The middle of pixel 3 lies 3.5 pixels from the left, which are 7 of the result: 6.5 from the first one's middle.
    expect(tags[33922]).toEqual([6.5, 4.5, 0, 500_000, 4_600_000, 0]);
  });

  test("a matrix", async () => {
    const corners = await enlarge(tiffOf(image, [matrix, keysOf(1)]), "tiff");
    expect(corners.tags[34264]).toEqual([
      4.5,
      0.5,
      0,
      500_000,
      0.75,
      -5.5,
      0,
      4_600_000,
      ...matrix[2].slice(8),
    ]);
    const middles = await enlarge(tiffOf(image, [matrix, keysOf(2)]), "tiff");
    // The result's first middle is a quarter of a pixel to the left of the picture's, and above it.
    const [x, y] = [500_000 - 0.25 * (9 + 1), 4_600_000 - 0.25 * (1.5 - 11)];
    expect(middles.tags[34264]).toEqual([4.5, 0.5, 0, x, 0.75, -5.5, 0, y, ...matrix[2].slice(8)]);
  });

  test.each([
    ["png", [], "which only TIFF results get"],
    ["jpeg", [], "which only TIFF results get"],
    ["tiff", [[274, 3, [6]]], "as the picture was turned"],
    ["tiff", [[34264, 4, [1, 2]]], "which is damaged"],
    ["tiff", [[34264, 12, [1, 2]]], "which is damaged"],
  ] as const)(
    "elsewhere and where nobody can move it, it goes, and nothing else: %s %j",
    async (format, more, why) => {
      const { notes, tags } = await enlarge(
        tiffOf(image, [scale, ties, keysOf(1), [315, 2, "Ada"], ...more]),
        format,
      );
      expect(notes).toEqual([`without its place on the map (GeoTIFF), ${why}`]);
      expect(tags[315]).toBe("Ada");
      expect(Object.keys(tags).filter((tag) => geo.includes(Number(tag)))).toEqual([]);
    },
  );

  test("nothing but a place: no EXIF data are left", async () => {
    expect((await decodePictureFile(tiffOf(image, [scale, ties]), "it")).exif).toBeUndefined();
  });

  test("one in the EXIF data of a PNG becomes that of a TIFF", async () => {
    const exif = tiffOf(noise(1, 1, 1), [scale, ties]);
    const rows = Array.from({ length: 6 }, () => new Uint8Array(24));
    const png = pngOf({ width: 8, height: 6, colorType: 2, rows, before: [pngChunk("eXIf", exif)] });
    const { notes, tags } = await enlarge(png, "tiff");
    expect(notes).toEqual([]);
    expect(tags[33550]).toEqual([5, 10, 0]);
  });

  test("what GDAL says of values goes", async () => {
    const gdal = [
      [42112, 2, "<GDALMetadata/>"],
      [42113, 2, "0"],
    ] as const;
    const { notes, tags } = await enlarge(tiffOf(image, [scale, ties, ...gdal]), "tiff");
    expect(notes).toEqual(["without GDAL's notes", "without GDAL's mark of pixels without data"]);
    expect(tags[42112] ?? tags[42113]).toBeUndefined();
  });

  test("what EXIF data of other formats say of GDAL's goes into no TIFF, where it would hide pixels", async () => {
    const exif = tiffOf(noise(1, 1, 1), [
      [315, 2, "Ada"],
      [42112, 2, "<GDALMetadata/>"],
      [42113, 2, "0"],
    ]);
    const rows = Array.from({ length: 6 }, () => new Uint8Array(24));
    const png = pngOf({ width: 8, height: 6, colorType: 2, rows, before: [pngChunk("eXIf", exif)] });
    const { tags } = await enlarge(png, "tiff");
    expect(tags[315]).toBe("Ada");
    expect(tags[42112] ?? tags[42113]).toBeUndefined();
  });
});

describe("what programs keep in tags of their own", () => {
  const layers = [37724, 7, Buffer.alloc(300_000, "layers")] as const;
  const own: readonly TiffEntry[] = [
    layers,
    [330, 4, [8]],
    [34412, 1, new Uint8Array(100)],
    [65_000, 2, "hello"],
    [33432, 2, "Ada"],
    [33434, 5, [0.01]],
    [34675, 7, new Uint8Array(8)], // no profile
  ];

  test.each(["jpeg", "webp", "avif", "png", "tiff"] as const)(
    "goes, and EXIF data stay, in %s",
    async (format) => {
      const { notes, tags } = await enlarge(tiffOf(image, own), format);
      expect(notes.filter((text) => !text.includes("profile"))).toEqual([
        "without further pictures inside it",
        "without Photoshop's layers",
        "without what a program keeps in tag 34412, tag 65000",
      ]);
      expect(tags[33432]).toBe("Ada");
      expect(tags).toHaveProperty("33434");
      for (const [tag] of own.slice(0, 4)) expect(tags[tag]).toBeUndefined();
    },
  );
});

test("what TIFF/EP and DNG say of the camera and the exposure stays, and versions go without a line", async () => {
  const said: readonly TiffEntry[] = [
    ...[34858, 34859, 37393, 37399, 41495].map((tag) => [tag, 3, [2]] as const),
    ...[37387, 37397, 37888, 37889, 37890, 37891, 37892, 37893, 42240].map((tag) => [tag, 5, [2]] as const),
    [37388, 7, Buffer.from("frequencies")],
    ...[37394, 37395, 50708, 50735].map((tag) => [tag, 2, "a text"] as const),
    [50736, 5, [24, 70, 2.8, 2.8]],
    [50827, 2, "DSC_0001.NEF"],
  ];
  const silent: readonly TiffEntry[] = [
    [36864, 7, Buffer.from("0232")],
    [37398, 1, [1, 0, 0, 0]],
    [40961, 3, [1]],
  ];
  for (const format of ["tiff", "jpeg"] as const) {
    const { notes, tags } = await enlarge(tiffOf(image, [...said, ...silent]), format);
    expect(notes).toEqual([]);
    const found = Object.keys(tags).map(Number);
    expect(found).toEqual(expect.arrayContaining(said.map(([tag]) => tag)));
    for (const [tag] of silent) expect(found).not.toContain(tag);
  }
});

describe("descriptions", () => {
  const sizes = [
    "ImageJ=1.54f\nimages=2\nslices=2\nunit=um\n",
    '{"shape": [6, 8, 3]}',
    '<?xml version="1.0" encoding="UTF-8"?><OME><Image><Pixels SizeX="8" SizeY="6"/></Image></OME>',
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"/>',
    "shape=(6, 8, 3)",
    "Aperio Image Library v10.0.51\n8x6 [0,0 8x6] (240x240) JPEG",
  ];

  test.each(sizes)("by programs, which state a size, go: %s", async (text) => {
    for (const format of ["tiff", "jpeg"] as const) {
      const { notes, tags } = await enlarge(
        tiffOf(image, [
          [270, 2, text],
          [315, 2, "Ada"],
        ]),
        format,
      );
      expect(notes).toEqual(["without its description, in which a program states the old size"]);
      expect(tags[270]).toBeUndefined();
      expect(tags[315]).toBe("Ada");
    }
  });

  test.each([
    "A house, 8 x 6 m",
    "{draft} of Aperio",
    "<3",
    "<untitled>",
    "<i>The Night Watch</i>, Rembrandt",
    "Shape=(round)",
  ])("by people stay: %s", async (text) => {
    const { notes, tags } = await enlarge(tiffOf(image, [[270, 2, text]]), "tiff");
    expect(notes).toEqual([]);
    expect(tags[270]).toBe(text);
  });
});

test("a result of a result says the same", async () => {
  const path = join(folder, "once.tif");
  writeFileSync(path, tiffOf(image, [[33550, 12, [10, 20, 0]]]));
  await enlarge(readFileSync(path), "tiff");
  const { tags } = await enlarge(readFileSync(join(folder, "result.tiff")), "tiff", {
    width: 32,
    height: 24,
  });
  expect(tags[33550]).toEqual([2.5, 5, 0]);
});
