import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { conditionsOf, evaluate, findPictures, loadPicture } from "../../src/evaluate/index.ts";
import { writePng } from "../../src/files/image-files.ts";
import { psnr, ssim } from "../../src/picture/metrics.ts";
import { interpolator, type Upscaler } from "../../src/upscale/index.ts";
import { noise, temporaryFolder, testData } from "../data/support.ts";

const folder = temporaryFolder();
const others = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);
const pictures = () => findPictures(folder, { scale: 2 });

beforeAll(async () => {
  await writePng(path("one.png"), noise(40, 30, 3, 1));
  await writePng(path("two.png"), noise(33, 41, 3, 2));
});

/** Bicubic that works on RGB alone, and notes the sizes of its pictures. */
function spy(bicubic: Upscaler) {
  const calls: string[] = [];
  const upscaler: Upscaler = {
    ...bicubic,
    name: "spy",
    colors: "rgb",
    upscale: (low) => {
      calls.push(`${low.width}x${low.height}`);
      return bicubic.upscale(low);
    },
  };
  return { calls, upscaler };
}

describe("evaluate", () => {
  test("RGB methods get RGB, the first picture twice; rounded Y of their results is compared", async () => {
    const { calls, upscaler } = spy(interpolator("bicubic", 2));
    const result = await evaluate(upscaler, pictures());
    expect(calls).toEqual(["20x15", "20x15", "16x20"]);
    const { high, low } = await loadPicture(pictures()[0], 2);
    const sr = await upscaler.upscale(low);
    const options = { channels: "y", roundY: true, border: 2 } as const;
    expect(result.images[0]).toMatchObject({ psnr: psnr(sr, high, options), ssim: ssim(sr, high, options) });
    expect(result).toMatchObject({
      method: "spy",
      scale: 2,
      protocol: "y",
      border: 2,
      lowSource: "made",
      colors: "rgb",
    });
    expect(result.conditions).toBe(
      "PSNR and SSIM on Y (BT.601 studio range, rounded) of the RGB result, border 2, padding none; LR: Matlab's bicubic of RGB bytes",
    );
  });

  test("with `partial`, what was measured before a stop is given, and marked", async () => {
    const bicubic = interpolator("bicubic", 2);
    const stop = new AbortController();
    const { signal } = stop;
    const onPicture = () => stop.abort();
    const { images, stopped, mean } = await evaluate(bicubic, pictures(), {
      signal,
      partial: true,
      onPicture,
    });
    expect([images.map(({ name }) => name), stopped]).toEqual([["one"], { of: 2 }]);
    expect(mean.psnr).toBe(images[0].psnr);
    const aborted = { name: "AbortError" };
    // Nothing is measured yet.
    await expect(evaluate(bicubic, pictures(), { signal, partial: true })).rejects.toMatchObject(aborted);
    const again = new AbortController();
    const options = { signal: again.signal, onPicture: () => again.abort() };
    await expect(evaluate(bicubic, pictures(), options)).rejects.toMatchObject(aborted);
    expect(await evaluate(bicubic, pictures(), { partial: true })).not.toHaveProperty("stopped");
  });

  test("protocol rgb compares RGB, with any border", async () => {
    const bicubic = interpolator("bicubic", 2);
    const result = await evaluate(bicubic, pictures(), { protocol: "rgb", border: 8 });
    const { high, low } = await loadPicture(pictures()[1], 2);
    const options = { channels: "rgb", border: 8 } as const;
    const sr = await bicubic.upscale(low);
    expect(result.images[1]).toMatchObject({
      name: "two",
      psnr: psnr(sr, high, options),
      ssim: ssim(sr, high, options),
    });
    expect(result).toMatchObject({ protocol: "rgb", border: 8, colors: "rgb" });
    expect(result.conditions).toMatch(/^PSNR and SSIM over R, G and B, border 8, padding none; LR: Matlab/);
  });

  test("means and times", async () => {
    const seen: string[] = [];
    const onPicture = ({ name }: { name: string }, i: number) => seen.push(`${i} ${name}`);
    const { images, mean, msPerMegapixel } = await evaluate(interpolator("bicubic", 2), pictures(), {
      onPicture,
    });
    const [a, b] = images;
    expect(seen).toEqual(["0 one", "1 two"]);
    expect(mean.psnr).toBeCloseTo((a.psnr + b.psnr) / 2, 12);
    expect(mean.ssim).toBeCloseTo((a.ssim + b.ssim) / 2, 12);
    expect(mean.ms).toBeCloseTo((a.ms + b.ms) / 2, 12);
    expect(a.megapixels).toBeCloseTo(0.0012, 12);
    expect(b.megapixels).toBeCloseTo((32 * 40) / 1e6, 12);
    expect(msPerMegapixel).toBeCloseTo((a.ms + b.ms) / (a.megapixels + b.megapixels), 8);
  });

  test("the order of the pictures does not matter, not even in the last digit", async () => {
    const files = Array.from({ length: 7 }, (_, i) => ({
      name: `${i}`,
      high: join(others, `order-${i}.png`),
    }));
    for (const [i, { high }] of files.entries()) await writePng(high, noise(30 + 4 * i, 26, 3, i));
    const bicubic = interpolator("bicubic", 2);
    const { mean } = await evaluate(bicubic, files);
    for (let turn = 1; turn < files.length; turn++) {
      const turned = await evaluate(bicubic, [...files.slice(turn), ...files.slice(0, turn)]);
      expect({ ...turned.mean, ms: 0 }).toEqual({ ...mean, ms: 0 });
    }
  });

  test("an exact result is no part of the mean PSNR, and is named", async () => {
    const flat = join(others, "flat.png");
    await writePng(flat, { width: 30, height: 24, channels: 3, data: new Uint8Array(30 * 24 * 3).fill(90) });
    const one = pictures()[0];
    const bicubic = interpolator("bicubic", 2);
    const mixed = await evaluate(bicubic, [{ name: "flat", high: flat }, one]);
    expect(mixed.exact).toEqual(["flat"]);
    expect(mixed.images[0]).toMatchObject({ psnr: Infinity, ssim: 1 });
    expect(mixed.mean.psnr).toBe(mixed.images[1].psnr);
    expect(mixed.mean.ssim).toBe((1 + mixed.images[1].ssim) / 2);
    const all = await evaluate(bicubic, [{ name: "flat", high: flat }]);
    expect(all).toMatchObject({ exact: ["flat"], mean: { psnr: Infinity } });
  });

  test("a picture that cannot be measured ends it, or is told of and left out", async () => {
    const [one, two] = pictures();
    const damaged = { name: "damaged", high: join(others, "damaged.png") };
    writeFileSync(damaged.high, readFileSync(one.high).subarray(0, 400));
    const small = { name: "small", high: join(others, "small.png") };
    await writePng(small.high, noise(12, 12, 3, 3));
    const bicubic = interpolator("bicubic", 2);
    await expect(evaluate(bicubic, [one, damaged])).rejects.toThrow(/damaged\.png/);
    const told: string[] = [];
    const onFailure = (message: string) => told.push(message);
    const headless = { name: "headless", high: join(others, "headless.png") };
    writeFileSync(headless.high, readFileSync(one.high).subarray(0, 30));
    const result = await evaluate(bicubic, [damaged, one, small, headless, two], { onFailure });
    // Headers tell of these two before anything is computed.
    expect(told).toEqual(
      [/small\.png: SSIM/, /headless\.png/, /damaged\.png/].map((message) => expect.stringMatching(message)),
    );
    expect(result.failures.map(({ name }) => name)).toEqual(["small", "headless", "damaged"]);
    expect(result.images.map(({ name }) => name)).toEqual(["one", "two"]);
    expect(result.mean.psnr).toBe((await evaluate(bicubic, [one, two])).mean.psnr);
    await expect(evaluate(bicubic, [small], { onFailure })).rejects.toThrow(
      /^None of the pictures could be measured, for the reasons that were given\.$/,
    );
  });

  test("an aborted signal stops it between two pictures", async () => {
    const stop = new AbortController();
    const { calls, upscaler } = spy(interpolator("bicubic", 2));
    const run = evaluate(upscaler, pictures(), { signal: stop.signal, onPicture: () => stop.abort() });
    await expect(run).rejects.toThrow(/abort/i);
    expect(calls).toHaveLength(2);
  });

  test("says what it cannot measure", async () => {
    const bicubic = interpolator("bicubic", 2);
    await expect(evaluate(bicubic, [])).rejects.toThrow(/no pictures/);
    await expect(evaluate(bicubic, pictures(), { border: 12 })).rejects.toThrow(/one\.png: .*at least 11x11/);
    await expect(evaluate(bicubic, pictures(), { border: -1 })).rejects.toThrow(
      /evaluate: border must be a whole number .*got -1/,
    );
    const [one, two] = pictures();
    const mixed = [{ ...one, low: path("one.png") }, two];
    await expect(evaluate(bicubic, mixed)).rejects.toThrow(
      /^evaluate: the pictures' LR is of several sources \(given files and Matlab's bicubic\), whose .*`mixed`\.$/,
    );
  });

  test("LR made and degraded do not compare either; `mixed` allows both, and nothing else does", () => {
    const bicubic = interpolator("bicubic", 2);
    const [degraded] = findPictures(folder, { scale: 2, degradation: { seed: 1, noise: 20 } });
    const mixed = [degraded, pictures()[1]];
    expect(() => conditionsOf(bicubic, mixed)).toThrow(
      /several sources \(degraded pictures and Matlab's bicubic\)/,
    );
    expect(() => conditionsOf(bicubic, mixed, { mixed: "no" } as never)).toThrow(
      /^conditionsOf: mixed must be true or false, got "no"/,
    );
    expect(conditionsOf(bicubic, mixed, { mixed: true })).toEqual({
      ...{ protocol: "y", border: 2, padding: "none", colors: "y", lowSource: "mixed" },
    });
  });

  test.each([
    [{ protocol: "foo" }, 'conditionsOf: protocol must be y or rgb, got "foo".'],
    [{ bordr: 3 }, /^conditionsOf: there is no option "bordr"/],
    [{ padding: "x" }, 'conditionsOf: padding must be mirror or none, got "x".'],
  ])("conditionsOf refuses %j", (options, message) => {
    expect(() => conditionsOf(interpolator("bicubic", 2), pictures(), options as never)).toThrow(message);
  });
});

