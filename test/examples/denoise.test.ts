/** The example that removes noise removes some in a twentieth of its steps, and draws its picture. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { temporaryFolder } from "../data/support.ts";
import { runFile } from "../support/run.ts";

const folder = temporaryFolder();

test("denoise", async () => {
  const { code, stdout, stderr } = await runFile("examples/denoise.ts", ["30"], { cwd: folder });
  expect([code, stderr]).toEqual([0, ""]);
  const [, noisy, cleaned] = /^noisy ([\d.]+) dB, cleaned ([\d.]+) dB, after [\d.]+ s$/m.exec(stdout)!;
  expect(Number(noisy)).toBeCloseTo(20, 0); // noise of a tenth of white
  expect(Number(cleaned)).toBeGreaterThan(Number(noisy) + 1);
  const { width, height } = await readImage(join(folder, "runs/denoise.png"));
  expect([width, height]).toEqual([3 * 256, 256]);
});

test("it refuses what is no number of steps", async () => {
  const { code, stderr } = await runFile("examples/denoise.ts", ["--help"], { cwd: folder });
  expect([code, stderr]).toEqual([
    2,
    'npm run denoise -- STEPS wants a whole number of at least 1, got "--help"',
  ]);
});
