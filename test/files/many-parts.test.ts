/** Files of millions of parts where others have a few: they are refused or read, and take neither long nor much memory. */
import fs, { closeSync, openSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { decodePictureFile, sizeOfPictureFile } from "../../src/files/picture-file.ts";
import { readFromFile } from "../../src/files/read-file.ts";
import { zerosForScans } from "../../src/formats/cut-short.ts";
import { Directories } from "../../src/formats/directories.ts";
import { endOfGif, gifExtras } from "../../src/formats/gif.ts";
import { chunksOf, encodeChunk } from "../../src/formats/png.ts";
import { readFrom } from "../../src/formats/read.ts";
import { DataError } from "../../src/picture/errors.ts";
import { noise, temporaryFolder } from "../data/support.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { runCode } from "../support/run.ts";

const folder = temporaryFolder();
const picture = () => sharp(noise(16, 16, 3).data, { raw: { width: 16, height: 16, channels: 3 } });
const many = (count: number, part: Uint8Array) => Buffer.alloc(count * part.length, part);
const empty = encodeChunk("teSt", new Uint8Array());

/** The same in front of the end. */
const inserted = (file: Buffer, at: number, ...parts: Uint8Array[]) =>
  Buffer.concat([file.subarray(0, at), ...parts, file.subarray(at)]);

/**
 * The kilobytes that a function of src/formats takes at most for a file: in a process of its own, since a peak never
 * falls.
 */
async function memoryOf(
  file: Uint8Array,
  module: string,
  // biome-ignore lint/suspicious/noExplicitAny: the module's functions
  call: (functions: any, bytes: Uint8Array) => unknown,
): Promise<number> {
  const path = join(folder, "measured");
  writeFileSync(path, file);
  const { stdout, stderr } = await runCode(`
    import { readFileSync } from "node:fs";
    import * as functions from "./src/formats/${module}";
    const bytes = readFileSync(${JSON.stringify(path)});
    const peak = () => process.resourceUsage().maxRSS;
    const before = peak();
    (${call})(functions, bytes);
    console.log(peak() - before);
  `);
  expect(stderr).toBe("");
  return Number(stdout.trim() || Number.NaN);
}

test("AVIF boxes: more than ten thousand are refused, before a decoder reads them", async () => {
  const avif = await picture().avif().toBuffer();
  const free = Buffer.from("\0\0\0\x08free");
  const path = join(folder, "boxes.avif");
  writeFileSync(path, Buffer.concat([avif, many(9_000, free)]));
  expect(await sizeOfPictureFile(path)).toEqual({ width: 16, height: 16 });
  const hostile = Buffer.concat([avif, many(1e6, free)]);
  writeFileSync(path, hostile);
  for (const read of [() => sizeOfPictureFile(path), () => decodePictureFile(hostile, path)]) {
    const time = await cpuTime(async () => {
      await expect(read()).rejects.toThrow(`${path}: this AVIF picture has more than 10000 parts`);
      await expect(read()).rejects.toThrow(DataError);
    });
    expect(time).toBeLessThan(1000);
  }
});

test("PNG chunks: none behind the end is looked at", async () => {
  const png = await picture().png().toBuffer();
  const types = (file: Uint8Array) => [...chunksOf(readFrom(file))].map(({ type }) => type);
  expect(types(Buffer.concat([png, empty, empty]))).toEqual(types(png));
});

test("a file's small parts are not read one by one", () => {
  const path = join(folder, "chunks.png");
  writeFileSync(path, Buffer.concat([Buffer.alloc(8), many(10_000, empty)]));
  const { readSync } = fs;
  let calls = 0;
  fs.readSync = ((...args: Parameters<typeof readSync>) => {
    calls++;
    return readSync(...args);
  }) as typeof readSync;
  syncBuiltinESMExports();
  const file = openSync(path, "r");
  try {
    expect([...chunksOf(readFromFile(file))]).toHaveLength(10_000);
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(100);
    const read = readFromFile(file);
    const whole = fs.readFileSync(path);
    // Parts from anywhere, also from the borders of what is read at once, and behind the end.
    for (const [start, length] of [
      [0, 8],
      [4090, 12],
      [4096, 64],
      [100, 5000],
      [90, 3],
      [whole.length - 3, 9],
      [2e6, 4],
    ]) {
      expect(Buffer.from(read(start, length))).toEqual(whole.subarray(start, start + length));
    }
  } finally {
    fs.readSync = readSync;
    syncBuiltinESMExports();
    closeSync(file);
  }
});

test("GIF: parts of a block, and comments", async () => {
  const gif = await picture().gif().toBuffer();
  const parts = [Buffer.of(0x21, 0xff), many(4e6, Buffer.of(1, 7)), Buffer.of(0)];
  const long = inserted(gif, gif.length - 1, ...parts);
  const time = await cpuTime(() => expect(endOfGif(long)).toBe(long.length));
  expect(time).toBeLessThan(500);
  expect(await memoryOf(long, "gif.ts", ({ endOfGif }, bytes) => endOfGif(bytes))).toBeLessThan(100_000);
  const chatty = inserted(gif, gif.length - 1, many(20_000, Buffer.of(0x21, 0xfe, 1, 65, 0)));
  const { comments, gaps } = gifExtras(chatty);
  expect([comments?.length, comments?.[9], gaps]).toEqual([
    10_000,
    { keyword: "Comment", text: "A" },
    ["its texts behind the first 10000"],
  ]);
});

test("JPEG and PNG: texts behind the first ten thousand are left out, with a note", async () => {
  const note = { kind: "metadata", text: "without its texts behind the first 10000" };
  const jpeg = inserted(await picture().jpeg().toBuffer(), 2, many(20_000, Buffer.of(0xff, 0xfe, 0, 3, 65)));
  const text = encodeChunk("tEXt", Buffer.from("Comment\0A"));
  const png = inserted(await picture().png().toBuffer(), 33, many(20_000, text));
  for (const file of [jpeg, png]) {
    const { comments, notes } = await decodePictureFile(file, "chatty");
    expect([comments?.length, notes]).toEqual([10_000, [note]]);
  }
});

test("JPEG segments, where zeros stand for the end", async () => {
  const jpeg = await picture().jpeg({ progressive: true }).toBuffer();
  const segments = many(4e6, Buffer.of(0xff, 0xef, 0, 2));
  const file = Buffer.concat([inserted(jpeg, 2, segments).subarray(0, -2), Buffer.alloc(100)]);
  expect(zerosForScans("jpeg", file)).toBeGreaterThanOrEqual(100);
  const memory = await memoryOf(file, "cut-short.ts", ({ zerosForScans }, bytes) =>
    zerosForScans("jpeg", bytes),
  );
  expect(memory).toBeLessThan(100_000);
});

test("a BigTIFF directory of more entries than any is none", () => {
  const file = Buffer.alloc(16 + 8 + 20 * 70_000 + 8);
  file.write("II");
  file.writeUInt16LE(43, 2);
  file.writeUInt16LE(8, 4);
  file.writeBigUInt64LE(16n, 8);
  const entries = (count: bigint) => {
    file.writeBigUInt64LE(count, 16);
    return new Directories(file).entries(16);
  };
  expect(entries(60_000n)).toEqual([]);
  expect(() => entries(70_000n)).toThrow("a directory of 70000 entries");
});
