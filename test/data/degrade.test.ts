import { describe, expect, test } from "vitest";
import { completeDegradation, degradationKind } from "../../src/data/degradation-kind.ts";
import {
  type DegradationOptions,
  degrade,
  drawDegradation,
  type FirstOrderOptions,
  gaussianBlur,
} from "../../src/data/degrade.ts";
import { photoStages } from "../../src/data/degrade-photo.ts";
import { openFolder } from "../../src/data/folder.ts";
import { readImage } from "../../src/files/image-files.ts";
import { crop, type Image, modcrop, toRgb } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { differing, drawn, noise, photograph } from "./support.ts";

const grey = (level: number, size = 256) => drawn(size, size, 3, () => level);

function statistics(data: Uint8Array): { mean: number; deviation: number } {
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  const variance = data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / data.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** The definition: a sum over the whole picture and its mirror images around it, weighted by the Gaussian. */
function blurred(image: Image, sigma: number, sigma2: number, angle: number): Float64Array {
  const { width, height, channels, data } = image;
  const turn = (angle * Math.PI) / 180;
  const mirrored = (i: number, n: number) => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i);
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    let [sum, total] = [0, 0];
    for (let dy = -height; dy < height; dy++) {
      for (let dx = -width; dx < width; dx++) {
        const [at, row] = [mirrored(x + dx, width), mirrored(y + dy, height)];
        if (at < 0 || row < 0 || at >= width || row >= height) continue;
        const u = dx * Math.cos(turn) + dy * Math.sin(turn);
        const v = dy * Math.cos(turn) - dx * Math.sin(turn);
        const weight = Math.exp(-0.5 * ((u / sigma) ** 2 + (v / sigma2) ** 2));
        sum += weight * data[(row * width + at) * channels + c];
        total += weight;
      }
    }
    out[i] = sum / total;
  }
  return out;
}

describe("gaussianBlur", () => {
  test.each([
    [1.3, 1.3, 0],
    [0.7, 2, 0],
    [2.2, 0.8, 30],
    [2.2, 0.8, 120],
    [1.5, 1.5, 77],
  ])("sigma %f and %f at %f degrees is the Gaussian, up to its cut-off tail", (sigma, sigma2, angle) => {
    const image = noise(20, 16, 3);
    const expected = blurred(image, sigma, sigma2, angle);
    const { data } = gaussianBlur(image, { sigma, sigma2, angle });
    const worst = data.reduce((max, v, i) => Math.max(max, Math.abs(v - expected[i])), 0);
    expect(worst).toBeLessThan(1.5); // half a level of rounding and the 0.3 % beyond three sigma, twice
  });

  test("a turned kernel spreads a point along its first axis: at 45 degrees down and to the right", () => {
    const point = drawn(21, 21, 1, (x, y) => (x === 10 && y === 10 ? 255 : 0));
    const at = ({ data }: Image, x: number, y: number) => data[y * 21 + x];
    const out = gaussianBlur(point, { sigma: 2, sigma2: 0.5, angle: 45 });
    expect(at(out, 12, 12)).toBe(15); // 255 / (2 pi) exp(-1)
    expect(at(out, 8, 8)).toBe(at(out, 12, 12));
    expect(at(out, 12, 8)).toBe(0);
  });

  test("sigma 0 changes nothing", () => {
    expect(gaussianBlur(noise(9, 7, 3), { sigma: 0, sigma2: 0, angle: 0 })).toEqual(noise(9, 7, 3));
  });
});

