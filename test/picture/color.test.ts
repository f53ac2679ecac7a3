import { describe, expect, test } from "vitest";
import { rgbToY, rgbToYcbcr, ycbcrToRgb } from "../../src/picture/color.ts";
import { type Image, toRgb } from "../../src/picture/image.ts";
import { noise } from "../data/support.ts";

const pixels = (...data: number[]): Image => ({
  width: data.length / 3,
  height: 1,
  channels: 3,
  data: Uint8Array.from(data),
});

describe("BT.601 in studio range", () => {
  test("the 8-bit codes of the colour bars, as printed in text books", () => {
    const bars = pixels(0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0);
    const planes = [...rgbToYcbcr(bars, { round: true })];
    expect(planes.slice(0, 6)).toEqual([16, 235, 81, 145, 41, 210]);
    expect(planes.slice(6, 12)).toEqual([128, 128, 90, 54, 240, 16]);
    expect(planes.slice(12)).toEqual([128, 128, 240, 34, 110, 146]);
  });

  test("Y alone is the first plane, rounded only when asked", () => {
    const image = noise(9, 7, 3);
    expect(rgbToY(image)).toEqual(rgbToYcbcr(image).subarray(0, 63));
    expect(rgbToY(image, { round: true })).toEqual(rgbToY(image).map((v) => Math.floor(v + 0.5)));
    expect(rgbToY(pixels(1, 0, 0))[0]).toBeCloseTo(16 + 65.481 / 255, 12);
  });

  test("ycbcrToRgb restores every byte from unrounded planes, and from rounded ones up to 2 levels", () => {
    const image = noise(64, 64, 3);
    expect(ycbcrToRgb(rgbToYcbcr(image), 64, 64)).toEqual(image);
    const rounded = ycbcrToRgb(rgbToYcbcr(image, { round: true }), 64, 64);
    const worst = Math.max(...rounded.data.map((v, i) => Math.abs(v - image.data[i])));
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(2);
  });

  test("values outside the range of bytes are clamped", () => {
    expect([...ycbcrToRgb([300, 128, 128], 1, 1).data]).toEqual([255, 255, 255]);
    expect([...ycbcrToRgb([0, 128, 128], 1, 1).data]).toEqual([0, 0, 0]);
  });

  test("grey pictures and wrong counts are refused, with advice", () => {
    const grey = noise(4, 4, 1);
    expect(() => rgbToY(grey)).toThrow(/1 channels.*toRgb/);
    expect(rgbToY(toRgb(grey))[3]).toBeCloseTo(16 + (219 * grey.data[3]) / 255, 10);
    expect(() => ycbcrToRgb(new Float64Array(10), 2, 2)).toThrow(/12 values, but 10/);
  });
});
