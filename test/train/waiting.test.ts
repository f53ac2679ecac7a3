import { expect, test } from "vitest";
import { adviceOnWaiting } from "../../src/train/waiting.ts";

test("who waits for pictures that are decoded again and again hears of cache", () => {
  expect(adviceOnWaiting(0.876, true, {})).toMatch(/^88 % of the time .* `cache`/);
  expect(adviceOnWaiting(0.5, true, {})).toMatch(/^50 % of the time .* `cache`/);
  expect(adviceOnWaiting(0.49, true, {})).toBeUndefined();
  expect(adviceOnWaiting(0.9, false, {})).toBeUndefined(); // the first epoch, which decodes
  expect(adviceOnWaiting(0.9, true, { cache: "raw" })).toBeUndefined();
  expect(adviceOnWaiting(0.9, true, {})).not.toContain("degraded");
});

test("a degradation, which is drawn for every patch, is named as a cause, too", () => {
  expect(adviceOnWaiting(0.9, true, { degradation: { seed: 1, jpeg: 60 } })).toMatch(
    /degraded anew for every patch, .* decoded again, too\. With `cache`/,
  );
});
