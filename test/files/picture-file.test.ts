/**
 * Picture files with all their bits and profiles: read, and written in strips. pngjs, which shares no code
 * with sharp, reads them too.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import promises, { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { PNG } from "pngjs";
import sharp from "sharp";
import { describe, expect, test, vi } from "vitest";
import { readHeaderOfFile } from "../../src/files/decode.ts";
import {
  type PictureFileOptions,
  PictureWriter,
  readPictureFile,
  sizeOfPictureFile,
} from "../../src/files/picture-file.ts";
import { reductionsOf } from "../../src/files/reductions.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import { noise, temporaryFolder } from "../data/support.ts";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);

const deep = (image: Image): Image<Uint16Array> => ({
  ...image,
  data: Uint16Array.from(image.data, (value, i) => value * 257 - (i % 3) * (value > 0 ? 1 : 0)),
});

async function write(
  file: string,
  image: Image<Samples>,
  options: Partial<PictureFileOptions> = {},
): Promise<void> {
  const { width, height, channels, data } = image;
  const depth = data instanceof Uint8Array ? 8 : 16;
  const writer = await PictureWriter.create(file, {
    width,
    height,
    channels,
    depth,
    format: "png",
    ...options,
  });
  // Strips of unequal height.
  for (let row = 0, rows = 1; row < height; row += rows++) {
    await writer.write(data.subarray(row * width * channels, (row + rows) * width * channels));
  }
  await writer.finish();
}

/** Where a link leads; "" for one that is gone. */
function linkOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

/** A colour profile that is not sRGB. */
async function someProfile(): Promise<Buffer> {
  const picture = sharp({ create: { width: 1, height: 1, channels: 3, background: "red" } });
  return (await sharp(await picture.withIccProfile("p3").png().toBuffer()).metadata()).icc!;
}

describe.each([1, 2, 3, 4] as const)("PNG of %i channels", (channels) => {
  for (const image of [noise(37, 50, channels), deep(noise(37, 50, channels))]) {
    const depth = image.data instanceof Uint8Array ? 8 : 16;
    test(`${depth} bits come back, from pngjs as well`, async () => {
      const file = path(`${channels}-${depth}.png`);
      await write(file, image);
      expect((await readPictureFile(file)).image).toEqual(image);
      expect(await sizeOfPictureFile(file)).toEqual({ width: 37, height: 50 });
      // pngjs gives RGBA, 16 bits as they are.
      const {
        width,
        height,
        depth: bits,
        data,
      } = PNG.sync.read(readFileSync(file), { skipRescale: true }) as PNG & { depth: number };
      expect({ width, height, bits }).toEqual({ width: 37, height: 50, bits: depth });
      const colors = channels <= 2 ? 1 : 3;
      for (let i = 0; i < 37 * 50; i++) {
        expect(data[4 * i]).toBe(image.data[i * channels]);
        expect(data[4 * i + 2]).toBe(image.data[i * channels + (colors === 3 ? 2 : 0)]);
        if (channels > colors) expect(data[4 * i + 3]).toBe(image.data[i * channels + colors]);
      }
    });
  }
});

test("a colour profile is kept, and the colours do not change", async () => {
  const icc = await someProfile();
  const image = noise(20, 9, 3);
  for (const format of ["png", "jpeg", "webp"] as const) {
    const file = path(`profile.${format}`);
    await write(file, image, { icc, format, quality: 100 });
    const read = await readPictureFile(file);
    expect(Buffer.from(read.icc!)).toEqual(icc);
    const errors = Array.from(read.image.data, (value, i) => Math.abs(value - image.data[i]));
    const off = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(off).toBeLessThan(format === "jpeg" ? 1.5 : 0.001);
  }
});

