import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { openFolder } from "../../src/data/folder.ts";
import { type PatchBatch, PatchLoader } from "../../src/data/loader.ts";
import type { LoaderOptions } from "../../src/data/loader-options.ts";
import type { PairDataset } from "../../src/data/pairs.ts";
import { encodePng } from "../../src/files/image-files.ts";
import { DataError } from "../../src/picture/errors.ts";
import { crop, type Image } from "../../src/picture/image.ts";
import { augment, type Symmetry, symmetries } from "../../src/picture/patches.ts";
import { toPlanar } from "../../src/picture/planes.ts";
import { manualSeed } from "../../src/tensor/random.ts";
import { count, folder, onDisk, options, paths, scale, take } from "./loader-support.ts";
import { drawn, noise } from "./support.ts";

/** The same pairs without files: load() is called on this thread. `loads` counts how often, per picture. */
function inMemory(loads: number[] = new Array(count).fill(0), delay = (_i: number) => 0): PairDataset {
  const disk = openFolder(paths, { scale });
  const load = async (i: number) => {
    loads[i]++;
    await new Promise((resolve) => setTimeout(resolve, delay(i)));
    return disk.load(i);
  };
  return { name: "memory", scale, colors: "rgb", inputSize: "low", length: count, names: disk.names, load };
}

/** So many that no two patches of some batches are from the same one. `work` is done for each that is loaded. */
async function manyInMemory(work: () => Promise<void>): Promise<PairDataset> {
  const pairs = await Promise.all(paths.map((_, i) => onDisk().load(i)));
  const length = 100;
  const names = Array.from({ length }, (_, i) => `p${i}`);
  const load = async (i: number) => {
    await work();
    return pairs[i % count];
  };
  return { ...inMemory(), length, names, load };
}

/** All places in a field of `columns` x `rows`, each in all 8 symmetries. */
const places = (columns: number, rows: number) =>
  Array.from({ length: columns * rows * 8 }, (_, i) => ({
    x: Math.floor(i / 8) % columns,
    y: Math.floor(i / 8 / columns),
    symmetry: symmetries[i % 8],
  }));

function cutOut(image: Image, x: number, y: number, size: number, symmetry: Symmetry): Float32Array {
  return augment(toPlanar(crop(image, x, y, size, size)), size, size, image.channels, symmetry);
}

const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => value === b[i]);

const untimed = (batches: PatchBatch[]) => batches.map((batch) => ({ ...batch, wait: 0 }));

