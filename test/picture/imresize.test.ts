import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImage } from "../../src/files/image-files.ts";
import { crop, type Image, modcrop } from "../../src/picture/image.ts";
import { imresize, imresizePart, imresizePlane } from "../../src/picture/imresize.ts";
import { augment } from "../../src/picture/patches.ts";
import { resizeWeights } from "../../src/picture/resize-weights.ts";
import { differing, drawn, noise, testData } from "../data/support.ts";

describe("resizeWeights", () => {
  test("halving: eight taps, the cubic kernel at quarters, half as high", () => {
    const { taps, indices, weights } = resizeWeights(12, 6, 0.5);
    expect(taps).toBe(8);
    const half = [-0.0234375, -0.0703125, 0.2265625, 0.8671875].map((v) => v / 2);
    expect([...weights.subarray(2 * 8, 3 * 8)]).toEqual([...half, ...[...half].reverse()]);
    expect([...indices.subarray(2 * 8, 3 * 8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...indices.subarray(0, 8)]).toEqual([2, 1, 0, 0, 1, 2, 3, 4]);
    expect([...indices.subarray(5 * 8)]).toEqual([7, 8, 9, 10, 11, 11, 10, 9]);
  });

  test("doubling does not stretch the kernel; a = -0.75 is OpenCV's filter", () => {
    const row = (a: number) => [...resizeWeights(9, 18, 2, { a }).weights.subarray(8 * 4, 9 * 4)];
    expect(row(-0.5)).toEqual([-0.0234375, 0.2265625, 0.8671875, -0.0703125]);
    expect(row(-0.75)).toEqual([-0.03515625, 0.26171875, 0.87890625, -0.10546875]);
  });

  test("antialias: false takes four samples also when shrinking, kernel: linear two", () => {
    expect(resizeWeights(12, 4, 1 / 3, { antialias: false }).taps).toBeLessThanOrEqual(4);
    const { taps, weights } = resizeWeights(12, 6, 0.5, { kernel: "linear", antialias: false });
    expect([taps, ...weights.subarray(0, 2)]).toEqual([2, 0.5, 0.5]);
    const wide = resizeWeights(12, 6, 0.5, { kernel: "linear" });
    expect([...wide.weights.subarray(0, 4)]).toEqual([0.125, 0.375, 0.375, 0.125]);
  });

  test.each([
    [17, 5, 0.3],
    [5, 17, 3.4],
    [3, 1, 1 / 4],
    [1, 4, 4],
    [100, 34, 1 / 3],
  ])("%i -> %i: weights add up to 1 and indices stay inside", (inSize, outSize, scale) => {
    const { taps, indices, weights } = resizeWeights(inSize, outSize, scale);
    for (let i = 0; i < outSize; i++) {
      const sum = weights.subarray(i * taps, (i + 1) * taps).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(1, 14);
    }
    expect(indices.every((i) => i >= 0 && i < inSize)).toBe(true);
  });

  test.each([2, 3, 4, 8])("x%i: the same weights for every input sample, to the last bit", (scale) => {
    const { taps, indices, weights } = resizeWeights(1000, 1000 * scale, scale);
    const block = taps * scale;
    for (let i = 3; i < 997; i++) {
      expect(weights.subarray(i * block, (i + 1) * block)).toEqual(weights.subarray(3 * block, 4 * block));
      expect(indices[i * block] - indices[3 * block]).toBe(i - 3);
    }
  });

  test("samples that lie elsewhere in their intervals", () => {
    // On the first of two columns: every second one of the larger signal lies on one of the smaller.
    const { taps, indices, weights } = resizeWeights(20, 40, 2, { siting: [0.25, 0.5] });
    for (let i = 4; i < 32; i += 2) {
      const all = Array.from({ length: taps }, (_, t) => [indices[i * taps + t], weights[i * taps + t]]);
      expect(all.filter(([, weight]) => weight !== 0)).toEqual([[i / 2, 1]]);
    }
    expect(resizeWeights(9, 27, 3, { siting: [0.5, 0.5] })).toEqual(resizeWeights(9, 27, 3));
  });

  test("refuses sizes and scales that are not above 0", () => {
    expect(() => resizeWeights(0, 1, 1)).toThrow(/0 -> 1/);
    expect(() => resizeWeights(4, 2, 0)).toThrow(/scale 0/);
  });
});

describe("imresize", () => {
  const scales = [1 / 4, 1 / 3, 1 / 2, 0.7, 1.6, 2, 3, 4];

  test.each(scales)(
    "a constant picture stays constant at scale %f, and sides become ceil(scale * side)",
    (s) => {
      const out = imresize(
        drawn(13, 10, 3, (_x, _y, c) => 40 + 100 * c),
        s,
      );
      expect(out).toEqual(drawn(Math.ceil(13 * s), Math.ceil(10 * s), 3, (_x, _y, c) => 40 + 100 * c));
    },
  );

  test("scale 1 changes nothing", () => {
    const image = noise(11, 6, 2);
    expect(imresize(image, 1)).toEqual(image);
  });

  // At these scales all weights are short binary fractions: sums are exact, whatever their order.
  test.each([1 / 2, 1 / 4, 2])("mirroring the picture mirrors the result at scale %f", (scale) => {
    const mirrored = (i: Image): Image => ({
      ...i,
      data: Uint8Array.from(
        augment(Float32Array.from(i.data), i.width, i.height, 1, {
          hflip: true,
          vflip: true,
          transpose: false,
        }),
      ),
    });
    const image = noise(32, 24, 1);
    expect(imresize(mirrored(image), scale)).toEqual(mirrored(imresize(image, scale)));
  });

  test("a slope stays a slope, away from the edges", () => {
    const out = imresize(
      drawn(20, 20, 1, (x) => 10 * x),
      2,
    );
    for (let x = 6; x < 34; x++) expect(out.data[40 * 20 + x]).toBe(Math.floor(10 * (x / 2 - 0.25) + 0.5));
  });

  test("channels do not mix", () => {
    const image = noise(15, 9, 3);
    const channel = (i: Image, c: number) => i.data.filter((_, k) => k % 3 === c);
    const out = imresize(image, 1 / 3);
    for (const c of [0, 1, 2]) {
      const alone: Image = { width: 15, height: 9, channels: 1, data: channel(image, c) };
      expect(imresize(alone, 1 / 3).data).toEqual(channel(out, c));
    }
  });

  test("the side with the smaller scale goes first, the height on a tie; each pass rounds", () => {
    const image = noise(24, 24, 1);
    const onlyWidth = (i: Image, width: number) => imresize(i, { width, height: i.height });
    const onlyHeight = (i: Image, height: number) => imresize(i, { width: i.width, height });
    const heightFirst = (w: number, h: number) => onlyWidth(onlyHeight(image, h), w);
    const widthFirst = (w: number, h: number) => onlyHeight(onlyWidth(image, w), h);
    const equal = { width: 12, height: 12 };
    expect(imresize(image, equal)).toEqual(heightFirst(12, 12));
    expect(differing(heightFirst(12, 12), widthFirst(12, 12))).toBeGreaterThan(0);
    expect(imresize(image, { width: 12, height: 8 })).toEqual(heightFirst(12, 8));
    expect(imresize(image, { width: 8, height: 12 })).toEqual(widthFirst(8, 12));
    expect(differing(heightFirst(8, 12), widthFirst(8, 12))).toBeGreaterThan(0);
  });

  test("halves round upwards", () => {
    // Linear interpolation half way between 1 and 2.
    const image: Image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(1, 2) };
    const out = imresize(image, { width: 1, height: 1 }, { kernel: "linear", antialias: false });
    expect([...out.data]).toEqual([2]);
  });

  test("overshoot is clamped to bytes", () => {
    const edge = drawn(16, 4, 1, (x) => (x < 8 ? 0 : 255));
    const out = imresize(edge, 3);
    expect(Math.min(...out.data)).toBe(0);
    expect(Math.max(...out.data)).toBe(255);
    expect(new Set(out.data).size).toBeGreaterThan(2);
  });

  test("refuses scales and sizes that are not above 0", () => {
    const image = noise(4, 4, 1);
    for (const scale of [0, -1, Number.NaN, Infinity]) expect(() => imresize(image, scale)).toThrow(/scale/);
    expect(() => imresize(image, { width: 0, height: 3 })).toThrow(/got 0x3/);
  });
});

