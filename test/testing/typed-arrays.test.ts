/** Typed arrays are compared by test/support/typed-arrays.ts: as Vitest compares lists of the same numbers. */
import { expect, test } from "vitest";
import { cpuTime } from "../support/cpu-time.ts";

const lists: readonly (readonly number[])[] = [
  [],
  [0],
  [-0],
  [1],
  [Number.NaN],
  [1, 2],
  [1, 3],
  [2, 1],
  [1, 2, 0],
];
const types = [Float32Array, Float64Array, Int8Array, Uint8Array, Uint16Array, Uint32Array] as const;

/** Does `toEqual` pass? */
function areEqual(a: unknown, b: unknown): boolean {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
}

test.each(types)("%o: equal as lists are, by themselves and within objects", (type) => {
  for (const a of lists) {
    for (const b of lists) {
      const [x, y] = [type.from(a), type.from(b)];
      const want = areEqual([...x], [...y]);
      const label = `${a} and ${b}`;
      expect(areEqual(x, y), label).toBe(want);
      expect(areEqual({ data: x }, { data: y }), label).toBe(want);
      expect(areEqual(new Map([["data", x]]), new Map([["data", y]])), label).toBe(want);
      if (want) expect({ data: x, more: 1 }).toMatchObject({ data: y });
      else expect({ data: x, more: 1 }).not.toMatchObject({ data: y });
    }
  }
});

test("of different types they are not", () => {
  expect(areEqual(Float32Array.of(1), Float64Array.of(1))).toBe(false);
  expect(areEqual(Uint8Array.of(1), Int8Array.of(1))).toBe(false);
  expect(areEqual(Uint8Array.of(1), [1])).toBe(false);
});

test("big integers are compared, and pictures of many bytes at once", async () => {
  expect(areEqual(BigInt64Array.of(1n), BigInt64Array.of(1n))).toBe(true);
  expect(areEqual(BigInt64Array.of(1n), BigInt64Array.of(2n))).toBe(false);
  const picture = new Uint8Array(3_000_000);
  const other = picture.slice();
  expect(await cpuTime(() => expect(picture).toEqual(other))).toBeLessThan(3000); // Vitest alone takes longer
});