describe("drawDegradation", () => {
  const options: FirstOrderOptions = {
    seed: 5,
    blur: { sigma: [0.2, 3], sigma2: [0.2, 3], angle: [-180, 180] },
    shrink: ["bicubic", "bilinear", "area"],
    noise: [1, 30],
    photons: [100, 10_000],
    jpeg: [30, 95],
  };
  const draw = (count: number, change: Partial<FirstOrderOptions> = {}) =>
    Array.from({ length: count }, (_, i) => drawDegradation({ ...options, ...change }, i));

  test("is a function of seed and number, and fit for JSON", () => {
    const drawn = draw(50);
    expect(JSON.parse(JSON.stringify(drawn))).toEqual(draw(50));
    expect(draw(50, { seed: 6 })).not.toEqual(drawn);
    expect(new Set(drawn.map((d) => d.noise)).size).toBe(50);
    expect(new Set(draw(50, { seed: 6 }).map((d) => d.seed)).size).toBe(50);
  });

  test("fills the ranges evenly", () => {
    const drawn = draw(3000);
    const values = {
      sigma: [drawn.map((d) => d.blur!.sigma), 0.2, 3],
      sigma2: [drawn.map((d) => d.blur!.sigma2), 0.2, 3],
      angle: [drawn.map((d) => d.blur!.angle), -180, 180],
      noise: [drawn.map((d) => d.noise!), 1, 30],
      photons: [drawn.map((d) => d.photons!), 100, 10_000],
      jpeg: [drawn.map((d) => d.jpeg!), 30, 95],
    } as const;
    for (const [name, [list, min, max]] of Object.entries(values)) {
      const unit = list.map((v) => (v - min) / (max - min));
      expect(Math.min(...unit), name).toBeGreaterThanOrEqual(0);
      expect(Math.max(...unit), name).toBeLessThanOrEqual(1);
      for (const part of [0, 1, 2, 3]) {
        const share = unit.filter((u) => u >= part / 4 && u < (part + 1) / 4).length / unit.length;
        expect(Math.abs(share - 0.25), name).toBeLessThan(0.04); // 5 sigma
      }
    }
    expect(drawn.every((d) => Number.isInteger(d.jpeg))).toBe(true);
    for (const kind of ["bicubic", "bilinear", "area"]) {
      expect(Math.abs(drawn.filter((d) => d.shrink === kind).length - 1000)).toBeLessThan(130);
    }
  });

  test("adding a step does not change the others", () => {
    const { noise: _, jpeg: __, ...rest } = drawDegradation(options, 3);
    expect(drawDegradation({ ...options, noise: undefined, jpeg: undefined }, 3)).toEqual(rest);
    expect(drawDegradation({ seed: 1 }, 0)).toEqual({ shrink: "bicubic", seed: expect.any(Number) });
    const round = drawDegradation({ seed: 1, blur: { sigma: [1, 2] } }, 0).blur!;
    expect(round).toEqual({ sigma: round.sigma, sigma2: round.sigma, angle: 0 });
  });

  test.each([
    [{ noise: -1 }, /noise must be a number or \[min, max\] in 0\.\.255, not -1/],
    [{ noise: [5, 2] as const }, /noise .* not \[5,2\]/],
    [{ jpeg: [0, 50] as const }, /jpeg .* 1\.\.100/],
    [{ photons: 0 }, /photons/],
    [{ blur: { sigma: Number.NaN } }, /blur\.sigma/],
    [{ shrink: "lanczos" as "area" }, /shrink must be one of bicubic, bilinear, area, nearest.*"lanczos"/],
    [{ shrink: [] }, /shrink/],
    [{ seed: 0.5 }, /seed/],
    [{ jpg: 50 } as object, /there is no option "jpg"/],
    // As JSON from a command line may have them.
    [{ noise: "5" as unknown as number }, /noise must be a number or .* not "5"/],
    [{ noise: null as unknown as number }, /noise .* not null/],
    [{ jpeg: [50] as unknown as number }, /jpeg .* not \[50\]/],
  ])("refuses %o", (wrong, message) => {
    expect(() => draw(1, wrong)).toThrow(message);
  });
});

