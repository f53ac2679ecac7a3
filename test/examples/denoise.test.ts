/** The example that removes noise removes some in a twentieth of its steps, and draws its picture. */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { runFile } from "../support/run.ts";

test("denoise", async () => {
  const picture = "runs/denoise.png";
  await rm(picture, { force: true });
  const { code, stdout, stderr } = await runFile("examples/denoise.ts", ["30"]);
  expect([code, stderr]).toEqual([0, ""]);
  const [, noisy, cleaned] = /^noisy ([\d.]+) dB, cleaned ([\d.]+) dB, after [\d.]+ s$/m.exec(stdout)!;
  expect(Number(noisy)).toBeCloseTo(20, 0); // noise of a tenth of white
  expect(Number(cleaned)).toBeGreaterThan(Number(noisy) + 1);
  const { width, height } = await readImage(picture);
  expect([width, height]).toEqual([3 * 256, 256]);
});
