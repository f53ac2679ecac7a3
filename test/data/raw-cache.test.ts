import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openFolder } from "../../src/data/folder.ts";
import { type PatchBatch, PatchLoader } from "../../src/data/loader.ts";
import type { LoaderOptions } from "../../src/data/loader-options.ts";
import type { PairDataset } from "../../src/data/pairs.ts";
import { readPart, readRawHeader, writeRaw } from "../../src/data/raw-file.ts";
import { encodePng } from "../../src/files/image-files.ts";
import { DataError } from "../../src/picture/errors.ts";
import { crop } from "../../src/picture/image.ts";
import { noise, temporaryFolder } from "./support.ts";

const root = temporaryFolder();
let number = 0;
let folder: string;
let cacheFolder: string;
let paths: string[];

beforeEach(async () => {
  folder = join(root, String(number++));
  cacheFolder = join(folder, "cache", "raw");
  mkdirSync(folder);
  paths = [0, 1, 2, 3].map((i) => join(folder, `p${i}.png`));
  for (const [i, path] of paths.entries()) writeFileSync(path, await encodePng(noise(60 + 8 * i, 48, 3, i)));
});

const options: LoaderOptions = { batch: 3, patch: 8, seed: 3, workers: 1 };

/** The same pairs, decoded on this thread and without any folder. */
function direct({ files: _, ...dataset }: PairDataset): PairDataset {
  return dataset;
}

async function batchesOf(dataset: PairDataset, more: Partial<LoaderOptions> = {}): Promise<PatchBatch[]> {
  await using loader = new PatchLoader(dataset, { ...options, ...more });
  const batches = [];
  for (let k = 0; k < 5; k++) batches.push({ ...(await loader.next()), wait: 0 });
  return batches;
}

test("pictures whose names are as long as file systems take them are cached, each in a file of its own", async () => {
  const long = ["a", "b"].map((end) => join(folder, `${"ü".repeat(125)}${end}.png`));
  for (const [i, path] of long.entries()) writeFileSync(path, await encodePng(noise(60, 48, 3, i)));
  const dataset = openFolder(long, { scale: 2 });
  expect(await batchesOf(dataset, { cacheFolder })).toEqual(await batchesOf(direct(dataset)));
  expect(readdirSync(cacheFolder)).toHaveLength(2);
});

test("pictures of one name in several folders are cached side by side, each in a file of its own", async () => {
  const twins = ["a", "b"].map((name) => join(folder, name, "p.png"));
  for (const [i, path] of twins.entries()) {
    mkdirSync(dirname(path));
    writeFileSync(path, await encodePng(noise(60, 48, 3, i)));
  }
  const dataset = openFolder(twins, { scale: 2 });
  expect(await batchesOf(dataset, { cacheFolder })).toEqual(await batchesOf(direct(dataset)));
  expect(readdirSync(cacheFolder)).toEqual([0, 1].map(() => expect.stringMatching(/^p\.png-\w{16}\.raw$/)));
});

describe("raw files", () => {
  test("header and parts come back, and an incomplete file has no header", async () => {
    const path = join(folder, "a.raw");
    const pair = { name: "a", low: noise(75, 4, 3, 1), high: noise(150, 8, 3, 2) };
    await writeRaw(path, "made from", pair);
    const header = (await readRawHeader(path))!;
    expect(header).toEqual({
      source: "made from",
      low: { width: 75, height: 4, channels: 3 },
      high: { width: 150, height: 8, channels: 3 },
    });
    const part = (which: "low" | "high", x: number, y: number, w: number, h: number) => {
      const part = readPart({ path, header }, which, { x, y, w, h });
      return crop(part.image, part.x, 0, w, h);
    };
    // Within one strip of 64 columns, at the edges of strips, across several, in the narrow last one, and
    // all.
    for (const [x, w] of [
      [3, 20],
      [0, 64],
      [64, 64],
      [63, 2],
      [10, 130],
      [128, 22],
      [149, 1],
      [0, 150],
    ]) {
      expect(part("high", x, 2, w, 5)).toEqual(crop(pair.high, x, 2, w, 5));
    }
    expect(part("low", 60, 3, 15, 1)).toEqual(crop(pair.low, 60, 3, 15, 1));
    expect(part("high", 0, 0, 150, 8)).toEqual(pair.high);
    expect(() => part("high", 140, 7, 4, 2)).toThrow(/only 66 of 132 bytes/);
    const whole = readFileSync(path);
    for (const wrong of [
      whole.subarray(0, -1),
      Buffer.concat([whole, whole]),
      Buffer.alloc(600),
      Buffer.alloc(0),
    ]) {
      writeFileSync(path, wrong);
      expect(await readRawHeader(path)).toBeUndefined();
    }
    expect(await readRawHeader(join(folder, "none.raw"))).toBeUndefined();
  });
});

