import { join } from "node:path";
import { expect, test } from "vitest";
import { type DegradationOptions, degrade, drawDegradation } from "../../src/data/degrade.ts";
import { type DegradationStep, type PhotoOptions, photoStages } from "../../src/data/degrade-photo.ts";
import { openFolder } from "../../src/data/folder.ts";
import { type PatchBatch, PatchLoader } from "../../src/data/loader.ts";
import { readImage, writePng } from "../../src/files/image-files.ts";
import { crop, toRgb } from "../../src/picture/image.ts";
import { imresize } from "../../src/picture/imresize.ts";
import { psnr } from "../../src/picture/metrics.ts";
import { differing, drawn, noise, photograph, temporaryFolder } from "./support.ts";

const photo: PhotoOptions = { kind: "photo", seed: 3 };
const draws = (count: number, scale: number, change: Partial<PhotoOptions> = {}) =>
  Array.from({ length: count }, (_, i) => drawDegradation({ ...photo, ...change }, i, scale));

/** The values of one kind of step. */
function valuesOf(steps: readonly DegradationStep[], kind: string): number[] {
  return steps.flatMap((step) => (kind in step ? [(step as Record<string, unknown>)[kind] as number] : []));
}

test("what is drawn depends on seed, number and scale alone, and is fit for JSON", () => {
  expect(JSON.parse(JSON.stringify(draws(50, 4)))).toEqual(draws(50, 4));
  expect(draws(50, 4, { seed: 4 })).not.toEqual(draws(50, 4));
  expect(new Set(draws(50, 4).map(({ seed }) => seed)).size).toBe(50);
});

test.each([1, 2, 3, 4])(
  "at scale %i every value is in its range, and every step as frequent as it says",
  (scale) => {
    const count = 2000;
    const degradations = draws(count, scale);
    const all = degradations.flatMap(({ steps }) => steps);
    const within = (values: readonly number[], min: number, max: number) => {
      expect(values.length).toBeGreaterThan(0);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(min);
      expect(Math.max(...values)).toBeLessThanOrEqual(max);
      // Both ends are reached.
      expect(Math.min(...values)).toBeLessThan(min + 0.1 * (max - min));
      expect(Math.max(...values)).toBeGreaterThan(max - 0.1 * (max - min));
    };
    within(valuesOf(all, "noise"), 1, 30);
    within(valuesOf(all, "jpeg"), 30, 95);
    within(valuesOf(all, "sinc"), Math.PI / 3, Math.PI);
    const blurs = all.flatMap((step) => ("blur" in step ? [step.blur] : []));
    within(
      blurs.map(({ sigma }) => sigma),
      0.2,
      3,
    );
    within(
      blurs.filter(({ sigma, sigma2 }) => sigma !== sigma2).map(({ angle }) => angle),
      0,
      180,
    );
    within(valuesOf(all, "size"), 0.6, Math.max(1.5 * scale));
    const shot = valuesOf(all, "photons").map((photons) => 16 / Math.sqrt(photons));
    within(shot, 0.05, 3);

    const share = (kind: string, of = degradations) =>
      of.reduce((sum, { steps }) => sum + valuesOf(steps, kind).length, 0) / of.length;
    const near = (value: number, expected: number) => expect(Math.abs(value - expected)).toBeLessThan(0.06);
    const [one, two] = photoStages;
    near(degradations.filter(({ steps }) => steps.length === 1).length / count, 0.1); // clean ones
    near(share("blur"), 0.9 * (one.blur + two.blur));
    near(share("jpeg"), 0.9 * (one.compressed + two.compressed));
    near(share("noise") + share("photons"), 0.9 * (one.noisy + two.noisy));
    near(share("noise"), 0.45 * (one.noisy + two.noisy));
    near(share("sinc"), 0.9 * 0.8);
    // The last size is LR's, for everyone.
    for (const { steps } of degradations) expect(valuesOf(steps, "size").at(-1)).toBe(1);
  },
);