test("a camera's orientation is applied once", async () => {
  const image = noise(6, 4, 3);
  const raw = sharp(image.data, { raw: { width: 6, height: 4, channels: 3 } });
  writeFileSync(path("turned.png"), await raw.withMetadata({ orientation: 6 }).png().toBuffer());
  const { image: turned } = await readPictureFile(path("turned.png"));
  expect(await sizeOfPictureFile(path("turned.png"))).toEqual({ width: 4, height: 6 });
  expect({ width: turned.width, height: turned.height }).toEqual({ width: 4, height: 6 });
  // A quarter turn clockwise: the first row becomes the last column.
  for (let x = 0; x < 6; x++) {
    const at = (x * 4 + 3) * 3;
    expect([...turned.data.subarray(at, at + 3)]).toEqual([...image.data.subarray(3 * x, 3 * x + 3)]);
  }
  await write(path("again.png"), turned);
  expect((await sharp(path("again.png")).metadata()).orientation).toBeUndefined();
});

test("CMYK becomes sRGB, without its profile", async () => {
  const picture = sharp({
    create: { width: 8, height: 8, channels: 3, background: { r: 200, g: 40, b: 90 } },
  });
  writeFileSync(
    path("cmyk.jpg"),
    await picture.toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer(),
  );
  expect((await sharp(path("cmyk.jpg")).metadata()).space).toBe("cmyk");
  const { image, icc } = await readPictureFile(path("cmyk.jpg"));
  expect(icc).toBeUndefined();
  expect(image.channels).toBe(3);
  for (const [c, want] of [200, 40, 90].entries()) expect(Math.abs(image.data[c] - want)).toBeLessThan(25);
});

describe("what cannot be read", () => {
  /** A PNG header that claims a size; its check sum is right. */
  function claiming(width: number, height: number): Buffer {
    const png = PNG.sync.write(new PNG({ width: 1, height: 1 }));
    png.writeUInt32BE(width, 16);
    png.writeUInt32BE(height, 20);
    let crc = 0xffffffff;
    for (const byte of png.subarray(12, 29)) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    png.writeUInt32BE(~crc >>> 0, 29);
    return png;
  }

  test.each([
    ["empty.png", Buffer.alloc(0), "the file is empty"],
    [
      "text.png",
      Buffer.from("no picture at all"),
      "not a PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP or PPM picture",
    ],
    [
      "huge.png",
      claiming(100_000, 100_000),
      "claims to have 100000x100000 pixels, which take 37.3 GiB, and at most 1 GiB is read",
    ],
  ])("%s", async (name, bytes, message) => {
    writeFileSync(path(name), bytes);
    await expect(readPictureFile(path(name))).rejects.toThrow(message);
    await expect(readPictureFile(path(name))).rejects.toThrow(path(name));
  });

  test("cut short, damaged, missing, a folder", async () => {
    await write(path("whole.png"), noise(50, 50, 3));
    writeFileSync(path("cut.png"), readFileSync(path("whole.png")).subarray(0, 4000));
    await expect(readPictureFile(path("cut.png"))).rejects.toThrow("damaged or was cut short");
    await expect(readPictureFile(path("none.png"))).rejects.toThrow("there is no such file");
    await expect(readPictureFile(folder)).rejects.toThrow("cannot be read");
  });
});

