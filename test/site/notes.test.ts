/** What the page says of pictures and results, in its languages. */
import { expect, test } from "vitest";
import { noteTables } from "../../site/pictures/note-texts.ts";
import { germanNotes } from "../../site/sentences/notes-german.ts";
import {
  englishNotes,
  type Gap,
  type GapText,
  type NoteCode,
  type ResultNote,
  sentenceOf,
} from "../../src/formats/notes.ts";

/** The compiler misses none. */
const gapTexts: Readonly<Record<GapText, true>> = {
  "its colour profile, which is damaged": true,
  "its white point, which it states without its primaries": true,
  "the film of a motion photo": true,
  "further pictures inside it": true,
  "further pictures inside it (MPF)": true,
  "the gain map, which makes it HDR": true,
  "its depth map": true,
  "what XMP says of a panorama, as the picture was turned": true,
  "regions in XMP, as the picture was turned": true,
  "extended XMP": true,
  "content credentials, which hold for the original": true,
  "the note that it is a pair of pictures for two eyes": true,
  "its background colour": true,
  "a damaged text": true,
  "its texts behind the first 10000": true,
  "its place on the map (GeoTIFF), as the picture was turned": true,
  "its place on the map (GeoTIFF), which is damaged": true,
  "its place on the map (GeoTIFF), which only TIFF results get": true,
  "Photoshop's layers": true,
  "GDAL's notes": true,
  "GDAL's mark of pixels without data": true,
  "its description, in which a program states the old size": true,
  "the ratio of its pixels' sides, which EXIF data contradict": true,
  "the size of what it shows (sCAL)": true,
  "what its samples measure (pCAL)": true,
  "its digital signature, which holds for the original": true,
};

const gaps: readonly Gap[] = [
  ...(Object.keys(gapTexts) as GapText[]),
  { code: "profileFor", space: "grey" },
  { code: "profileFor", space: "Lab" },
  { code: "bytesBehind", count: 1 },
  { code: "bytesBehind", count: 1234 },
  { code: "chunks", names: ["prVW", "mkBF"] },
];

const others: Readonly<Record<Exclude<NoteCode, "gap">, readonly ResultNote[]>> = {
  frames: [
    { code: "frames", of: "frames", count: 3 },
    { code: "frames", of: "pictures" },
    { code: "frames", of: "pages", count: 2 },
  ],
  readAsSrgb: [{ code: "readAsSrgb", from: "CMYK" }, { code: "readAsSrgb" }],
  readAsEight: [{ code: "readAsEight", bits: 10 }],
  damagedExif: [{ code: "damagedExif" }],
  exif: [{ code: "exif", bytes: 70_000, format: "jpeg" }],
  xmp: [{ code: "xmp", format: "jpeg" }],
  iptc: [{ code: "iptc", format: "webp" }],
  rights: [{ code: "rights", format: "webp" }],
  texts: [
    { code: "texts", keywords: ["Author"], format: "webp" },
    { code: "texts", keywords: ["Author", "Comment"], format: "webp" },
  ],
  colorCode: [
    { code: "colorCode", primaries: 9, transfer: 16, isHdr: true },
    { code: "colorCode", primaries: 22, transfer: 8, isHdr: false },
  ],
  profile: [{ code: "profile", format: "webp" }],
  depth: [
    { code: "depth", bits: 8 },
    { code: "depth", bits: 12, format: "avif" },
  ],
  onWhite: [{ code: "onWhite", format: "jpeg" }],
  notAdded: [{ code: "notAdded", format: "avif" }],
};

const notes: readonly ResultNote[] = [
  ...gaps.map((gap) => ({ code: "gap", gap }) as const),
  ...Object.values(others).flat(),
];

test.each(Object.entries(noteTables))("every note has a sentence of its own in %s", async (_, load) => {
  const table = await load();
  const texts = notes.map((note) => sentenceOf(note, table));
  const english = notes.map((note) => sentenceOf(note, englishNotes));
  expect(new Set(texts).size).toBe(notes.length);
  for (const [i, text] of texts.entries()) {
    expect(text).not.toMatch(/undefined|\[object/);
    expect(english).not.toContain(text);
    // Its values stay.
    const [values] = [
      english[i].match(/JPEG|WebP|AVIF|CMYK|Lab|Author, Comment|prVW|\b(?:8|9|10|12|16|22)\b/g),
    ];
    for (const value of values ?? []) expect(text).toContain(value);
  }
});

const inGerman = (note: ResultNote) => sentenceOf(note, germanNotes);

test("in German, numbers, lists and genders are German", () => {
  expect(gaps.slice(-4).map((gap) => inGerman({ code: "gap", gap }))).toEqual([
    "ohne sein Farbprofil, das für Lab ist",
    "ohne 1 Byte hinter seinem Ende",
    "ohne 1.234 Bytes hinter seinem Ende",
    "ohne das, was ein Programm in prVW, mkBF aufbewahrt",
  ]);
  expect(others.frames.map(inGerman)).toEqual([
    "nur das erste von 3 Einzelbildern wurde genommen",
    "nur das erste von mehreren Bildern wurde genommen",
    "nur die erste von 2 Seiten wurde genommen",
  ]);
});
