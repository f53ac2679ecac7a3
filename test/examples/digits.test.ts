/** The example that reads digits learns something in an eighth of its steps, and draws its picture. */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { runFile } from "../support/run.ts";

test("digits", async () => {
  const picture = "runs/digits.png";
  await rm(picture, { force: true });
  const { code, stdout, stderr } = await runFile("examples/digits.ts", ["40"]);
  expect([code, stderr]).toEqual([0, ""]);
  const [, percent] = /^([\d.]+) % of 1000 new digits, after [\d.]+ s$/m.exec(stdout)!;
  expect(Number(percent)).toBeGreaterThan(50); // by chance, 10
  const { width, height, data } = await readImage(picture);
  expect([width, height]).toEqual([400, 200]);
  expect(data.some((value, i) => i % 3 === 0 && value === 255 && data[i + 1] === 0)).toBe(true); // an error, in red
});
