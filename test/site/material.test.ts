/** Which files make pairs, by their names and sizes. */
import { expect, test } from "vitest";
import { pairUp, readMaterial } from "../../site/material.ts";
import { Random } from "../../src/tensor/random.ts";

/** Square pictures: { "a.png": 64 }. */
function pictures(sides: Readonly<Record<string, number>>) {
  const random = new Random(1);
  return Object.entries(sides).map(([name, side]) => {
    const data = Uint8Array.from({ length: 3 * side * side }, () => 255 * random.uniform());
    return { name, image: { width: side, height: side, channels: 3 as const, data } };
  });
}

const found = (sides: Readonly<Record<string, number>>, scale: number) => {
  const { pairs, singles, others } = pairUp(pictures(sides), scale);
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort();
  return {
    pairs: pairs.map(({ low, high }) => [low.width, high.width]),
    singles: names(singles),
    others: names(others),
  };
};

test("two files make a pair by their sizes, in any order", () => {
  const pair = { pairs: [[32, 64]], singles: [], others: [] };
  expect(found({ "a.png": 64, "a_LR.png": 32 }, 2)).toEqual(pair);
  expect(found({ "a_x1.png": 32, "a_x2.png": 64 }, 2)).toEqual(pair);
  expect(found({ "a.png": 64, "a_LR.png": 30 }, 2)).toMatchObject({
    pairs: [],
    singles: ["a.png", "a_LR.png"],
  });
});

test("of a picture in several sizes, the largest makes a pair with the one that is smaller by the scale", () => {
  const sizes = { "a_x1.png": 16, "a_x2.png": 32, "a_x4.png": 64 };
  expect(found(sizes, 2)).toEqual({ pairs: [[32, 64]], singles: [], others: ["a_x1.png"] });
  expect(found(sizes, 4)).toEqual({ pairs: [[16, 64]], singles: [], others: ["a_x2.png"] });
  expect(() => found(sizes, 3)).toThrow(expect.objectContaining({ name: "OtherScale", message: "2" }));
  const odd = { "photo.png": 64, "photo_LR.png": 32, "photo_low.png": 30 };
  expect(found(odd, 2)).toEqual({ pairs: [[32, 64]], singles: ["photo_low.png"], others: [] });
});

test("a pair that is too small to learn from is no pair of another scale", () => {
  const singles = ["a.png", "a_LR.png"];
  expect(found({ "a.png": 14, "a_LR.png": 7 }, 2)).toEqual({ pairs: [], singles, others: [] });
});

test("further sizes of a pair are named as left out, and nothing is learned from them", async () => {
  const material = await readMaterial(pictures({ "a_x1.png": 16, "a_x2.png": 32, "a_x4.png": 64 }), 2);
  expect(material).toMatchObject({ pairs: 1, singles: 0, leftOut: ["a_x1.png"] });
});
