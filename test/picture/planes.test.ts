import { expect, test } from "vitest";
import type { Image } from "../../src/picture/image.ts";
import { toByte, toLevel } from "../../src/picture/levels.ts";
import { fromPlanar, toPlanar } from "../../src/picture/planes.ts";
import { drawn } from "../data/support.ts";

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
  expect(() => fromPlanar(planes, 2, 3, 3)).toThrow(/\[3, 3, 2\] have 18 values, but 12/);
});

test("16 bits: sample / 65535, and back without loss", () => {
  const image = { width: 4, height: 1, channels: 1 as const, data: Uint16Array.of(0, 1, 32768, 65535) };
  expect([...toPlanar(image)]).toEqual([0, 1 / 65535, 32768 / 65535, 1].map(Math.fround));
  expect(fromPlanar(toPlanar(image), 4, 1, 1, 16)).toEqual(image);
});

test("levels: the nearest whole one within the range, halves upwards", () => {
  expect([-1, 0.49, 0.5, 1.5, 254.5, 300].map(toByte)).toEqual([0, 0, 1, 2, 255, 255]);
  expect([-1, 0.5, 65534.5, 70000].map((value) => toLevel(value, 65535))).toEqual([0, 1, 65535, 65535]);
});