test("options change what they name, and nothing else", () => {
  const quiet = { noisy: 0 };
  const [with_, without] = [draws(100, 2), draws(100, 2, { stages: [quiet, quiet] })];
  const silent = ({ steps }: { steps: DegradationStep[] }) =>
    steps.filter((step) => !("noise" in step || "photons" in step));
  expect(without.map(silent)).toEqual(with_.map(silent));
  expect(without.every((one) => silent(one).length === one.steps.length)).toBe(true);
  expect(draws(50, 2, { clean: 1 }).every(({ steps }) => steps.length === 1)).toBe(true);
  const once = draws(300, 2, { stages: [{ jpeg: 70, compressed: 1 }], clean: 0 });
  expect(once.every(({ steps }) => valuesOf(steps, "jpeg").join() === "70")).toBe(true);
});

test.each<[Partial<Record<keyof PhotoOptions, unknown>>, RegExp]>([
  [{ kind: "film" }, /kind must be "photo", got "film"/],
  [{ stages: [] }, /stages must be a list of 1 to 4 stages/],
  [{ stages: [{ blurr: 1 }] }, /there is no option "blurr"/],
  [{ stages: [{ noise: [5, 2] }] }, /noise must be a number or \[min, max\] in 0\.\.255/],
  [{ stages: [{ blur: 2 }] }, /blur must be a probability, 0 to 1, got 2/],
  [{ stages: [{ enlarge: 0.6, shrink: 0.6 }] }, /enlarge and shrink together must be .* 0\.\.1, not 1\.2/],
  [{ sinc: -1 }, /sinc must be a probability/],
])("refuses %o", (wrong, message) => {
  expect(() => drawDegradation({ ...photo, ...wrong } as PhotoOptions, 0, 2)).toThrow(message);
});

test("refuses to draw without a scale, which the sizes depend on", () => {
  expect(() => drawDegradation(photo as DegradationOptions as never, 0)).toThrow(
    /scale must be a whole number/,
  );
});

test.each([1, 2, 3, 4])(
  "degraded pictures at scale %i: the right size, the same again, like the original",
  async (scale) => {
    const high = crop(toRgb(await readImage(photograph("nagasaki-boats"))), 40, 30, 48 * scale, 36 * scale);
    const clean = imresize(high, { width: 48, height: 36 });
    for (const degradation of draws(12, scale)) {
      const low = await degrade(high, scale, degradation);
      expect([low.width, low.height, low.channels]).toEqual([48, 36, 3]);
      expect(differing(await degrade(high, scale, degradation), low)).toBe(0);
      expect(psnr(low, clean, { channels: "rgb", border: 0 })).toBeGreaterThan(13);
    }
  },
);

test("grey noise is the same in all three colours, coloured noise is not", async () => {
  const image = drawn(64, 64, 3, () => 128);
  const colored = (data: Uint8Array) => data.some((_, i) => i % 3 === 0 && data[i] !== data[i + 1]);
  for (const step of [{ noise: 9 }, { photons: 300 }]) {
    const make = async (grey: boolean) =>
      (await degrade(image, 1, { steps: [{ ...step, grey }], seed: 1 })).data;
    expect(colored(await make(false))).toBe(true);
    expect(colored(await make(true))).toBe(false);
    expect(new Set(await make(true)).size).toBeGreaterThan(10);
  }
});

test("the sinc filter passes slow waves and stops fast ones, in every direction", async () => {
  const amplitude = async (frequency: number, angle: number) => {
    const [fx, fy] = [frequency * Math.cos(angle), frequency * Math.sin(angle)];
    const wave = drawn(96, 96, 3, (x, y) => Math.round(128 + 100 * Math.sin(fx * x + fy * y)));
    const { data } = await degrade(wave, 1, { steps: [{ sinc: 1.5, reach: 10 }], seed: 1 });
    const middle = data.filter((_, i) => {
      const [x, y] = [Math.floor(i / 3) % 96, Math.floor(i / 3 / 96)];
      return Math.min(x, y) > 20 && Math.max(x, y) < 75;
    });
    return (Math.max(...middle) - Math.min(...middle)) / 200;
  };
  for (const angle of [0, 0.5, Math.PI / 4]) {
    expect(Math.abs((await amplitude(0.8, angle)) - 1)).toBeLessThan(0.15); // a kernel that is cut off ripples
    expect(await amplitude(2.2, angle)).toBeLessThan(0.15);
  }
});

