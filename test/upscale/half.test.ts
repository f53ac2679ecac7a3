/** Networks whose weights and feature maps are stored as float16: the same pictures in half the memory. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Device, GpuError } from "../../src/device/device.ts";
import { GpuDevice } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { evaluate, findPictures } from "../../src/evaluate/index.ts";
import {
  Compact,
  EDSR,
  ESPCN,
  FSRCNN,
  RRDBNet,
  SPAN,
  SRCNN,
  type SuperResolver,
  Wren,
} from "../../src/models/index.ts";
import { type Conv2d, normalInit } from "../../src/nn/index.ts";
import { networkUpscaler, openMethod, selfEnsemble, upscale } from "../../src/node.ts";
import { toPlanar } from "../../src/picture/planes.ts";
import { Random } from "../../src/tensor/random.ts";
import { saveWeights } from "../../src/weights/index.ts";
import { noise, testData } from "../data/support.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const gpus = await gpuDevices();
const having: Device[] = [float32Device(), ...gpus.filter(({ profile }) => profile.float16)];
const named = <D extends Device>(devices: readonly D[]) =>
  devices.map((device) => [device.name, device] as const);
const [fastest] = gpus.filter(({ profile }) => profile.float16);

const random = () => new Random(1);
const networks: readonly (readonly [string, () => SuperResolver])[] = [
  ["SRCNN x3", () => new SRCNN({ filters: [4, 3], residual: true, random: random() })],
  ["ESPCN x3", () => new ESPCN({ scale: 3, filters: [3, 4], residual: true, random: random() })],
  ["FSRCNN x2", () => new FSRCNN({ scale: 2, d: 4, s: 3, m: 1, random: random() })],
  ["EDSR x2", () => new EDSR({ scale: 2, blocks: 1, channels: 3, random: random() })],
  [
    "Compact x2",
    () => new Compact({ scale: 2, layers: 1, channels: 4, activation: "prelu", random: random() }),
  ],
  ["SPAN x2", () => new SPAN({ scale: 2, blocks: 1, channels: 4, random: random() })],
  [
    "SPAN x2 of a normalized picture",
    () => {
      const model = new SPAN({ scale: 2, blocks: 1, channels: 4, normalize: true, random: random() });
      // From numbers a hundred times as large to those of pictures.
      normalInit(model.upsampler.modules[0] as Conv2d, 1e-4, { random: random() });
      return model;
    },
  ],
  ["Wren x2", () => new Wren({ scale: 2, blocks: 1, channels: 4, random: random() })],
  ["RRDBNet x2", () => new RRDBNet({ scale: 2, blocks: 1, channels: 4, growth: 2, random: random() })],
  [
    "RRDBNet x2 of an unshuffled picture",
    () => new RRDBNet({ scale: 2, blocks: 1, channels: 4, growth: 2, unshuffle: 2, random: random() }),
  ],
  ["EDSR x4", () => new EDSR({ scale: 4, blocks: 1, channels: 8, random: random() })],
];

const planesFor = ({ planes }: SuperResolver, width: number, height: number) => {
  return { width, height, channels: planes, data: toPlanar(noise(width, height, planes)) };
};

describe.each(named(having))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  describe.each(networks)("%s", (_, make) => {
    test("in tiles as at once, to the last bit; hardly another picture; nothing left behind", async () => {
      const [full, model] = [make(), make().half()];
      for (const tensor of model.namedTensors().values()) expect(tensor.dtype).toBe("float16");
      expect(model.parameterCount()).toBe(full.parameterCount());
      const upscaler = networkUpscaler(model);
      const { live } = device.memory();
      const sizes = [
        [33, 27, 16],
        [5, 23, 7],
      ];
      // How a picture is divided does not depend on the device, and the CPU is the slowest.
      for (const [width, height, tile] of device instanceof GpuDevice ? sizes : sizes.slice(1)) {
        const planes = planesFor(model, width, height);
        for (const padding of ["mirror", "none"] as const) {
          const whole = await upscaler.upscalePlanes(planes, { padding });
          expect(await upscaler.upscalePlanes(planes, { padding, tile })).toEqual(whole);
          const { data } = await networkUpscaler(full).upscalePlanes(planes, { padding });
          expect(whole.data).not.toEqual(data); // else nothing was rounded
          // These weights are random, so values lie around 0 and 1. In float16 those lie 0.001 apart.
          expectClose(whole.data, data, { absolute: 0.004, relative: 0.004 });
        }
      }
      expect(device.memory().live).toBe(live);
      for (const each of [full, model]) each.dispose();
    });

    test("more pixels fit into the same memory, and it is kept to", async () => {
      const pixels = (model: SuperResolver) => {
        const count = networkUpscaler(model).pixelsWithin(64e6);
        model.dispose();
        return count;
      };
      // Not twice as many: what goes in and comes out is float32, and that of x4 is as large as the feature maps.
      expect(pixels(make().half())).toBeGreaterThan(1.04 * pixels(make()));
      const model = make().half();
      const upscaler = networkUpscaler(model);
      device.freeUnused();
      const { liveBytes, bufferBytes } = device.memory();
      device.resetPeak();
      // The references of the CPU are slow, and their memory is known to the byte.
      const [width, height, maxMemory] = device instanceof GpuDevice ? [150, 110, 8e6] : [105, 80, 4e6];
      await upscaler.upscalePlanes(planesFor(model, width, height), { maxMemory });
      const after = device.memory();
      const used = Math.max(after.bufferBytes - bufferBytes, after.peakBytes - liveBytes);
      expect(used).toBeLessThan(maxMemory);
      model.dispose();
    });
  });

  test("the ensemble, too", async () => {
    const model = new ESPCN({ scale: 2, filters: [3, 4], random: random() }).half();
    const ensemble = selfEnsemble(networkUpscaler(model));
    const planes = planesFor(model, 9, 7);
    expect(await ensemble.upscalePlanes(planes, { tile: 3 })).toEqual(await ensemble.upscalePlanes(planes));
    model.dispose();
  });

  test("numbers beyond 65504 are an error, and no picture", async () => {
    const model = new ESPCN({ scale: 2, filters: [3, 4], activation: "relu", random: random() });
    const scale = (parameter: string, value: number) => {
      const tensor = model.namedTensors().get(parameter)!;
      tensor.assign(new Float32Array(tensor.size).fill(value));
    };
    scale("first_part.0.weight", 3e4); // 25 of them under a window
    scale("first_part.2.weight", 1e-6);
    const planes = { ...planesFor(model, 5, 4), data: new Float32Array(20).fill(0.5) };
    expect((await networkUpscaler(model).upscalePlanes(planes)).data.every(Number.isFinite)).toBe(true);
    model.half();
    await expect(networkUpscaler(model, "mine").upscalePlanes(planes)).rejects.toThrow(
      /^upscalePlanes: mine, computed in float16, made NaN or infinity of a pixel: some number on the way is larger than 65504/,
    );
    model.dispose();
  });

  test("half: true, for networks that are opened here", async () => {
    const picture = noise(20, 9, 3);
    const model = new ESPCN({ scale: 3, filters: [8, 4], random: random() });
    const bytes = await saveWeights(model);
    const { live, liveBytes } = device.memory();
    const opened = await openMethod({ method: bytes, half: true });
    expect(opened).toMatchObject({ half: true, parameters: model.parameterCount() });
    const inHalf = device.memory().liveBytes - liveBytes;
    opened.close();
    const plain = await openMethod({ method: bytes });
    expect(plain.half).toBe(false);
    expect(device.memory().liveBytes - liveBytes).toBeGreaterThan(inHalf);
    plain.close();
    const { image } = await upscale(picture, { method: bytes, half: true });
    expect(device.memory().live).toBe(live);

    await expect(openMethod({ method: model, half: true })).rejects.toThrow(
      "openMethod: half is for networks that are opened here, and this one is yours. Call half() on it first",
    );
    await expect(openMethod({ method: networkUpscaler(model), half: true })).rejects.toThrow(
      "half is for networks that are opened here, and this is an upscaler already.",
    );
    await expect(upscale(picture, { method: "bicubic", half: true })).rejects.toThrow(
      "upscale: half is for networks that are opened here, and bicubic is an interpolation. Leave half out.",
    );
    model.half();
    expect(await openMethod({ method: model, half: true })).toMatchObject({ half: true });
    expect((await upscale(picture, { method: model })).image).toEqual(image);
    model.dispose();
  });
});

test.each(named(gpus))(
  "%s, without the feature: an error that says what to do, and nothing changes",
  async (_, device) => {
    setDefaultDevice(device);
    const { profile } = device;
    device.profile = { ...profile, float16: false };
    try {
      const model = new ESPCN({ scale: 2, filters: [2, 2] });
      const { live } = device.memory();
      expect(() => model.half()).toThrow(GpuError);
      const bytes = await saveWeights(model);
      await expect(openMethod({ method: bytes, half: true })).rejects.toThrow(
        /^half: .* lacks WebGPU's feature shader-f16.*use another adapter/,
      );
      expect(device.memory().live).toBe(live);
      expect([...model.namedTensors().values()].map(({ dtype }) => dtype)).not.toContain("float16");
      model.dispose();
    } finally {
      device.profile = profile;
    }
  },
);

describe.skipIf(fastest === undefined)("networks that come with the library", () => {
  const shipped = ["srcnn", "espcn", "edsr-small"] as const;
  beforeEach(() => setDefaultDevice(fastest));

  test.each(shipped)("%s takes half of the device's memory", async (method) => {
    const bytesFor = async (half: boolean) => {
      const { upscaler, close } = await openMethod({ method, half });
      const planes = { width: 64, height: 64, channels: upscaler.colors === "rgb" ? 3 : 1 };
      fastest.freeUnused();
      const before = fastest.memory();
      fastest.resetPeak();
      await upscaler.upscalePlanes({
        ...planes,
        data: new Float32Array(planes.channels * 64 * 64).fill(0.5),
      });
      const { peakBytes } = fastest.memory();
      close();
      return peakBytes - before.liveBytes;
    };
    const ratio = (await bytesFor(true)) / (await bytesFor(false));
    console.log(`${method}: ${(100 * ratio).toFixed(1)} % of the bytes`);
    expect(ratio).toBeGreaterThan(0.49);
    expect(ratio).toBeLessThan(0.53); // the picture itself, before and after, is float32
  });

  const set5 = testData("set5");
  test.skipIf(!set5).each(shipped)("%s x2 on Set5: within 0.01 dB", async (method) => {
    const meanPsnr = async (half: boolean) => {
      const { upscaler, close } = await openMethod({ method, scale: 2, half });
      const pictures = findPictures(`${set5}/HR`, { scale: 2, onLeftOut: (message) => expect.fail(message) });
      const { mean, images } = await evaluate(upscaler, pictures, { warmUp: false, withSsim: false });
      close();
      expect(images.length).toBe(5);
      return mean.psnr;
    };
    const [full, half] = [await meanPsnr(false), await meanPsnr(true)];
    console.log(`${method} x2: ${full.toFixed(4)} dB, with half ${half.toFixed(4)}`);
    expect(half).not.toBe(full);
    expect(Math.abs(half - full)).toBeLessThan(0.01);
  });
});