const set5 = testData("set5");
describe.skipIf(set5 === undefined)("Matlab's own results: Set5", () => {
  const names = set5 === undefined ? [] : readdirSync(join(set5, "HR"));
  test.each([2, 3, 4])("LR X%i is reproduced with 0 differing samples", async (scale) => {
    expect(names.length).toBe(5);
    for (const file of names) {
      const high = modcrop(await readImage(join(set5!, "HR", file)), scale);
      const low = join(set5!, "LR_bicubic", `X${scale}`, file.replace(".png", `x${scale}.png`));
      expect(differing(imresize(high, 1 / scale), await readImage(low)), file).toBe(0);
    }
  });
});

const div2k = testData("div2k-sample");
test.skipIf(div2k === undefined)("Matlab's own results: DIV2K 0004 X2, 0 differing samples", async () => {
  const high = await readImage(join(div2k!, "HR", "0004.png"));
  const low = await readImage(join(div2k!, "LR_bicubic_X2", "0004x2.png"));
  expect(differing(imresize(high, 1 / 2), low)).toBe(0);
});

describe("imresizePlane", () => {
  test.each([0.5, 1 / 3, 2, 3])(
    "where only one side changes (x%f), its rounded values are imresize's",
    (scale) => {
      const image = noise(18, 12, 1);
      for (const size of [
        { width: 18 * scale, height: 12 },
        { width: 18, height: 12 * scale },
      ]) {
        const plane = imresizePlane(image.data, image, size);
        const rounded = Uint8Array.from(plane, (v) => Math.min(255, Math.max(0, Math.floor(v + 0.5))));
        expect(rounded).toEqual(imresize(image, size).data);
      }
    },
  );

  test("keeps fractions and what lies outside 0..255, and is linear", () => {
    const image = noise(8, 6, 1);
    const size = { width: 16, height: 3 };
    const once = imresizePlane(image.data, image, size);
    const scaled = imresizePlane(
      Float64Array.from(image.data, (v) => 10 * v - 1000),
      image,
      size,
    );
    for (const [i, value] of once.entries()) expect(scaled[i]).toBeCloseTo(10 * value - 1000, 9);
    expect(once.some((value) => value !== Math.round(value))).toBe(true);
    expect(Math.min(...scaled)).toBeLessThan(0);
  });

  test("refuses a plane of another size", () => {
    expect(() => imresizePlane([1, 2, 3], { width: 2, height: 2 }, { width: 4, height: 4 })).toThrow(
      /\[1, 2, 2\] have 4 values, but 3/,
    );
  });
});

describe("imresizePart", () => {
  const image = noise(31, 23, 3);
  test.each([
    { width: 93, height: 69 },
    { width: 70, height: 60 },
    { width: 13, height: 40 },
    { width: 12, height: 9 },
  ])("of $width x $height: what imresize has there, at the edges and inside", (size) => {
    const whole = imresize(image, size);
    for (const [left, top] of [
      [0, 0],
      [4, 3],
      [size.width - 5, size.height - 4],
    ]) {
      const part = imresizePart(image, size, { left, top, width: 5, height: 4 });
      expect(part).toEqual(crop(whole, left, top, 5, 4));
    }
  });

  test("refuses a part beyond the result", () => {
    const part = { left: 3, top: 0, width: 2, height: 2 };
    expect(() => imresizePart(image, { width: 4, height: 4 }, part)).toThrow(/inside the 4x4 pixels/);
  });
});
