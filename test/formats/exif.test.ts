/** What EXIF data say of places in a picture that is turned and larger. */
import { describe, expect, test } from "vitest";
import { Directories } from "../../src/formats/directories.ts";
import { forNewPicture } from "../../src/formats/exif.ts";
import { subjectIn } from "../../src/formats/picture-places.ts";
import { type Directory, exifOf } from "../support/exif.ts";

const [width, height] = [24, 16];

test("a point that all orientations show at the same place", () => {
  // The stored place of (5, 2) in an upright picture of 24 x 16.
  const stored = [
    [5, 2],
    [19, 2],
    [19, 14],
    [5, 14],
    [2, 5],
    [2, 19],
    [14, 19],
    [14, 5],
  ];
  for (const [i, place] of stored.entries()) {
    const source = { width, height, orientation: i + 1 };
    expect(subjectIn(place, source, { width: 48, height: 64 }), `${i + 1}`).toEqual([10, 8]);
    const extent = i < 4 ? [3, 1] : [1, 3];
    expect(subjectIn([...place, ...extent], source, { width: 48, height: 64 })).toEqual([10, 8, 6, 4]);
    expect(subjectIn([...place, 3], source, { width: 48, height: 64 })).toEqual([10, 8, 6]);
  }
});

test("subjects and the sensor's resolution", () => {
  const camera = [
    [0x9214, [12, 7, 4, 2]],
    [0xa214, [12, 7]],
    [0xa20e, { rational: [4000, 1] }],
    [0xa20f, { rational: [5000, 3] }],
    [0x927c, { raw: Buffer.from("notes of the maker") }],
  ] as const;
  for (const bigEndian of [false, true]) {
    const exif = exifOf({ first: [[0x112, [1]]], camera, bigEndian });
    const source = { width, height, orientation: 1 };
    const of = (factor: number) => {
      const size = { width: factor * width, height: factor * height };
      const file = new Directories(forNewPicture(exif, size, undefined, source)!);
      const directory = file.value(file.find(file.first, 0x8769))!;
      const values = (tag: number) => {
        const entry = file.find(directory, tag);
        return entry && file.values(entry);
      };
      const focal = file.find(directory, 0xa20f)!;
      const maker = Buffer.from(file.find(directory, 0x927c)!.bytes).toString();
      return { values, perUnit: file.uint(focal.at, 4) / file.uint(focal.at + 4, 4), maker };
    };
    const { values, perUnit, maker } = of(3);
    expect(values(0x9214)).toEqual([36, 21, 12, 6]);
    expect(values(0xa214)).toEqual([36, 21]);
    expect(perUnit).toBeCloseTo(5000, 3);
    expect(maker).toBe("notes of the maker");
    // EXIF has no numbers for such places.
    const huge = of(6000);
    expect([huge.values(0x9214), huge.values(0xa214), huge.maker]).toEqual([undefined, undefined, maker]);
    expect(huge.perUnit).toBeCloseTo(1e7, 0);
  }
});

test.each([
  [[2e9, 1], undefined], // no 32 bits hold four times as much
  [[2e9, 1000], 8e6],
  [[1, 1e6], 4e-6],
  [[3_000_000_000, 3_000_000], 4000],
  [[0, 1], 0],
] as const)("the sensor's resolution of %j, four times as large", (focal, want) => {
  const camera = [
    [0x9286, "who took it"],
    [0xa20e, { rational: focal }],
    [0xa20f, { rational: focal }],
  ] as const;
  const source = { width, height, orientation: 1 };
  const size = { width: 4 * width, height: 4 * height };
  const moved = forNewPicture(exifOf({ first: [], camera }), size, undefined, source);
  const file = new Directories(moved!);
  const directory = file.value(file.find(file.first, 0x8769))!;
  for (const tag of [0xa20e, 0xa20f]) {
    const entry = file.find(directory, tag);
    expect(entry && file.uint(entry.at, 4) / file.uint(entry.at + 4, 4)).toBe(want);
  }
  expect(file.find(directory, 0x9286)).toBeDefined();
});

describe("a first directory that ends the data, without the place of a next one", () => {
  const size = { width: 48, height: 32 };
  // Values of 4 bytes at most stand in the directory, so that nothing follows it.
  const cut = (first: Directory) => exifOf({ first }).subarray(0, -4);
  const artist = [0x13b, "Ada"] as const;

  test("is sound", () => {
    const file = new Directories(forNewPicture(cut([artist]), size)!);
    expect(file.find(file.first, 0x13b)?.bytes.toString()).toBe("Ada\0");
  });

  test("stays so where a tag is taken out: what was its entry leads to no second directory", () => {
    const scale = [0x830e, [1, 2]] as const; // a georeference, which is damaged
    const file = new Directories(forNewPicture(cut([artist, scale]), size)!);
    expect(file.entries(file.first).map(({ tag }) => tag)).toEqual([0x13b]);
    expect(file.uint(file.nextAt(file.first), 4)).toBe(0);
  });
});
