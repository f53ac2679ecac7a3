/** The trainer measures, and chooses the best weights, with the evaluation that everybody uses. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDiv2k, openFolder, writePng } from "../../src/data/index.ts";
import type { Device } from "../../src/device/device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { evaluate, findPictures } from "../../src/evaluate/index.ts";
import { interpolator, loadModel, networkUpscaler } from "../../src/node.ts";
import { imresize } from "../../src/picture/index.ts";
import { type TrainConfig, train } from "../../src/train/index.ts";
import { Validation } from "../../src/train/validation.ts";
import { float32Device, gpuDevices, logicDevices } from "../support/devices.ts";
import { drawnPicture, picturesIn } from "../support/pictures.ts";
import { temporaryPaths, tiny } from "./support.ts";

const gpus = await gpuDevices();
const devices: Device[] = [float32Device(), ...gpus];
const unused = temporaryPaths();
let data: string;
let valid: string;
beforeAll(async () => {
  data = await picturesIn(unused(), 4);
  valid = await picturesIn(unused(), 3);
});

const networks: [string, Partial<TrainConfig>][] = [
  ["EDSR", {}],
  ["EDSR with a moving average", { ema: 0.5 }],
  ["ESPCN", { network: { architecture: "ESPCN", scale: 3, filters: [6, 4], residual: true } }],
  ["SRCNN", { network: { architecture: "SRCNN", scale: 2, kernels: [5, 1, 3], filters: [6, 4] } }],
  ["FSRCNN", { network: { architecture: "FSRCNN", scale: 2, d: 6, s: 4, m: 1 } }],
];

test("pictures that the border leaves nothing of are left out, and named; only such ones are refused", async () => {
  const [folder, small] = [await picturesIn(unused(), 1), unused()];
  mkdirSync(small);
  for (const to of [folder, small]) {
    await writePng(join(to, "y-dot.png"), drawnPicture(1, 1, 1));
    await writePng(join(to, "z-small.png"), drawnPicture(1, 5, 30));
  }
  const said: string[] = [];
  const validation = await Validation.open(openFolder(folder, { scale: 2 }), 9, (line) => said.push(line));
  expect(validation.bicubic.images).toHaveLength(1);
  expect(said).toEqual([
    `Too small to measure on, as 2 pixels are left out along each side: ${join(folder, "y-dot.png")} (1x1), ` +
      `${join(folder, "z-small.png")} (4x30)`,
  ]);
  await expect(Validation.open(openFolder(small, { scale: 2 }), 9)).rejects.toThrow(
    /^Too small to measure on, .*y-dot\.png \(1x1\), .*z-small\.png \(4x30\)\. Name larger pictures by `valid`\.$/,
  );
});

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  // Which figure counts is decided alike for all networks on all devices; kernels have tests of their own.
  const own = logicDevices(gpus).some((gpu) => gpu === device) ? networks : networks.slice(0, 1);
  test.each(own)("%s: the best figure is what `evaluate` gives, to the last digit", async (_, change) => {
    const out = unused();
    const said: string[] = [];
    const config: TrainConfig = { ...tiny, data: [data], valid, validPictures: 3, out, ...change };
    const result = await train(config, { device, onMessage: (line) => said.push(line) });

    const path = join(out, "best.safetensors");
    const model = loadModel(readFileSync(path), path);
    const pictures = findPictures(valid, { scale: model.scale });
    const measured = await evaluate(networkUpscaler(model), pictures);
    expect(result.best!.psnr).toBe(measured.mean.psnr);
    const log = readFileSync(join(out, "log.jsonl"), "utf8").trim().split("\n");
    const best = log.map((line) => JSON.parse(line)).find(({ psnr }) => psnr === result.best!.psnr);
    expect(best).toMatchObject({
      step: result.best!.step,
      pictures: measured.images.map(({ psnr }) => psnr),
    });

    const bicubic = await evaluate(interpolator("bicubic", model.scale), pictures);
    expect(result.bicubic).toBe(bicubic.mean.psnr);
    expect(said).toContain(
      `Measured on 3 held-out pictures: ${measured.conditions}. Bicubic: ${bicubic.mean.psnr.toFixed(2)} dB`,
    );
    model.dispose();
  });
});

describe("the small pictures", () => {
  const conditionsOf = async (...parts: Parameters<typeof Validation.open>) =>
    (await Validation.open(...parts)).conditions;
  const luma = { scale: 2, colors: "y", inputSize: "high" } as const;

  test("are made, degraded or from files, and the conditions say so", async () => {
    expect(await conditionsOf(openFolder(valid, luma), 2)).toMatch(
      /rounded\), border 2, padding none; LR: Matlab's bicubic of rounded Y, itself not rounded$/,
    );
    const degraded = openFolder(valid, { ...luma, degradation: { seed: 1, noise: 20 } });
    expect(await conditionsOf(degraded, 2)).toMatch(
      /LR: Y \(rounded\) of the large pictures, degraded by {"seed":1,"noise":20}$/,
    );
    const plain = await Validation.open(openFolder(valid, luma), 2);
    const { bicubic } = await Validation.open(degraded, 2);
    expect(bicubic.mean.psnr).toBeLessThan(plain.bicubic.mean.psnr - 1);

    const root = unused();
    for (const folder of ["DIV2K_valid_HR", "DIV2K_valid_LR_bicubic/X2"])
      mkdirSync(join(root, folder), { recursive: true });
    await writePng(join(root, "DIV2K_valid_HR", "0801.png"), drawnPicture(1));
    const small = imresize(drawnPicture(1), { width: 20, height: 18 });
    await writePng(join(root, "DIV2K_valid_LR_bicubic/X2", "0801x2.png"), small);
    const files = openDiv2k(root, { split: "valid", ...luma });
    expect(await conditionsOf(files, 9)).toMatch(/LR: Y \(rounded\) of the given files$/);
    const both = { ...files, files: [...files.files!, ...openFolder(valid, luma).files!] };
    expect(await conditionsOf(both, 9)).toMatch(
      /LR: of several sources: given files, degraded pictures or Matlab's bicubic$/,
    );
  });
});
