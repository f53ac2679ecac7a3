/** The conversion between floats of 32 and of 16 bits, all of it. */
import { expect, test } from "vitest";
import { fromHalf, toHalf } from "../../src/device/half.ts";

/** Every pattern of bits, and what it stands for. */
const patterns = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const values = fromHalf(patterns);

test("known values", () => {
  const known = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0x3c01, 1 + 2 ** -10],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0xc000, -2],
    [0x8000, -0],
  ] as const;
  for (const [bits, value] of known) {
    expect(values[bits]).toBe(value);
    expect(toHalf([value])[0]).toBe(bits);
  }
});

test("every value is its own nearest; every NaN stays NaN", () => {
  const back = toHalf(values);
  for (const bits of patterns) {
    if (Number.isNaN(values[bits]))
      expect(Number.isNaN(fromHalf(back.subarray(bits, bits + 1))[0])).toBe(true);
    else if (back[bits] !== bits) expect.fail(`${bits} became ${back[bits]}`);
  }
});

test("everything between two neighbours goes to the nearer one, and from the middle to the even one", () => {
  const words = new Uint32Array(1);
  const float = new Float32Array(words.buffer);
  /** The float of 32 bits that is the next larger one, or the next smaller one. */
  const next = (value: number, step: 1 | -1) => {
    float[0] = value;
    words[0] += step;
    return float[0];
  };
  for (let bits = 0; bits < 0x7c00; bits++) {
    // From 65504 the next would be 65536: what is nearer to that is infinite.
    const above = bits === 0x7bff ? 65536 : values[bits + 1];
    const middle = (values[bits] + above) / 2;
    const even = bits + (bits % 2);
    const got = toHalf([middle, next(middle, -1), next(middle, 1), -middle]);
    const want = [even, bits, bits + 1, even | 0x8000];
    if (want.some((each, i) => got[i] !== each)) expect.fail(`around ${middle}: got ${got}, want ${want}`);
  }
});

test("what is too large is infinite, what is too small is 0, with its sign", () => {
  const extremes = [65519.99, 65520, 1e9, -1e9, 3.4e38, 2 ** -25, 2 ** -25 * 1.01, -1e-30, Number.NaN];
  expect([...fromHalf(toHalf(extremes))]).toEqual([
    65504,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    0,
    2 ** -24,
    -0,
    Number.NaN,
  ]);
});
