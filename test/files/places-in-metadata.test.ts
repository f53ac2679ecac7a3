/** What EXIF and XMP say of sizes, places, other pictures and the shape of pixels holds for the result, or is named. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodePictureFile, PictureWriter, readPictureFile } from "../../src/files/picture-file.ts";
import { densityOf } from "../../src/formats/density.ts";
import { profileOf, srgbCurve } from "../../src/formats/icc.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { exifOf, segment, withSegments } from "../support/exif.ts";
import { gifParts, gifWith } from "../support/gif.ts";
import { pngChunk, pngOf, uint32s } from "../support/png.ts";
import { xmpOf } from "../support/xmp.ts";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const written = ["png", "jpeg", "webp", "tiff", "avif"] as const;
const [width, height] = [24, 16];

/** A blank picture three times as large, with what the file says besides samples. Returns the notes. */
async function enlarge(bytes: Uint8Array, to: string, format: PictureFormat): Promise<string[]> {
  const { image, notes, ...metadata } = await decodePictureFile(bytes, "it", { target: format });
  const size = {
    width: 3 * image.width,
    height: 3 * image.height,
    channels: image.channels,
    depth: 8,
  } as const;
  const writer = await PictureWriter.create(path(to), { ...metadata, ...size, format });
  await writer.write(new Uint8Array(size.width * size.height * size.channels));
  await writer.finish();
  return notes.map(({ text }) => text);
}

const raw = () => sharp(noise(width, height, 3).data, { raw: { width, height, channels: 3 } });
const jpegWith = async (xmp: string, ...segments: Buffer[]) =>
  withSegments(await raw().withXmp(xmp).jpeg().toBuffer(), ...segments);

/** XMP of the result in a format. */
async function xmpIn(bytes: Uint8Array, format: PictureFormat = "png") {
  const notes = await enlarge(bytes, `xmp.${format}`, format);
  return { notes, xmp: (await readPictureFile(path(`xmp.${format}`))).xmp! };
}

const panorama = {
  ...{ FullPanoWidthPixels: 48, FullPanoHeightPixels: 32, CroppedAreaImageWidthPixels: 24 },
  ...{ CroppedAreaImageHeightPixels: 16, CroppedAreaLeftPixels: 12, CroppedAreaTopPixels: 7 },
};

