import { expect, test } from "vitest";
import {
  batchesAhead,
  memoryForPictures,
  sharpSuffices,
  threadsForPictures,
} from "../../src/files/resources.ts";

const MiB = 2 ** 20;

test("threads: all cores but one or two", () => {
  expect([1, 2, 3, 4, 5, 8, 16, 64].map(threadsForPictures)).toEqual([1, 1, 2, 3, 3, 6, 14, 32]);
  expect(threadsForPictures()).toBeGreaterThanOrEqual(1);
});

test("sharp suffices for as many threads as its pool has", () => {
  expect([1, 4, 5, 14].map((threads) => sharpSuffices(threads, 4))).toEqual([true, true, false, false]);
  expect(sharpSuffices(14, 16)).toBe(true);
});

test("memory: half of what is free, and a little in any case", () => {
  const total = 128_000 * MiB;
  for (const noLimit of [0, total + 1, 2 ** 64]) {
    const kept = (free: number) => memoryForPictures(free * MiB, noLimit, total) / MiB;
    expect([0, 100, 512, 8192, 120_000].map(kept)).toEqual([512, 512, 512, 4096, 60_000]);
  }
  expect(memoryForPictures()).toBeLessThan(2 ** 45);
});

test("memory in a container: a quarter of it, even if files that were just unpacked fill it", () => {
  const kept = (free: number, limit: number) =>
    memoryForPictures(free * MiB, limit * MiB, 64_000 * MiB) / MiB;
  expect([0, 1000, 12_000].map((free) => kept(free, 16_384))).toEqual([4096, 4096, 6000]);
  expect([kept(0, 1024), kept(0, 64_000)]).toEqual([256, 16_000]);
});

test("batches ahead: fewer, if they are large", () => {
  expect([1, 16, 17, 60, 200, 4000].map((size) => batchesAhead(size * MiB))).toEqual([8, 8, 7, 2, 2, 2]);
});
