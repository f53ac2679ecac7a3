/** What files say besides samples goes through: into the five formats that are written, or a note says what does not. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../src/files/image-files.ts";
import {
  decodePictureFile,
  PictureWriter,
  readPictureFile,
  sizeOfPictureFile,
} from "../../src/files/picture-file.ts";
import { unpackPng } from "../../src/files/png-samples.ts";
import { densityIn } from "../../src/formats/density.ts";
import { Directories } from "../../src/formats/directories.ts";
import { forNewPicture } from "../../src/formats/exif.ts";
import { gammaCurve, profileOf } from "../../src/formats/icc.ts";
import { upscale } from "../../src/node.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import type { Image, Samples } from "../../src/picture/image.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { type ExifParts, exifOf, photoshopCaption, segment, withSegments } from "../support/exif.ts";
import { chunksIn, pngChunk, pngOf, uint32s } from "../support/png.ts";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const written = ["png", "jpeg", "webp", "tiff", "avif"] as const;

/** Copies a picture file into another format, as `upscale` does, and returns the notes. */
async function copy(from: string, to: string, format: PictureFormat, quality?: number): Promise<string[]> {
  const { image, notes, ...metadata } = await readPictureFile(from, { target: format });
  await write(to, image, { ...metadata, format, quality });
  return notes.map(({ text }) => text);
}

async function write(
  file: string,
  { width, height, channels, data }: Image<Samples>,
  options: Omit<Parameters<typeof PictureWriter.create>[1], "width" | "height" | "channels" | "depth">,
): Promise<void> {
  const depth = data instanceof Uint8Array ? 8 : 16;
  const writer = await PictureWriter.create(file, { ...options, width, height, channels, depth });
  const half = Math.ceil(height / 2) * width * channels;
  await writer.write(data.subarray(0, half));
  await writer.write(data.subarray(half));
  await writer.finish();
}

/** Samples as a colour-managed program shows them. */
async function look(file: string): Promise<number[]> {
  const picture = sharp(file).withIccProfile("srgb").toColourspace("srgb");
  return [...(await picture.removeAlpha().raw().toBuffer())];
}

const largest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));