describe("what cannot be written", () => {
  const size = { width: 4, height: 4, channels: 3, depth: 8, format: "png" } as const;

  test("pictures too large for the format, or with bits or alpha that it cannot hold", async () => {
    const create = (options: Partial<PictureFileOptions>) =>
      PictureWriter.create(path("x"), { ...size, ...options });
    await expect(create({ format: "webp", width: 17_000 })).rejects.toThrow(
      "WebP pictures have at most 16383 pixels a side",
    );
    await expect(create({ format: "jpeg", height: 66_000 })).rejects.toThrow("at most 65500");
    await expect(create({ format: "jpeg", channels: 4 })).rejects.toThrow(
      "JPEG pictures hold no transparency",
    );
    await expect(create({ format: "webp", depth: 16 })).rejects.toThrow("WebP pictures hold no 16 bits");
    expect(readdirSync(folder)).not.toContain("x");
  });

  test("a missing folder and a read-only one are reported before anything is computed", async () => {
    await expect(PictureWriter.create(path("no/such.png"), size)).rejects.toThrow("cannot be written");
    mkdirSync(path("locked"));
    chmodSync(path("locked"), 0o500);
    if (process.getuid?.() === 0) return; // nothing is read-only to root
    await expect(PictureWriter.create(path("locked/x.png"), size)).rejects.toThrow("cannot be written");
  });

  test("discard() leaves nothing; an older file stays until the new one is whole", async () => {
    mkdirSync(path("discarded"));
    const file = path("discarded/old.png");
    await write(file, noise(4, 4, 3, 1));
    const old = readFileSync(file);
    const writer = await PictureWriter.create(file, size);
    await writer.write(new Uint8Array(12));
    expect(readFileSync(file)).toEqual(old);
    await writer.discard();
    expect(readdirSync(path("discarded"))).toEqual(["old.png"]);
    expect(readFileSync(file)).toEqual(old);
    await write(file, noise(4, 4, 3, 2));
    expect(readdirSync(path("discarded"))).toEqual(["old.png"]);
    expect(readFileSync(file)).not.toEqual(old);
  });

  test.skipIf(process.platform !== "linux")(
    "what fails at its beginning or its end leaves no file open",
    async () => {
      const where = path("failing");
      mkdirSync(where);
      const file = join(where, "a.png");
      const numbers = () =>
        readdirSync("/proc/self/fd").filter((number) => linkOf(`/proc/self/fd/${number}`).startsWith(where));
      const handle = await open(path("failing"));
      await handle.close();
      const full = Object.assign(new Error("full"), { code: "ENOSPC" });
      const write = vi.spyOn(Object.getPrototypeOf(handle), "write").mockRejectedValue(full);
      try {
        await expect(PictureWriter.create(file, size)).rejects.toThrow(
          `${file}: cannot be written: the disk is full.`,
        );
      } finally {
        write.mockRestore();
      }
      expect(numbers()).toEqual([]);
      const openFile = promises.open;
      promises.open = async (...args) => {
        const opened = await openFile(...args);
        const { close } = opened;
        opened.close = async () => {
          await close();
          throw full; // disks may say so as late as that
        };
        return opened;
      };
      syncBuiltinESMExports();
      const writer = await PictureWriter.create(file, size).finally(() => {
        promises.open = openFile;
        syncBuiltinESMExports();
      });
      await expect(writer.finish()).rejects.toThrow(`${file}: cannot be written: the disk is full.`);
      await writer.discard();
      expect(numbers()).toEqual([]);
      expect(readdirSync(where)).toEqual([]);
    },
  );

  test("too few rows: no file", async () => {
    mkdirSync(path("few"));
    const writer = await PictureWriter.create(path("few/few.png"), { ...size, height: 400, width: 400 });
    await writer.write(new Uint8Array(400 * 3 * 20));
    await expect(writer.finish()).rejects.toThrow("cannot be written");
    await writer.discard();
    expect(readdirSync(path("few"))).toEqual([]);
  });
});

test.each([2, 4] as const)(
  "a channel of TIFF that is no transparency is left out: %i channels",
  async (channels) => {
    const file = path(`bands-${channels}.tif`);
    for (const image of [noise(19, 7, channels), deep(noise(19, 7, channels))]) {
      await write(file, image, { format: "tiff" });
      expect((await readPictureFile(file)).image.channels).toBe(channels); // by ExtraSamples 2
      const bytes = readFileSync(file);
      const entry = bytes.lastIndexOf(Buffer.from("520103000100000002000000", "hex"));
      expect(entry).toBeGreaterThan(0);
      bytes[entry + 8] = 0;
      writeFileSync(file, bytes);
      const { image: read, notes } = await readPictureFile(file);
      const colors = channels - 1;
      const pixels = Array.from(image.data).filter((_, i) => i % channels < colors);
      expect([read.channels, Array.from(read.data)]).toEqual([colors, pixels]);
      expect(notes).toContainEqual({
        kind: "alpha",
        text: "without a channel that the file does not call transparency",
      });
      expect(reductionsOf(new Map([[file, await readHeaderOfFile(file)]]), ["alpha"])).toEqual([]);
    }
  },
);