describe("degrade", () => {
  const photo = async () =>
    modcrop(crop(toRgb(await readImage(photograph("nagasaki-boats"))), 40, 30, 192, 144), 4);

  test("without options it is Matlab's bicubic", async () => {
    const high = noise(24, 16, 3);
    expect(await degrade(high, 2, { shrink: "bicubic", seed: 1 })).toEqual(imresize(high, 1 / 2));
  });

  test("area is the mean, nearest is one of the pixels, bilinear the triangle", async () => {
    const high = drawn(12, 6, 3, (x, y, c) => 6 * x + 20 * y + 10 * c);
    const area = await degrade(high, 3, { shrink: "area", seed: 1 });
    expect(area).toEqual(drawn(4, 2, 3, (x, y, c) => 6 * (3 * x + 1) + 20 * (3 * y + 1) + 10 * c));
    const random = noise(12, 8, 3);
    const pixel = (x: number, y: number, c: number) => random.data[(y * 12 + x) * 3 + c];
    for (const scale of [2, 4]) {
      const nearest = await degrade(random, scale, { shrink: "nearest", seed: 1 });
      const at = (k: number) => Math.floor((k + 0.5) * scale);
      expect(nearest).toEqual(drawn(12 / scale, 8 / scale, 3, (x, y, c) => pixel(at(x), at(y), c)));
    }
    expect(await degrade(random, 2, { shrink: "bilinear", seed: 1 })).toEqual(
      imresize(random, 1 / 2, { kernel: "linear" }),
    );
  });

  test("blur happens before shrinking", async () => {
    const high = noise(24, 16, 3);
    const blur = { sigma: 1.2, sigma2: 0.6, angle: 20 };
    expect(await degrade(high, 2, { blur, shrink: "bicubic", seed: 1 })).toEqual(
      imresize(gaussianBlur(high, blur), 1 / 2),
    );
  });

  test.each([2, 10])(
    "Gaussian noise of %f levels has that deviation, no bias and its own seed",
    async (sigma) => {
      const degradation = { shrink: "area", noise: sigma, seed: 7 } as const;
      const { data } = await degrade(grey(128), 2, degradation);
      const { mean, deviation } = statistics(data);
      const n = data.length; // 49,152 samples; rounding to bytes adds 1/12 to the variance
      expect(Math.abs(mean - 128)).toBeLessThan((5 * sigma) / Math.sqrt(n));
      expect(Math.abs(deviation / Math.sqrt(sigma ** 2 + 1 / 12) - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
      const neighbours = data.reduce((sum, v, i) => sum + (i > 0 ? (v - mean) * (data[i - 1] - mean) : 0), 0);
      expect(Math.abs(neighbours / n / deviation ** 2)).toBeLessThan(5 / Math.sqrt(n));
      expect((await degrade(grey(128), 2, degradation)).data).toEqual(data);
      expect((await degrade(grey(128), 2, { ...degradation, seed: 8 })).data).not.toEqual(data);
    },
  );

  test.each([
    [200, 2000],
    [40, 2000],
    [40, 100], // 15.7 photons: drawn one by one
  ])(
    "shot noise at level %i with %i photons in white: variance = level * 255 / photons",
    async (level, photons) => {
      const { data } = await degrade(grey(level), 2, { shrink: "area", photons, seed: 3 });
      const { mean, deviation } = statistics(data);
      const expected = (level * 255) / photons + 1 / 12;
      expect(Math.abs(mean - level)).toBeLessThan(5 * Math.sqrt(expected / data.length) + 0.02);
      expect(Math.abs(deviation ** 2 / expected - 1)).toBeLessThan(0.05);
    },
  );

  test("black stays black under shot noise, and few photons give whole counts", async () => {
    expect(
      (await degrade(grey(0), 2, { shrink: "area", photons: 50, seed: 1 })).data.every((v) => v === 0),
    ).toBe(true);
    const { data } = await degrade(grey(100), 2, { shrink: "area", photons: 5, seed: 1 });
    expect([...new Set(data)].sort((a, b) => a - b)).toEqual([0, 51, 102, 153, 204, 255]);
  });

  test("JPEG changes the picture, the more the lower its quality, and keeps its size", async () => {
    const high = await photo();
    const clean = await degrade(high, 2, { shrink: "bicubic", seed: 1 });
    const errors = [];
    for (const jpeg of [95, 60, 20]) {
      const out = await degrade(high, 2, { shrink: "bicubic", jpeg, seed: 1 });
      expect([out.width, out.height, out.channels]).toEqual([96, 72, 3]);
      expect(differing(out, clean)).toBeGreaterThan(1000);
      errors.push(out.data.reduce((sum, v, i) => sum + (v - clean.data[i]) ** 2, 0));
    }
    expect(errors).toEqual([...errors].sort((a, b) => a - b));
    expect(errors[2]).toBeGreaterThan(3 * errors[0]);
  });

  test("refuses what is not RGB or does not divide", async () => {
    await expect(degrade(noise(8, 8, 1), 2, { shrink: "area", seed: 1 })).rejects.toThrow(
      /8x8 with 1 channels/,
    );
    await expect(degrade(noise(9, 8, 3), 2, { shrink: "area", seed: 1 })).rejects.toThrow(
      /multiples of 2, not 9x8/,
    );
  });
});

describe("openFolder with a degradation", () => {
  const degradation: DegradationOptions = {
    seed: 1,
    blur: { sigma: [0.5, 2] },
    noise: [1, 9],
    jpeg: [40, 90],
  };
  const paths = [photograph("nagasaki-boats"), photograph("allium-oreophilum")];

  test("each pair's small picture is degrade(HR) with what the dataset says was drawn", async () => {
    const dataset = openFolder(paths, { scale: 4, degradation });
    expect(dataset.files!.map((file) => file.degradation)).toEqual(
      [0, 1].map((i) => drawDegradation(degradation, i)),
    );
    const { low, high } = await dataset.load(1);
    expect(low).toEqual(await degrade(high, 4, dataset.files![1].degradation!));
    expect(differing(low, imresize(high, 1 / 4))).toBeGreaterThan(low.data.length / 2);
    const again = await openFolder(paths, { scale: 4, degradation }).load(1);
    expect(differing(again.low, low)).toBe(0);
  });

  test("colors y: the degraded RGB picture is converted", async () => {
    const rgb = await openFolder(paths, { scale: 4, degradation }).load(0);
    const y = await openFolder(paths, { scale: 4, degradation, colors: "y" }).load(0);
    expect([y.low.channels, y.low.width, y.low.height]).toEqual([1, rgb.low.width, rgb.low.height]);
    const [r, g, b] = rgb.low.data;
    expect(y.low.data[0]).toBe(Math.round(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255));
  });
});

describe("degradationKind", () => {
  test.each<[string, DegradationOptions]>([
    ["photo", { kind: "photo", seed: 0 }],
    ["jpeg:60", { seed: 0, jpeg: 60 }],
    ["noise:10", { seed: 0, noise: 10 }],
    ["blur:1.2", { seed: 0, blur: { sigma: 1.2 } }],
    [
      "blur:0.2-3+shrink:area+noise:1-10+jpeg:60-95",
      { seed: 0, blur: { sigma: [0.2, 3] }, shrink: "area", noise: [1, 10], jpeg: [60, 95] },
    ],
    ['{"seed":3,"photons":[100,1000]}', { seed: 3, photons: [100, 1000] }],
    ['{"kind":"photo","seed":0,"clean":0.5}', { kind: "photo", seed: 0, clean: 0.5 }],
    ['{"seed":0,"blur":{"sigma":1,"sigma2":2}}', { seed: 0, blur: { sigma: 1, sigma2: 2 } }],
  ])("%s is read, fits, and is written again", (text, options) => {
    const { read, fits, write } = degradationKind;
    expect(read(text)).toEqual(completeDegradation(options));
    expect(fits(options)).toBe(true);
    expect(write(options)).toBe(text);
  });

  test("spaces and capitals mean nothing", () => {
    const { read } = degradationKind;
    expect(read(" Blur:1 + JPEG:50")).toEqual(read("blur:1+jpeg:50"));
    expect(read("Photo")).toEqual(read("photo"));
    expect(read("shrink:Area")).toEqual({ seed: 0, shrink: "area" });
  });

  test("says the ranges, the order and that no step comes twice", () => {
    for (const part of ["each at most once", "noise (0 to 255)", "jpeg (1 to 100)", "happen in this order"]) {
      expect(degradationKind.wants).toContain(part);
    }
  });

  test("photo has its ranges written out, as another version may have others", () => {
    expect(degradationKind.read("photo")).toEqual({
      ...{ kind: "photo", seed: 0, stages: photoStages, sinc: 0.8, clean: 0.1 },
    });
    expect(degradationKind.write(completeDegradation({ kind: "photo", seed: 0 }))).toBe("photo");
    expect(degradationKind.write({ kind: "photo", seed: 0, stages: [{}, { jpeg: [30, 95] }] })).toBe("photo");
    expect(degradationKind.write({ kind: "photo", seed: 0, stages: [{}] })).toMatch(/^\{"kind"/);
  });

  test.each([
    ...["", "jpeg", "jpeg:", "jpeg:101", "jpeg:60-40", "jpeg:1-2-3", "jpeg:60:70", "jpeg:60+jpeg:70"],
    ...["constructor:1", "noise:-5", "shrink:lanczos", "photo:1", "photo+jpeg:60", "{", "[]", '{"noise":1}'],
  ])("%o is no degradation", (text) => {
    expect(degradationKind.fits(degradationKind.read(text))).toBe(false);
  });
});
