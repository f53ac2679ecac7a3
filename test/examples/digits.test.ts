/** The example that reads digits learns something in an eighth of its steps, and draws its picture. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { temporaryFolder } from "../data/support.ts";
import { runFile } from "../support/run.ts";

const folder = temporaryFolder();

test("digits", async () => {
  const { code, stdout, stderr } = await runFile("examples/digits.ts", ["40"], { cwd: folder });
  expect([code, stderr]).toEqual([0, ""]);
  const [, percent] = /^([\d.]+) % of 1000 new digits, after [\d.]+ s$/m.exec(stdout)!;
  expect(Number(percent)).toBeGreaterThan(50); // by chance, 10
  const { width, height, data } = await readImage(join(folder, "runs/digits.png"));
  expect([width, height]).toEqual([400, 200]);
  expect(data.some((value, i) => i % 3 === 0 && value === 255 && data[i + 1] === 0)).toBe(true); // an error, in red
});

test("it refuses what is no number of steps", async () => {
  const { code, stderr } = await runFile("examples/digits.ts", ["0"], { cwd: folder });
  expect([code, stderr]).toEqual([2, 'npm run digits -- STEPS wants a whole number of at least 1, got "0"']);
});
