/** Interpolation as an upscaler: that it is imresize. The test of imresize compares that with Matlab. */
import { describe, expect, test } from "vitest";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { interpolator } from "../../src/upscale/index.ts";
import { drawn, noise } from "../data/support.ts";
import { expectClose } from "../support/close.ts";
import { float32Device } from "../support/devices.ts";

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
