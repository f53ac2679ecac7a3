/** The example that learns one picture comes closer to it in 20 steps, and draws what it has after 2 and 20. */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { readImage } from "../../src/data/index.ts";
import { crop, psnr } from "../../src/picture/index.ts";
import { runFile } from "../support/run.ts";

test("fit-picture", async () => {
  const file = "runs/fit-picture.png";
  await rm(file, { force: true });
  const { code, stdout, stderr } = await runFile("examples/fit-picture.ts", ["20"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^step 2: [\d.]+ dB\nstep 20: [\d.]+ dB\n/);
  const row = await readImage(file);
  const side = row.height;
  expect(row.width).toBe(3 * side);
  const [early, late, original] = [0, 1, 2].map((i) => crop(row, i * side, 0, side, side));
  const closeness = (picture: typeof row) => psnr(picture, original, { channels: "rgb", border: 0 });
  expect(closeness(late)).toBeGreaterThan(closeness(early) + 3);
});
