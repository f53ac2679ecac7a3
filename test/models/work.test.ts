/** Multiplications for each pixel of the input, counted from the operations and by hand. */
import { expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { Compact, multiplyAddsPerPixel, Random, RRDBNet, SPAN, Wren } from "../../src/index.ts";
import { float32Device } from "../support/devices.ts";

setDefaultDevice(float32Device());
const random = new Random(1);

test("Compact: all convolutions at the small size", () => {
  const model = new Compact({ scale: 3, layers: 2, channels: 5, random });
  expect(multiplyAddsPerPixel(model)).toBe(9 * (3 * 5 + 2 * 5 * 5 + 5 * 27));
});

test("SPAN: 3x3 but for one 1x1", () => {
  const model = new SPAN({ scale: 2, blocks: 2, channels: 4, random });
  expect(multiplyAddsPerPixel(model)).toBe(9 * (3 * 4 + (3 * 2 + 1) * 4 * 4 + 4 * 12) + 16 * 4);
});

test("Wren: the bicubic enlargement is a convolution, too", () => {
  const model = new Wren({ scale: 2, blocks: 2, channels: 4, random });
  const enlargement = 25 * 3 * 12;
  expect(multiplyAddsPerPixel(model)).toBe(9 * (3 * 4 + 2 * 2 * 4 * 4 + 4 * 12) + enlargement);
});

test("RRDBNet: the chains of the dense blocks, and the enlargement at four and sixteen times as many pixels", () => {
  const [c, g] = [4, 3];
  const model = new RRDBNet({ scale: 4, blocks: 1, channels: c, growth: g, random });
  const chain = [0, 1, 2, 3].reduce((sum, i) => sum + (c + i * g) * g, 0);
  const dense = 3 * (chain + (c + 4 * g) * c);
  expect(multiplyAddsPerPixel(model)).toBe(
    9 * (3 * c + dense + c * c + 4 * c * c + 16 * (2 * c * c + 3 * c)),
  );
});