describe("PatchLoader", () => {
  test("batches depend on the seed, not on threads, caching or timing", async () => {
    await using one = new PatchLoader(onDisk(), options);
    await using two = new PatchLoader(onDisk(), { ...options, workers: 2, cacheBytes: 0 });
    const slow = inMemory(undefined, (i) => 3 * ((i * 5) % 7));
    await using three = new PatchLoader(slow, { ...options, cacheBytes: 60_000 });
    await using other = new PatchLoader(inMemory(), { ...options, seed: 4 });
    // Some of its pictures are shared between threads, and patches of the others are cut on this one.
    await using four = new PatchLoader(onDisk(), { ...options, workers: 3, cacheBytes: 60_000 });
    const expected = untimed(await take(one, 6));
    expect(untimed(await take(two, 6))).toEqual(expected);
    expect(untimed(await take(four, 6))).toEqual(expected);
    expect(untimed(await take(three, 6))).toEqual(expected);
    expect(untimed(await take(other, 6))).not.toEqual(expected);
  });

  test("a batch has the shapes that it states, and patches of the pictures that it names", async () => {
    await using loader = new PatchLoader(onDisk(), { ...options, patch: 18, batch: 3 });
    const { low, high, lowShape, highShape, names } = await loader.next();
    expect([lowShape, highShape]).toEqual([
      [3, 3, 18, 18],
      [3, 3, 36, 36],
    ]);
    expect([low.length, high.length]).toEqual([3 * 3 * 18 ** 2, 3 * 3 * 36 ** 2]);
    names.forEach((name, slot) => {
      const i = Number(name.slice(1));
      const values = new Set(toPlanar(noise(40 + 30 * i, 36 + 10 * i, 3, i)));
      const patch = high.subarray(slot * 3 * 36 ** 2, (slot + 1) * 3 * 36 ** 2);
      expect(patch.every((v) => values.has(v))).toBe(true);
      expect(new Set(patch).size).toBeGreaterThan(200);
    });
  });

  test("LR and HR of a patch show the same place", async () => {
    const ramp = drawn(64, 48, 3, (x, y, c) => [4 * x, 5 * y, 255 - 3 * x][c]);
    const path = join(folder, "ramp.png");
    writeFileSync(path, await encodePng(ramp));
    await using loader = new PatchLoader(openFolder([path], { scale }), { ...options, batch: 8 });
    const { low, high } = await loader.next();
    const places = new Set<number>();
    for (let k = 0; k < 8 * 3 * 64; k++) {
      const [plane, y, x] = [Math.floor(k / 64), Math.floor((k % 64) / 8), k % 8];
      const at = plane * 256 + 2 * y * 16 + 2 * x;
      const mean = (high[at] + high[at + 1] + high[at + 16] + high[at + 17]) / 4;
      expect(Math.abs(low[k] - mean)).toBeLessThan(3 / 255); // half a level, more at the mirrored edges
      if (k % 192 === 0) places.add(low[k]);
    }
    expect(places.size).toBeGreaterThan(4);
  });

  test.each([
    ["rgb", "high", 3, 16],
    ["y", "low", 1, 8],
    ["y", "high", 1, 16],
  ] as const)("colors %s, inputSize %s: both patches are cut from the same place", async (...row) => {
    const [colors, inputSize, channels, side] = row;
    const dataset = openFolder(paths.slice(0, 1), { scale, colors, inputSize });
    await using loader = new PatchLoader(dataset, options);
    const { low, high, lowShape, highShape } = await loader.next();
    expect(lowShape).toEqual([4, channels, side, side]);
    expect(highShape).toEqual([4, channels, 16, 16]);
    const pair = await dataset.load(0);
    const zoom = side / 8;
    for (let slot = 0; slot < 4; slot++) {
      const small = low.subarray(slot * channels * side ** 2, (slot + 1) * channels * side ** 2);
      const large = high.subarray(slot * channels * 256, (slot + 1) * channels * 256);
      // Of all places and symmetries exactly one gives the LR patch; the same one must give the HR patch.
      const matches = places(pair.low.width / zoom - 7, pair.low.height / zoom - 7).filter(
        ({ x, y, symmetry }) => same(small, cutOut(pair.low, x * zoom, y * zoom, side, symmetry)),
      );
      expect(matches.length).toBe(1);
      const [{ x, y, symmetry }] = matches;
      expect(same(large, cutOut(pair.high, x * scale, y * scale, 16, symmetry))).toBe(true);
    }
  });

  test("a picture whose channels are not those of the dataset is refused", async () => {
    await using loader = new PatchLoader({ ...inMemory(), colors: "y" }, options);
    await expect(loader.next()).rejects.toThrow(
      /has 3 channels, but .* memory says colors: "y", which means 1/,
    );
  });

  test("every epoch uses each picture once, in a new order, across batch borders", async () => {
    await using loader = new PatchLoader(inMemory(), options);
    const names = (await take(loader, 7)).flatMap((batch) => batch.names); // 28 patches: 4 epochs of 7
    const epochs = [0, 7, 14, 21].map((start) => names.slice(start, start + 7));
    for (const epoch of epochs) expect(new Set(epoch).size).toBe(7);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(2);
    await using again = new PatchLoader(inMemory(), options);
    expect((await take(again, 4)).map((batch) => batch.epoch)).toEqual([0, 0, 1, 1]);
  });

  test("state() and restore() go on with exactly the next batch, in this and in a new loader", async () => {
    await using loader = new PatchLoader(inMemory(), options);
    await take(loader, 3);
    const state = JSON.parse(JSON.stringify(loader.state()));
    expect(state).toEqual({ seed: 3, epoch: 1, position: 5, pictures: 7 });
    const expected = untimed(await take(loader, 4));
    await using other = new PatchLoader(onDisk(), { ...options, seed: 99 });
    await other.next();
    other.restore(state);
    expect(untimed(await take(other, 4))).toEqual(expected);
    loader.restore(state);
    expect(untimed(await take(loader, 4))).toEqual(expected);
    expect(() => loader.restore({ ...state, pictures: 8 })).toThrow(
      /^memory has 7 pictures, but the state is of a dataset with 8\./,
    );
    expect(() => loader.restore({ ...state, position: 7 })).toThrow(/position 7/);
    for (const [wrong, got] of [
      [{}, "{}"],
      [undefined, "undefined"],
      [{ ...state, epoch: "1" }, "{"],
      [{ ...state, seed: undefined }, "{"],
    ] as const) {
      expect(() => loader.restore(wrong as never)).toThrow(
        `PatchLoader.restore: state must be what state() returned, got ${got}`,
      );
    }
  });

  test("the cache keeps what fits into cacheBytes and not a byte more", async () => {
    const pairs = await Promise.all(paths.map((_, i) => onDisk().load(i)));
    const bytes = pairs.reduce((sum, { low, high }) => sum + low.data.length + high.data.length, 0);
    const loadsWith = async (cacheBytes: number) => {
      const loads = new Array(count).fill(0);
      await using loader = new PatchLoader(inMemory(loads), { ...options, cacheBytes });
      await take(loader, 10);
      return loads;
    };
    expect(await loadsWith(bytes)).toEqual(new Array(count).fill(1));
    expect(Math.max(...(await loadsWith(bytes - 1)))).toBeGreaterThan(1);
    expect(Math.min(...(await loadsWith(0)))).toBeGreaterThan(1);
  });

  test("pictures that were read first stay in memory, whatever comes after them", async () => {
    const pairs = await Promise.all(paths.map((_, i) => onDisk().load(i)));
    const bytes = pairs.map(({ low, high }) => low.data.length + high.data.length);
    const loads = new Array(count).fill(0);
    const load = async (i: number) => {
      loads[i]++;
      await new Promise((resolve) => setTimeout(resolve, 10 * i)); // so that the first ones are read first
      return pairs[i];
    };
    const dataset = { ...inMemory(), load };
    await using loader = new PatchLoader(dataset, { ...options, cacheBytes: bytes[0] + bytes[1] + bytes[2] });
    await take(loader, 14); // 8 epochs
    expect(loads.slice(0, 3)).toEqual([1, 1, 1]);
    expect(Math.min(...loads.slice(3))).toBeGreaterThan(1);
  });

  test("start() reads pictures before they are asked for, while memory lasts, and changes no batch", async () => {
    await using expected = new PatchLoader(onDisk(), options);
    const { high } = await expected.next();
    for (const [cacheBytes, reads] of [
      [2 ** 30, count],
      [0, 1],
    ]) {
      const loads = new Array(count).fill(0);
      const total = () => loads.reduce((sum, n) => sum + n);
      await using loader = new PatchLoader(inMemory(loads), { ...options, cacheBytes });
      loader.start();
      await vi.waitFor(() => expect(total()).toBe(reads), 5000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(total()).toBe(reads); // and no more
      expect((await loader.next()).high).toEqual(high);
    }
    const damagedOne = join(folder, "short.png");
    writeFileSync(damagedOne, readFileSync(paths[6]).subarray(0, 3000));
    await using loader = new PatchLoader(openFolder([damagedOne], { scale }), options);
    loader.start();
    await expect(loader.next()).rejects.toThrow(/short\.png/);
  });

  test("the next two batches are loaded while one is in use", async () => {
    let [begun, ended] = [0, 0];
    const dataset = await manyInMemory(async () => {
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended++;
    });
    await using loader = new PatchLoader(dataset, { ...options, cacheBytes: 0 });
    for (const inUse of [1, 2]) {
      await loader.next();
      await vi.waitFor(() => expect(ended).toBe((inUse + 2) * options.batch), 5000);
      expect(begun).toBe(ended); // and no more
    }
  });

  test("without files, no more than three batches are loaded at a time", async () => {
    let [loading, most] = [0, 0];
    const dataset = await manyInMemory(async () => {
      most = Math.max(most, ++loading);
      await new Promise((resolve) => setTimeout(resolve, 5));
      loading--;
    });
    await using loader = new PatchLoader(dataset, { ...options, cacheBytes: 0 });
    await take(loader, 5);
    expect(most).toBe(3 * options.batch);
  });

  test("is an endless iterator that closes the loader on break", async () => {
    const loader = new PatchLoader(onDisk(), options);
    let batches = 0;
    for await (const { low } of loader) {
      expect(low.length).toBe(4 * 3 * 64);
      if (++batches === 5) break;
    }
    await expect(loader.next()).rejects.toThrow("the loader was closed");
  });

  test("close() while pictures are being read, which no picture is blamed for", async () => {
    const loader = new PatchLoader(onDisk(), { ...options, workers: 2 });
    const waiting = expect(loader.next()).rejects.toThrow("PatchLoader: the loader was closed");
    await loader.close();
    await loader.close();
    await waiting;
    await expect(loader.next()).rejects.toThrow("PatchLoader: the loader was closed");
  });

  test("close() ends the waiting for a dataset whose own load() never ends", async () => {
    const loader = new PatchLoader({ ...inMemory(), load: () => new Promise(() => {}) }, options);
    const waiting = [1, 2].map(() => expect(loader.next()).rejects.toThrow("the loader was closed"));
    await loader.close();
    await Promise.all(waiting);
  }, 5000);

  test("without a seed, manualSeed decides", async () => {
    const { seed: _, ...withoutSeed } = options;
    const first = async () => {
      await using loader = new PatchLoader(onDisk(), withoutSeed);
      return (await loader.next()).low;
    };
    manualSeed(5);
    const [a, b] = [await first(), await first()];
    manualSeed(5);
    expect(await first()).toEqual(a);
    expect(b).not.toEqual(a);
  });

  test("refuses wrong options and empty datasets", () => {
    const make = (wrong: Partial<LoaderOptions>) => () =>
      new PatchLoader(inMemory(), { ...options, ...wrong });
    expect(make({ batch: 0 })).toThrow(RangeError);
    expect(make({ batch: 0 })).toThrow(/^PatchLoader: batch must be .* from 1 to 65536, got 0/);
    expect(make({ patch: 1.5 })).toThrow(/patch .*, got 1\.5/);
    expect(make({ workers: 0 })).toThrow(/workers/);
    expect(make({ cacheBytes: -1 })).toThrow(/cacheBytes/);
    expect(make({ seed: 0.1 })).toThrow(/seed/);
    expect(() => new PatchLoader({ ...inMemory(), length: 0 }, options)).toThrow(/empty/);
  });

  test.each<[string, object, RegExp]>([
    ["no names", { names: undefined }, /^PatchLoader: names of the dataset must be a list .*, got undefined/],
    ["too few names", { names: ["a"] }, /the dataset memory has 1 names for 7 pairs/],
    ["too many files", { files: paths.concat(paths).map((high) => ({ high })) }, /has 14 files for 7 pairs/],
    ["files without a path", { files: paths.map(() => ({})) }, /^PatchLoader: files of the dataset must be /],
    ["half a length", { length: 2.5 }, /^PatchLoader: length of the dataset must be .*, got 2\.5/],
    ["no length", { length: Number.NaN }, /^PatchLoader: length of the dataset must be .*, got NaN/],
    ["other colours", { colors: "grey" }, /colors of the dataset must be rgb or y, got "grey"/],
    ["another input size", { inputSize: "large" }, /inputSize of the dataset must be low or high/],
    ["half a scale", { scale: 1.5 }, /scale of the dataset must be a whole number/],
    ["no load()", { load: undefined }, /load of the dataset must be a function/],
  ])("refuses a dataset with %s", (_, wrong, message) => {
    expect(() => new PatchLoader({ ...inMemory(), ...wrong } as never, options)).toThrow(message);
  });

  test.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /^PatchLoader: load\(\d\) of the dataset memory must give .*, and gave undefined/],
    [
      "no pictures",
      { name: "a" },
      /^PatchLoader: low of load\(\d\) of the dataset memory: a picture is .*, got undefined/,
    ],
    [
      "16 bits",
      { low: noise(8, 8, 3, 1), high: { ...noise(16, 16, 3, 1), data: new Uint16Array(768) } },
      /^PatchLoader: high of load\(\d\) .* takes pictures of 8 bits/,
    ],
  ])("a dataset whose own load() gives %s is named", async (_, pair, message) => {
    await using loader = new PatchLoader({ ...inMemory(), load: async () => pair as never }, options);
    const error = await loader.next().catch((cause) => cause);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(message);
  });
});
