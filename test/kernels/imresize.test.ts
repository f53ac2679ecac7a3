import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { type InterpolateOptions, interpolate } from "../../src/kernels/resize/index.ts";
import { axisTable } from "../../src/kernels/resize/weights.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { tensor, zeros } from "../../src/tensor/create.ts";
import { scope } from "../../src/tensor/scope.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { differing, drawn, noise } from "../support/drawn.ts";
import { resized } from "../support/resized.ts";

const devices: Device[] = [...(await gpuDevices()), float32Device()];
const matlab = { mode: "bicubic", convention: "matlab", round: true } as const;

describe.each(devices.map((device) => [device.name, device] as const))("%s", (_, device) => {
  test.each([2, 3, 4, 5, 7, 8, 16])(
    "noise at scale %i and its inverse: 0 differing samples",
    async (scale) => {
      for (const [k, factor] of [scale, 1 / scale].entries()) {
        const image = noise(k === 0 ? 37 : 330, k === 0 ? 23 : 131, 3, scale);
        expect(
          differing(await resized(image, { scaleFactor: factor }, device), imresize(image, factor)),
        ).toBe(0);
      }
    },
  );

  test("black and white pixels, with the largest and smallest sums: 0 differing samples", async () => {
    const random = noise(160, 96, 1).data;
    const extreme = drawn(160, 96, 1, (x, y) => 255 * (random[y * 160 + x] & 1));
    for (const scaleFactor of [3, 2, 1 / 2, 1 / 3, 1 / 4]) {
      expect(differing(await resized(extreme, { scaleFactor }, device), imresize(extreme, scaleFactor))).toBe(
        0,
      );
    }
  });

  test.each([
    [17, 11, { width: 34, height: 11 }],
    [17, 11, { width: 17, height: 22 }],
    [24, 24, { width: 12, height: 8 }],
    [24, 24, { width: 8, height: 12 }],
    [1, 1, { width: 3, height: 2 }],
    [300, 1, { width: 100, height: 2 }],
    [1, 300, { width: 2, height: 75 }],
    [64, 48, { width: 64, height: 48 }],
  ])("%i x %i -> %o: the smaller scale first", async (width, height, size) => {
    const image = noise(width, height, 2);
    const y = await resized(image, { size: [size.height, size.width] }, device);
    expect(differing(y, imresize(image, size))).toBe(0);
  });

  test("at other scales only sums that are halves may differ, and by one level", async () => {
    const image = noise(200, 90, 3, 5);
    for (const scaleFactor of [1 / 6, 0.7, 1.6, 6]) {
      const [a, b] = [await resized(image, { scaleFactor }, device), imresize(image, scaleFactor)];
      expect(differing(a, b)).toBeLessThan(b.data.length / 1000);
      const worst = a.data.reduce((max, v, i) => Math.max(max, Math.abs(v - b.data[i])), 0);
      expect(worst).toBeLessThanOrEqual(1);
    }
  });

  test.each([
    ["bilinear", "linear"],
    ["nearest", "box"],
  ] as const)("%s: 0 differing samples", async (mode, kernel) => {
    const image = noise(66, 48, 3, 7);
    const antialias = mode !== "nearest";
    for (const scaleFactor of [2, 3, 4, 1 / 2, 1 / 3]) {
      const want = imresize(image, scaleFactor, { kernel, antialias });
      expect(differing(await resized(image, { scaleFactor }, device, mode), want)).toBe(0);
    }
  });

  test("several pictures with several channels; values are rounded to bytes first", async () => {
    using _ = scope();
    const x = tensor([-3, 0.4, 0.5, 300, 7.49, 254.5, 255, 12], [2, 2, 1, 2], { device });
    const y = await interpolate(x, { ...matlab, scaleFactor: 1 }).data();
    expect([...y]).toEqual([0, 0, 1, 255, 7, 255, 255, 12]);
  });

  test("has no gradient, and says so", () => {
    using _ = scope();
    const x = zeros([1, 1, 2, 2], { device, requiresGrad: true });
    expect(() => backward(interpolate(x, { ...matlab, size: [1, 1] }))).toThrow(
      /interpolate with round has no gradient rule/,
    );
  });
});

test("what the kernel's comment says of the weights", () => {
  const tableFor = (inSize: number, outSize: number, scale: number) =>
    axisTable(inSize, outSize, scale, { mode: "bicubic", convention: "matlab", antialias: true });
  const nearest = (value: number, parts: number) => Math.abs(value * parts - Math.round(value * parts));
  for (const n of [2, 4, 8]) {
    for (const [inSize, outSize, scale] of [
      [64, 64 / n, 1 / n],
      [64, 64 * n, n],
    ]) {
      const { weights } = tableFor(inSize, outSize, scale);
      expect(Math.max(...weights.map((w) => nearest(w, 2 ** 16)))).toBe(0);
    }
  }
  for (const n of [3, 5, 7]) {
    for (const [inSize, outSize, scale] of [
      [21 * n, 21, 1 / n],
      [21, 21 * n, n],
    ]) {
      const { weights } = tableFor(inSize, outSize, scale);
      expect(Math.max(...weights.map((w) => nearest(w, n ** 4)))).toBeLessThan(1e-10);
    }
  }
  for (const scale of [1 / 250, 1 / 8, 0.3, 0.7, 1, 1.7, 2, 8]) {
    const { taps, weights } = tableFor(500, Math.ceil(500 * scale), scale);
    expect(taps).toBeLessThanOrEqual(1000);
    for (let i = 0; i < weights.length; i += taps) {
      const total = weights.subarray(i, i + taps).reduce((sum, w) => sum + Math.abs(w), 0);
      expect(total).toBeLessThanOrEqual(1.2501);
    }
  }
});

test("refuses options that mean nothing", () => {
  const x = zeros([1, 1, 4, 4], { device: float32Device() });
  const call = (options: object) => () => interpolate(x, { ...matlab, ...options } as InterpolateOptions);
  expect(call({ size: [0, 4] })).toThrow(ShapeError);
  expect(call({ scaleFactor: 1 / 300, size: undefined })).toThrow(/below 1\/250/);
  expect(call({ scaleFactor: 2, convention: "pytorch" })).toThrow(/round is for convention "matlab"/);
});
