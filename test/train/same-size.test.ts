/** Networks that keep the size: trained on degraded pictures, measured against LR itself, and used. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { findPictures } from "../../src/evaluate/index.ts";
import { loadModel, networkUpscaler, upscale } from "../../src/node.ts";
import { type TrainConfig, train } from "../../src/train/index.ts";
import { noise } from "../data/support.ts";
import { float32Device } from "../support/devices.ts";
import { picturesIn } from "../support/pictures.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const device = float32Device();
const degradation = { seed: 1, noise: 20 } as const;
beforeEach(() => setDefaultDevice(device));
let folder: string;
beforeAll(async () => {
  folder = await picturesIn(unused(), 3);
});

const networks: TrainConfig["network"][] = [
  { architecture: "Compact", scale: 1, layers: 1, channels: 4, activation: "prelu", colors: "rgb" },
  { architecture: "Compact", scale: 1, layers: 1, channels: 4, activation: "relu", colors: "y" },
  { architecture: "Wren", scale: 1, blocks: 1, channels: 4, colors: "rgb" },
  { architecture: "SPAN", scale: 1, blocks: 1, channels: 4, normalize: false, colors: "rgb" },
  {
    ...{ architecture: "RRDBNet", scale: 1, blocks: 1, channels: 2, growth: 2, unshuffle: 4, colors: "rgb" },
  },
];

test.each(networks)("%o", async (network) => {
  const out = unused();
  const config: TrainConfig = { ...tiny, network, data: [folder], degradation, out, steps: 2, evalEvery: 2 };
  const { best } = await train(config, { device });
  expect(best!.psnr).toBeGreaterThan(0);
  const model = loadModel(readFileSync(join(out, "best.safetensors")));
  expect(model).toMatchObject({ scale: 1, colors: "colors" in network ? network.colors : "rgb" });
  const image = noise(13, 10, 3);
  const { image: result } = await upscale(image, { method: networkUpscaler(model) });
  expect(result).toMatchObject({ width: 13, height: 10, channels: 3 });
  expect(result.data).not.toEqual(image.data);
  model.dispose();
});

test("without a degradation there is nothing to learn, and without LR nothing to measure", async () => {
  const config: TrainConfig = { ...tiny, network: networks[0], data: [folder], out: unused() };
  await expect(train(config, { device })).rejects.toThrow(/at scale 1, LR pictures are as large as HR/);
  expect(() => findPictures(folder, { scale: 1 })).toThrow(/at scale 1, LR pictures cannot be made of HR/);
  expect(findPictures(folder, { scale: 1, lowFolder: await picturesIn(unused(), 3) })).toHaveLength(3);
});

test("at scale 1 the network for damaged pictures is meant; interpolations leave the picture as it is", async () => {
  const image = noise(9, 8, 3);
  const cleaned = await upscale(image, { scale: 1 });
  expect(cleaned.method).toBe("wren-photo");
  expect(cleaned.image).toMatchObject({ width: 9, height: 8 });
  expect(cleaned.image.data).not.toEqual(image.data);
  for (const method of ["nearest", "bilinear", "bicubic"] as const) {
    expect((await upscale(image, { scale: 1, method })).image.data).toEqual(image.data);
  }
});