/** Parts of photographs: decoding whole ones takes longer than all that is tested. */
const folder = temporaryFolder();
const paths = await Promise.all(
  (["nagasaki-boats", "allium-oreophilum", "locomotion-house-cat"] as const).map(async (name) => {
    const path = join(folder, `${name}.png`);
    await writePng(path, toRgb(crop(await readImage(photograph(name)), 60, 40, 360, 300)));
    return path;
  }),
);

/** Batches without what depends on the clock. */
async function take(loader: PatchLoader, count: number): Promise<Omit<PatchBatch, "wait">[]> {
  const batches = [];
  for (let k = 0; k < count; k++) {
    const { wait: _, ...batch } = await loader.next();
    batches.push(batch);
  }
  return batches;
}

test.each([{ scale: 1 }, { scale: 2, colors: "y" }, { scale: 3, inputSize: "high" }, { scale: 4 }] as const)(
  "the loader degrades each patch anew, alike on any number of threads and after a resume: %o",
  async (format) => {
    const dataset = openFolder(paths, { ...format, degradation: photo });
    const options = { batch: 4, patch: 24, seed: 5 };
    await using one = new PatchLoader(dataset, { ...options, workers: 1 });
    const expected = await take(one, 3);
    await using two = new PatchLoader(dataset, { ...options, workers: 3, cacheBytes: 0 });
    expect(await take(two, 2)).toEqual(expected.slice(0, 2));
    await using three = new PatchLoader(dataset, { ...options, seed: 9, workers: 2 });
    three.restore(two.state());
    expect(await take(three, 1)).toEqual(expected.slice(2));
    await using other = new PatchLoader(dataset, { ...options, seed: 6, workers: 1 });
    expect(await take(other, 1)).not.toEqual(expected.slice(0, 1));
  },
);

test("a patch and its degraded LR show the same place, at the edges of the picture too", async () => {
  for (const { scale, patch } of [
    { scale: 1, patch: 40 },
    { scale: 2, patch: 60 },
    { scale: 4, patch: 60 },
  ]) {
    // So mild that LR must be close to what bicubic makes of the patch.
    const degradation = { seed: 0, noise: 1, jpeg: 95 } as const;
    await using loader = new PatchLoader(openFolder(paths, { scale, degradation }), {
      batch: 6,
      patch,
      seed: 1,
      workers: 1,
    });
    const { low, high, lowShape, highShape } = await loader.next();
    const picture = (values: Float32Array, [, c, h, w]: number[], slot: number) =>
      drawn(w, h, 3, (x, y, channel) => Math.round(255 * values[((slot * c + channel) * h + y) * w + x]));
    for (let slot = 0; slot < 6; slot++) {
      const made = picture(low, lowShape, slot);
      const expected = imresize(picture(high, highShape, slot), { width: patch, height: patch });
      expect(psnr(made, expected, { channels: "y", border: 2 })).toBeGreaterThan(32);
    }
  }
});

test("the blocks of JPEG lie anywhere in patches", async () => {
  const degradation = { seed: 0, jpeg: 10 } as const;
  await using loader = new PatchLoader(openFolder(paths, { scale: 1, degradation }), {
    batch: 24,
    patch: 48,
    seed: 1,
    workers: 2,
  });
  const { low } = await loader.next();
  const offsets = new Set<number>();
  for (let slot = 0; slot < 24; slot++) {
    // Where the columns differ most from their neighbours, a block begins.
    const steps = new Float64Array(8);
    for (let y = 0; y < 48; y++) {
      for (let x = 1; x < 48; x++) {
        const at = (slot * 3 * 48 + y) * 48 + x;
        steps[x % 8] += Math.abs(low[at] - low[at - 1]);
      }
    }
    offsets.add(steps.indexOf(Math.max(...steps)));
  }
  expect(offsets.size).toBeGreaterThan(4);
});

test("a patch larger than a picture, and a damaged picture, are named", async () => {
  const dataset = openFolder(paths.slice(0, 1), { scale: 4, degradation: photo });
  await using loader = new PatchLoader(dataset, { batch: 1, patch: 4000, seed: 1, workers: 1 });
  await expect(loader.next()).rejects.toThrow(/nagasaki-boats\.png: a patch of 4000x4000 does not fit/);
});

test("a picture made by a program is degraded as one from a file", async () => {
  expect((await degrade(noise(24, 24, 3), 2, drawDegradation(photo, 1, 2))).width).toBe(12);
});