const set5 = testData("set5");
/** The figures in the papers' tables, and those of the alternatives in docs/measurements.md. */
describe.skipIf(set5 === undefined)("bicubic on Set5", () => {
  const high = () => join(set5!, "HR");
  const low = (scale: number) => join(set5!, "LR_bicubic", `X${scale}`);

  test.each([
    [2, 33.66, 0.9299],
    [3, 30.39, 0.8682],
    [4, 28.42, 0.8104],
  ])("x%i has the published %f dB and SSIM of %f", async (scale, decibels, similarity) => {
    const { mean } = await evaluate(interpolator("bicubic", scale), findPictures(high(), { scale }));
    expect(Math.abs(mean.psnr - decibels)).toBeLessThan(0.005);
    expect(Math.abs(mean.ssim - similarity)).toBeLessThan(0.00005);
  });

  test.each([
    [2, "y", 33.64, 0.9293],
    [3, "y", 30.38, 0.8678],
    [4, "y", 28.41, 0.8101],
    [2, "rgb", 31.79, 0.9086],
    [3, "rgb", 28.62, 0.8383],
    [4, "rgb", 26.69, 0.7731],
  ] as const)(
    "x%i with the official LR files, protocol %s: %f dB, %f",
    async (scale, protocol, decibels, similarity) => {
      const files = findPictures(high(), { scale, lowFolder: low(scale) });
      const { mean, conditions } = await evaluate(interpolator("bicubic", scale), files, { protocol });
      expect(Math.abs(mean.psnr - decibels)).toBeLessThan(0.005);
      expect(Math.abs(mean.ssim - similarity)).toBeLessThan(0.00005);
      expect(conditions).toMatch(/the given files$/);
    },
  );

  test.each([2, 3, 4])(
    "x%i: LR made from RGB is the official LR, so that RGB figures do not depend on it",
    async (scale) => {
      const bicubic = interpolator("bicubic", scale);
      const made = await evaluate(bicubic, findPictures(high(), { scale }), { protocol: "rgb" });
      const given = await evaluate(bicubic, findPictures(high(), { scale, lowFolder: low(scale) }), {
        protocol: "rgb",
      });
      expect(made.mean).toEqual({ ...given.mean, ms: made.mean.ms });
    },
  );
});

