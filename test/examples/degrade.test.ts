/** The example that makes LR pictures for train.py: names, sizes, no two alike, and the same ones every time. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readImage, writePng } from "../../src/data/index.ts";
import { drawn, temporaryFolder } from "../data/support.ts";
import { runFile } from "../support/run.ts";

test("degrade", async () => {
  const folder = temporaryFolder();
  const high = join(folder, "high");
  mkdirSync(high);
  const wave = drawn(50, 40, 3, (x, y, c) => 128 + 100 * Math.sin((x * (c + 2) + y) / 4));
  for (const name of ["a", "b"]) await writePng(join(high, `${name}.png`), wave);
  const bytes = [];
  for (const low of ["low", "again"].map((name) => join(folder, name))) {
    const { code, stdout, stderr } = await runFile("examples/degrade.ts", [high, low, "4", "3"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`6 pictures are in ${low}.\n`);
    const names = readdirSync(low).sort();
    expect(names).toEqual(["a~0.png", "a~1.png", "a~2.png", "b~0.png", "b~1.png", "b~2.png"]);
    expect(await readImage(join(low, "b~2.png"))).toMatchObject({ width: 12, height: 10, channels: 3 });
    bytes.push(names.map((name) => readFileSync(join(low, name)).toString("base64")));
  }
  expect(new Set(bytes[0]).size).toBe(6);
  expect(bytes[1]).toEqual(bytes[0]);
});

test("degrade: one name for each picture, no picture of another scale, and no stack traces", async () => {
  const folder = temporaryFolder();
  const [high, low] = ["high", "low"].map((name) => join(folder, name));
  mkdirSync(high);
  const wave = drawn(16, 16, 3, (x, y) => 128 + 100 * Math.sin((x + y) / 4));
  await writePng(join(high, "a.png"), wave);
  await sharp(join(high, "a.png")).jpeg().toFile(join(high, "a.jpg"));
  const degrade = (...args: string[]) => runFile("examples/degrade.ts", args);
  expect((await degrade(high, low, "2", "1")).stdout).toBe(`2 pictures are in ${low}.\n`);
  expect(readdirSync(low).sort()).toEqual(["a.jpg~0.png", "a.png~0.png"]);
  const wrong: [string[], RegExp][] = [
    [
      [high, low, "4", "1"],
      /^degrade\.ts: .*a\.jpg~0\.png is of another run: it has 8x8 pixels, and 4x4 are wanted/,
    ],
    [[high, low, "x2"], /^degrade\.ts: wants HR LOW \[SCALE\] \[COPIES\]/],
    [[], /^degrade\.ts: wants HR LOW/],
    [[join(folder, "none"), low], /^degrade\.ts: .*there is no such folder/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await degrade(...args);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).not.toContain("\n");
    expect(code).toBe(1);
  }
});
