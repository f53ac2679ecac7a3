/** Initial weights of layers. */
import { expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { Conv2d, kaimingNormalInit, Linear, normalInit, whiteningInit } from "../../src/nn/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { float32Device } from "../support/devices.ts";

setDefaultDevice(float32Device());

const deviation = (values: ArrayLike<number>) =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0) / values.length);

test.each([
  ["a convolution", () => new Conv2d(4, 100, 5), 100],
  ["a Linear", () => new Linear(100, 100), 100],
])("kaimingNormalInit and normalInit of %s", async (_, make, products) => {
  const layer = make();
  const random = new Random(1);
  normalInit(layer, 0.25, { random });
  const normal = await layer.weight.data();
  expect(Math.abs(deviation(normal) / 0.25 - 1)).toBeLessThan(0.03);
  expect(new Set(await layer.bias!.data())).toEqual(new Set([0]));
  layer.bias!.assign(new Float32Array(100).fill(1));
  kaimingNormalInit(layer, { slope: 0.5, random });
  expect(Math.abs(deviation(await layer.weight.data()) / Math.sqrt(2 / (1.25 * products)) - 1)).toBeLessThan(
    0.03,
  );
  expect(new Set(await layer.bias!.data())).toEqual(new Set([0]));
});

test("a layer without a matrix of weights is refused, and by whiteningInit a Linear", () => {
  const wanted = "must be a convolution, a Linear, or another layer with a weight of two axes or more, got";
  for (const nothing of [{}, { weight: new Conv2d(1, 2, 1).bias }] as never[]) {
    expect(() => normalInit(nothing, 1)).toThrow(`normalInit: layer ${wanted}`);
    expect(() => kaimingNormalInit(nothing)).toThrow(`kaimingNormalInit: layer ${wanted}`);
  }
  expect(() => whiteningInit(new Linear(2, 2), [])).toThrow(
    "whiteningInit: layer must be a convolution, or another layer with a weight of four axes, got",
  );
});
