/** The example that makes LR pictures for train.py: names, sizes, no two alike, and the same ones every time. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
