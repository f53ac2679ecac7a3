import { describe, expect, it } from "vitest";
import { Conv2d } from "../../src/nn/layers.ts";
import type { NamedArray } from "../../src/nn/module.ts";
import { whiteningInit } from "../../src/nn/whitening.ts";
import { init, Random } from "../../src/node.ts";

await init({ adapter: "cpu" });

/** Noise in which each row is a copy of the one above, but for a tenth: smooth downwards, rough across. */
function streaks(h: number, w: number, random: Random): NamedArray {
  const data = new Float32Array(h * w);
  for (let i = 0; i < data.length; i++) {
    const above = i < w ? random.normal() : data[i - w];
    data[i] = Math.sqrt(0.99) * above + 0.1 * random.normal();
  }
  return { shape: [1, h, w], data };
}

describe("whiteningInit", () => {
  it("draws weights whose covariance is the inverse of the windows'", async () => {
    const random = new Random(1);
    // Windows of two pixels: their covariance is [1, r; r, 1], and its inverse [1, -r; -r, 1] / (1 - r²).
    const layer = new Conv2d(1, 20_000, [2, 1]);
    const std = 0.5;
    const floor = 0.01;
    const pictures = Array.from({ length: 4 }, () => streaks(2000, 200, random));
    whiteningInit(layer, pictures, { std, floor, random });
    const { data } = (await layer.stateDict()).get("weight")!;
    let [square, product] = [0, 0];
    for (let i = 0; i < data.length; i += 2) {
      square += (data[i] ** 2 + data[i + 1] ** 2) / data.length;
      product += (data[i] * data[i + 1]) / (data.length / 2);
    }
    const r = Math.sqrt(0.99);
    const diagonal = 1 + floor ** 2;
    const scale = std ** 2 / 2 / (diagonal ** 2 - r ** 2);
    expect(square / (scale * diagonal)).toBeCloseTo(1, 1);
    expect(product / (scale * -r)).toBeCloseTo(1, 1);
  });

  it("makes answers vary by std, however weak the finest patterns of the pictures are", async () => {
    const random = new Random(2);
    const layer = new Conv2d(1, 64, 5);
    const picture = streaks(300, 300, random);
    whiteningInit(layer, [picture], { std: 0.3, floor: 0, random });
    const { data } = (await layer.stateDict()).get("weight")!;
    let sum = 0;
    const places = 500;
    for (let place = 0; place < places; place++) {
      const [top, left] = [Math.floor(random.uniform() * 296), Math.floor(random.uniform() * 296)];
      for (let filter = 0; filter < 64; filter++) {
        let answer = 0;
        for (let i = 0; i < 25; i++) {
          answer += data[filter * 25 + i] * picture.data[(top + Math.floor(i / 5)) * 300 + left + (i % 5)];
        }
        sum += answer ** 2 / places / 64;
      }
    }
    expect(Math.sqrt(sum)).toBeGreaterThan(0.27);
    expect(Math.sqrt(sum)).toBeLessThan(0.33);
  });

  it("refuses no pictures, unvaried ones and ones that do not fit", () => {
    const layer = new Conv2d(1, 4, 5);
    const plane = (shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
    expect(() => whiteningInit(layer, [])).toThrow(/no pictures/);
    const flat = () => whiteningInit(layer, [plane([1, 9, 9])], { floor: 0 });
    expect(flat).toThrow(/some pattern is in no window/);
    for (const shape of [
      [3, 9, 9],
      [1, 4, 9],
      [9, 9],
    ]) {
      expect(() => whiteningInit(layer, [plane(shape)])).toThrow(/does not fit a layer/);
    }
  });
});
