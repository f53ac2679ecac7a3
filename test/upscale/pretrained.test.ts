/** The networks that come with the library load, and on Set5 they reach the figures in their files. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { evaluate, findPictures } from "../../src/evaluate/index.ts";
import { readImage } from "../../src/files/image-files.ts";
import {
  defaultMethod,
  interpolator,
  loadPretrained,
  methodNames,
  networkUpscaler,
  type PretrainedName,
  type PretrainedScale,
  parseSafetensors,
  pretrainedNames,
  scalesOf,
} from "../../src/node.ts";
import { crop } from "../../src/picture/image.ts";
import { photoNetwork, pretrainedFile } from "../../src/upscale/method-names.ts";
import { photograph, testData } from "../data/support.ts";
import { gpuDevices } from "../support/devices.ts";

const set5 = testData("set5");
// One adapter is enough, the fastest: other tests compare the adapters.
const [device] = await gpuDevices();
setDefaultDevice(device);
const slow = device.adapterClass === "swiftshader";
if (slow) console.warn("On SwiftShader alone, only the smallest networks are measured on Set5.");

/** Parts of photographs that npm has installed. */
const photographs = await Promise.all(
  (["allium-oreophilum", "nagasaki-boats", "locomotion-house-cat"] as const).map(async (name) =>
    crop(await readImage(photograph(name)), 100, 100, 96, 80),
  ),
);
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value) / values.length;

const all = pretrainedNames.flatMap((name) =>
  (scalesOf(name) as readonly PretrainedScale[]).map((scale) => ({ name, scale })),
);
/** Bicubic interpolation's PSNR, which is the same for all networks of a scale. */
const bicubicPsnr = new Map<string, Promise<number>>();
const metadataOf = (name: PretrainedName, scale: PretrainedScale) =>
  parseSafetensors(readFileSync(pretrainedFile(name, scale)!)).metadata;

describe.each(all)("$name x$scale", ({ name, scale }) => {
  test("loads, and its file says where it comes from", async () => {
    const model = await loadPretrained(name, { scale });
    expect(model.scale).toBe(scale);
    expect(model.metadata().architecture.toLowerCase()).toBe(name.split("-")[0]);
    expect(model.parameterCount()).toBeLessThanOrEqual(300_000);
    model.dispose();
    const metadata = metadataOf(name, scale);
    expect(metadata.name).toBe(`${name}-x${scale}`);
    for (const field of ["training", "pictures", "degradation", "range", "seed", "set5", "protocol"]) {
      expect(metadata[field], field).toBeTruthy();
    }
    const logs = new URL(`../../weights/training/${name}-x${scale}/`, import.meta.url);
    expect(JSON.parse(readFileSync(new URL("config.json", logs), "utf8")).network.scale).toBe(scale);
    expect(statSync(new URL("log.jsonl", logs)).size).toBeGreaterThan(0);
  });

  test("leaves colours as they are", async () => {
    const model = await loadPretrained(name, { scale });
    const [network, bicubic] = [networkUpscaler(model), interpolator("bicubic", scale)];
    const differences: number[] = []; // in levels
    for (const picture of photographs) {
      differences.push(
        mean((await network.upscale(picture)).data) - mean((await bicubic.upscale(picture)).data),
      );
    }
    model.dispose();
    // Detail that is added where bicubic interpolation has none may be brighter in one picture and darker in another.
    expect(Math.abs(mean(differences))).toBeLessThan(0.2);
    for (const difference of differences) expect(Math.abs(difference)).toBeLessThan(0.5);
  });

  test.skipIf(!set5 || (slow && name !== "espcn"))(
    "reaches on Set5 the figure in its file, and beats bicubic interpolation",
    async () => {
      // Clean pictures tell nothing about a network for others.
      const damage = name === photoNetwork ? ({ seed: 0, jpeg: 60 } as const) : undefined;
      const pictures = findPictures(join(set5!, "HR"), {
        scale,
        degradation: damage,
        onLeftOut: expect.fail,
      });
      const model = await loadPretrained(name, { scale });
      const psnrOf = async (upscaler: Parameters<typeof evaluate>[0]) =>
        (await evaluate(upscaler, pictures, { warmUp: false, withSsim: false })).mean.psnr;
      const psnr = await psnrOf(networkUpscaler(model));
      model.dispose();
      expect(psnr).toBeCloseTo(Number.parseFloat(metadataOf(name, scale).set5), 2);
      const key = `x${scale} ${JSON.stringify(damage)}`;
      if (!bicubicPsnr.has(key)) bicubicPsnr.set(key, psnrOf(interpolator("bicubic", scale)));
      const bicubic = (await bicubicPsnr.get(key))!;
      expect(psnr).toBeGreaterThan(bicubic + (damage ? 0.7 : 1));
    },
  );
});

test("all weights together take less than 8 MB, and none is there that has no name", () => {
  const folder = fileURLToPath(new URL("../../weights", import.meta.url));
  const files = readdirSync(folder).filter((file) => file.endsWith(".safetensors"));
  expect(files.sort()).toEqual(all.map(({ name, scale }) => `${name}-x${scale}.safetensors`).sort());
  const bytes = files.map((file) => statSync(join(folder, file)).size);
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThan(8e6);
});

test("the default network is the best that has the scale, and one for clean pictures", () => {
  for (const scale of [2, 3, 4]) {
    const names = methodNames.filter((name) => name !== photoNetwork && scalesOf(name).includes(scale));
    expect(defaultMethod(scale)).toBe(names[0]);
  }
  expect(defaultMethod(2)).toBe("wren");
  expect(defaultMethod(8)).toBe("bicubic");
  expect(defaultMethod(1)).toBe(scalesOf(photoNetwork).includes(1) ? photoNetwork : undefined);
});

test("names and scales that do not exist", async () => {
  await expect(loadPretrained("edsr" as "espcn")).rejects.toThrow(
    `there is no network "edsr"; there are ${pretrainedNames.join(", ")}`,
  );
  await expect(loadPretrained("espcn", { scale: 1 })).rejects.toThrow("espcn enlarges by 2, 3, 4, not by 1");
  await expect(loadPretrained("espcn", { scale: 8 as 2 })).rejects.toThrow(
    "espcn enlarges by 2, 3, 4, not by 8",
  );
});

test("disposed of, they leave nothing on the device", () => {
  expect(device.memory().live).toBe(0);
});
