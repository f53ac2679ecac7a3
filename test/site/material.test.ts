/** Which files make pairs, by their names, their sizes and what they show. */
import { expect, test } from "vitest";
import { pairUp, readMaterial } from "../../site/material.ts";
import { imresize } from "../../src/picture/index.ts";
import { Random } from "../../src/tensor/random.ts";

/** Square pictures that show the same: { "a.png": 64 }. */
function pictures(sides: Readonly<Record<string, number>>, seed = 1) {
  const random = new Random(seed);
  const data = Uint8Array.from({ length: 3 * 16 * 16 }, () => 255 * random.uniform());
  const shown = { width: 16, height: 16, channels: 3 as const, data };
  return Object.entries(sides).map(([name, side]) => ({
    name,
    image: imresize(shown, { width: side, height: side }),
  }));
}

const found = async (sides: Readonly<Record<string, number>>, scale: number) =>
  groupsOf(pictures(sides), scale);

async function groupsOf(all: ReturnType<typeof pictures>, scale: number) {
  const { pairs, singles, others } = await pairUp(all, scale);
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort();
  return {
    pairs: pairs.map(({ low, high }) => [low.width, high.width]),
    singles: names(singles),
    others: names(others),
  };
}

test("two files make a pair by their sizes, in any order", async () => {
  const pair = { pairs: [[32, 64]], singles: [], others: [] };
  expect(await found({ "a.png": 64, "a_LR.png": 32 }, 2)).toEqual(pair);
  expect(await found({ "a_x1.png": 32, "a_x2.png": 64 }, 2)).toEqual(pair);
  expect(await found({ "a.png": 64, "a_LR.png": 30 }, 2)).toMatchObject({
    pairs: [],
    singles: ["a.png", "a_LR.png"],
  });
});

test("of a picture in several sizes, the largest makes a pair with the one that is smaller by the scale", async () => {
  const sizes = { "a_x1.png": 16, "a_x2.png": 32, "a_x4.png": 64 };
  expect(await found(sizes, 2)).toEqual({ pairs: [[32, 64]], singles: [], others: ["a_x1.png"] });
  expect(await found(sizes, 4)).toEqual({ pairs: [[16, 64]], singles: [], others: ["a_x2.png"] });
  await expect(found(sizes, 3)).rejects.toThrow(
    expect.objectContaining({ name: "OtherScale", message: "2" }),
  );
  const odd = { "photo.png": 64, "photo_LR.png": 32, "photo_low.png": 30 };
  expect(await found(odd, 2)).toEqual({ pairs: [[32, 64]], singles: ["photo_low.png"], others: [] });
});

test("a pair that is too small to learn from is no pair of another scale", async () => {
  const singles = ["a.png", "a_LR.png"];
  expect(await found({ "a.png": 14, "a_LR.png": 7 }, 2)).toEqual({ pairs: [], singles, others: [] });
});

test("two pictures of one name that show something else are no pair, however poor copies are", async () => {
  const [high, low] = pictures({ "a.png": 64, "a_LR.png": 32 });
  const others = pictures({ "a.png": 32, "a_LR.png": 16 }, 2);
  const none = { pairs: [], singles: ["a.png", "a.png"], others: [] };
  expect(await groupsOf([high, others[0]], 2)).toEqual(none);
  expect(await groupsOf([high, low, others[0]], 2)).toMatchObject({ pairs: [[32, 64]], singles: ["a.png"] });
  expect(await groupsOf([high, others[1]], 2)).toMatchObject({ pairs: [] }); // and not of another scale
  const random = new Random(3);
  const data = low.image.data.map((value) => Math.min(255, value / 4 + 150 * random.uniform()));
  expect(await groupsOf([high, { ...low, image: { ...low.image, data } }], 2)).toMatchObject({
    pairs: [[32, 64]],
  });
  const even = { width: 64, height: 64, channels: 3 as const, data: new Uint8Array(3 * 64 * 64).fill(90) };
  const evenLow = imresize(even, 0.5);
  const evens = [
    { name: "a.png", image: even },
    { name: "a_LR.png", image: evenLow },
  ];
  expect(await groupsOf(evens, 2)).toMatchObject({ pairs: [[32, 64]] });
});

test("further sizes of a pair are named as left out, and nothing is learned from them", async () => {
  const material = await readMaterial(pictures({ "a_x1.png": 16, "a_x2.png": 32, "a_x4.png": 64 }), 2);
  expect(material).toMatchObject({ pairs: 1, singles: 0, leftOut: ["a_x1.png"] });
});
