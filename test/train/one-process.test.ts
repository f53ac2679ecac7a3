/** Training in a program that does other things, too: its device, other runs, and upscaling beside it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { defaultDevice, onDevice, openDevice, setDefaultDevice } from "../../src/device/open.ts";
import { loadPretrained, parseSafetensors, scope, tensor, upscale } from "../../src/node.ts";
import { type TrainConfig, train } from "../../src/train/index.ts";
import { float32Device, gpuDevices, logicDevices } from "../support/devices.ts";
import { drawnPicture, picturesIn } from "../support/pictures.ts";
import { temporaryPaths, tiny } from "./support.ts";

const unused = temporaryPaths();
const gpus = logicDevices(await gpuDevices());
const devices: Device[] = [float32Device(), ...gpus];
let data: string;
beforeAll(async () => {
  data = await picturesIn(unused(), 4);
});
afterEach(() => vi.unstubAllEnvs());

const config = (change: Partial<TrainConfig> = {}): TrainConfig => ({
  ...{ ...tiny, data: [data], out: unused(), evalEvery: 3, adapter: "cpu" },
  ...change,
});
const weights = (folder: string) => parseSafetensors(readFileSync(join(folder, "last.safetensors"))).tensors;

// The first test: there is no default device yet.
test("a program without a device has none after training, and upscale() opens one", async () => {
  await train(config());
  expect(() => defaultDevice()).toThrow("No device is open");
  vi.stubEnv("PIXELGRAD_ADAPTER", "cpu");
  const small = drawnPicture(1, 8, 8);
  const { image } = await upscale(small, { method: "espcn" });
  expect([image.width, image.height]).toEqual([16, 16]);
});

test("the default device stays what it was, during a run and after it, even after one that fails", async () => {
  const device = await openDevice({ adapter: "cpu" });
  setDefaultDevice(device);
  const seen = new Set<Device>();
  await train(config(), { onProgress: () => seen.add(defaultDevice()) });
  await expect(train(config({ init: "nowhere" }))).rejects.toThrow("nowhere");
  await train(config(), { device: devices[0] });
  seen.add(defaultDevice());
  expect([...seen]).toEqual([device]);
  // For a while, another one.
  expect(() =>
    onDevice(devices[0], () => {
      expect(tensor(1).device).toBe(devices[0]);
      throw new Error("in there");
    }),
  ).toThrow("in there");
  expect(defaultDevice()).toBe(device);
});

test.each(gpus.map((device) => [device.name, device] as const))(
  "on %s two runs at once, one longer than the other, learn what each learns alone",
  async (_, device) => {
    const long = (): TrainConfig => config({ steps: 12 });
    const short = (): TrainConfig => config({ seed: 5, ema: 0.9, evalEvery: 2 });
    const alone = [long(), short()];
    for (const one of alone) await train(one, { device });
    const want = alone.map(({ out }) => weights(out!));
    const { live } = device.memory();
    const together = [long(), short()];
    await Promise.all(together.map((one) => train(one, { device })));
    expect(together.map(({ out }) => weights(out!))).toEqual(want);
    expect(device.memory().live).toBe(live);
  },
);

test("two runs that open a device each, at once", async () => {
  const [{ adapterClass: adapter }] = gpus;
  const runs = () => [config({ adapter, steps: 12 }), config({ adapter, seed: 5 })];
  const [alone, together] = [runs(), runs()];
  for (const one of alone) await train(one);
  await Promise.all(together.map((one) => train(one)));
  expect(together.map(({ out }) => weights(out!))).toEqual(alone.map(({ out }) => weights(out!)));
});

test.each(gpus.map((device) => [device.name, device] as const))(
  "on %s upscale() beside a run gives the same pictures, and the run the same weights",
  async (_, device) => {
    setDefaultDevice(device);
    const picture = drawnPicture(3, 40, 36);
    const alone = config({ steps: 20, evalEvery: 5 });
    await train(alone, { device });
    const model = await loadPretrained("espcn", { scale: 2 });
    const want = (await upscale(picture, { method: model })).image.data;
    const beside = config({ steps: 20, evalEvery: 5 });
    let running = true;
    const run = train(beside, { device }).finally(() => {
      running = false;
    });
    let pictures = 0;
    // A network of its own, which is loaded and freed, and one that was there before.
    for (; running; pictures++) {
      const method = pictures % 2 === 0 ? "espcn" : model;
      expect((await upscale(picture, { method, tile: 20 })).image.data).toEqual(want);
    }
    await run;
    model.dispose();
    expect(pictures).toBeGreaterThan(2);
    expect(weights(beside.out!)).toEqual(weights(alone.out!));
  },
);

test("upscale() beside a program's own loop, whose scope is open while it waits", async () => {
  const [device] = gpus;
  setDefaultDevice(device);
  const picture = drawnPicture(3, 60, 60);
  const methods = ["espcn", "edsr-small"] as const; // one stage, and two
  const enlarge = async () => {
    const results = [];
    for (const method of methods) results.push((await upscale(picture, { method, tile: 20 })).image.data);
    return results;
  };
  const want = await enlarge();
  let running = true;
  const loop = (async () => {
    while (running) {
      using _ = scope();
      await tensor([1, 2]).data();
    }
  })();
  for (let i = 0; i < 3; i++) expect(await enlarge()).toEqual(want);
  running = false;
  await loop;
});
