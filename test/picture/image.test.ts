import { describe, expect, test } from "vitest";
import { DataError } from "../../src/picture/errors.ts";
import { crop, fromPlanar, type Image, modcrop, toPlanar, toRgb } from "../../src/picture/image.ts";
import { drawn, noise } from "../data/support.ts";

describe("planes", () => {
  test("toPlanar sorts RGB pixels into three planes of byte / 255", () => {
    const image: Image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 51, 102, 153, 204, 255) };
    expect([...toPlanar(image)]).toEqual([0, 0.6, 0.2, 0.8, 0.4, 1].map(Math.fround));
  });

  test.each([1, 2, 3, 4] as const)("there and back changes no byte, %i channels", (channels) => {
    const image = drawn(16, 16, channels, (x, y, c) => 16 * y + x + c);
    expect(fromPlanar(toPlanar(image), 16, 16, channels)).toEqual(image);
  });

  test("fromPlanar clamps and rounds halves upwards", () => {
    const planes = [-0.1, 0.4999 / 255, 0.5 / 255, 1.5 / 255, 254.5 / 255, 1.2, -Infinity, Infinity];
    expect([...fromPlanar(planes, 8, 1, 1).data]).toEqual([0, 0, 1, 2, 255, 255, 0, 255]);
  });

  test("fromPlanar names the place of a NaN and counts that do not fit", () => {
    const planes = new Float32Array(12);
    planes[4 + 3] = Number.NaN;
    expect(() => fromPlanar(planes, 2, 2, 3)).toThrow(/channel 1, row 1, column 1 is NaN/);
    expect(() => fromPlanar(planes, 2, 3, 3)).toThrow(/2x3 have 18 values, but 12/);
  });
});

describe("crop and modcrop", () => {
  const image = drawn(7, 5, 2, (x, y, c) => 100 * c + 10 * y + x);

  test("crop takes the part asked for", () => {
    expect(crop(image, 2, 1, 3, 2)).toEqual(drawn(3, 2, 2, (x, y, c) => 100 * c + 10 * (y + 1) + x + 2));
  });

  test("modcrop cuts right and bottom, or nothing", () => {
    expect(modcrop(image, 3)).toEqual(crop(image, 0, 0, 6, 3));
    expect(modcrop(image, 1)).toBe(image);
  });

  test("say what does not fit", () => {
    expect(() => crop(image, 5, 0, 3, 1)).toThrow(/3x1 at column 5, row 0 .* 7x5/);
    expect(() => crop(image, 0.5, 0, 3, 1)).toThrow(DataError);
    expect(() => modcrop(image, 6)).toThrow(/7x5 picture is too small for scale 6/);
    expect(() => modcrop(image, 1.5)).toThrow(/whole number/);
  });
});

test("toRgb repeats grey and drops alpha", () => {
  const two = (channels: Image["channels"], ...data: number[]) => ({
    width: 2,
    height: 1,
    channels,
    data: Uint8Array.from(data),
  });
  const grey = two(3, 5, 5, 5, 9, 9, 9);
  expect(toRgb(two(1, 5, 9))).toEqual(grey);
  expect(toRgb(two(2, 5, 0, 9, 1))).toEqual(grey);
  expect(toRgb(two(4, 1, 2, 3, 0, 4, 5, 6, 0))).toEqual(two(3, 1, 2, 3, 4, 5, 6));
  expect(toRgb(grey)).toBe(grey);
});

test("a picture with the wrong number of bytes is refused", () => {
  expect(() => toPlanar({ ...noise(4, 3, 3), width: 5 })).toThrow(/5x3 with 3 channels has 45 bytes.* 36/);
  expect(() => toPlanar({ ...noise(4, 3, 3), width: 0 })).toThrow(/not a picture/);
});
