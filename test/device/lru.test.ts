/** Which values the cache keeps, and which it drops. */
import { expect, test } from "vitest";
import { LruCache } from "../../src/device/lru.ts";

test("makes a value once, and keeps the entries that were used last", () => {
  const keysMade: string[] = [];
  const dropped: string[] = [];
  const cache = new LruCache<string, string>(2, (value) => dropped.push(value));
  const get = (key: string) =>
    cache.get(key, () => {
      keysMade.push(key);
      return key.toUpperCase();
    });
  expect(["a", "b", "a"].map(get)).toEqual(["A", "B", "A"]);
  expect(keysMade).toEqual(["a", "b"]);
  expect(get("c")).toBe("C");
  expect(dropped).toEqual(["B"]); // a was used later
  expect(get("a")).toBe("A");
  expect(get("b")).toBe("B");
  expect(keysMade).toEqual(["a", "b", "c", "b"]);
  expect(dropped).toEqual(["B", "C"]);
});
