/** The example that learns one picture comes closer to it in 100 steps, and draws what it has after 1, 10 and 100. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { crop, psnr } from "../../src/picture/index.ts";
import { temporaryFolder } from "../data/support.ts";
import { runFile } from "../support/run.ts";

const folder = temporaryFolder();

test("fit-picture", async () => {
  const { code, stdout, stderr } = await runFile("examples/fit-picture.ts", ["100"], { cwd: folder });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^step 1: [\d.]+ dB\nstep 10: [\d.]+ dB\nstep 100: [\d.]+ dB\n/);
  const row = await readImage(join(folder, "runs/fit-picture.png"));
  const side = row.height;
  expect(row.width).toBe(4 * side);
  const [first, second, third, original] = [0, 1, 2, 3].map((i) => crop(row, i * side, 0, side, side));
  const closeness = (picture: typeof row) => psnr(picture, original, { channels: "rgb", border: 0 });
  expect(closeness(second)).toBeGreaterThan(closeness(first));
  expect(closeness(third)).toBeGreaterThan(closeness(first) + 3);
});

test("it refuses what is no number of steps", async () => {
  const { code, stderr } = await runFile("examples/fit-picture.ts", ["150"], { cwd: folder });
  expect([code, stderr]).toEqual([2, 'npm run fit:picture -- STEPS wants a multiple of 100, got "150"']);
});
