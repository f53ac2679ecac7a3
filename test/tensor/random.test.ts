import { describe, expect, test } from "vitest";
import { Random } from "../../src/tensor/random.ts";

const draws = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);

describe("Random", () => {
  test("is xoshiro128**: the authors' C code gives these numbers from the state 1, 2, 3, 4", () => {
    const random = Random.fromState([1, 2, 3, 4]);
    expect(draws(10, () => random.next())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test("a seed gives one stream, neighbouring seeds and seeds that differ above bit 31 give others", () => {
    const first = (seed: number) => new Random(seed).next();
    expect(first(7)).toBe(first(7));
    const seeds = [0, 1, 2, 3, -1, 2 ** 32, 2 ** 33, Number.MAX_SAFE_INTEGER];
    expect(new Set(seeds.map(first)).size).toBe(seeds.length);
  });

  test("fromState() continues exactly from state()", () => {
    const random = new Random(5);
    draws(17, () => random.normal());
    const copy = Random.fromState(JSON.parse(JSON.stringify(random.state())));
    expect(draws(5, () => copy.next())).toEqual(draws(5, () => random.next()));
  });

  test("int() is uniform: chi-squared of 10 and of 3 * 2^30 values", () => {
    const random = new Random(11);
    const chiSquared = (n: number, bins: number) => {
      const counts = new Array(bins).fill(0);
      for (let i = 0; i < 100_000; i++) counts[Math.floor((random.int(n) / n) * bins)]++;
      const expected = 100_000 / bins;
      return counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
    };
    // 9 degrees of freedom: above 33.7 once in 10,000 seeds. A plain modulo fails the second case by
    // thousands.
    expect(chiSquared(10, 10)).toBeLessThan(33.7);
    expect(chiSquared(3 * 2 ** 30, 10)).toBeLessThan(33.7);
    expect(random.int(1)).toBe(0);
    expect(random.int(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test("uniform() and normal() have the moments they should", () => {
    const random = new Random(12);
    const moments = (values: number[]) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length];
    };
    const uniform = draws(100_000, () => random.uniform());
    expect(uniform.every((u) => u >= 0 && u < 1 && u === Math.fround(u))).toBe(true);
    const [mean, variance] = moments(uniform);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
    const normal = draws(100_000, () => random.normal());
    const [normalMean, normalVariance] = moments(normal);
    expect(Math.abs(normalMean)).toBeLessThan(0.015);
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.02);
    expect(normal.filter((z) => Math.abs(z) > 1.96).length / 100_000).toBeCloseTo(0.05, 2);
  });

  test("shuffle() reaches all orders equally often", () => {
    const random = new Random(13);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const array = [..."abc"];
      random.shuffle(array);
      counts.set(array.join(""), (counts.get(array.join("")) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  test("refuses impossible seeds, states and ranges", () => {
    expect(() => new Random(0.5)).toThrow(/seed .* not 0.5/);
    expect(() => new Random(2 ** 53)).toThrow(/seed/);
    expect(() => Random.fromState([0, 0, 0, 0])).toThrow(/state/);
    expect(() => Random.fromState([1, 2, 3])).toThrow(/state/);
    expect(() => Random.fromState([1, 2, 3, -4])).toThrow(/state/);
    expect(() => new Random(1).int(0)).toThrow(/not 0/);
  });
});
