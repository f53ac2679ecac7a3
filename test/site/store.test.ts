/** The pictures that a worker keeps. */
import { expect, test } from "vitest";
import { PictureStore } from "../../site/pictures/store.ts";
import type { Image } from "../../src/picture/index.ts";

function storeOf(): PictureStore {
  return new PictureStore(async (picture) => async () => picture);
}

function picture(value: number) {
  const image: Image = { width: 1, height: 1, channels: 1, data: new Uint8Array([value]) };
  return { image, metadata: {}, gaps: [] };
}

test("an id of a worker that failed is none in the next one, and not another picture", async () => {
  const [before, after] = [storeOf(), storeOf()];
  const ids = [1, 2, 3].map((value) => before.add(picture(value)));
  const others = [4, 5, 6].map((value) => after.add(picture(value)));
  expect((await before.get(ids[1])).image.data).toEqual(new Uint8Array([2]));
  expect((await after.get(others[1])).image.data).toEqual(new Uint8Array([5]));
  for (const id of ids) await expect(after.get(id)).rejects.toThrow(/no longer here/);
  expect([...ids, ...others].every(Number.isSafeInteger)).toBe(true);
});
