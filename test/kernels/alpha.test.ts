/** Transparency on tensors; test/upscale has what it does to pictures. */
import { describe, expect, test } from "vitest";
import { alphaOf, premultiply, unpremultiply } from "../../src/kernels/alpha/index.ts";
import { rand, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { ShapeError } from "../../src/tensor/shape.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";

const devices = await gpuDevices();
const device = float32Device();
const random = new Random(4);

test("premultiply: colours times alpha, the last channel", () => {
  const x = tensor([0.5, 1, 0.25, 0.5, 0.5, 0], [1, 3, 1, 2], { device });
  expect([...premultiply(x).cpuStorage.array]).toEqual([0.25, 0, 0.125, 0]);
  expect([...alphaOf(x).cpuStorage.array]).toEqual([0.5, 0]);
});

describe("unpremultiply", () => {
  const one = (color: number, large: number, alpha: readonly number[]) => {
    const shape = [1, 1, 1, alpha.length];
    const colors = tensor(new Float32Array(alpha.length).fill(color), shape, { device });
    const enlarged = tensor(new Float32Array(alpha.length).fill(large), shape, { device });
    const y = unpremultiply(colors, enlarged, tensor([...alpha], shape, { device }), 1).cpuStorage.array;
    return [y[0], y[alpha.length]];
  };

  test("keeps alpha within its neighbours, and divides by what it was before", () => {
    expect(one(0.5, 1.25, [1, 0.5, 0])).toEqual([Math.fround(0.5 / 1.25), 1]);
    expect(one(0.125, 0.25, [1, 0.5, 0])).toEqual([0.5, 0.5]);
    expect(one(0.5, 0.75, [1, 0.5, 0])).toEqual([Math.fround(0.5 / 0.75), 0.75]);
  });

  test("where alpha is the same all around, it is that, and colours are divided by it", () => {
    expect(one(0.25, 0.4, [0.5, 0.5, 0.5, 0])).toEqual([0.5, 0.5]);
    expect(one(0.25, 0.4, [0.5, 0.5, 0, 0])[0]).not.toBe(0.5);
    expect(one(0.25, -0.1, [0, 0, 0, 1])).toEqual([0.25, 0]); // nothing is seen
    expect(one(0.25, Number.NaN, [0, 1])[1]).toBeNaN();
  });

  test.each([
    [1, 1, 1, 2],
    [3, 7, 5, 2],
    [1, 9, 130, 3],
    [3, 66, 3, 4],
  ])("kernels with %i colours, %i x %i, x%i", async (channels, h, w, scale) => {
    const area = h * w * scale ** 2;
    const shape = (c: number, times: number) => [1, c, h * times, w * times];
    const some = (count: number, draw: () => number) => Float32Array.from({ length: count }, draw);
    // Mostly 0 and 1, so that many pixels have the same all around; beyond both, as networks answer.
    const alpha = some(h * w, () => Math.min(1, Math.max(0, 6 * random.uniform() - 2.5)));
    await compareWithCpu(
      devices,
      `unpremultiply ${channels}, ${h}x${w} x${scale}`,
      ([colors, large, small]) => unpremultiply(colors, large, small, scale),
      [
        { shape: shape(channels, scale), values: some(channels * area, () => random.uniform()) },
        { shape: shape(1, scale), values: some(area, () => 1.4 * random.uniform() - 0.2) },
        { shape: shape(1, 1), values: alpha },
      ],
      { gradients: false, absolute: 1e-6, relative: 1e-6 },
    );
  });

  test("errors", () => {
    const [colors, alpha] = [rand([1, 3, 4, 4], { device }), rand([1, 1, 2, 2], { device })];
    expect(() => unpremultiply(colors, alpha, alpha, 2)).toThrow(ShapeError);
  });
});
