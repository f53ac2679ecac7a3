import { describe, expect, test } from "vitest";
import { crop, type Image } from "../../src/picture/image.ts";
import {
  augment,
  checkPairSizes,
  copyPatch,
  inverseSymmetry,
  randomPlace,
  symmetries,
} from "../../src/picture/patches.ts";
import { toPlanar } from "../../src/picture/planes.ts";
import { Random } from "../../src/tensor/random.ts";
import { drawn, noise } from "../data/support.ts";

const none = symmetries[0];

describe("augment", () => {
  //    0 1 2
  //    3 4 5
  const picture = Float32Array.of(0, 1, 2, 3, 4, 5);

  test.each([
    [none, [0, 1, 2, 3, 4, 5]],
    [{ ...none, hflip: true }, [2, 1, 0, 5, 4, 3]],
    [{ ...none, vflip: true }, [3, 4, 5, 0, 1, 2]],
    [{ ...none, transpose: true }, [0, 3, 1, 4, 2, 5]],
    [{ ...none, vflip: true, transpose: true }, [3, 0, 4, 1, 5, 2]], // a quarter turn clockwise
    [{ ...none, hflip: true, transpose: true }, [2, 5, 1, 4, 0, 3]], // a quarter turn back
  ])("%o", (symmetry, expected) => {
    expect([...augment(picture, 3, 2, 1, symmetry)]).toEqual(expected);
  });

  test("the 8 symmetries differ, each is undone by its inverse, and planes do not mix", () => {
    const planes = toPlanar(noise(5, 4, 3));
    const results = symmetries.map((s) => augment(planes, 5, 4, 3, s));
    expect(new Set(results.map(String)).size).toBe(8);
    symmetries.forEach((s, k) => {
      const [w, h] = s.transpose ? [4, 5] : [5, 4];
      expect(augment(results[k], w, h, 3, inverseSymmetry(s))).toEqual(planes);
    });
  });

  test("names counts that do not fit", () => {
    expect(() => augment(picture, 2, 2, 1, none)).toThrow(/\[1, 2, 2\] have 4 values, but 6/);
  });
});

describe("copyPatch", () => {
  const image = noise(9, 7, 3);

  test.each(symmetries)("is crop, toPlanar and augment in one, at its place in a batch: %o", (symmetry) => {
    const batch = new Float32Array(3 * 48).fill(-1);
    copyPatch(batch, 48, image, 3, 2, 4, symmetry);
    expect(batch.subarray(48, 96)).toEqual(augment(toPlanar(crop(image, 3, 2, 4, 4)), 4, 4, 3, symmetry));
    expect(batch.subarray(0, 48).every((v) => v === -1)).toBe(true);
    expect(batch.subarray(96).every((v) => v === -1)).toBe(true);
  });

  test("refuses to leave the picture or the batch", () => {
    const batch = new Float32Array(48);
    expect(() => copyPatch(batch, 0, image, 6, 0, 4, none)).toThrow(/4x4 at column 6, row 0 .* 9x7/);
    expect(() => copyPatch(batch, 1, image, 0, 0, 4, none)).toThrow(/from 1 on do not fit into 48/);
  });
});

describe("patches of a pair", () => {
  const scale = 3;
  const low = drawn(8, 6, 3, (x, y, c) => 60 * c + 8 * y + x);
  /** Every LR pixel as a block of 3x3. */
  const high = drawn(24, 18, 3, (x, y, c) => low.data[(Math.floor(y / 3) * 8 + Math.floor(x / 3)) * 3 + c]);

  /** As the loader cuts them. */
  const randomPair = (random: Random, small: Image, large: Image, times: number, size: number) => {
    checkPairSizes(small, large, times);
    const { x, y, symmetry } = randomPlace(random, small, size);
    const low = new Float32Array(3 * size ** 2);
    const high = new Float32Array(3 * (size * times) ** 2);
    copyPatch(low, 0, small, x, y, size, symmetry);
    copyPatch(high, 0, large, x * times, y * times, size * times, symmetry);
    return { low, high };
  };

  test("LR and HR patches show the same place, turned alike", () => {
    const random = new Random(1);
    for (let k = 0; k < 40; k++) {
      const pair = randomPair(random, low, high, scale, 4);
      expect(pair.low.length).toBe(3 * 4 * 4);
      expect(pair.high.length).toBe(3 * 12 * 12);
      pair.high.forEach((value, i) => {
        const [c, y, x] = [Math.floor(i / 144), Math.floor((i % 144) / 12), i % 12];
        expect(value).toBe(pair.low[c * 16 + Math.floor(y / 3) * 4 + Math.floor(x / 3)]);
      });
    }
  });

  test("all places and all 8 symmetries are equally frequent", () => {
    const random = new Random(2);
    const counts = new Map<string, number>();
    const places = (8 - 4 + 1) * (6 - 4 + 1) * 8;
    for (let k = 0; k < 100 * places; k++) {
      const key = String(randomPair(random, low, high, scale, 4).low);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(places);
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(50); // 5 sigma
  });

  test("a patch may be as large as the picture, but not larger", () => {
    const square: Image = crop(low, 0, 0, 6, 6);
    const large = crop(high, 0, 0, 18, 18);
    expect(randomPair(new Random(1), square, large, scale, 6).low.length).toBe(108);
    expect(() => randomPair(new Random(1), low, high, scale, 7)).toThrow(/7x7 does not fit .* 8x6/);
    expect(() => randomPair(new Random(1), low, high, 2, 4)).toThrow(/24x18, 3 channels\) is not 2 times/);
  });
});
