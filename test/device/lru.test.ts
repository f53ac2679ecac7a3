/** What the cache keeps, and what it lets go of. */
import { expect, test } from "vitest";
import { LruCache } from "../../src/device/lru.ts";

test("makes a value once and keeps the entries that were asked for last", () => {
  const made: string[] = [];
  const dropped: string[] = [];
  const cache = new LruCache<string, string>(2, (value) => dropped.push(value));
  const get = (key: string) =>
    cache.get(key, () => {
      made.push(key);
      return key.toUpperCase();
    });
  expect(["a", "b", "a"].map(get)).toEqual(["A", "B", "A"]);
  expect(made).toEqual(["a", "b"]);
  expect(get("c")).toBe("C");
  expect(dropped).toEqual(["B"]); // a was asked for later
  expect(get("a")).toBe("A");
  expect(get("b")).toBe("B");
  expect(made).toEqual(["a", "b", "c", "b"]);
  expect(dropped).toEqual(["B", "C"]);
});
