/** What a page says of results that are too large for it. */
import { expect, test } from "vitest";
import { checkResultSize } from "../../site/result-size.ts";
import type { Image } from "../../src/picture/index.ts";

const picture = { width: 20_000, height: 20_000, channels: 3, data: new Uint8Array() } as Image;
const said = (scale: number, size?: { width: number }) => {
  try {
    checkResultSize(picture, scale, size);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test("a result that is too large: what helps is something that can be chosen", () => {
  expect(said(4)).toMatch(/^The result would have 80000 × 80000 pixels, .+\. Choose a smaller scale; /);
  expect(said(2)).toMatch(
    /^The result would have 40000 × 40000 pixels, .+\. Choose “Size” and fewer pixels, or /,
  );
  expect(said(2, { width: 30_000 })).toMatch(/ 30000 × 30000 pixels, .+\. Choose fewer pixels; /);
  expect(said(2, { width: 10_000 })).toBeUndefined();
});
