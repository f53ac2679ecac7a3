import { describe, expect, test } from "vitest";
import { writePng } from "../../src/files/image-files.ts";
import { setDefaultDevice, upscale, zeros } from "../../src/node.ts";
import { DataError } from "../../src/picture/errors.ts";
import { crop, type Image, modcrop, toRgb } from "../../src/picture/image.ts";
import { drawn, noise } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";

describe("crop and modcrop", () => {
  const image = drawn(7, 5, 2, (x, y, c) => 100 * c + 10 * y + x);

  test("crop takes the part at the given place", () => {
    expect(crop(image, 2, 1, 3, 2)).toEqual(drawn(3, 2, 2, (x, y, c) => 100 * c + 10 * (y + 1) + x + 2));
  });

  test("modcrop cuts right and bottom, or nothing", () => {
    expect(modcrop(image, 3)).toEqual(crop(image, 0, 0, 6, 3));
    expect(modcrop(image, 1)).toBe(image);
  });

  test("errors say what does not fit", () => {
    expect(() => crop(image, 5, 0, 3, 1)).toThrow(/3x1 at column 5, row 0 .* 7x5/);
    expect(() => crop(image, 0.5, 0, 3, 1)).toThrow(RangeError);
    expect(() => modcrop(image, 6)).toThrow(DataError);
    expect(() => modcrop(image, 6)).toThrow(/7x5 picture is too small for scale 6/);
    expect(() => modcrop(image, 1.5)).toThrow(RangeError);
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
  expect(() => toRgb({ ...noise(4, 3, 3), width: 5 })).toThrow(/5x3 with 3 channels has 45 bytes.* 36/);
  expect(() => toRgb({ ...noise(4, 3, 3), width: 0 })).toThrow(/not a picture/);
});

test("a result, a tensor and a promise are no pictures, and the error says how to get at one", async () => {
  setDefaultDevice(float32Device());
  const picture = drawn(3, 2, 3, () => 7);
  const refusal = (value: unknown) => writePng("never-written.png", value as Image);
  const got = "a picture is { width, height, channels, data }, got";
  const result = await upscale(picture, { method: "bicubic", scale: 2 });
  await expect(refusal(result)).rejects.toThrow(" Its image is one: write result.image.");
  await expect(refusal(zeros([1, 3, 2, 2]))).rejects.toThrow(
    `${got} a Tensor. Write fromPlanar(await x.data(), width, height, channels).`,
  );
  await expect(refusal(Promise.resolve(result))).rejects.toThrow(`${got} a Promise. Await it first.`);
  await expect(refusal({ width: 3 })).rejects.toThrow(new RegExp(`${got} {"width":3}\\.$`));
});
