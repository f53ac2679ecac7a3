/** Interpolation as an upscaler: that it is imresize. The test of imresize compares that with Matlab. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeviceLostError } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { init, setDefaultDevice } from "../../src/device/open.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { tensor } from "../../src/tensor/create.ts";
import { interpolator, type Method, openMethod, upscale } from "../../src/upscale/index.ts";
import { upscalerOf } from "../../src/upscale/upscaler.ts";
import { drawn, noise } from "../data/support.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { loseAt } from "../support/lose-devices.ts";

const devices = await gpuDevices();
const scales = [2, 3, 4, 8];

describe.each(scales)("x%i", (scale) => {
  test.each([1, 3] as const)("bicubic of %i channels is imresize, to the last bit", async (channels) => {
    const picture = noise(7, 5, channels);
    expect(await interpolator("bicubic", scale).upscale(picture)).toEqual(imresize(picture, scale));
  });

  test("nearest repeats every pixel", async () => {
    const picture = noise(5, 4, 3);
    const pixel = (x: number, y: number, c: number) =>
      picture.data[(Math.floor(y / scale) * 5 + Math.floor(x / scale)) * 3 + c];
    expect(await interpolator("nearest", scale).upscale(picture)).toEqual(
      drawn(5 * scale, 4 * scale, 3, pixel),
    );
  });

  test("bilinear is PyTorch's, as the golden files have it", async () => {
    const device = float32Device();
    const picture = noise(6, 5, 1);
    const plane = await interpolator("bilinear", scale).upscaleY(picture.data, 6, 5);
    const x = tensor(picture.data, [1, 1, 5, 6], { device });
    const want = await interpolate(x, { mode: "bilinear", scaleFactor: scale }).data();
    expectClose(plane, want, { absolute: 1e-4 });
    const { data } = await interpolator("bilinear", scale).upscale(picture);
    for (const [i, value] of data.entries()) expect(Math.abs(value - want[i])).toBeLessThan(1.01);
  });
});

test("planes are not rounded and not clamped", async () => {
  const edge = Float32Array.from([0, 0, 1, 1]);
  const { data, width, height, channels } = await interpolator("bicubic", 2).upscalePlanes({
    width: 4,
    height: 1,
    channels: 1,
    data: edge,
  });
  expect({ width, height, channels }).toEqual({ width: 8, height: 2, channels: 1 });
  expect(Math.min(...data)).toBeLessThan(-0.01);
  expect(Math.max(...data)).toBeGreaterThan(1.01);
});

test("refuses names and scales that do not exist, and work that is aborted", async () => {
  expect(() => interpolator("lanczos" as "bicubic", 2)).toThrow(
    'no "lanczos"; use nearest, bilinear, bicubic.',
  );
  expect(() => interpolator("bicubic", 5)).toThrow("scale must be 1, 2, 3, 4 or 8, got 5.");
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(interpolator("bicubic", 2).upscale(noise(3, 3, 3), { signal })).rejects.toThrow("enough");
});

describe.each(devices.map((device) => [device.name, device] as const))(
  "on %s, if it is open and a real GPU",
  (name, device) => {
    const { profile } = device;
    beforeEach(() => {
      setDefaultDevice(device);
      device.profile = { ...profile, separateProcessor: true };
    });
    afterEach(() => {
      device.profile = profile;
    });

    test.each(["nearest", "bilinear", "bicubic"] as const)(
      "%s of bytes: JavaScript's bytes",
      async (method) => {
        const { live } = device.memory();
        for (const scale of scales) {
          for (const [width, height, channels] of [
            [1, 1, 3],
            [37, 29, 1],
            [70, 45, 3],
          ] as const) {
            const picture = noise(width, height, channels);
            const want = await interpolator(method, scale).upscale(picture);
            const done = await upscale(picture, { method, scale });
            expect(done).toMatchObject({ adapter: name, image: want });
            expect((await upscale(picture, { method, scale, tile: 16 })).image).toEqual(want);
          }
        }
        expect(device.memory().live).toBe(live);
      },
    );

    test("a software adapter is no gain, and is not used", async () => {
      device.profile = { ...profile, separateProcessor: false };
      expect(await upscale(noise(9, 9, 3), { method: "bicubic" })).toMatchObject({ adapter: "JavaScript" });
    });

    test("other pictures, whose sums are real numbers, stay in JavaScript", async () => {
      const picture = noise(20, 9, 4);
      const done = await upscale(picture, { method: "bicubic" });
      expect(done).toMatchObject({
        adapter: "JavaScript",
        image: await interpolator("bicubic", 2).upscale(picture),
      });
      expect(await upscale(noise(9, 9, 3), { method: "bicubic", depth: 16 })).toMatchObject({
        adapter: "JavaScript",
      });
      const ensemble = { method: "bicubic", ensemble: true } as const;
      expect(await upscale(noise(9, 9, 3), ensemble)).toMatchObject({ adapter: "JavaScript" });
    });

    describe("where JavaScript computes, an abort comes soon", () => {
      test("windows are larger on the device alone", async () => {
        const side = async (channels: 3 | 4, method: Method) =>
          (await upscale(noise(700, 600, channels), { method })).window.width;
        const { upscaler } = await openMethod({ method: "nearest" });
        expect(await side(3, upscaler)).toBe(700);
        expect(await side(4, upscaler)).toBe(await side(4, interpolator("nearest", 2)));
      });

      /** The method, and how many windows JavaScript has begun. */
      async function counted() {
        const { upscaler } = await openMethod({ method: "nearest" });
        const calls = { count: 0 };
        const counting = (): void => void calls.count++;
        const method: Method = {
          ...upscaler,
          enlarge: async (...of) => {
            counting();
            return upscaler.enlarge(...of);
          },
          enlargeBytes: async (image) => {
            counting();
            return upscaler.enlargeBytes!(image);
          },
        };
        return { method: upscalerOf(method), calls };
      }

      function abortAfterOne() {
        const controller = new AbortController();
        return { tile: 16, signal: controller.signal, onProgress: () => controller.abort() };
      }

      test("no window is begun ahead: transparency", async () => {
        const { method, calls } = await counted();
        await expect(method.upscale(noise(60, 50, 2), abortAfterOne())).rejects.toThrow("aborted");
        expect(calls.count).toBe(1 + 1); // grey, and alpha
      });

      test("no window is begun ahead: planes", async () => {
        const { method, calls } = await counted();
        const planes = { width: 60, height: 50, channels: 1, data: new Float32Array(60 * 50) };
        await expect(method.upscalePlanes(planes, abortAfterOne())).rejects.toThrow("aborted");
        expect(calls.count).toBe(1);
      });

      test("no window is begun ahead, and none is larger: a device that was lost before", async () => {
        const own = (await init({ adapter: device.adapterClass })) as GpuDevice;
        own.profile = { ...profile, separateProcessor: true };
        const { method, calls } = await counted();
        own.gpu.destroy();
        await own.lost;
        await expect(method.upscale(noise(60, 50, 3), abortAfterOne())).rejects.toThrow("aborted");
        expect(calls.count).toBe(1);
        const { adapter, window } = await upscale(noise(700, 600, 3), { method });
        expect(adapter).toBe("JavaScript");
        expect(window.width).toBeLessThan(600);
      });
    });
  },
);

test("if the device is lost, JavaScript goes on", async () => {
  const picture = noise(60, 50, 3);
  const device = (await init({ adapter: devices[0].adapterClass })) as GpuDevice;
  device.profile = { ...device.profile, separateProcessor: true };
  loseAt(device, 3, "before");
  const { image } = await upscale(picture, { method: "bicubic", tile: 16 });
  expect(device.failure).toBeInstanceOf(DeviceLostError);
  expect(image).toEqual(imresize(picture, 2));
});