describe("XMP", () => {
  test.each(written)("a panorama's sizes and places grow with it, in %s", async (format) => {
    const entries = Object.entries(panorama);
    const attributes = entries.map(([name, value]) => `GPano:${name}="${value}"`).join(" ");
    const elements = entries.map(([name, value]) => `<GPano:${name}>${value}</GPano:${name}>`).join("");
    for (const original of [xmpOf(attributes), xmpOf("", elements)]) {
      const { xmp, notes } = await xmpIn(await jpegWith(original), format);
      expect(notes).toEqual([]);
      const want = original.replace(/(GPano:\w+(?:="|>))(\d+)/g, (_, start, value) => `${start}${3 * value}`);
      expect(xmp).toBe(want);
    }
  });

  test("an orientation that XMP alone states turns nothing, and stays; that of EXIF is done", async () => {
    const original = xmpOf('tiff:Orientation="6" tiff:ImageWidth="24"');
    const { xmp } = await xmpIn(await jpegWith(original));
    expect(xmp).toBe(original.replace('Width="24"', 'Width="72"'));
    const exif = segment(0xe1, "Exif\0\0", exifOf({ first: [[0x112, [6]]] }));
    const turned = await xmpIn(await jpegWith(original, exif));
    expect(turned.xmp).toContain('tiff:Orientation="1" tiff:ImageWidth="48"');
  });

  test("subjects, the sensor's resolution and the size that regions are for", async () => {
    const seq = (...values: number[]) =>
      `<rdf:Seq>${values.map((value) => `<rdf:li>${value}</rdf:li>`).join("")}</rdf:Seq>`;
    const content = (x: number, y: number, scale: number, w: number, h: number) =>
      `<exif:SubjectArea>${seq(x, y, 4 * scale, 2 * scale)}</exif:SubjectArea>` +
      `<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions stDim:w="${w}" stDim:h="${h}" ` +
      `stDim:unit="pixel"/><mwg-rs:RegionList/></mwg-rs:Regions>`;
    const focal = (x: string, y: string) =>
      `exif:FocalPlaneXResolution="${x}" exif:FocalPlaneYResolution="${y}" stDim:w="5"`;
    const { xmp, notes } = await xmpIn(
      await jpegWith(xmpOf(focal("4000/1", "5000/3"), content(12, 7, 1, 24, 16))),
    );
    expect(notes).toEqual([]);
    expect(xmp).toBe(xmpOf(focal("12000/1", "15000/3"), content(36, 21, 3, 72, 48)));
  });

  test("where EXIF turned the picture, places move; a panorama and regions are named", async () => {
    const exif = segment(0xe1, "Exif\0\0", exifOf({ first: [[0x112, [6]]] }));
    const area =
      "<exif:SubjectLocation><rdf:Seq><rdf:li>2</rdf:li><rdf:li>5</rdf:li></rdf:Seq></exif:SubjectLocation>";
    const regions = "<mwg-rs:Regions><mwg-rs:RegionList>a face</mwg-rs:RegionList></mwg-rs:Regions>";
    const original = xmpOf(
      'exif:FocalPlaneXResolution="10/1" exif:FocalPlaneYResolution="20/1"',
      area + regions,
    );
    const { xmp, notes } = await xmpIn(
      await jpegWith(original.replace("<dc:", "<GPano:Pose>1</GPano:Pose><dc:"), exif),
    );
    expect(notes).toEqual([
      "without what XMP says of a panorama, as the picture was turned",
      "without regions in XMP, as the picture was turned",
    ]);
    expect(xmp).not.toMatch(/a face|GPano:Pose/);
    expect(xmp).toContain("<rdf:li>33</rdf:li><rdf:li>6</rdf:li>"); // 16 - 5 and 2, times 3
    expect(xmp).toMatch(/FocalPlaneYResolution="30\/1" exif:FocalPlaneXResolution="60\/1"/);
  });

  test("a film, a gain map and other pictures are named, and XMP is silent about them", async () => {
    const item = (semantic: string) =>
      `<Box:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Box:Item Item:Mime="image/jpeg" ` +
      `Item:Semantic="${semantic}" Item:Length="700"/></rdf:li></rdf:Seq></Box:Directory>`;
    const film = "without the film of a motion photo";
    const gain = "without the gain map, which makes it HDR";
    for (const [attributes, content, note] of [
      ['Cam:MotionPhoto="1" Cam:MotionPhotoVersion="1"', "", film],
      ["", "<Cam:MicroVideo>1</Cam:MicroVideo><Cam:MicroVideoOffset>500</Cam:MicroVideoOffset>", film],
      ["", item("MotionPhoto"), film],
      ["", item("GainMap"), gain],
      ['hdrgm:Version="1.0"', item("GainMap"), gain],
      ["", item("Depth"), "without further pictures inside it"],
    ] as const) {
      const bytes = Buffer.concat([await jpegWith(xmpOf(attributes, content)), Buffer.alloc(500, "v")]);
      const { xmp, notes } = await xmpIn(bytes);
      expect(notes, note).toEqual([note]);
      const plain = (text: string) => text.replace(/\s+(?=>)/g, "").replace(/\s+/g, " ");
      expect(plain(xmp)).toBe(plain(xmpOf("")));
    }
  });

  test("in UTF-16, as some programs write it", async () => {
    const rows = Array.from({ length: height }, () => new Uint8Array(3 * width));
    const text = Buffer.from(`\ufeff${xmpOf("")}`, "utf16le");
    for (const encoded of [text, Buffer.from(text).swap16()]) {
      const chunk = pngChunk("iTXt", Buffer.concat([Buffer.from("XML:com.adobe.xmp\0\0\0\0\0"), encoded]));
      const { xmp } = await xmpIn(pngOf({ width, height, colorType: 2, rows, before: [chunk] }), "webp");
      expect(xmp).toBe(xmpOf(""));
    }
  });
});

describe("pixels that are not square", () => {
  const rows = Array.from({ length: height }, () => new Uint8Array(3 * width));
  const png = (...before: Buffer[]) => pngOf({ width, height, colorType: 2, rows, before });
  const phys = (x: number, y: number) => pngChunk("pHYs", Buffer.concat([uint32s(x, y), Buffer.of(0)]));

  test.each(written)("a ratio without a unit stays, in %s", async (format) => {
    const jpeg = withSegments(
      await raw().jpeg().toBuffer(),
      segment(0xe0, "JFIF\0\x01\x01\0\0\x01\0\x02\0\0"),
    );
    const gif = await sharp(new Uint8Array(width * height * 3), { raw: { width, height, channels: 3 } })
      .gif()
      .toBuffer();
    gif[12] = 113; // (113 + 15) / 64: twice as wide as high
    for (const [name, bytes] of Object.entries({ png: png(phys(1, 2)), jpeg, gif })) {
      if (name === "gif" && format === "jpeg") continue; // GIF has transparency
      expect(await enlarge(bytes, `ratio.${format}`, format)).toEqual([]);
      const { density } = await readPictureFile(path(`ratio.${format}`));
      expect(density?.isRatio, name).toBe(true);
      expect(density!.y / density!.x, name).toBeCloseTo(2, 5);
    }
  });

  test("an AVIF picture's ratio stays, unless EXIF data say something else", async () => {
    const avif = async (x: number, y: number, ...before: Buffer[]) => {
      await enlarge(png(...before), "original.avif", "avif");
      const file = readFileSync(path("original.avif"));
      const place = file.indexOf("pixi") - 4; // a box of the same length, which decoders can do without
      expect(file.readUInt32BE(place)).toBe(16);
      file.write("pasp", place + 4);
      file.set(uint32s(x, y), place + 8);
      return file;
    };
    for (const format of written) {
      expect(await enlarge(await avif(2, 1), `pasp.${format}`, format), format).toEqual([]);
      const { density } = await readPictureFile(path(`pasp.${format}`));
      expect(density?.isRatio, format).toBe(true);
      expect(density!.y / density!.x, format).toBeCloseTo(2, 5);
    }
    expect((await decodePictureFile(await avif(3, 3), "it")).density).toBeUndefined();
    const perMetre = (x: number, y: number) => pngChunk("pHYs", Buffer.concat([uint32s(x, y), Buffer.of(1)]));
    const other = await decodePictureFile(await avif(2, 1, perMetre(10_000, 10_000)), "it");
    expect(other.density).toEqual({ x: 254, y: 254 });
    expect(other.notes.map(({ text }) => text)).toEqual([
      "without the ratio of its pixels' sides, which EXIF data contradict",
    ]);
    const same = await decodePictureFile(await avif(2, 1, perMetre(10_000, 20_000)), "it");
    expect(same).toMatchObject({ density: { x: 254, y: 508 }, notes: [] });
  });

  test.each(written)("a PNG's resolution in EXIF data alone stays, in %s", async (format) => {
    const first = [
      [0x11a, { rational: [300, 1] }],
      [0x11b, { rational: [150, 1] }],
      [0x128, [2]],
    ] as const;
    expect(await enlarge(png(pngChunk("eXIf", exifOf({ first }))), `dpi.${format}`, format)).toEqual([]);
    const { density } = await readPictureFile(path(`dpi.${format}`));
    expect(density!.x).toBeCloseTo(300, 0);
    expect(density!.y).toBeCloseTo(150, 0);
    const { density: own } = await sharp(path(`dpi.${format}`)).metadata();
    if (format !== "webp" && format !== "avif") expect(own).toBeCloseTo(300, 0);
  });

  const turnedExif = (orientation: number) =>
    exifOf({
      first: [
        [0x112, [orientation]],
        [0x11a, { rational: [300, 1] }],
        [0x11b, { rational: [150, 1] }],
        [0x128, [2]],
      ],
    });

  test.each(written)("of a turned picture, they are turned with it, in %s", async (format) => {
    const tiff = async (orientation: number) =>
      raw()
        .withMetadata({ orientation })
        .tiff({ xres: 300 / 25.4, yres: 150 / 25.4 })
        .toBuffer();
    const avif = async (orientation: number) =>
      sharp(await tiff(orientation))
        .withMetadata()
        .avif()
        .toBuffer();
    const jpeg = await raw().jpeg().toBuffer();
    const jfif = segment(0xe0, "JFIF\0\x01\x01\x01\x01\x2c\0\x96\0\0");
    const alone = exifOf({ first: [[0x112, [8]]] });
    for (const [name, bytes, isTurned] of [
      ["upright", withSegments(jpeg, segment(0xe1, "Exif\0\0", turnedExif(1))), false],
      ["upside down", withSegments(jpeg, segment(0xe1, "Exif\0\0", turnedExif(3))), false],
      ["JPEG", withSegments(jpeg, segment(0xe1, "Exif\0\0", turnedExif(6))), true],
      ["JFIF", withSegments(jpeg, jfif, segment(0xe1, "Exif\0\0", alone)), true],
      ["PNG", png(pngChunk("eXIf", turnedExif(5))), true],
      ["TIFF", await tiff(6), true],
      ["upright AVIF", await avif(1), false],
      ["AVIF", await avif(6), true],
    ] as const) {
      const file = `turned.${format}`;
      expect(await enlarge(bytes, file, format), name).toEqual([]);
      const { density, exif } = await readPictureFile(path(file));
      const want = isTurned ? [150, 300] : [300, 150];
      expect([density!.x, density!.y].map(Math.round), name).toEqual(want);
      const ofExif = densityOf(exif);
      if (ofExif) expect([ofExif.x, ofExif.y].map(Math.round), `${name}'s EXIF`).toEqual(want);
      else expect(["JFIF", "TIFF"].includes(name) || format === "tiff", name).toBe(true);
    }
  });

  test("XMP of a turned picture has its resolution turned", async () => {
    const original = xmpOf('tiff:XResolution="300/1" tiff:YResolution="150/1"');
    const { xmp } = await xmpIn(await jpegWith(original, segment(0xe1, "Exif\0\0", turnedExif(6))));
    expect(xmp).toContain('tiff:YResolution="300/1" tiff:XResolution="150/1"');
  });

  test("square ones without a unit say nothing", async () => {
    expect((await decodePictureFile(png(phys(3, 3)), "square")).density).toBeUndefined();
  });

  test("a JPEG with two densities keeps both", async () => {
    const jfif = segment(0xe0, "JFIF\0\x01\x01\x01\0\x48\0\x90\0\0");
    const jpeg = withSegments(await raw().jpeg().toBuffer(), jfif);
    expect((await decodePictureFile(jpeg, "both")).density).toEqual({ x: 72, y: 144 });
  });
});

describe("what was lost in silence", () => {
  const rows = Array.from({ length: height }, () => new Uint8Array(3 * width));
  const png = (...before: Buffer[]) => pngOf({ width, height, colorType: 2, rows, before });
  const notesOf = async (bytes: Uint8Array) =>
    (await decodePictureFile(bytes, "it")).notes.map(({ text }) => text);

  test("bytes behind the end; of a PNG's time of its last change, which nobody misses, no word", async () => {
    expect(await notesOf(png(pngChunk("tIME", Buffer.of(7, 228, 1, 2, 3, 4, 5))))).toEqual([]);
    const jpeg = await raw().jpeg().toBuffer();
    for (const picture of [png(), jpeg, await raw().jpeg({ progressive: true }).toBuffer()]) {
      expect(await notesOf(picture)).toEqual([]);
      expect(await notesOf(Buffer.concat([picture, Buffer.alloc(99)]))).toEqual([]);
      expect(await notesOf(Buffer.concat([picture, Buffer.from("trailing")]))).toEqual([
        "without 8 bytes behind its end",
      ]);
    }
    const film = Buffer.concat([jpeg, Buffer.from("\0\0\0\x18ftypmp42"), Buffer.alloc(400, "v")]);
    expect(await notesOf(film)).toEqual(["without the film of a motion photo"]);
  });

  test("bytes behind the end are named beside other gaps", async () => {
    const turned = segment(0xe1, "Exif\0\0", exifOf({ first: [[0x112, [6]]] }));
    const profile = segment(0xe2, "ICC_PROFILE\0\x01\x01", Buffer.from("damaged"));
    const regions = "<mwg-rs:Regions><mwg-rs:RegionList>a face</mwg-rs:RegionList></mwg-rs:Regions>";
    const jpeg = await jpegWith(xmpOf("", regions), turned, profile);
    const names = ["without its colour profile, which is damaged"];
    names.push("without regions in XMP, as the picture was turned");
    expect(await notesOf(jpeg)).toEqual(names);
    const trailing = Buffer.concat([jpeg, Buffer.from("trailing")]);
    expect(await notesOf(trailing)).toEqual([...names, "without 8 bytes behind its end"]);
    const pictures = withSegments(trailing, segment(0xe2, "MPF\0"));
    expect(await notesOf(pictures)).toEqual(["without further pictures inside it (MPF)", ...names]);
  });

  test("the comments of a GIF", async () => {
    const gif = await raw().gif().toBuffer();
    const comment = Buffer.concat([
      Buffer.of(0x21, 0xfe, 3),
      Buffer.from("abc"),
      Buffer.of(2),
      Buffer.from("de\0"),
    ]);
    const at = gif.length - 1; // in front of the mark for the end
    const bytes = Buffer.concat([gif.subarray(0, at), comment, gif.subarray(at)]);
    expect(await enlarge(bytes, "gif.png", "png")).toEqual([]);
    expect((await readPictureFile(path("gif.png"))).comments).toEqual([
      { keyword: "Comment", text: "abcde" },
    ]);
    expect(await enlarge(bytes, "gif.webp", "webp")).toEqual([
      "without the text Comment: WebP cannot hold it",
    ]);
    for (let length = 13; length < bytes.length; length += 7) {
      await decodePictureFile(bytes.subarray(0, length), "cut").catch(() => {});
    }
  });

  test("XMP and the profile of a GIF", async () => {
    const gif = await raw().gif().toBuffer();
    const text = xmpOf('dc:title="Grüße, ἐν ἀρχῇ"');
    const landing = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0]);
    for (const content of [[Buffer.from(text), landing], [gifParts(Buffer.from(text))]]) {
      const bytes = gifWith(gif, "XMP DataXMP", ...content);
      for (const format of ["png", "webp", "tiff", "avif"] as const) {
        const { notes, xmp } = await xmpIn(bytes, format);
        expect(notes).toEqual([]);
        expect(xmp).toContain('dc:title="Grüße, ἐν ἀρχῇ"');
      }
      for (let length = 13; length < bytes.length; length += 41) {
        await decodePictureFile(bytes.subarray(0, length), "cut").catch(() => {});
      }
    }
    const profile = Buffer.from(profileOf("RGB", srgbCurve));
    const { icc, notes } = await decodePictureFile(gifWith(gif, "ICCRGBG1012", gifParts(profile)), "it");
    expect(Buffer.from(icc!)).toEqual(profile);
    expect(notes).toEqual([]);
  });

  test("a profile for other colours is no damaged one", async () => {
    const lab = Buffer.from(profileOf("RGB", srgbCurve));
    lab.write("Lab ", 16);
    const chunk = pngChunk("iCCP", Buffer.concat([Buffer.from("a\0\0"), deflateSync(lab)]));
    expect(await notesOf(png(chunk))).toEqual(["without its colour profile, which is for Lab"]);
    const jpeg = withSegments(await raw().jpeg().toBuffer(), segment(0xe2, "ICC_PROFILE\0\x01\x01", lab));
    writeFileSync(path("lab.jpg"), jpeg);
    const { notes } = await readPictureFile(path("lab.jpg"), { target: "srgb" });
    expect(notes.map(({ text }) => text)).toEqual([
      "taken for sRGB, without its colour profile, which is for Lab",
    ]);
    expect(readFileSync(path("lab.jpg")).includes("Lab ")).toBe(true);
  });
});