const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 tiff:Orientation="6" dc:title="Grüße"/></rdf:RDF></x:xmpmeta>`;

const thumbnail = Buffer.from("ffd8ffd9".padEnd(400, "ab"), "hex");
const camera: ExifParts = {
  first: [
    [0x10f, "ACME"],
    [0x112, [6]],
    [0x8298, "(c) someone"],
  ],
  camera: [
    [0x9003, "2026:01:02 03:04:05"],
    [0x927c, { raw: Buffer.from("notes of the maker") }],
    [0xa002, [24]],
    [0xa003, [16]],
  ],
  place: [
    [1, "N"],
    [5, { raw: Buffer.of(1) }],
  ],
  thumbnail,
};

/** EXIF entries as texts and numbers, by directory. */
function entriesOf(exif: Uint8Array) {
  const file = new Directories(exif);
  const list = (directory: number) =>
    Object.fromEntries(
      file
        .entries(directory)
        .map((entry) => [
          entry.tag,
          entry.type === 2
            ? Buffer.from(entry.bytes).toString("latin1").replace(/\0$/, "")
            : (file.value(entry) ?? Buffer.from(entry.bytes).toString("latin1")),
        ]),
    );
  const first = list(file.first);
  const at = (tag: number) => (tag in first ? list(first[tag] as number) : {});
  return { first, camera: at(0x8769), place: at(0x8825) };
}

let icc: Buffer;

beforeAll(async () => {
  const image = noise(24, 16, 3);
  const raw = sharp(image.data, { raw: { width: 24, height: 16, channels: 3 } });
  const jpeg = await raw.withIccProfile("p3").withXmp(xmp).jpeg({ quality: 100 }).toBuffer();
  icc = (await sharp(jpeg).metadata()).icc!;
  const jfif = segment(0xe0, "JFIF\0\x01\x01\x01\x01\x2c\x01\x2c\0\0"); // 300 per inch
  const segments = [
    jfif,
    segment(0xe1, "Exif\0\0", exifOf(camera)),
    segment(0xed, photoshopCaption("A caption")),
    segment(0xfe, "a comment"),
  ];
  writeFileSync(path("photo.jpg"), withSegments(jpeg, ...segments));
});

describe("Photoshop's note on copyright", () => {
  const resource = (id: number, data: Buffer) => {
    const head = Buffer.from("8BIM\0\0\0\0\0\0\0\0", "latin1");
    head.writeUInt16BE(id, 4);
    head.writeUInt32BE(data.length, 8);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  };
  const flag = resource(0x040a, Buffer.of(1));
  const address = resource(0x040b, Buffer.from("https://someone.example"));
  const others = [resource(0x03ed, Buffer.alloc(16)), resource(0x0425, Buffer.alloc(16, 7))]; // of the old file
  const jpegWith = async (...resources: Buffer[]) => {
    const jpeg = await sharp(noise(8, 8, 3).data, { raw: { width: 8, height: 8, channels: 3 } })
      .jpeg()
      .toBuffer();
    return withSegments(jpeg, segment(0xed, "Photoshop 3.0\0", ...resources));
  };

  test.each(["jpeg", "png", "tiff"] as const)("stays in %s, with and without IPTC data", async (format) => {
    const caption = photoshopCaption("A caption").subarray("Photoshop 3.0\0".length);
    for (const parts of [
      [others[0], flag, address, others[1]],
      [flag, caption, address],
    ]) {
      writeFileSync(path("rights.jpg"), await jpegWith(...parts));
      expect(await copy(path("rights.jpg"), path(`rights.${format}`), format)).toEqual([]);
      for (const target of ["jpeg", "png", "tiff"] as const) {
        const { rights, iptc } = await readPictureFile(path(`rights.${format}`), { target });
        expect(Buffer.from(rights!)).toEqual(Buffer.concat([flag, address]));
        expect(iptc?.toString().includes("A caption")).toBe(parts.includes(caption) ? true : undefined);
      }
    }
  });

  test("elsewhere, it is named; a mark that is not set is none", async () => {
    writeFileSync(path("rights.jpg"), await jpegWith(flag));
    expect(await copy(path("rights.jpg"), path("rights.webp"), "webp")).toEqual([
      "without Photoshop's note on copyright: WebP cannot hold it",
    ]);
    writeFileSync(path("no-rights.jpg"), await jpegWith(...others, resource(0x040a, Buffer.of(0))));
    const { rights, notes } = await readPictureFile(path("no-rights.jpg"), { target: "webp" });
    expect([rights, notes]).toEqual([undefined, []]);
  });
});

test("what a viewer may show of a PNG, and no result has, is named", async () => {
  const withChunks = async (channels: 3 | 4, ...chunks: Buffer[]) => {
    const raw = { width: 8, height: 8, channels };
    const file = await sharp(noise(8, 8, channels).data, { raw })
      .png()
      .toBuffer();
    return Buffer.concat([file.subarray(0, 33), ...chunks, file.subarray(33)]);
  };
  const notesOf = async (file: Buffer) => (await decodePictureFile(file, "it")).notes.map(({ text }) => text);
  const background = pngChunk("bKGD", Buffer.alloc(6));
  const transparency = pngChunk("tRNS", Buffer.alloc(6));
  const ofTheOldFile = [
    pngChunk("sBIT", Buffer.of(5, 6, 5)),
    pngChunk("oFFs", Buffer.alloc(9)),
    pngChunk("tIME", Buffer.of(7, 234, 1, 1, 0, 0, 0)),
  ];
  expect(await notesOf(await withChunks(4, background))).toEqual(["without its background colour"]);
  expect(await notesOf(await withChunks(3, transparency, background))).toEqual([
    "without its background colour",
  ]);
  expect(await notesOf(await withChunks(3, background, ...ofTheOldFile))).toEqual([]);
  expect(await notesOf(await withChunks(3, pngChunk("sTER", Buffer.of(0))))).toEqual([
    "without the note that it is a pair of pictures for two eyes",
  ]);
  for (const [type, text] of [
    ["sCAL", "the size of what it shows (sCAL)"],
    ["pCAL", "what its samples measure (pCAL)"],
    ["dSIG", "its digital signature, which holds for the original"],
  ]) {
    expect(await notesOf(await withChunks(3, pngChunk(type, "\x011\x001")))).toEqual([`without ${text}`]);
  }
  const ofPrograms = ["npTc", "prVW", "vpAg", "npTc", "iDOT", "fcTL"].map((type) =>
    pngChunk(type, Buffer.alloc(8)),
  );
  expect(await notesOf(await withChunks(3, ...ofPrograms))).toEqual([
    "without what a program keeps in npTc, prVW",
  ]);
});

test("a TIFF's page name stays", async () => {
  const file = await sharp(noise(8, 8, 3).data, { raw: { width: 8, height: 8, channels: 3 } })
    .tiff()
    .toBuffer();
  const name = Buffer.from("page 4\0");
  const tags = new Directories(file);
  // In place of a tag that says what it need not say: channels lie side by side.
  const place = tags.find(tags.first, 284)!.at - 8;
  file.writeUInt16LE(285, place);
  file.writeUInt16LE(2, place + 2);
  file.writeUInt32LE(name.length, place + 4);
  file.writeUInt32LE(file.length, place + 8);
  writeFileSync(path("page.tif"), Buffer.concat([file, name]));
  for (const format of ["png", "tiff"] as const) {
    expect(await copy(path("page.tif"), path(`page-copy.${format}`), format)).toEqual([]);
    expect(readFileSync(path(`page-copy.${format}`)).includes(name)).toBe(true);
  }
});

describe("a photograph with EXIF, GPS, XMP, IPTC, a comment, 300 dpi and Display P3", () => {
  test.each(written)("as %s", async (format) => {
    const file = path(`photo-copy.${format}`);
    const notes = await copy(path("photo.jpg"), file, format);
    const read = await sharp(file).metadata();
    expect(read.icc).toEqual(icc);
    expect([1, undefined]).toContain(read.orientation);
    expect([read.width, read.height]).toEqual([16, 24]);
    expect(read.xmp?.toString()).toBe(xmp.replace('Orientation="6"', 'Orientation="1"'));
    if (["png", "jpeg", "tiff"].includes(format)) expect(read.density).toBe(300);

    const back = await readPictureFile(file);
    const { first, camera, place } = entriesOf(back.exif!);
    expect(first).toMatchObject({ 271: "ACME", 33432: "(c) someone" });
    expect(camera).toMatchObject({ 36867: "2026:01:02 03:04:05", 37500: "notes of the maker" });
    expect(camera).toMatchObject({ 40962: 16, 40963: 24 });
    expect(place).toMatchObject({ 1: "N", 5: "\x01" });
    expect(back.density!.x).toBeCloseTo(300, 2);
    // Of the thumbnail, nothing is left.
    expect(readFileSync(file).includes(thumbnail.subarray(10))).toBe(false);

    const holdsIptc = format !== "webp" && format !== "avif";
    const holdsComment = format === "png" || format === "jpeg";
    if (holdsIptc) expect(Buffer.from(back.iptc!).toString("latin1")).toContain("A caption");
    if (holdsComment) expect(back.comments).toEqual([{ keyword: "Comment", text: "a comment" }]);
    const { name } = { webp: { name: "WebP" }, avif: { name: "AVIF" } }[format as string] ?? { name: "TIFF" };
    expect(notes).toEqual([
      ...(holdsIptc ? [] : [`without IPTC data: ${name} cannot hold it`]),
      ...(holdsComment ? [] : [`without the text Comment: ${name} cannot hold it`]),
    ]);
  });

  test.each(written)("from %s into the others", async (format) => {
    const source = path(`source.${format}`);
    await copy(path("photo.jpg"), source, format);
    for (const other of written) {
      const file = path(`${format}-to.${other}`);
      await copy(source, file, other);
      const { exif, density, xmp: text, icc: profile } = await readPictureFile(file);
      const { first, camera, place } = entriesOf(exif!);
      expect({ ...first, ...camera, ...place }).toMatchObject({
        ...{ 271: "ACME", 33432: "(c) someone", 36867: "2026:01:02 03:04:05", 1: "N" },
      });
      expect(density!.x).toBeCloseTo(300, 1);
      expect(text).toContain("Grüße");
      expect(Buffer.from(profile!)).toEqual(icc);
    }
  });
});

test("a picture that says nothing gets nothing, above all no resolution", async () => {
  for (const format of written) {
    await write(path(`plain.${format}`), noise(8, 6, 3), { format });
    const { image, notes, jpegQuality, ...metadata } = await readPictureFile(path(`plain.${format}`));
    expect(notes).toEqual([]);
    expect(jpegQuality).toBe(format === "jpeg" ? 95 : undefined);
    expect(Object.values(metadata).filter((value) => value !== undefined)).toEqual([]);
  }
  expect(chunksIn(readFileSync(path("plain.png"))).map(({ type }) => type)).toEqual(["IHDR", "IDAT", "IEND"]);
});

describe("EXIF data for a new picture", () => {
  const size = { width: 70_000, height: 5 };

  test.each([false, true])(
    "in place, so that makers' notes stay where they are; big-endian: %s",
    (bigEndian) => {
      const exif = exifOf({ ...camera, first: [...camera.first, [0x100, [24]]], bigEndian });
      const edited = Buffer.from(forNewPicture(exif, size)!);
      const found = entriesOf(edited);
      expect(found.first).toMatchObject({ 274: 1, 256: 70_000, 271: "ACME" });
      expect(found.camera).toMatchObject({ 40962: 70_000, 40963: 5 });
      expect(edited.indexOf("notes of the maker")).toBe(exif.indexOf("notes of the maker"));
      expect(edited.length).toBe(exif.length - thumbnail.length);
    },
  );

  test("a resolution is added where there is none, and an old one stays", () => {
    const added = new Directories(forNewPicture(exifOf(camera), size, { x: 72.5, y: 300 })!);
    expect(densityIn(added, added.first)).toEqual({ x: 72.5, y: 300 });
    expect(entriesOf(added.bytes).place).toMatchObject({ 1: "N" });
    const first = [...camera.first, [0x11a, { rational: [96, 1] }], [0x11b, { rational: [96, 1] }]] as const;
    const old = new Directories(forNewPicture(exifOf({ ...camera, first }), size, { x: 300, y: 300 })!);
    expect(densityIn(old, old.first)).toEqual({ x: 96, y: 96 });
  });

  test("damaged ones are left out, and no loop or overlap of directories takes long", () => {
    expect(forNewPicture(Buffer.from("no EXIF data"), size)).toBeUndefined();
    const exif = exifOf(camera);
    for (let length = 0; length < exif.length; length += 3) forNewPicture(exif.subarray(0, length), size);
    const loop = exifOf({ first: [], camera: [[0x8769, { long: 8 }]], place: [[0x8825, { long: 8 }]] });
    expect(forNewPicture(loop, size)).toBeDefined();
  });
});

test("EXIF data of 64 KB go everywhere; longer ones are named where they are lost", async () => {
  for (const length of [64_500, 100_000]) {
    const notes = Buffer.alloc(length, "maker");
    const exif = exifOf({ first: [[0x10f, "ACME"]], camera: [[0x927c, { raw: notes }]], bigEndian: true });
    const file = path(`long-${length}.png`);
    await write(file, noise(4, 4, 3), { format: "png", exif });
    for (const format of written) {
      const lost = await copy(file, path(`long.${format}`), format);
      const { exif: kept } = await readPictureFile(path(`long.${format}`));
      if (length < 2 ** 16 || format === "png" || format === "tiff") {
        expect(lost).toEqual([]);
        expect(Buffer.from(kept!).includes(notes)).toBe(true);
      } else {
        expect(lost[0]).toMatch(/^without EXIF data of 100062 bytes: \w+ cannot hold it$/);
        expect(kept).toBeUndefined();
      }
    }
  }
});

describe("PNG", () => {
  const image = noise(6, 4, 3);
  const rows = Array.from({ length: 4 }, (_, y) => image.data.subarray(18 * y, 18 * y + 18));
  const png = (before: Buffer[], after: Buffer[] = []) =>
    pngOf({ width: 6, height: 4, colorType: 2, rows, before, after });

  test("eXIf behind the samples turns the picture, as in front of them", async () => {
    const exif = pngChunk("eXIf", exifOf(camera));
    const early = await decodePictureFile(png([exif]), "early");
    const late = await decodePictureFile(png([], [exif]), "late");
    expect([late.image.width, late.image.height]).toEqual([4, 6]);
    expect(late.image).toEqual(early.image);
    expect(late.exif).toEqual(early.exif);
  });

  const profileText = (exif: Uint8Array) => {
    const bytes = Buffer.concat([Buffer.from("Exif\0\0"), exif]);
    return `\nexif\n${String(bytes.length).padStart(8)}\n${bytes.toString("hex").replace(/(.{72})/g, "$1\n")}\n`;
  };
  const rawProfiles = {
    tEXt: (exif: Uint8Array) => pngChunk("tEXt", `Raw profile type exif\0${profileText(exif)}`),
    zTXt: (exif: Uint8Array) =>
      pngChunk(
        "zTXt",
        Buffer.concat([Buffer.from("Raw profile type APP1\0\0"), deflateSync(profileText(exif))]),
      ),
  };

  test.each(["tEXt", "zTXt"] as const)(
    "EXIF in a text (%s) turns the picture, as in a chunk of its own",
    async (kind) => {
      const chunk = rawProfiles[kind](exifOf(camera));
      const early = await decodePictureFile(png([pngChunk("eXIf", exifOf(camera))]), "early");
      for (const file of [png([chunk]), png([], [chunk])]) {
        const { image, exif, source } = await decodePictureFile(file, kind);
        expect({ image, exif, source }).toEqual({
          image: early.image,
          exif: early.exif,
          source: early.source,
        });
        expect(unpackPng(file, 2 ** 30)).toBeUndefined();
        writeFileSync(path("text.png"), file);
        expect(await sizeOfPictureFile(path("text.png"))).toEqual({ width: 4, height: 6 });
        expect((await readImage(path("text.png"))).width).toBe(4);
      }
      const upright = exifOf({ first: [[0x0112, [1]]] });
      const own = await decodePictureFile(png([chunk, pngChunk("eXIf", upright)]), "own");
      expect([own.image.width, own.image.height]).toEqual([6, 4]); // the chunk counts
    },
  );

  // By the number of its type, how many, and the bytes of each: BYTE, SHORT, LONG, SBYTE, SSHORT, SLONG, RATIONAL.
  test.each([
    [1, 1, 1],
    [1, 3, 1],
    [3, 2, 2],
    [3, 3, 2],
    [4, 1, 4],
    [6, 1, 1],
    [8, 1, 2],
    [9, 1, 4],
    [5, 1, 8],
  ])("an orientation of type %i, %i of it, is applied once", async (type, count, size) => {
    const exif = Buffer.alloc(64);
    exif.write("II*\0\x08\0\0\0\x01\0\x12\x01", "latin1");
    exif.writeUInt16LE(type, 12);
    exif.writeUInt32LE(count, 14);
    const at = size * count > 4 ? 40 : 18;
    if (at === 40) exif.writeUInt32LE(at, 18);
    for (let i = 0; i < count; i++) exif.writeUIntLE(6, at + i * size, Math.min(size, 4));
    if (size === 8) exif.writeUInt32LE(1, at + 4);
    const jpeg = await sharp({ create: { width: 6, height: 4, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer();
    writeFileSync(path("odd.jpg"), withSegments(jpeg, segment(0xe1, "Exif\0\0", exif)));
    writeFileSync(path("odd.png"), png([pngChunk("eXIf", exif)]));
    for (const from of ["odd.jpg", "odd.png"]) {
      expect(await sizeOfPictureFile(path(from))).toEqual({ width: 4, height: 6 });
      for (const format of ["jpeg", "png", "webp", "avif", "tiff"] as const) {
        await copy(path(from), path(`odd.${format}`), format);
        const { width, height, orientation } = await sharp(path(`odd.${format}`)).metadata();
        expect([width, height, orientation ?? 1], `${from} ${format}`).toEqual([4, 6, 1]);
      }
    }
  });

  test("texts are kept in PNG, and named where they are lost", async () => {
    const text = pngChunk("tEXt", "Copyright\0someone");
    const unicode = pngChunk("iTXt", Buffer.from("Title\0\0\0\0\0Grüße → x"));
    writeFileSync(path("texts.png"), png([text], [unicode]));
    expect(await copy(path("texts.png"), path("texts-copy.png"), "png")).toEqual([]);
    expect((await readPictureFile(path("texts-copy.png"))).comments).toEqual([
      { keyword: "Copyright", text: "someone" },
      { keyword: "Title", text: "Grüße → x" },
    ]);
    expect(await copy(path("texts.png"), path("texts.jpg"), "jpeg")).toEqual([
      "without the text Copyright, Title: JPEG cannot hold it",
    ]);
  });

  test.each(["iptc", "IPTC profile"])("IPTC data as a text whose first line is %j", async (name) => {
    const resources = photoshopCaption("Caption").subarray("Photoshop 3.0\0".length);
    const text = `\n${name}\n${String(resources.length).padStart(8)}\n${resources.toString("hex")}\n`;
    writeFileSync(path("iptc.png"), png([pngChunk("tEXt", `Raw profile type iptc\0${text}`)]));
    expect((await readPictureFile(path("iptc.png"))).iptc?.toString()).toContain("Caption");
    expect(await copy(path("iptc.png"), path("iptc.jpg"), "jpeg")).toEqual([]);
    expect((await readPictureFile(path("iptc.jpg"))).iptc?.toString()).toContain("Caption");
  });

  test("texts that EXIF data have as well are not lost", async () => {
    const exif = exifOf({ first: [[0x13b, "Ada"]], camera: [[0x9003, "2026:01:02 03:04:05"]] });
    const texts = ["Artist\0Ada", "exif:DateTimeOriginal\x002026:01:02 03:04:05", "Title\0A house"];
    const before = [pngChunk("eXIf", exif), ...texts.map((text) => pngChunk("tEXt", text))];
    const rows = Array.from({ length: 2 }, () => new Uint8Array(6));
    writeFileSync(path("both.png"), pngOf({ width: 2, height: 2, colorType: 2, rows, before }));
    expect(await copy(path("both.png"), path("both.jpg"), "jpeg")).toEqual([
      "without the text Title: JPEG cannot hold it",
    ]);
    expect(await copy(path("both.png"), path("both-copy.png"), "png")).toEqual([]);
    expect((await readPictureFile(path("both-copy.png"))).comments).toHaveLength(3);
  });

  test("a text that should hold IPTC data and does not stays a text", async () => {
    writeFileSync(path("no-iptc.png"), png([pngChunk("tEXt", "Raw profile type iptc\0\niptc\n 2\nabcd\n")]));
    const { iptc, comments } = await readPictureFile(path("no-iptc.png"));
    expect([iptc, comments?.length]).toEqual([undefined, 1]);
  });

  test("texts that unpack to gigabytes are left out", async () => {
    const { deflateSync } = await import("node:zlib");
    const bomb = pngChunk(
      "zTXt",
      Buffer.concat([Buffer.from("Bomb\0\0"), deflateSync(Buffer.alloc(2 ** 25))]),
    );
    const { comments, notes } = await decodePictureFile(png([bomb, bomb, bomb]), "bomb");
    expect(comments).toBeUndefined();
    expect(notes[0]).toEqual({ kind: "metadata", text: "without a damaged text" });
  });

  const linear = pngChunk("gAMA", uint32s(100_000));
  const wide = pngChunk("cHRM", uint32s(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000));

  test("gAMA, cHRM and cICP stay in PNG", async () => {
    const code = pngChunk("cICP", Buffer.of(12, 13, 0, 1));
    writeFileSync(path("color.png"), png([code, linear, wide]));
    await copy(path("color.png"), path("color-copy.png"), "png");
    const chunks = chunksIn(readFileSync(path("color-copy.png")));
    for (const chunk of [code, linear, wide]) {
      const [wanted] = chunksIn(Buffer.concat([Buffer.alloc(8), chunk]));
      expect(chunks).toContainEqual(wanted);
    }
    expect((await readPictureFile(path("color-copy.png"))).image).toEqual(image);
  });

  test("elsewhere, a profile makes them look the same", async () => {
    writeFileSync(path("linear.png"), png([linear]));
    const encoded = (v: number) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
    const wanted = Array.from(image.data, (value) => Math.round(255 * encoded(value / 255)));
    for (const format of ["tiff", "webp", "avif"] as const) {
      const file = path(`linear.${format}`);
      expect(await copy(path("linear.png"), file, format, format === "tiff" ? undefined : 100)).toEqual([]);
      expect(largest(await look(file), wanted)).toBeLessThanOrEqual(1);
    }
    // Without any file, the samples themselves are converted.
    const { image: converted } = await readPictureFile(path("linear.png"), { target: "srgb" });
    expect(largest([...converted.data], wanted)).toBeLessThanOrEqual(1);
  });

  test("the primaries of Display P3 are those of its profile", async () => {
    writeFileSync(path("wide.png"), png([pngChunk("cICP", Buffer.of(12, 13, 0, 1))]));
    await copy(path("wide.png"), path("wide.tif"), "tiff");
    const { icc: _, ...rest } = await readPictureFile(path("wide.png"));
    await write(path("p3.tif"), rest.image, { format: "tiff", icc });
    expect(largest(await look(path("wide.tif")), await look(path("p3.tif")))).toBeLessThanOrEqual(2);
  });

  test("the gamma of sRGB, as most writers put it, asks for nothing", async () => {
    writeFileSync(path("usual.png"), png([pngChunk("gAMA", uint32s(45_455))]));
    await copy(path("usual.png"), path("usual.tif"), "tiff");
    expect((await readPictureFile(path("usual.tif"))).icc).toBeUndefined();
  });

  test("HDR is named where its code is lost", async () => {
    writeFileSync(path("hdr.png"), png([pngChunk("cICP", Buffer.of(9, 16, 0, 1))]));
    expect(await copy(path("hdr.png"), path("hdr.webp"), "webp")).toEqual([
      "without the note that its colours are HDR, which only PNG results get: it looks dull",
    ]);
  });
});

describe("profiles of other colours than the format stores", () => {
  // Not too dark, where a level of linear light is many of sRGB.
  const grey = { ...noise(9, 7, 1), data: noise(9, 7, 1).data.map((value) => 64 + value / 2) };

  test("a grey profile in every format looks the same", async () => {
    await write(path("grey.png"), grey, { format: "png", icc: profileOf("GRAY", gammaCurve(1)) });
    const wanted = await look(path("grey.png"));
    expect(
      largest(
        wanted,
        [...grey.data].flatMap((v) => [v, v, v]),
      ),
    ).toBeGreaterThan(50);
    for (const format of written) {
      const file = path(`grey-copy.${format}`);
      expect(
        await copy(path("grey.png"), file, format, format === "png" || format === "tiff" ? undefined : 100),
      ).toEqual([]);
      expect(largest(await look(file), wanted)).toBeLessThanOrEqual(format === "jpeg" ? 4 : 1);
    }
  });

  test("an RGB profile of a grey JPEG, into PNG", async () => {
    const raw = sharp(grey.data, { raw: { width: 9, height: 7, channels: 1 } }).toColourspace("b-w");
    const jpeg = await raw.jpeg({ quality: 100 }).toBuffer();
    const profile = profileOf("RGB", gammaCurve(1));
    const marked = withSegments(jpeg, segment(0xe2, "ICC_PROFILE\0\x01\x01", profile));
    writeFileSync(path("grey-rgb.jpg"), marked);
    await copy(path("grey-rgb.jpg"), path("grey-rgb.png"), "png");
    const { icc: kept } = await sharp(path("grey-rgb.png")).metadata();
    expect(kept!.toString("latin1", 16, 20)).toBe("GRAY");
    // In sRGB it looks the same, and nothing is damaged.
    const { image, notes } = await readPictureFile(path("grey-rgb.jpg"), { target: "srgb" });
    expect(notes).toEqual([]);
    expect(image.data).toEqual((await readPictureFile(path("grey-rgb.png"), { target: "srgb" })).image.data);
    const stored = await readPictureFile(path("grey-rgb.png"));
    await write(path("grey-linear.png"), stored.image, {
      format: "png",
      icc: profileOf("GRAY", gammaCurve(1)),
    });
    expect(largest(await look(path("grey-rgb.png")), await look(path("grey-linear.png")))).toBe(0);
  });

  test("what no other profile can say is converted to sRGB, with a note", async () => {
    // Curves that differ from channel to channel have no counterpart for grey.
    const profile = Buffer.from(profileOf("RGB", gammaCurve(1.8)));
    for (
      let at = profile.indexOf("para", 0, "latin1"), i = 0;
      at > 0;
      at = profile.indexOf("para", at + 1, "latin1")
    ) {
      profile.writeInt32BE(Math.round((1.8 + i++ / 1000) * 65536), at + 12);
    }
    const raw = sharp(grey.data, { raw: { width: 9, height: 7, channels: 1 } }).toColourspace("b-w");
    const jpeg = await raw.jpeg({ quality: 100 }).toBuffer();
    writeFileSync(path("odd.jpg"), withSegments(jpeg, segment(0xe2, "ICC_PROFILE\0\x01\x01", profile)));
    expect(await copy(path("odd.jpg"), path("odd.png"), "png")).toEqual([
      "converted to sRGB: PNG cannot hold the colour profile",
    ]);
    expect((await readPictureFile(path("odd.png"))).icc).toBeUndefined();
  });

  test("CMYK is converted, and said to be", async () => {
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: "#c8285a" } });
    const cmyk = await picture.toColourspace("cmyk").withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer();
    writeFileSync(
      path("cmyk.jpg"),
      withSegments(cmyk, segment(0xe1, "Exif\0\0", exifOf({ first: [[0x10f, "ACME"]] }))),
    );
    expect(await copy(path("cmyk.jpg"), path("cmyk.png"), "png")).toEqual(["converted to sRGB, from cmyk"]);
    const { exif, icc: none } = await readPictureFile(path("cmyk.png"));
    expect(none).toBeUndefined();
    expect(entriesOf(exif!).first).toEqual({ 271: "ACME" });
  });
});

test("the codes of colours in an AVIF file become a profile", async () => {
  const raw = sharp(noise(8, 8, 3).data, { raw: { width: 8, height: 8, channels: 3 } });
  const avif = await raw.avif().toBuffer();
  expect((await decodePictureFile(avif, "avif")).icc).toBeUndefined();
  // No encoder at hand writes such a box; where it stands does not matter here.
  const box = Buffer.from("colrnclx\0\x0c\0\x0d\0\0\x80", "latin1");
  const { icc: profile, notes } = await decodePictureFile(Buffer.concat([avif, box]), "p3");
  expect(notes).toEqual([]);
  await write(path("nclx.tif"), noise(8, 8, 3), { format: "tiff", icc: profile });
  await write(path("nclx-p3.tif"), noise(8, 8, 3), { format: "tiff", icc });
  expect(largest(await look(path("nclx.tif")), await look(path("nclx-p3.tif")))).toBeLessThanOrEqual(2);
});

test("damaged EXIF data and profiles are left out, with a note", async () => {
  const jpeg = await sharp(noise(8, 8, 3).data, { raw: { width: 8, height: 8, channels: 3 } })
    .jpeg()
    .toBuffer();
  const profile = Buffer.from(profileOf("RGB", gammaCurve(1)));
  profile.fill(0xff, 128, 140); // its list of elements
  const exif = Buffer.from("II*\0\xff\xff\xff\x7f");
  const segments = [segment(0xe1, "Exif\0\0", exif), segment(0xe2, "ICC_PROFILE\0\x01\x01", profile)];
  writeFileSync(path("damaged.jpg"), withSegments(jpeg, ...segments));
  for (const format of written) {
    const notes = await copy(path("damaged.jpg"), path(`damaged.${format}`), format);
    expect(notes).toContain("without EXIF data, which are damaged");
    const { icc: kept } = await readPictureFile(path(`damaged.${format}`));
    expect(kept === undefined).toBe(notes.includes("without its colour profile, which is damaged"));
  }
  const { notes } = await upscale(path("damaged.jpg"), { method: "bicubic", scale: 2 });
  expect(notes).toEqual([
    { kind: "color", text: "taken for sRGB, without its colour profile, which is damaged" },
  ]);
  expect(await upscale(path("damaged.png"), { method: "bicubic", scale: 2 })).not.toHaveProperty("notes");
});

test("bytes that are no profile, and parts of one, are left out with a note", async () => {
  const raw = { raw: { width: 8, height: 8, channels: 3 as const } };
  const jpeg = await sharp(noise(8, 8, 3).data, raw)
    .jpeg()
    .toBuffer();
  const png = await sharp(noise(8, 8, 3).data, raw)
    .png()
    .toBuffer();
  const nonsense = Buffer.alloc(200, "x");
  const half = profileOf("RGB", gammaCurve(1)).subarray(0, 200);
  const iccp = (data: Uint8Array) =>
    Buffer.concat([
      png.subarray(0, 33),
      pngChunk("iCCP", Buffer.concat([Buffer.from("a\0\0"), data])),
      png.subarray(33),
    ]);
  const files = {
    "nonsense.jpg": withSegments(jpeg, segment(0xe2, "ICC_PROFILE\0\x01\x01", nonsense)),
    "half.jpg": withSegments(jpeg, segment(0xe2, "ICC_PROFILE\0\x01\x02", half)),
    "unpackable.png": iccp(nonsense),
    "nonsense.png": iccp(deflateSync(nonsense)),
  };
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(path(name), bytes);
    for (const format of ["png", "webp"] as const) {
      const notes = await copy(path(name), path(`of-${name}.${format}`), format);
      expect([name, notes]).toEqual([name, ["without its colour profile, which is damaged"]]);
    }
    // The library's upscale() converts to sRGB, and has no file to leave something out of.
    const { notes, choice } = await upscale(path(name), { method: "bicubic", scale: 2 });
    expect([name, choice, notes]).toEqual([
      name,
      undefined,
      [{ kind: "color", text: "taken for sRGB, without its colour profile, which is damaged" }],
    ]);
    const { image } = await readPictureFile(path(`of-${name}.png`));
    expect(image.data).toEqual(
      (await decodePictureFile(name.endsWith("jpg") ? jpeg : png, "plain")).image.data,
    );
  }
});

test("pictures inside a picture and content credentials are named", async () => {
  const jpeg = await sharp(noise(8, 8, 3).data, { raw: { width: 8, height: 8, channels: 3 } })
    .jpeg()
    .toBuffer();
  writeFileSync(path("more.jpg"), withSegments(jpeg, segment(0xe2, "MPF\0MM\0*"), segment(0xeb, "JP\0\0")));
  expect(await copy(path("more.jpg"), path("more.png"), "png")).toEqual([
    "without further pictures inside it (MPF)",
    "without content credentials, which hold for the original",
  ]);
});

describe("more than one picture in a file: a note", () => {
  const page = (i: number) => noise(8, 6, 3, i);
  const join = async (format: "gif" | "webp" | "tiff") => {
    const images = [1, 2, 3].map((i) => page(i));
    const pages = await Promise.all(
      images.map(({ data }) =>
        sharp(data, { raw: { width: 8, height: 6, channels: 3 } })
          .png()
          .toBuffer(),
      ),
    );
    const joined = sharp(pages, { join: { animated: true } });
    return joined[format]({ lossless: true, compression: "deflate" } as object).toBuffer();
  };

  test("GIF, WebP, TIFF", async () => {
    for (const [format, what] of [
      ["gif", "frames"],
      ["webp", "frames"],
      ["tiff", "pages"],
    ] as const) {
      const { image, notes } = await decodePictureFile(await join(format), format);
      expect(notes).toEqual([{ kind: "frames", text: `only the first of 3 ${what} was taken` }]);
      expect([image.width, image.height]).toEqual([8, 6]);
      if (format === "tiff") expect(image).toEqual(page(1));
    }
  });

  test("APNG", async () => {
    const rows = [Buffer.from("abcdef")];
    const animated = pngOf({
      width: 2,
      height: 1,
      colorType: 2,
      rows,
      before: [pngChunk("acTL", uint32s(5, 0))],
    });
    const { notes } = await decodePictureFile(animated, "a");
    expect(notes).toEqual([{ kind: "frames", text: "only the first of 5 frames was taken" }]);
  });
});
