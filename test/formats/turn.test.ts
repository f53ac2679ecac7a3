import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { riffChunk } from "../../src/formats/riff.ts";
import { orientationOf, turnOfWebp } from "../../src/formats/turn.ts";

const ORIENTATION = 274;

type Entry = { tag?: number; type: number; count?: number; value: number };

/** EXIF data with one directory, whose values stand in their entries. */
function exifOf(entries: Entry[], order: "II" | "MM" | "I\0" = "II"): Buffer {
  const exif = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  const isLittle = order !== "MM";
  const put = (at: number, bytes: 2 | 4, value: number) =>
    isLittle ? exif.writeUIntLE(value, at, bytes) : exif.writeUIntBE(value, at, bytes);
  exif.write(order, 0, "latin1");
  put(2, 2, 42);
  put(4, 4, 8);
  put(8, 2, entries.length);
  for (const [i, { tag = ORIENTATION, type, count = 1, value }] of entries.entries()) {
    const at = 10 + 12 * i;
    put(at, 2, tag);
    put(at + 2, 2, type);
    put(at + 4, 4, count);
    if ([3, 8].includes(type)) put(at + 8, 2, value);
    else if ([1, 6].includes(type)) exif[at + 8] = value;
    else put(at + 8, 4, value);
  }
  return exif;
}

const pixels = sharp({ create: { width: 8, height: 4, channels: 3, background: "gray" } });

/** The orientation that libvips and libexif read in a JPEG with these EXIF data. */
async function bySharp(exif: Buffer): Promise<number> {
  const jpeg = await pixels.clone().jpeg().toBuffer();
  const data = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exif]);
  const head = Buffer.from([0xff, 0xe1, (data.length + 2) >> 8, (data.length + 2) & 255]);
  const file = Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]);
  return (await sharp(file).metadata()).orientation ?? 1;
}

describe("the orientation is the one that decoders turn by", () => {
  const cases: Record<string, Buffer> = {
    "in the other byte order": exifOf([{ type: 3, value: 6 }], "MM"),
    "in no byte order": exifOf([{ type: 3, value: 6 }], "I\0"),
    "out of range": exifOf([{ type: 3, value: 9 }]),
    "without a value": exifOf([{ type: 3, count: 0, value: 6 }]),
    "beyond the end": exifOf([{ type: 3, count: 1000, value: 14 }]),
    "behind an entry that cannot be read": exifOf([
      { type: 3, count: 1000, value: 14 },
      { type: 3, value: 6 },
    ]),
    "behind other entries": exifOf([
      { tag: 256, type: 4, value: 8 },
      { type: 3, value: 8 },
    ]),
    "in a directory that is cut short": exifOf([
      { type: 3, value: 6 },
      { type: 3, value: 1 },
    ]).subarray(0, 24),
  };
  for (const type of Array.from({ length: 21 }, (_, type) => type)) {
    cases[`of type ${type}`] = exifOf([{ type, value: 6 }]);
  }
  test.each(Object.entries(cases))("%s", async (_, exif) => {
    expect(orientationOf(exif)).toBe(await bySharp(exif));
  });
});

describe("a WebP file's orientation", () => {
  const exif = (value: number) => riffChunk("EXIF", exifOf([{ type: 3, value }]));
  const damaged = riffChunk("EXIF", new Uint8Array(5));

  /** A WebP file of 8 x 4 pixels with these chunks behind its samples. */
  async function webpOf(flags: number, ...chunks: Uint8Array[]): Promise<Buffer> {
    const webp = await pixels.clone().webp().toBuffer();
    const vp8x = riffChunk("VP8X", Uint8Array.of(flags, 0, 0, 0, 7, 0, 0, 3, 0, 0));
    const file = Buffer.concat([webp.subarray(0, 12), vp8x, webp.subarray(12), ...chunks]);
    file.writeUInt32LE(file.length - 8, 4);
    return file;
  }

  test.each([
    ["EXIF data", 8, [exif(6)]],
    ["EXIF data that the header does not announce", 0, [exif(6)]],
    ["a second chunk, which is damaged", 8, [exif(6), damaged]],
    ["no EXIF data", 0, []],
  ] as const)("with %s is sharp's, and a file without it is made", async (_, flags, chunks) => {
    const file = await webpOf(flags, ...chunks);
    const { orientation, unturned } = turnOfWebp(file);
    expect(orientation).toBe((await sharp(file).metadata()).orientation ?? 1);
    const { orientation: left, width, height } = await sharp(unturned).metadata();
    expect([left, width, height]).toEqual([undefined, 8, 4]);
  });

  test("an empty header leaves the next chunk's name as it is", () => {
    const head = Buffer.from("RIFF\0\0\0\0WEBP", "latin1");
    const file = Buffer.concat([
      head,
      riffChunk("VP8X", new Uint8Array()),
      riffChunk("hHHH", new Uint8Array()),
    ]);
    expect(Buffer.from(turnOfWebp(file).unturned)).toEqual(file);
  });
});
