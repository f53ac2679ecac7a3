/** Pictures enlarged by networks: in tiles and at once, in every form, with progress and aborts. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { GpuDevice } from "../../src/device/gpu-device.ts";
import { setDefaultDevice } from "../../src/device/open.ts";
import { facts } from "../../src/device/profile.ts";
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
import { Dropout } from "../../src/nn/layers.ts";
import { rgbToY, rgbToYcbcr } from "../../src/picture/color.ts";
import { crop, type Image, toRgb } from "../../src/picture/image.ts";
import { imresizePlane } from "../../src/picture/imresize.ts";
import { toByte } from "../../src/picture/levels.ts";
import { fromPlanar, toPlanar } from "../../src/picture/planes.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { networkUpscaler, openMethod, upscale } from "../../src/upscale/index.ts";
import { saveWeights } from "../../src/weights/weight-file.ts";
import { differing, drawn, noise } from "../data/support.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, foreignCases, gpuDevices, logicDevices } from "../support/devices.ts";
import { liven } from "../support/liven.ts";
import { spread } from "../support/tier.ts";

const gpus = await gpuDevices();
const devices: Device[] = [float32Device(), ...gpus];

const networks: readonly (readonly [string, () => SuperResolver])[] = [
  ["SRCNN x3", () => new SRCNN({ filters: [4, 3] })],
  ["SRCNN x2, zeros", () => new SRCNN({ scale: 2, kernels: [9, 3, 5], filters: [3, 2], padding: "zeros" })],
  ["ESPCN x2", () => new ESPCN({ scale: 2, filters: [4, 3] })],
  ["ESPCN x3, residual", () => new ESPCN({ scale: 3, filters: [3, 4], activation: "relu", residual: true })],
  ["FSRCNN x2", () => new FSRCNN({ scale: 2, d: 4, s: 2, m: 1 })],
  ["FSRCNN x3", () => new FSRCNN({ scale: 3, d: 4, s: 2, m: 1 })],
  ["FSRCNN x4", () => new FSRCNN({ scale: 4, d: 4, s: 2, m: 1 })],
  ["EDSR x2", () => new EDSR({ scale: 2, blocks: 1, channels: 3 })],
  ["EDSR x3", () => new EDSR({ scale: 3, blocks: 1, channels: 3 })],
  ["EDSR x4", () => new EDSR({ scale: 4, blocks: 1, channels: 2 })],
  ["Compact x1", () => new Compact({ scale: 1, layers: 1, channels: 3 })],
  ["SPAN x2", () => new SPAN({ scale: 2, blocks: 1, channels: 3 })],
  ["Wren x1", () => new Wren({ scale: 1, blocks: 1, channels: 3 })],
  ["Wren x3", () => new Wren({ scale: 3, blocks: 1, channels: 3 })],
  ["RRDBNet x2", () => new RRDBNet({ scale: 2, blocks: 1, channels: 2, growth: 2 })],
  [
    "RRDBNet x2, unshuffle 2",
    () => new RRDBNet({ scale: 2, blocks: 1, channels: 2, growth: 2, unshuffle: 2 }),
  ],
];

const picture = (width: number, height: number, channels: Image["channels"] = 3) =>
  noise(width, height, channels, width);
const planesOf = (model: SuperResolver, { width, height }: Image) => {
  const channels = model.planes;
  return { width, height, channels, data: toPlanar(noise(width, height, channels)) };
};

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));
  const isForLogic = logicDevices(gpus).some((gpu) => gpu === device);

  test("networks enlarge in eval mode, and train on afterwards", async () => {
    class Dropping extends SRCNN {
      readonly dropout = new Dropout(0.5);

      override forward(x: Tensor): Tensor {
        return this.dropout.forward(super.forward(x));
      }
    }
    const options = { filters: [4, 3] as const };
    const [plain, dropping] = [new SRCNN(options), new Dropping(options)];
    for (const model of [plain, dropping]) liven(model);
    const planes = planesOf(plain, picture(9, 8));
    const large = await networkUpscaler(plain).upscalePlanes(planes);
    expect(await networkUpscaler(dropping).upscalePlanes(planes)).toEqual(large);
    expect(dropping.dropout.training).toBe(true);
    for (const model of [plain, dropping]) model.dispose();
  });

  describe.each(networks)("%s", (name, make) => {
    // RRDBNet looks far and needs large pictures, and the references of the CPU are slow.
    const isTooSlow = device.name === "cpu" && name.startsWith("RRDBNet");
    test.skipIf(isTooSlow)("in tiles as at once, to the last bit, and leaves nothing behind", async () => {
      const model = liven(make());
      const upscaler = networkUpscaler(model);
      const { live } = device.memory();
      // Networks that look far need larger pictures for more than one tile.
      const wider = model.halo > 16 ? 4 * model.halo : 0;
      // Tiles that do not divide the picture, of all kinds of widths; for the larger pictures, one of them, and a wider
      // tile: most of what each tile computes is its surroundings.
      const sizes = [
        [33, 40, 16],
        [5, 65, 11],
        [47, 3, 7],
      ];
      const own = isForLogic && wider === 0 ? spread(sizes, 1) : sizes.slice(0, 1);
      for (const [ownWidth, height, ownTile] of own) {
        const width = ownWidth + wider;
        const tile = wider > 0 ? 2 * ownTile : ownTile;
        const planes = planesOf(model, picture(width, height));
        const image = picture(width, height, 4);
        for (const padding of ["mirror", "none"] as const) {
          const whole = await upscaler.upscalePlanes(planes, { padding });
          // (Blocks that the picture does not fill are filled here as imresize would, and in `forward` as PyTorch.)
          if (model.inputSize === "low" && padding === "none" && model.multiple === 1) {
            using _ = scope();
            const x = tensor(planes.data, [1, planes.channels, height, width], { device });
            expect(whole.data).toEqual(await model.forward(x).data());
          }
          expect(whole).toMatchObject({ width: width * model.scale, height: height * model.scale });
          expect(new Set(whole.data).size).toBeGreaterThan(100);
          const steps: number[] = [];
          const onProgress = ({ done, total }: { done: number; total: number }) => steps.push(done / total);
          expect(await upscaler.upscalePlanes(planes, { tile, padding, onProgress })).toEqual(whole);
          expect(steps.length).toBeGreaterThan(1);
          expect(steps.at(-1)).toBe(1);
        }
        expect(await upscaler.upscale(image, { tile })).toEqual(await upscaler.upscale(image));
      }
      expect(device.memory().live).toBe(live);
      model.dispose();
    });

    test("takes no more of the device's memory than allowed, and not much less", async () => {
      const model = liven(make());
      const upscaler = networkUpscaler(model);
      device.freeUnused();
      const { liveBytes, bufferBytes } = device.memory();
      // The references of the CPU are slow, and their memory is known to the byte.
      const [width, height, maxMemory] = device instanceof GpuDevice ? [220, 160, 12e6] : [110, 80, 3e6];
      device.resetPeak();
      let tiles = 0;
      await upscaler.upscalePlanes(planesOf(model, picture(width, height)), {
        maxMemory,
        onProgress: ({ total }) => {
          tiles = total;
        },
      });
      const after = device.memory();
      const gpu = device instanceof GpuDevice;
      const used = gpu ? after.bufferBytes - bufferBytes : after.peakBytes - liveBytes;
      expect(used).toBeLessThan(maxMemory);
      // The rest is JavaScript's.
      if (tiles > 1) expect(used).toBeGreaterThan(maxMemory / 20);
      model.dispose();
    });
  });

  test("a device's limits decide as well: the largest feature map must fit into one binding", () => {
    if (!(device instanceof GpuDevice)) return;
    const { maxStorageBufferBindingSize } = device.gpu.limits;
    const maxPixels = (model: SuperResolver) => {
      const pixels = networkUpscaler(model).pixelsWithin(Number.POSITIVE_INFINITY);
      model.dispose();
      return pixels;
    };
    // Not every card's limit is a power of two.
    const bindable = Math.floor(maxStorageBufferBindingSize / (64 * 4));
    expect(maxPixels(new ESPCN({ scale: 2 }))).toBe(bindable);
    // At the small size; the later layers run in strips.
    expect(maxPixels(new EDSR({ scale: 4, blocks: 1 }))).toBe(bindable);
  });

  // Tuning may choose another block for every size of a tile. conv2d.test.ts has all blocks there are.
  const kinds = spread(["its own", "a real GPU's"], 1);
  test.each(device instanceof GpuDevice ? foreignCases(device, gpus, kinds, 1) : [])(
    "kernels tuned for other sizes, %s, give the same bits",
    async (kind) => {
      if (!(device instanceof GpuDevice)) return;
      const { profile } = device;
      if (kind !== "its own") device.profile = { ...profile, ...facts.gpu };
      const model = liven(new EDSR({ scale: 2, blocks: 1, channels: 8 }));
      const upscaler = networkUpscaler(model);
      const image = picture(43, 37);
      const whole = await upscaler.upscale(image);
      let tuned = 0;
      device.tuning.observer = ({ key, byRule, candidates }) => {
        if (tuned === 5 || device.tuning.choices.has(key)) return; // as a tuner: one choice for each size
        const others = candidates().filter(({ variant }) => variant === byRule.variant);
        device.tuning.choices.set(key, others[(5 * tuned++) % others.length]);
      };
      try {
        expect(await upscaler.upscale(image, { tile: 13 })).toEqual(whole);
      } finally {
        device.tuning.observer = undefined;
        device.tuning.choices.clear();
        device.profile = profile;
      }
      expect(tuned).toBeGreaterThan(3);
      model.dispose();
    },
    600_000, // software adapters take seconds to compile some of the kernels that are made for cards
  );
});

describe("pictures of every kind", () => {
  beforeEach(() => setDefaultDevice(devices[0]));

  test("RGB by a network for RGB: its planes, rounded", async () => {
    using _ = scope();
    const model = new EDSR({ blocks: 1, channels: 2, random: new Random(1) });
    const image = picture(6, 5);
    const y = await model.forward(tensor(toPlanar(image), [1, 3, 5, 6])).data();
    expect(await networkUpscaler(model).upscale(image, { padding: "none" })).toEqual(
      fromPlanar(y, 12, 10, 3),
    );
  });

  test("grey by a network for RGB: the mean of its answer to three equal planes", async () => {
    const model = new EDSR({ blocks: 1, channels: 2, random: new Random(1) });
    const upscaler = networkUpscaler(model);
    const grey = picture(6, 5, 1);
    const result = await upscaler.upscale(grey);
    expect(result).toMatchObject({ width: 12, height: 10, channels: 1 });
    const { data } = await upscaler.upscalePlanes({
      width: 6,
      height: 5,
      channels: 3,
      data: toPlanar(toRgb(grey)),
    });
    const mean = Float32Array.from({ length: 120 }, (_, i) => (data[i] + data[120 + i] + data[240 + i]) / 3);
    expect(differing(result, fromPlanar(mean, 12, 10, 1))).toBeLessThanOrEqual(1); // sums in another order
  });

  /** Enlarges luma like bicubic interpolation, so that the rest of the way can be checked. */
  const bicubicNetwork = (scale: 2 | 3) => {
    const model = new SRCNN({ scale, kernels: [1, 1, 1], filters: [1, 1] });
    for (const [name, weight] of model.namedTensors()) weight.assign([name.endsWith("weight") ? 1 : 0]);
    return networkUpscaler(model);
  };

  test("RGB by a network for luma: luma by the network, chroma by bicubic, no rounding between", async () => {
    const image = picture(7, 6);
    const result = await bicubicNetwork(3).upscale(image);
    const ycbcr = rgbToYcbcr(image);
    const size = { width: 21, height: 18 };
    const large = [0, 1, 2].map((k) => imresizePlane(ycbcr.subarray(k * 42, (k + 1) * 42), image, size));
    // Back to RGB by the textbook's coefficients.
    const [y, cb, cr] = large;
    const rgb = drawn(21, 18, 3, (column, row, c) => {
      const i = row * 21 + column;
      const [u, v] = [cb[i] - 128, cr[i] - 128];
      const gains = [1.596027 * v, -0.391762 * u - 0.812968 * v, 2.017232 * u][c];
      return Math.min(255, Math.max(0, Math.round(1.164384 * (y[i] - 16) + gains)));
    });
    expect(differing(result, rgb)).toBeLessThanOrEqual(2);
    // A picture without colour stays without.
    const grey = toRgb(picture(7, 6, 1));
    const { data } = await bicubicNetwork(2).upscale(grey);
    for (let i = 0; i < data.length; i += 3) expect(new Set(data.subarray(i, i + 3)).size).toBe(1);
  });

  test("grey by a network for luma: a picture from black to white, as it is in RGB", async () => {
    const grey = picture(7, 6, 1);
    const result = await bicubicNetwork(2).upscale(grey);
    const large = imresizePlane(grey.data, grey, { width: 14, height: 12 });
    const levels = { ...result, data: Uint8Array.from(large, toByte) };
    expect(differing(result, levels)).toBeLessThanOrEqual(1); // studio range and back in single precision
    expect(Math.min(...result.data)).toBe(0);
    expect(Math.max(...result.data)).toBe(255);
  });

  test("luma goes through upscaleY, and is not rounded", async () => {
    const image = toRgb(picture(7, 6));
    const plane = rgbToY(image);
    const y = await bicubicNetwork(2).upscaleY(plane, 7, 6);
    expectClose(y, imresizePlane(plane, image, { width: 14, height: 12 }), { absolute: 1e-4 });
  });

  test("errors", async () => {
    const edsr = networkUpscaler(new EDSR({ blocks: 1, channels: 1 }));
    await expect(edsr.upscaleY([1], 1, 1)).rejects.toThrow("EDSR works on red, green and blue");
    await expect(bicubicNetwork(2).upscaleY([1, 2], 1, 1)).rejects.toThrow(
      "a plane of 1x1 has 1 values, but 2",
    );
    const diverged = new ESPCN({ scale: 2, filters: [1, 1] });
    for (const parameter of diverged.parameters())
      parameter.assign(new Float32Array(parameter.size).fill(NaN));
    await expect(networkUpscaler(diverged).upscale(picture(3, 3))).rejects.toThrow("has diverged");
    await expect(networkUpscaler(diverged).upscale(picture(3, 3, 1))).rejects.toThrow("has diverged");
    const planes = { width: 1, height: 1, channels: 1, data: new Float32Array(1) };
    await expect(edsr.upscalePlanes(planes)).rejects.toThrow("EDSR takes 3 planes, but 1 were given");
    const cut = { ...crop(picture(3, 3), 0, 0, 2, 2), width: 3 };
    await expect(edsr.upscale(cut)).rejects.toThrow("upscale: a picture of 3x2 with 3 channels has 18 bytes");
  });

  test("progress after each tile, and an abort between two", async () => {
    const model = new ESPCN({ scale: 2, filters: [1, 1] });
    const upscaler = networkUpscaler(model);
    const reports: string[] = [];
    await upscaler.upscale(picture(70, 33), {
      tile: 20,
      onProgress: ({ done, total }) => reports.push(`${done}/${total}`),
    });
    // Across 70 / 20 tiles, and down 33 / 20.
    expect(reports).toEqual(Array.from({ length: 8 }, (_, i) => `${i + 1}/8`));
    const controller = new AbortController();
    const { live } = devices[0].memory();
    const stopped = upscaler.upscale(picture(70, 33), {
      tile: 20,
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(devices[0].memory().live).toBe(live);
  });

  test("two at a time do not disturb each other", async () => {
    const model = liven(new ESPCN({ scale: 2, filters: [2, 2] }));
    const upscaler = networkUpscaler(model);
    const [a, b] = [picture(40, 33, 1), picture(35, 37, 1)];
    const alone = [await upscaler.upscale(a), await upscaler.upscale(b)];
    const together = [a, b].map((image) => upscaler.upscale(image, { tile: 16 }));
    expect(await Promise.all(together)).toEqual(alone);
  });
});

test("a network that has been disposed is called that, as its own object and behind an upscaler", async () => {
  setDefaultDevice(devices[0]);
  const picture = noise(8, 8, 3, 1);
  const message = "The network ESPCN has been disposed";
  const model = new ESPCN({ scale: 2, filters: [4, 3] });
  const { upscaler, close } = await openMethod({ method: await saveWeights(model) });
  await upscale(picture, { method: upscaler });
  close();
  await expect(upscale(picture, { method: upscaler })).rejects.toThrow(message);
  const own = networkUpscaler(model);
  model.dispose();
  await expect(upscale(picture, { method: own })).rejects.toThrow(message);
  await expect(upscale(picture, { method: model })).rejects.toThrow(message);
});