test.each([
  ["png", "webp"],
  ["webp", "png"],
  ["tiff", "webp"],
] as const)(
  "HR in %s and LR in %s of the same wide profile are compared in the same colours",
  async (large, small) => {
    type Format = "png" | "webp" | "tiff";
    const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => [250, 40 + (i % 60), 20][i % 3]);
    const picture = sharp(data, { raw: { width: 64, height: 64, channels: 3 } });
    const high = await picture.clone().raw().toBuffer();
    const low = await picture.clone().resize(32, 32).raw().toBuffer();
    const write = async (samples: Buffer, side: number, name: string, format: Format) => {
      const into = temporaryFolder();
      await sharp(samples, { raw: { width: side, height: side, channels: 3 } })
        .withIccProfile("p3")
        .toFormat(format, format === "tiff" ? { compression: "lzw" } : { lossless: true })
        .toFile(join(into, `${name}.${format}`));
      return into;
    };
    const psnrOf = async (highFormat: Format, lowFormat: Format) => {
      const lowFolder = await write(low, 32, "ax2", lowFormat);
      const found = findPictures(await write(high, 64, "a", highFormat), { scale: 2, lowFolder });
      return (await evaluate(interpolator("bicubic", 2), found)).mean.psnr;
    };
    expect(Math.abs((await psnrOf(large, small)) - (await psnrOf("webp", "webp")))).toBeLessThan(0.1);
    expect(Math.abs((await psnrOf("png", "png")) - (await psnrOf("tiff", "tiff")))).toBeLessThan(0.01);
  },
);
