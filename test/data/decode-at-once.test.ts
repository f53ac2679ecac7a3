/** Pictures that are decoded at the same time share libvips' list of messages; each fares as it does alone. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { DecodePool } from "../../src/data/decode-pool.ts";
import { decodeImage } from "../../src/files/image-files.ts";
import { decodePictureFile } from "../../src/files/picture-file.ts";
import { furtherSamples, withFurtherSamples } from "../../src/formats/jpeg-scans.ts";
import { noise, temporaryFolder } from "./support.ts";

const end = Buffer.of(0xff, 0xd9);
const jpegOf = (side: number, options = {}) =>
  sharp(noise(side, side, 3).data, { raw: { width: side, height: side, channels: 3 } })
    .jpeg(options)
    .toBuffer();

const sound = await jpegOf(40);
const withoutEnd = sound.subarray(0, -2);
const progressive = await jpegOf(40, { progressive: true });
const lastScan = progressive.lastIndexOf(Buffer.of(0xff, 0xda));
const withMore = Buffer.concat([
  progressive.subarray(0, lastScan),
  Buffer.of(1, 2, 3),
  progressive.subarray(lastScan),
]);
const phone = phoneOf(sound);
const large = await jpegOf(150);
const cut = Buffer.concat([large.subarray(0, large.length / 2), end]);

/** Some phones write a scan header that decoders warn of. */
function phoneOf(jpeg: Uint8Array): Buffer {
  const copy = Buffer.from(jpeg);
  copy[copy.indexOf(Buffer.of(0xff, 0xda)) + 12] = 0;
  return copy;
}

const mixes = [
  { phone, second: phone, withoutEnd, a: sound, b: sound, c: sound, cut },
  { cut, withMore, a: sound, b: sound, c: sound, d: sound },
];

test.each(mixes)(
  "what is cut is refused, and nothing else: mix %#",
  async (files) => {
    const refused = new Set<string>();
    let accepted = 0;
    for (let round = 0; round < 60; round++) {
      await Promise.all(
        Object.entries(files).map(([name, bytes]) =>
          decodeImage(bytes, name).then(
            () => name === "cut" && accepted++,
            (error) => refused.add(error.message),
          ),
        ),
      );
    }
    expect(accepted).toBe(0);
    expect([...refused]).toEqual([expect.stringMatching(/^cut: .*\(some of its samples are missing\)/)]);
  },
  60_000,
);

test("notes and reasons are a picture's own", async () => {
  const texts = {
    phone: "the decoder warns: Invalid SOS parameters for sequential JPEG",
    withMore: "the decoder warns: Corrupt JPEG data: 3 extraneous bytes before marker 0xda",
    withoutEnd: "the decoder warns: the mark for the end of the file is missing",
  };
  const files = { phone, withMore, withoutEnd, sound, cut, png: Buffer.from("\x89PNG\r\n\x1a\n", "latin1") };
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Object.entries(files).map(async ([name, bytes]) => {
        const found = await decodePictureFile(bytes, name).then(
          ({ notes }) => notes.map(({ text }) => text).join(),
          (error: Error) => error.message,
        );
        if (name === "cut") expect(found).toContain("some of its samples are missing");
        else if (name === "png")
          expect(found).toContain("png: this PNG picture of 8 bytes cannot be decoded (");
        else expect(found).toBe((texts as Record<string, string>)[name] ?? "");
        if (name === "png") expect(found).not.toMatch(/SOS|JPEG data/);
      }),
    );
  }
}, 60_000);

test("in the loader's threads, too", async () => {
  const folder = temporaryFolder();
  const files = Object.entries({ cut, withMore, phone, sound, withoutEnd }).map(([name, bytes]) => {
    const high = join(folder, `${name}.jpg`);
    writeFileSync(high, bytes);
    return { name, high };
  });
  const pool = new DecodePool(4);
  const refused = new Set<string>();
  const all = Array.from({ length: 60 }, () => files).flat();
  let accepted = 0;
  await Promise.all(
    all.map((file) =>
      pool.load(file).then(
        () => file.name === "cut" && accepted++,
        () => refused.add(file.name),
      ),
    ),
  );
  await pool.close();
  expect(accepted).toBe(0);
  expect([...refused]).toEqual(["cut"]);
}, 60_000);

test.each([
  ["", {}],
  ["progressive", { progressive: true }],
  ["4:4:4 of the best quality", { quality: 100, chromaSubsampling: "4:4:4" }],
  ["optimized", { mozjpeg: true }],
])(
  "a JPEG %s that a decoder warns of is cut wherever it ends early",
  async (_, options) => {
    const jpeg = await jpegOf(60, options);
    const start = jpeg.lastIndexOf(Buffer.of(0xff, 0xda)) + 14;
    // What a decoder skips changes nothing.
    for (const further of furtherSamples) {
      const longer = await decodeImage(withFurtherSamples(jpeg, further) as Uint8Array, "longer");
      expect(longer).toEqual(await decodeImage(jpeg, "jpeg"));
    }
    // libvips looks for warnings when it begins a row of blocks, so not behind the last one.
    const last = start + 0.8 * (jpeg.length - start);
    const step = Math.ceil((last - start) / 25);
    for (let at = start; at < last; at += step) {
      const early = Buffer.concat([jpeg.subarray(0, at), end]);
      await expect(decodeImage(early, `${at}`), `${at}`).rejects.toThrow("samples are missing");
    }
  },
  60_000,
);

test.each([
  ["baseline", 24, 0.3, false],
  ["rough baseline", 24, 1, false],
  ["progressive", 40, 0.1, true],
])(
  "a %s JPEG that ends early, and whose last blocks lie outside in part, is refused or has all its scans that began",
  async (_, side, roughness, progressive) => {
    const jpeg = await sharp(waves(side, roughness), { raw: { width: side, height: side, channels: 3 } })
      .jpeg({ progressive, quality: 95, chromaSubsampling: "4:2:0" })
      .toBuffer();
    const first = jpeg.indexOf(Buffer.of(0xff, 0xda)) + 14;
    const endedAt = (at: number) => decodePictureFile(Buffer.concat([jpeg.subarray(0, at), end]), `${at}`);
    const whole: Uint8Array[] = [];
    for (let at = first; at < jpeg.length; at++) {
      const isMarker = jpeg[at] === 0xff && [0xc4, 0xda, 0xd9].includes(jpeg[at + 1]);
      if (isMarker) whole.push((await endedAt(at)).image.data as Uint8Array);
    }
    for (let at = first; at < jpeg.length - 2; at++) {
      const found = await endedAt(at).catch(() => undefined);
      if (found?.notes.some(({ text }) => /premature/i.test(text)))
        expect(whole, `${at}`).toContainEqual(found.image.data);
    }
  },
  60_000,
);

/** Waves and noise. */
function waves(side: number, roughness: number): Uint8Array {
  const rough = noise(side, side, 3).data;
  return rough.map((value, i) => 128 + 90 * Math.sin(i / 40) * (1 - roughness) + (value - 128) * roughness);
}

test("a TIFF whose parts are compressed by JPEG and lack samples is damaged", async () => {
  const tiff = await sharp(noise(150, 150, 3).data, { raw: { width: 150, height: 150, channels: 3 } })
    .tiff({ compression: "jpeg" })
    .toBuffer();
  tiff.set(end, tiff.length / 2);
  await expect(decodeImage(tiff, "cut.tif")).rejects.toThrow("samples are missing");
});