describe("PatchLoader with a cacheFolder", () => {
  test("is refused among the pictures", async () => {
    const before = readdirSync(folder);
    const dataset = openFolder(folder, { scale: 2 });
    await expect(batchesOf(dataset, { cacheFolder: join(folder, "x", "..") })).rejects.toThrow(
      "pictures of the dataset are in this folder",
    );
    expect(readdirSync(folder)).toEqual(before);
  });

  test.each([
    ["rgb", "low"],
    ["y", "low"],
    ["y", "high"],
  ] as const)("colors %s, inputSize %s: the batches are those without", async (colors, inputSize) => {
    const dataset = openFolder(paths, { scale: 2, colors, inputSize });
    const expected = await batchesOf(direct(dataset));
    expect(await batchesOf(dataset, { cacheFolder, workers: 2 })).toEqual(expected);
    expect(readdirSync(cacheFolder).length).toBe(4);
  });

  test("pictures are decoded once, and again when their file changes", async () => {
    const dataset = openFolder(paths, { scale: 2 });
    const [date, later] = [new Date(1_700_000_000_000), new Date(1_700_000_005_000)];
    utimesSync(paths[1], date, date);
    const first = await batchesOf(dataset, { cacheFolder });
    // The same size and date, but no longer a picture: it is not even opened.
    const { size } = statSync(paths[1]);
    const picture = readFileSync(paths[1]);
    writeFileSync(paths[1], Buffer.alloc(size));
    utimesSync(paths[1], date, date);
    expect(await batchesOf(dataset, { cacheFolder })).toEqual(first);

    utimesSync(paths[1], date, later);
    await expect(batchesOf(dataset, { cacheFolder })).rejects.toThrow(/p1\.png: not a PNG/);
    writeFileSync(paths[1], picture);
    utimesSync(paths[1], date, date);
    expect(await batchesOf(dataset, { cacheFolder })).toEqual(first);

    writeFileSync(paths[1], await encodePng(noise(68, 48, 3, 77)));
    const changed = await batchesOf(dataset, { cacheFolder });
    expect(changed).toEqual(await batchesOf(direct(dataset)));
    expect(changed).not.toEqual(first);
    expect(readdirSync(cacheFolder).length).toBe(4);
  });

  test("other scales, colours and sizes have files of their own, and degradations share one", async () => {
    const datasets = [
      openFolder(paths, { scale: 2 }),
      openFolder(paths, { scale: 3 }),
      openFolder(paths, { scale: 2, colors: "y" }),
      openFolder(paths, { scale: 2, inputSize: "high" }),
    ];
    for (const [i, dataset] of datasets.entries()) {
      expect(await batchesOf(dataset, { cacheFolder })).toEqual(await batchesOf(direct(dataset)));
      expect(readdirSync(cacheFolder).length).toBe(4 * (i + 1));
    }
    // Patches are degraded when they are cut, so one file of HR serves all degradations, scales and colours.
    const degraded = [
      openFolder(paths, { scale: 2, degradation: { seed: 1, noise: 5 } }),
      openFolder(paths, { scale: 2, colors: "y", degradation: { seed: 2, jpeg: 50 } }),
      openFolder(paths, { scale: 3, inputSize: "high", degradation: { kind: "photo", seed: 2 } }),
    ];
    for (const dataset of degraded) {
      expect(await batchesOf(dataset, { cacheFolder })).toEqual(await batchesOf(dataset));
      expect(readdirSync(cacheFolder).length).toBe(4 * (datasets.length + 1));
    }
  });

  test("damaged cache files are made anew", async () => {
    const dataset = openFolder(paths, { scale: 2 });
    const expected = await batchesOf(dataset, { cacheFolder });
    const [a, b, c] = readdirSync(cacheFolder).map((file) => join(cacheFolder, file));
    truncateSync(a, 4000);
    writeFileSync(b, "");
    writeFileSync(c, Buffer.alloc(statSync(c).size));
    expect(await batchesOf(dataset, { cacheFolder })).toEqual(expected);
  });

  test("prepare() fills the folder and reports progress; abort stops it", async () => {
    const dataset = openFolder(paths, { scale: 2 });
    await using loader = new PatchLoader(dataset, { ...options, cacheFolder });
    const controller = new AbortController();
    const stopped = loader.prepare({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(readdirSync(cacheFolder).length).toBe(1);
    const steps: number[][] = [];
    await loader.prepare({ onProgress: (...step) => steps.push(step) });
    expect(steps).toEqual([1, 2, 3, 4].map((k) => [k, 4]));
    expect(readdirSync(cacheFolder).length).toBe(4);
    await using without = new PatchLoader(dataset, options);
    await expect(without.prepare()).rejects.toThrow(/has no cacheFolder/);
  });

  test("errors name the file or the option", async () => {
    const dataset = openFolder(paths, { scale: 2 });
    const make = (more: Partial<LoaderOptions>) => () => new PatchLoader(dataset, { ...options, ...more });
    expect(make({ cacheFolder, cacheBytes: 0 })).toThrow(/cacheBytes or cacheFolder/);
    expect(() => new PatchLoader(direct(dataset), { ...options, cacheFolder })).toThrow(
      /files, and .* has none/,
    );
    const taken = join(folder, "taken");
    writeFileSync(taken, "a file");
    const failed = batchesOf(dataset, { cacheFolder: taken });
    await expect(failed).rejects.toThrow(DataError);
    await expect(failed).rejects.toThrow(/taken: this folder cannot be made: .*cacheFolder/);

    await using loader = new PatchLoader(dataset, { ...options, cacheFolder });
    await loader.prepare();
    rmSync(cacheFolder, { recursive: true });
    await expect(loader.next()).rejects.toThrow(/\.raw: this file of the cache cannot be read .*emptied/);
  });
});
