/** `npm run compare:networks` goes on with a comparison only on the same pictures. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { train } from "../../src/train/index.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { runFile } from "../support/run.ts";
import { temporaryPaths, tiny } from "../train/support.ts";

const unused = temporaryPaths();

test("other pictures than those of the folder's runs are refused", async () => {
  const data = await picturesIn(unused(), 2);
  const out = unused();
  mkdirSync(join(out, "x2-1-0"), { recursive: true });
  const run = join(out, "x2-1-0", "edsr-small");
  await train({ ...tiny, data: [data], steps: 1, evalEvery: 1, out: run }, { device: float32Device() });
  const flags = ["--adapter", "cpu", "--steps", "1", "--out", out];
  const { code, stderr } = await runFile("bench/compare-networks.ts", flags);
  expect(code).toBe(2);
  expect(stderr).toContain(
    `the run in ${run} learns from ${data}, and the photographs from npm are wanted; name another folder by --out`,
  );
});
