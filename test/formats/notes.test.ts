/** What results of each format lack, as data and in English; German is in test/site/notes.test.ts. */
import { expect, test } from "vitest";
import { fitTo, metadataOfResult } from "../../src/formats/fit-metadata.ts";
import { gammaCurve, profileOf } from "../../src/formats/icc.ts";
import type { FileMetadata } from "../../src/formats/metadata.ts";
import { noteInEnglish, type ResultNote } from "../../src/formats/notes.ts";
import { encodeChunk } from "../../src/formats/png.ts";
import type { PictureFormat } from "../../src/picture/formats.ts";
import { exifOf } from "../support/exif.ts";
import { xmpOf } from "../support/xmp.ts";

const labProfile = Buffer.from(profileOf("RGB", gammaCurve(1)));
labProfile.write("Lab ", 16, "latin1");
const hdr = encodeChunk("cICP", Buffer.of(9, 16, 0, 1));
const rare = encodeChunk("cICP", Buffer.of(22, 8, 0, 1));
const exif = exifOf({ first: [[0x10f, "ACME"]] });
const longExif = exifOf({ first: [[0x10f, "ACME"]], camera: [[0x927c, { raw: Buffer.alloc(70_000) }]] });
const iptc = Buffer.from("1c0250000341424344", "hex");

const of = (metadata: FileMetadata["metadata"], gaps: FileMetadata["gaps"] = []): FileMetadata => ({
  metadata,
  gaps,
});

test.each<[string, FileMetadata, PictureFormat, ResultNote[], string[]]>([
  ["nothing", of({}), "jpeg", [], []],
  ["EXIF data", of({ exif }), "webp", [], []],
  [
    "damaged EXIF data",
    of({ exif: Buffer.from("nothing") }),
    "png",
    [{ code: "damagedExif" }],
    ["without EXIF data, which are damaged"],
  ],
  ["long EXIF data in PNG", of({ exif: longExif }), "png", [], []],
  [
    "long EXIF data in JPEG",
    of({ exif: longExif }),
    "jpeg",
    [{ code: "exif", bytes: longExif.length, format: "jpeg" }],
    [`without EXIF data of ${longExif.length} bytes: JPEG cannot hold it`],
  ],
  [
    "long XMP",
    of({ xmp: xmpOf("", " ".repeat(66_000)) }),
    "jpeg",
    [{ code: "xmp", format: "jpeg" }],
    ["without XMP of that length: JPEG cannot hold it"],
  ],
  [
    "what Photoshop keeps",
    of({ iptc, rights: iptc }),
    "avif",
    [
      { code: "iptc", format: "avif" },
      { code: "rights", format: "avif" },
    ],
    ["without IPTC data: AVIF cannot hold it", "without Photoshop's note on copyright: AVIF cannot hold it"],
  ],
  [
    "texts, each keyword once",
    of({ comments: ["Author", "Author", "a\nb"].map((keyword) => ({ keyword, text: "text" })) }),
    "webp",
    [{ code: "texts", keywords: ["Author", "a\\nb"], format: "webp" }],
    ["without the text Author, a\\nb: WebP cannot hold it"],
  ],
  [
    "HDR colours",
    of({ pngColor: [hdr] }),
    "webp",
    [{ code: "colorCode", primaries: 9, transfer: 16, isHdr: true }],
    ["without the note that its colours are HDR, which only PNG results get: it looks dull"],
  ],
  [
    "colours that no profile describes",
    of({ pngColor: [rare] }),
    "jpeg",
    [{ code: "colorCode", primaries: 22, transfer: 8, isHdr: false }],
    ["without the note on its colours (codes 22 and 8), which only PNG results get"],
  ],
  ["HDR colours in PNG", of({ pngColor: [hdr] }), "png", [], []],
  [
    "gaps, each once, and a profile for other colours",
    of({ icc: labProfile }, ["extended XMP", "extended XMP", { code: "bytesBehind", count: 1 }]),
    "png",
    [
      { code: "gap", gap: "extended XMP" },
      { code: "gap", gap: { code: "bytesBehind", count: 1 } },
      { code: "gap", gap: { code: "profileFor", space: "Lab" } },
    ],
    ["without extended XMP", "without 1 byte behind its end", "without its colour profile, which is for Lab"],
  ],
  [
    "chunks of programs",
    of({}, [{ code: "chunks", names: ["prVW", "mkBF", "mkTS", "mkBS", "iDOT"] }]),
    "png",
    [{ code: "gap", gap: { code: "chunks", names: ["prVW", "mkBF", "mkTS", "mkBS", "iDOT"] } }],
    ["without what a program keeps in prVW, mkBF, mkTS and 2 more"],
  ],
])("%s", (_, file, format, notes, texts) => {
  const fitted = fitTo(file, format, 3);
  expect(fitted.notes).toEqual(notes);
  expect(fitted.notes.map((note) => noteInEnglish(note).text)).toEqual(texts);
});

test("a result's metadata are of its size; EXIF data hold the resolution where nothing else does", () => {
  const density = { x: 240, y: 240 };
  const xmp = xmpOf('tiff:ImageWidth="3"');
  const source = { width: 3, height: 2, orientation: 1 };
  const size = { width: 6, height: 4 };
  const jpeg = metadataOfResult({ density, xmp, source }, size, "jpeg");
  expect(jpeg).toEqual({ density, xmp: xmpOf('tiff:ImageWidth="6"'), source, exif: undefined });
  expect(metadataOfResult({ density }, size, "webp").exif).toBeDefined();
});
