/** Runs that have learned nothing say so. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseSafetensors, serializeSafetensors } from "../../src/node.ts";
import { presets, resume, type TrainConfig, train } from "../../src/train/index.ts";
import { adviceFor, type Outcome } from "../../src/train/verdict.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { runProgram } from "../support/run.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const device = float32Device();
let data: string;
beforeAll(async () => {
  data = await picturesIn(unused(), 3);
});
const espcn: TrainConfig["network"] = { architecture: "ESPCN", scale: 2, filters: [6, 4], residual: true };
const config = (change: Partial<TrainConfig> = {}): TrainConfig => ({
  ...{ ...tiny, network: espcn, data: [data], out: unused(), evalEvery: 2 },
  ...change,
});

describe("a verdict", () => {
  const good: Outcome = { step: 2000, psnr: 31, bicubic: 30, plain: 15, firstLoss: 0.1, lastLoss: 0.01 };
  const about = (change: Partial<Outcome>, lr = 1e-3) =>
    adviceFor({ ...good, ...change }, { ...presets.ESPCN.quick, steps: 2000, lr });

  test.each<[string, Partial<Outcome>]>([
    ["better than bicubic", {}],
    ["a little below it", { psnr: 27.1 }],
    ["far below it, but at the beginning", { step: 999, psnr: 20 }],
    [
      "worse than a plain picture in the first steps, while the loss falls",
      { step: 5, psnr: 8, lastLoss: 0.09 },
    ],
    ["the same, with a loss that varies", { step: 5, psnr: 8, lastLoss: 0.19 }],
    [
      "below bicubic with a loss that has risen, as a network that began as bicubic",
      { step: 5, psnr: 29, lastLoss: 1 },
    ],
  ])("%s: nothing to say", (_, change) => expect(about(change)).toBeUndefined());

  test("what it says, and what it advises", () => {
    expect(about({ psnr: 5.59, lastLoss: 1e3 }, 1e3)).toBe(
      "After 2000 steps the best weights reach 5.59 dB, 24.41 dB below bicubic interpolation, and worse than pictures " +
        "without any detail: this network is of no use. The learning rate is probably too large: `lr` was 1000, and " +
        "0.001 is usual for this network.",
    );
    expect(about({ psnr: 26.9 })).toBe(
      "After 2000 steps the best weights reach 26.90 dB, 3.10 dB below bicubic interpolation: this network is of no " +
        "use. Look at the learning rate (`lr` was 0.001, and 0.001 is usual for this network), at the number of " +
        "steps (2000), and at the pictures: LR ones must belong to their HR ones.",
    );
    expect(about({ step: 200, psnr: 14, lastLoss: 0.1 })).toContain("of no use");
    expect(about({ step: 6, psnr: 14, lastLoss: 0.3 })).toContain("of no use");
  });
});

test("a run with an absurd rate says so once on the way, in its result, and when it is resumed", async () => {
  const said: string[] = [];
  const one = config({ lr: 1e3, steps: 6 });
  const { advice } = await train(one, { device, onMessage: (line) => said.push(line) });
  expect(advice).toMatch(
    /^After 6 steps .* of no use\. The learning rate is probably too large: `lr` was 1000/,
  );
  expect(said.filter((line) => line.includes("of no use"))).toHaveLength(1);
  const change = (saved: TrainConfig) => ({ ...saved, steps: 8 });
  expect((await resume(one.out!, { device, change })).advice).toMatch(/^After 8 steps/);
  expect((await train(config(), { device })).advice).toBeUndefined();
});

test("on the command line it ends with exit code 1, and a short run without fault with 0", async () => {
  const run = (lr: string) =>
    runProgram([
      ...[
        "train",
        "espcn",
        "--scale",
        "2",
        "--filters",
        "6-4",
        "--patch",
        "8",
        "--batch",
        "2",
        "--data",
        data,
      ],
      ...[
        "--steps",
        "6",
        "--eval-every",
        "3",
        "--adapter",
        "cpu",
        "--lr",
        lr,
        "--warmup",
        "0",
        "--out",
        unused(),
      ],
    ]);
  const [bad, good] = await Promise.all([run("1000"), run("0.001")]);
  expect(bad.code).toBe(1);
  expect(bad.stdout).toMatch(/^Best: /m);
  expect(bad.stderr).toMatch(
    /^pixelgrad train espcn: After 6 steps the best weights reach .* too large: --lr was 1000, .*\.$/,
  );
  expect(good).toMatchObject({ code: 0, stderr: "" });
});

test("weights that are not finite are no beginning", async () => {
  const whole = config();
  await train(whole, { device });
  const file = join(whole.out!, "last.safetensors");
  const { tensors, metadata } = parseSafetensors(readFileSync(file));
  const [name, { shape, data: values }] = [...tensors][0];
  tensors.set(name, { shape, data: values.map((value, i) => (i === 1 ? Number.NaN : value)) });
  const init = `${unused()}.safetensors`;
  copyFileSync(file, init);
  writeFileSync(init, serializeSafetensors(tensors, metadata));
  await expect(train(config({ init }), { device })).rejects.toThrow(/NaN/);
});
