import { describe, expect, test } from "vitest";
import { planTiles } from "../../src/upscale/tile-plan.ts";

const method = (margin: number, bytesPerPixel = 1, padding = 0, multiple = 1) => ({
  name: "network",
  margin,
  padding,
  multiple,
  pixelsWithin: (bytes: number) => Math.floor(bytes / bytesPerPixel),
});

describe.each([
  { width: 100, height: 70, margin: 4, tile: 16 },
  { width: 101, height: 17, margin: 8, tile: 30 },
  { width: 64, height: 64, margin: 0, tile: 16 },
  { width: 5, height: 200, margin: 3, tile: 1 },
  { width: 300, height: 200, margin: 36, tile: 20 },
  { width: 7, height: 7, margin: 36, tile: 7 },
  { width: 100, height: 70, margin: 4, padding: 4, tile: 16 },
  { width: 5, height: 9, margin: 4, padding: 4, tile: 2 },
  { width: 1, height: 1, margin: 20, padding: 16, tile: 1 },
  { width: 300, height: 20, margin: 36, padding: 16, tile: 20 },
  { width: 101, height: 70, margin: 36, padding: 16, tile: 21, multiple: 4 },
  { width: 103, height: 97, margin: 20, tile: 16, multiple: 4 },
  { width: 7, height: 200, margin: 4, padding: 4, tile: 1, multiple: 2 },
])("$width x $height in tiles of $tile, margin $margin", (given) => {
  const { width, height, margin, tile, padding = 0, multiple = 1 } = given;
  const plan = planTiles({ width, height }, method(margin, 1, padding, multiple), { tile });
  const { rows, count, ...size } = plan;
  const tiles = rows.flat();

  test("every pixel is in one tile", () => {
    const tilesAt = new Uint8Array(width * height);
    for (const { inner: box } of tiles) {
      for (let y = box.top; y < box.bottom; y++)
        for (let x = box.left; x < box.right; x++) tilesAt[y * width + x]++;
      expect(Math.min(box.right - box.left, box.bottom - box.top)).toBeGreaterThan(0);
    }
    expect([...new Set(tilesAt)]).toEqual([1]);
    expect(tiles).toHaveLength(count);
  });

  test("all windows are in the picture and its padding, of the planned size, and show the margin", () => {
    for (const { window, inner } of tiles) {
      expect(window.right - window.left).toBe(size.width);
      expect(window.bottom - window.top).toBe(size.height);
      expect(Math.min(window.left, window.top)).toBeGreaterThanOrEqual(-padding);
      for (const edge of Object.values(window)) expect((edge + padding) % multiple).toBe(0);
      expect(window.right).toBeLessThan(width + padding + multiple);
      expect(window.bottom).toBeLessThan(height + padding + multiple);
      for (const [edge, own, whole] of [
        [window.left, inner.left, -padding],
        [window.top, inner.top, -padding],
        [-window.right, -inner.right, -width - padding],
        [-window.bottom, -inner.bottom, -height - padding],
      ]) {
        expect(edge).toBeLessThanOrEqual(Math.max(own - margin, whole));
      }
    }
  });

  test("windows are no larger than a tile and its margins", () => {
    expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(Math.max(tile, multiple) + 2 * margin);
  });
});

test("windows of several tiles have a multiple of four columns, which kernels load faster", () => {
  const plan = (width: number, tile: number, margin: number) =>
    planTiles({ width, height: 90 }, method(margin), { tile }).rows[0];
  for (const width of [301, 500, 777]) {
    for (const { window } of plan(width, 60, 9)) expect((window.right - window.left) % 4).toBe(0);
  }
  // Blocks of 4 pixels do not need windows of 16.
  const { width } = planTiles({ width: 600, height: 90 }, method(40, 1, 0, 4), { tile: 140 });
  expect([width % 4, width <= 220]).toEqual([0, true]);
  // 10 columns of a tile and 2 x 4 of margins: 16 would leave it only 8.
  for (const { window } of plan(305, 10, 4)) expect(window.right - window.left).toBe(18);
});

describe("as large as memory allows", () => {
  const plan = (width: number, height: number, pixels: number, margin = 4) =>
    planTiles({ width, height }, method(margin, 10), { maxMemory: 10 * pixels });

  test("the whole picture if it fits", () => {
    expect(plan(100, 50, 5000)).toMatchObject({ count: 1, width: 100, height: 50 });
    expect(plan(100, 50, 4999).count).toBe(2);
  });

  test("narrow pictures in long pieces", () => {
    expect(plan(20, 1000, 10_200).count).toBe(2);
    expect(plan(1000, 20, 10_200).count).toBe(2);
  });

  test("never larger", () => {
    for (const pixels of [600, 1000, 5000, 12_345]) {
      const { width, height } = plan(333, 222, pixels);
      expect(width * height).toBeLessThanOrEqual(pixels);
    }
  });

  test("smaller where rows take memory besides", () => {
    for (const [bytesPerRow, maxMemory] of [
      [500, 100_000],
      [3000, 200_000],
      [10_000, 300_000],
    ]) {
      const { width, height } = planTiles({ width: 999, height: 777 }, method(4, 10), {
        maxMemory,
        bytesPerRow,
      });
      const bytes = (side: number) => 10 * side ** 2 + bytesPerRow * side;
      expect(10 * width * height + bytesPerRow * height).toBeLessThanOrEqual(maxMemory);
      // All windows have the same size, so a side may be well below the largest possible.
      expect(bytes(1.5 * Math.max(width, height))).toBeGreaterThan(maxMemory);
    }
  });

  test("too little memory is an error before anything runs", () => {
    expect(() => plan(100, 100, 575)).toThrow(
      "network looks 4 pixels far, so it works on at least 576 pixels at once here, and that takes 1 MiB; 0 MiB are " +
        "allowed. Allow more memory or take a smaller network.",
    );
    expect(plan(100, 100, 576).count).toBe(36);
    const large = () => planTiles({ width: 100, height: 100 }, method(4), { tile: 50, maxMemory: 3000 });
    expect(large).toThrow(
      "at least 3364 pixels at once here, and that takes 1 MiB; 0 MiB are allowed. Choose smaller tiles or allow more " +
        "memory.",
    );
    // What it names suffices, and a mebibyte less does not.
    for (const tile of [undefined, 50]) {
      const cut = (maxMemory: number) =>
        planTiles({ width: 300, height: 200 }, method(4, 7000), { tile, maxMemory, bytesPerRow: 9000 });
      const named = () => {
        try {
          return cut(2 ** 20) && 0;
        } catch (error) {
          const [, mebibytes] = /that takes (\d+) MiB; 1 MiB are/.exec((error as Error).message)!;
          expect(error).toMatchObject({ needed: Number(mebibytes) * 2 ** 20 });
          return Number(mebibytes);
        }
      };
      const least = named();
      expect(least).toBeGreaterThan(2);
      expect(cut(least * 2 ** 20).count).toBeGreaterThan(1);
      expect(() => cut((least - 1) * 2 ** 20)).toThrow(
        `that takes ${least} MiB; ${least - 1} MiB are allowed.`,
      );
    }
    const limited = { ...method(4), pixelsWithin: () => 3000 };
    expect(() => planTiles({ width: 100, height: 100 }, limited, { tile: 50 })).toThrow(
      "at least 3364 pixels at once here, and the device takes 3000 at most, whatever the memory. Choose smaller tiles.",
    );
  });
});
