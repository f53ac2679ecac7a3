/** Pictures enlarged by networks: in tiles as at once, in every form a picture has, stopped and watched. */
import { beforeEach, describe, expect, test } from "vitest";
import { rgbToY, rgbToYcbcr } from "../../src/data/color.ts";
import { crop, fromPlanar, type Image, toPlanar, toRgb } from "../../src/data/image.ts";
import { imresize, imresizePlane } from "../../src/data/imresize.ts";
import { EDSR, ESPCN, FSRCNN, SRCNN, type SuperResolver } from "../../src/models/index.ts";
import { type Device, setDefaultDevice } from "../../src/tensor/device.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { networkUpscaler } from "../../src/upscale/index.ts";
import { differing, drawn, noise } from "../data/support.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices: Device[] = [float32Device(), ...(await gpuDevices())];

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
];

/** Draws weights so large that every tap shows in the picture, and small enough that little is clamped. */
function liven(model: SuperResolver): SuperResolver {
  const random = new Random(3);
  for (const parameter of model.parameters()) {
    const taps = parameter.size / parameter.shape[0];
    parameter.assign(Float32Array.from({ length: parameter.size }, () => random.normal() / Math.sqrt(taps)));
  }
  return model;
}

const picture = (width: number, height: number, channels: Image["channels"] = 3) =>
  noise(width, height, channels, width);
const planesOf = (model: SuperResolver, { width, height }: Image) => {
  const channels = model.colors === "rgb" ? 3 : 1;
  return { width, height, channels, data: toPlanar(noise(width, height, channels)) };
};

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  beforeEach(() => setDefaultDevice(device));

  describe.each(networks)("%s", (_, make) => {
    test("in tiles of 32 pixels as at once, to the last bit, and leaves nothing behind", async () => {
      const model = liven(make());
      const { live } = device.memory();
      // Sizes that 32 does not divide; a tile of a single row or column; for SRCNN the enlarged picture is cut.
      for (const [width, height] of model.inputSize === "hr"
        ? [[23, 11]]
        : [
            [33, 40],
            [5, 65],
          ]) {
        const planes = planesOf(model, picture(width, height));
        const whole = await networkUpscaler(model, { bytes: Infinity }).upscalePlanes(planes);
        expect(whole).toMatchObject({ width: width * model.scale, height: height * model.scale });
        expect(new Set(whole.data).size).toBeGreaterThan(100);
        const steps: number[] = [];
        const tiled = await networkUpscaler(model, { bytes: 1 }).upscalePlanes(planes, {
          onProgress: ({ done, total }) => steps.push(done / total),
        });
        expect(steps.length).toBeGreaterThan(1);
        expect(tiled).toEqual(whole);
      }
      expect(device.memory().live).toBe(live);
      model.dispose();
    });
  });

  test("tiles follow from the bytes that a feature map may take", async () => {
    const model = new ESPCN({ scale: 2, filters: [4, 3] }); // 4 values a pixel, a halo of 4
    const tiles = async (side: number) => {
      let count = 0;
      const bytes = 4 * 4 * (side + 2 * model.halo) ** 2;
      await networkUpscaler(model, { bytes }).upscale(picture(40, 10, 1), { onProgress: () => count++ });
      return count;
    };
    expect(await tiles(39)).toBe(2);
    expect(await tiles(40)).toBe(1);
    model.dispose();
  });
});

describe("pictures of every kind", () => {
  beforeEach(() => setDefaultDevice(devices[0]));

  test("RGB by a network for RGB: its planes, rounded", async () => {
    using _ = scope();
    const model = new EDSR({ blocks: 1, channels: 2, random: new Random(1) });
    const image = picture(6, 5);
    const y = await model.forward(tensor(toPlanar(image), [1, 3, 5, 6])).data();
    expect(await networkUpscaler(model).upscale(image)).toEqual(fromPlanar(y, 12, 10, 3));
  });

  test("grey by a network for RGB: the mean of what it makes of three equal planes", async () => {
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

  /** Answers luma as bicubic interpolation would, so that the rest of the way can be checked. */
  const bicubicNetwork = (scale: 2 | 3) => {
    const model = new SRCNN({ scale, kernels: [1, 1, 1], filters: [1, 1] });
    for (const [name, weight] of model.namedTensors()) weight.assign([name.endsWith("weight") ? 1 : 0]);
    return networkUpscaler(model);
  };

  test("RGB by a network for luma: luma by the network, colour by bicubic, nothing rounded between", async () => {
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

  test("a single channel is luma already, and upscaleY is it without rounding", async () => {
    const image = toRgb(picture(7, 6));
    const plane = rgbToY(image);
    const y = await bicubicNetwork(2).upscaleY(plane, 7, 6);
    expectClose(y, imresizePlane(plane, image, { width: 14, height: 12 }), { absolute: 1e-4 });
    const levels: Image = { width: 7, height: 6, channels: 1, data: Uint8Array.from(plane, Math.round) };
    const result = await bicubicNetwork(2).upscale(levels);
    const unrounded = imresizePlane(levels.data, levels, { width: 14, height: 12 });
    expect([...result.data]).toEqual([...unrounded].map((v) => Math.min(255, Math.max(0, Math.round(v)))));
  });

  test("alpha goes its own way, by bicubic", async () => {
    for (const channels of [2, 4] as const) {
      const image = picture(6, 5, channels);
      const colors = (channels - 1) as 1 | 3;
      const part = (which: (i: number) => boolean, n: 1 | 3): Image => ({
        ...image,
        channels: n,
        data: image.data.filter((_, i) => which(i)),
      });
      const opaque = await bicubicNetwork(2).upscale(part((i) => i % channels < colors, colors));
      const alpha = imresize(
        part((i) => i % channels === colors, 1),
        2,
      );
      const result = await bicubicNetwork(2).upscale(image);
      expect(result).toEqual(
        drawn(12, 10, channels, (x, y, c) =>
          c === colors ? alpha.data[y * 12 + x] : opaque.data[(y * 12 + x) * colors + c],
        ),
      );
    }
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

  test("can be watched, and stopped between tiles", async () => {
    const model = new ESPCN({ scale: 2, filters: [1, 1] });
    const upscaler = networkUpscaler(model, { bytes: 1 });
    const seen: string[] = [];
    await upscaler.upscale(picture(70, 33), {
      onProgress: ({ done, total }) => seen.push(`${done}/${total}`),
    });
    expect(seen).toEqual(["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"]);
    const controller = new AbortController();
    const { live } = devices[0].memory();
    const stopped = upscaler.upscale(picture(70, 33), {
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(devices[0].memory().live).toBe(live);
  });

  test("two at a time do not disturb each other", async () => {
    const model = liven(new ESPCN({ scale: 2, filters: [2, 2] }));
    const upscaler = networkUpscaler(model, { bytes: 1 });
    const [a, b] = [picture(40, 33, 1), picture(35, 37, 1)];
    const alone = [await upscaler.upscale(a), await upscaler.upscale(b)];
    expect(await Promise.all([upscaler.upscale(a), upscaler.upscale(b)])).toEqual(alone);
  });
});
