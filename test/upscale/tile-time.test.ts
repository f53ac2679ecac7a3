/** Tiles that are sized by time: the same picture, and no tile takes much longer than it should. */
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { ESPCN } from "../../src/models/index.ts";
import { Random } from "../../src/tensor/random.ts";
import { interpolator, networkUpscaler, upscale } from "../../src/upscale/index.ts";
import type { Tile } from "../../src/upscale/tile-plan.ts";
import { tilesFor } from "../../src/upscale/timed-tiles.ts";
import { noise } from "../data/support.ts";
import { gpuDevices } from "../support/devices.ts";

const method = (margin: number, padding: number, multiple: number, most = Infinity) => ({
  name: "network",
  margin,
  padding,
  multiple,
  pixelsWithin: (bytes: number) => Math.min(most, bytes),
});

const areaOf = ({ window }: Tile) => (window.right - window.left) * (window.bottom - window.top);

describe.each([
  { width: 900, height: 700, margin: 20, padding: 16, multiple: 1 },
  { width: 901, height: 333, margin: 20, padding: 16, multiple: 4 },
  { width: 40, height: 3000, margin: 4, padding: 4, multiple: 1 },
  { width: 3000, height: 1, margin: 36, padding: 16, multiple: 2 },
  { width: 1, height: 1, margin: 20, padding: 16, multiple: 1 },
])("$width x $height, margin $margin, multiples of $multiple", (given) => {
  const { width, height, margin, padding, multiple } = given;
  const plan = (tileTime: number, msPerPixel: number, most?: number) => {
    const source = tilesFor(given, method(margin, padding, multiple, most), { tileTime });
    const tiles: Tile[] = [];
    for (const tile of source) {
      tiles.push(tile);
      source.took(tile, areaOf(tile) * msPerPixel);
    }
    return tiles;
  };

  test.each([1e-6, 1e-3, 1])("every pixel is in one tile, and sees its margin (%d ms a pixel)", (pace) => {
    const tilesAt = new Uint8Array(width * height);
    for (const { window, inner } of plan(100, pace)) {
      for (let y = inner.top; y < inner.bottom; y++)
        for (let x = inner.left; x < inner.right; x++) tilesAt[y * width + x]++;
      for (const edge of Object.values(window)) expect((edge + padding) % multiple).toBe(0);
      expect(window.left).toBeLessThanOrEqual(Math.max(inner.left - margin, -padding));
      expect(window.top).toBeLessThanOrEqual(Math.max(inner.top - margin, -padding));
      expect(window.right).toBeGreaterThanOrEqual(Math.min(inner.right + margin, width + padding));
      expect(window.bottom).toBeGreaterThanOrEqual(Math.min(inner.bottom + margin, height + padding));
      expect(Math.min(window.left, window.top)).toBeGreaterThanOrEqual(-padding);
      expect(window.right).toBeLessThan(width + padding + multiple);
      expect(window.bottom).toBeLessThan(height + padding + multiple);
    }
    expect([...new Set(tilesAt)]).toEqual([1]);
  });

  test("windows narrower than the picture and its padding have a multiple of four columns", () => {
    const whole = Math.ceil((width + 2 * padding) / multiple) * multiple;
    const columns = plan(100, 1e-2).map(({ window }) => window.right - window.left);
    const narrower = columns.filter((count) => count < whole);
    expect(narrower.length > 0).toBe(width > 100); // a tile takes some 10,000 pixels
    for (const count of narrower) expect(count % 4).toBe(0);
  });

  test("no tile is larger than memory allows", () => {
    const most = (32 + 2 * margin) ** 2;
    for (const tile of plan(1e9, 1e-3, most)) expect(areaOf(tile)).toBeLessThanOrEqual(most);
  });
});

test("tiles begin small, grow at most fourfold, and then take the time they should", () => {
  const picture = { width: 4000, height: 3000 };
  const source = tilesFor(picture, method(20, 16, 1), { tileTime: 100 });
  const areas: number[] = [];
  for (const tile of source) {
    areas.push(areaOf(tile));
    source.took(tile, areaOf(tile) / 5000);
  }
  expect(areas[0]).toBe(104 ** 2);
  for (const [i, area] of areas.slice(1).entries()) expect(area).toBeLessThanOrEqual(4.1 * areas[i]);
  expect(Math.max(...areas)).toBeGreaterThan(350_000); // 500,000 pixels take 100 ms
  expect(Math.max(...areas)).toBeLessThan(550_000);
  expect(areas.length).toBeLessThan(60);
});

test("the next picture begins with what the last one has shown", () => {
  const same = method(20, 16, 1);
  const first = tilesFor({ width: 4000, height: 3000 }, same, { tileTime: 100 });
  for (const tile of first) first.took(tile, areaOf(tile) / 5000);
  const [tile] = tilesFor({ width: 4000, height: 3000 }, same, { tileTime: 100 });
  expect(areaOf(tile)).toBeGreaterThan(350_000);
});

describe.each((await gpuDevices()).map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test("the same bytes as at once; progress ends at its total, and tiles make up the picture", async () => {
    setDefaultDevice(device);
    const picture = noise(150, 90, 3);
    const model = new ESPCN({ scale: 2, filters: [4, 4], random: new Random(1) });
    const whole = await networkUpscaler(model).upscale(picture);
    for (const tileTime of [0.001, 1e6]) {
      const upscaler = networkUpscaler(model); // which knows no pace yet
      const progress: { done: number; total: number; share: number }[] = [];
      const shown = new Uint8Array(whole.data.length);
      const { image, tiles } = await upscale(picture, {
        method: upscaler,
        tileTime,
        onProgress: (event) => progress.push(event),
        onTile({ left, top, image: part }) {
          for (let y = 0; y < part.height; y++) {
            const row = part.data.subarray(y * part.width * 3, (y + 1) * part.width * 3);
            shown.set(row, ((top + y) * whole.width + left) * 3);
          }
        },
      });
      expect(image).toEqual(whole);
      expect(shown).toEqual(whole.data);
      expect(tiles).toBeGreaterThan(3);
      expect(progress).toHaveLength(tiles);
      expect(progress.at(-1)).toEqual({ done: tiles, total: tiles, share: 1 });
      for (const { done, total, share } of progress.slice(0, -1)) {
        expect(total).toBeGreaterThan(done);
        expect(share).toBeLessThan(1);
      }
    }
  });

  test("without a time, as many tiles as memory wants, and their shares", async () => {
    setDefaultDevice(device);
    const shares: number[] = [];
    await upscale(noise(40, 20, 1), {
      method: "bicubic",
      tile: 20,
      onProgress: ({ share }) => shares.push(share),
    });
    expect(shares).toEqual([0.5, 1]);
  });
});

test("options that contradict each other are refused", async () => {
  const picture = noise(3, 3, 1);
  const upscaler = interpolator("bicubic", 2);
  await expect(upscaler.upscale(picture, { tile: 8, tileTime: 100 })).rejects.toThrow(
    "upscale: tile and tileTime both size the tiles. Leave one of them out.",
  );
  await expect(upscaler.upscale(picture, { tileTime: 0 })).rejects.toThrow(
    "tileTime must be a number of milliseconds above 0",
  );
  await expect(upscale(picture, { method: "bicubic", onTile: 1 as never })).rejects.toThrow(RangeError);
});
