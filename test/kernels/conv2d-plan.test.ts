/** Which convolution kernel the plan chooses for which device and shape, with which constants. */
import { describe, expect, test } from "vitest";
import type { DeviceProfile } from "../../src/device/device.ts";
import { facts } from "../../src/device/profile.ts";
import {
  candidates,
  chooseSizes,
  chooseVariant,
  planPlain,
  planSizes,
} from "../../src/kernels/conv2d/plan.ts";
import { planWeightGrad, planWeightGradStep } from "../../src/kernels/conv2d/plan-weight-grad.ts";
import type { Shape } from "../../src/tensor/shape.ts";

const maxTensorBytes = 2 ** 27;
const profiles = {
  gpu: { ...facts.gpu, subgroupSize: 32, maxTensorBytes, float16: true },
  "a GPU whose barriers cost much": {
    ...facts.gpu,
    cheapBarriers: false,
    subgroupSize: 32,
    maxTensorBytes,
    float16: true,
  },
  lavapipe: { ...facts.lavapipe, subgroupSize: 8, maxTensorBytes, float16: true },
  swiftshader: { ...facts.swiftshader, subgroupSize: 4, maxTensorBytes, float16: true },
  "software without subgroups": { ...facts.swiftshader, subgroupSize: 0, maxTensorBytes, float16: true },
};
type Name = keyof typeof profiles;

type Step = { stride?: number; padding?: number; dilation?: number };
const convolution = (wShape: Shape, yShape: Shape, { stride = 1, padding = 1, dilation = 1 }: Step = {}) => ({
  geometry: {
    stride: [stride, stride],
    padding: [padding, padding],
    dilation: [dilation, dilation],
  } as const,
  wShape,
  yShape,
  hasBias: true,
});

function planForward(profile: DeviceProfile, sizes: ReturnType<typeof convolution>) {
  const variant = chooseVariant(profile, sizes);
  return variant === "1-naive" || variant === "2-tiled"
    ? planPlain(variant, sizes)
    : planSizes(profile, sizes, chooseSizes(profile, variant, sizes));
}

describe("forward", () => {
  const picture = [1, 64, 48, 50] as const;
  test.each<[Name, Shape, Shape, Step, string, Record<string, number>, Shape]>([
    // [o, c, kh, kw], [n, o, oh, ow]: 48 rows of ceil(50 / PIXELS) strips, CHANNELS output channels at once.
    [
      "a GPU whose barriers cost much",
      [64, 64, 3, 3],
      picture,
      {},
      "3-blocked",
      { PIXELS: 8, CHANNELS: 16, WORKGROUP: 64 },
      [6, 4, 1],
    ],
    // Tiles of 32 channels x 8 x 16 pixels, where there are enough to fill a card; else smaller ones.
    [
      "gpu",
      [64, 64, 3, 3],
      [16, 64, 128, 128],
      {},
      "6-prefetch",
      { TILE_O: 32, TILE_H: 8, TILE_W: 16, CHANNELS: 4, ROWS: 4, DEPTH: 4, THREADS: 128, PITCH: 10 },
      [8, 16, 32],
    ],
    ["gpu", [64, 64, 3, 3], picture, {}, "6-prefetch", { TILE_O: 16, TILE_H: 8, TILE_W: 8 }, [7, 6, 4]],
    [
      "lavapipe",
      [64, 64, 3, 3],
      picture,
      {},
      "4-broadcast",
      {
        PIXELS: 8,
        CHANNELS: 16,
        WORKGROUP: 16,
        LANES: 8,
        WEIGHT_SHARE: 6,
        SHARES_PIXELS: 1,
        HALO: 1,
        EDGES: 1,
      },
      [21, 4, 1],
    ],
    [
      "lavapipe",
      [64, 64, 3, 3],
      [1, 64, 128, 128],
      {},
      "4-broadcast",
      { PIXELS: 16, CHANNELS: 16, QUADS: 4, PIXELS_UNDER: 18, RESULTS: 256 },
      [64, 4, 1],
    ],
    // Strips that fit short rows.
    ["lavapipe", [64, 64, 3, 3], [1, 64, 24, 24], {}, "4-broadcast", { PIXELS: 12 }, [3, 4, 1]],
    [
      "lavapipe",
      [64, 64, 5, 5],
      [1, 64, 128, 128],
      { padding: 2 },
      "4-broadcast",
      { PIXELS: 12, HALO: 2 },
      [88, 4, 1],
    ],
    // Columns of x and y that differ.
    [
      "lavapipe",
      [64, 64, 3, 3],
      [1, 64, 128, 128],
      { padding: 0 },
      "4-broadcast",
      { PIXELS: 8, SHARES_PIXELS: 0, HALO: 0 },
      [128, 4, 1],
    ],
    [
      "swiftshader",
      [64, 64, 3, 3],
      picture,
      {},
      "4-broadcast",
      { PIXELS: 8, CHANNELS: 16, WORKGROUP: 16, LANES: 4, WEIGHT_SHARE: 12 },
      [21, 4, 1],
    ],
    [
      "software without subgroups",
      [64, 64, 3, 3],
      picture,
      {},
      "3-blocked",
      { PIXELS: 8, CHANNELS: 16, WORKGROUP: 16 },
      [21, 4, 1],
    ],
    // Few output channels: long strips. Wide windows: fewer channels.
    [
      "gpu",
      [3, 64, 3, 3],
      [16, 3, 200, 200],
      {},
      "6-prefetch",
      { TILE_O: 4, TILE_W: 32, QUADS: 1 },
      [7, 13, 16],
    ],
    [
      "a GPU whose barriers cost much",
      [3, 64, 3, 3],
      [2, 3, 48, 50],
      {},
      "3-blocked",
      { PIXELS: 16, CHANNELS: 4, PIXELS_UNDER: 18 },
      [3, 1, 2],
    ],
    [
      "lavapipe",
      [8, 64, 3, 3],
      [1, 8, 48, 50],
      {},
      "4-broadcast",
      { PIXELS: 8, CHANNELS: 8, PIXELS_UNDER: 10 },
      [21, 1, 1],
    ],
    [
      "lavapipe",
      [3, 64, 3, 3],
      [1, 3, 128, 128],
      {},
      "4-broadcast",
      { PIXELS: 16, CHANNELS: 3, PIXELS_UNDER: 18 },
      [64, 1, 1],
    ],
    [
      "lavapipe",
      [64, 1, 9, 9],
      picture,
      { padding: 4 },
      "4-broadcast",
      { PIXELS: 8, CHANNELS: 8, PIXELS_UNDER: 16, WEIGHT_SHARE: 9, HALO: 4, EDGES: 1 },
      [21, 8, 1],
    ],
    [
      "a GPU whose barriers cost much",
      [64, 64, 3, 3],
      picture,
      { stride: 2, dilation: 3 },
      "3-blocked",
      { PIXELS_UNDER: 21, STRIDE_X: 2, DILATION_Y: 3 },
      [6, 4, 1],
    ],
    // The grid has no room for so many strips: larger workgroups.
    ["lavapipe", [64, 3, 3, 3], [1, 64, 6000, 6000], {}, "4-broadcast", { WORKGROUP: 64 }, [35157, 4, 1]],
    // A window too wide for any block of registers.
    [
      "gpu",
      [2, 1, 3, 9],
      [1, 2, 9, 10],
      { dilation: 6 },
      "1-naive",
      { KH: 3, KW: 9, HAS_BIAS: 1 },
      [2, 2, 2],
    ],
    ["lavapipe", [2, 1, 3, 9], [1, 2, 9, 10], { dilation: 6 }, "1-naive", { KH: 3, KW: 9 }, [2, 2, 2]],
  ])("%s, weight [%s], result [%s], %o: %s", (name, w, y, step, kernel, constants, grid) => {
    const plan = planForward(profiles[name], convolution(w, y, step));
    expect(plan.kernel.name).toBe(`conv2d/${kernel}`);
    expect(plan.constants).toMatchObject(constants);
    expect(plan.enable ?? []).toEqual(kernel === "4-broadcast" ? ["subgroups"] : []);
    expect(plan.grid).toEqual(grid);
  });

  test("refuses what has no plan", () => {
    const wide = convolution([1, 1, 3, 9], [1, 1, 9, 80], { dilation: 40 });
    expect(() => planPlain("2-tiled", wide)).toThrow(/needs a patch of 96 x 336 pixels in workgroup memory/);
    const without = profiles["software without subgroups"];
    const sizes = convolution([64, 64, 3, 3], [1, 64, 9, 9]);
    expect(() => planSizes(without, sizes, chooseSizes(without, "4-broadcast", sizes))).toThrow(RangeError);
    const tile = chooseSizes(profiles.gpu, "6-prefetch", wide);
    expect(() => planSizes(profiles.gpu, wide, tile)).toThrow(/needs 1\d{5} bytes of workgroup memory/);
  });

  test.each(Object.entries(profiles))("every candidate of a tuner has a plan: %s", (_, profile) => {
    const sizes = convolution([64, 64, 3, 3], [1, 64, 48, 50]);
    const choices = candidates(profile, sizes);
    expect(choices.length).toBeGreaterThan(5);
    const variant = chooseVariant(profile, sizes) as "3-blocked" | "4-broadcast" | "6-prefetch";
    expect(choices).toContainEqual(chooseSizes(profile, variant, sizes));
    for (const choice of choices) {
      const { kernel, constants } = planSizes(profile, sizes, choice);
      expect(kernel.name).toBe(`conv2d/${choice.variant}`);
      if (choice.variant !== "6-prefetch") expect(constants.WORKGROUP % (constants.LANES ?? 1)).toBe(0);
      // Kernels add in different orders: tiles of one picture must not get different ones.
      if (variant === "6-prefetch") expect(choice.variant).toBe("6-prefetch");
    }
  });

  test("which kernel runs does not depend on the picture's size", () => {
    for (const profile of Object.values(profiles)) {
      for (const w of [
        [64, 64, 3, 3],
        [3, 64, 3, 3],
        [64, 1, 9, 9],
        [16, 16, 1, 1],
      ] as const) {
        const names = [1, 7, 48, 2000].map(
          (side) => chooseVariant({ ...profile }, convolution(w, [1, w[0], side, side])), // choices are kept for each profile
        );
        expect(new Set(names).size).toBe(1);
      }
    }
  });
});

describe("weight gradient", () => {
  test.each<[Name, Shape, Shape, Record<string, number>, Shape, number]>([
    // Tiles of 32 x 32 channels; 16 pictures of 48 rows make 64 parts.
    [
      "gpu",
      [64, 64, 3, 3],
      [16, 64, 48, 48],
      { TILE_C: 32, TILE_O: 32, CHANNELS: 8, CHUNK: 24, COLUMN_PARTS: 1, THREADS: 128, PITCH: 79 },
      [2, 2, 64],
      12,
    ],
    // Few output channels: the columns are dealt out, too.
    [
      "gpu",
      [3, 64, 3, 3],
      [16, 3, 96, 96],
      { TILE_C: 64, TILE_O: 4, CHANNELS: 4, COLUMN_PARTS: 2 },
      [1, 1, 256],
      6,
    ],
    // 64 input channels are 64 threads.
    [
      "a GPU whose barriers cost much",
      [64, 64, 3, 3],
      [16, 64, 48, 48],
      { KY: 3, PIXELS: 2, CHANNELS: 16, WORKGROUP: 32, LANES: 0 },
      [2, 4, 64],
      12,
    ],
    [
      "lavapipe",
      [64, 64, 3, 3],
      [16, 64, 48, 48],
      { KY: 3, PIXELS: 2, CHANNELS: 16, WORKGROUP: 16, LANES: 8, GRADIENT_SHARE: 4 },
      [4, 4, 2],
      384,
    ],
    [
      "swiftshader",
      [64, 64, 3, 3],
      [16, 64, 48, 48],
      { KY: 3, PIXELS: 4, CHANNELS: 16, LANES: 4, GRADIENT_SHARE: 16 },
      [4, 4, 2],
      384,
    ],
    ["software without subgroups", [64, 64, 3, 3], [16, 64, 48, 48], { PIXELS: 4, LANES: 0 }, [4, 4, 2], 384],
    // A large window: each thread sums one of its rows.
    ["lavapipe", [64, 1, 9, 9], [1, 64, 40, 40], { KY: 1, PIXELS: 4, CHANNELS: 8 }, [1, 8, 4], 10],
    [
      "a GPU whose barriers cost much",
      [3, 64, 3, 3],
      [1, 3, 5, 40],
      { CHANNELS: 4, PIXELS: 4 },
      [2, 1, 5],
      1,
    ],
  ])("%s, weight [%s], result [%s]", (name, w, y, constants, grid, rows) => {
    const { cheapBarriers } = profiles[name];
    const variant = cheapBarriers ? "weight-grad-shared" : "weight-grad";
    const plan = planWeightGradStep(profiles[name], convolution(w, y), variant)!;
    if (!cheapBarriers) expect(planWeightGrad(profiles[name], convolution(w, y))).toEqual(plan);
    expect(plan.kernel.name).toBe(`conv2d/${variant}`);
    expect(plan.constants).toMatchObject(constants);
    expect(plan.enable ?? []).toEqual((constants.LANES ?? plan.constants.LANES) ? ["subgroups"] : []);
    expect(plan.grid).toEqual(grid);
    const { COLUMN_PARTS = 1 } = plan.constants;
    expect([plan.params.rows_per_part, plan.partials]).toEqual([rows, grid[2]! * COLUMN_PARTS]);
  });

  // Pictures in chunks of 16 columns: as many parts as chunks, and more where 384 workgroups need them.
  test.each<[string, Shape, Shape, Record<string, number>, Shape, rows: number, pieces: number]>([
    [
      "a chunk of a picture for each part",
      [64, 64, 3, 3],
      [16, 64, 128, 128],
      { TILE_C: 16, TILE_O: 32, CHANNELS: 4, CHUNK: 16, RING: 4, PITCH: 5, THREADS: 128, COLUMN_PARTS: 1 },
      [4, 2, 128],
      128,
      1,
    ],
    ["one picture, cut into pieces of 12 rows", [64, 64, 3, 3], [1, 64, 96, 96], {}, [4, 2, 48], 12, 1],
    ["several pieces for each part", [256, 256, 3, 3], [16, 256, 48, 48], {}, [16, 8, 16], 48, 3],
    ["24 columns", [64, 64, 3, 3], [4, 64, 24, 24], { CHUNK: 24, CHANNELS: 8, PITCH: 7 }, [4, 2, 24], 4, 1],
    ["fewer rows than a piece has", [64, 64, 3, 3], [1, 64, 2, 16], {}, [4, 2, 1], 2, 1],
    ["few input channels", [64, 3, 3, 3], [16, 64, 48, 48], { TILE_C: 4, TILE_O: 64 }, [1, 1, 384], 6, 1],
    [
      "few output channels",
      [3, 64, 3, 3],
      [16, 3, 96, 96],
      { TILE_C: 32, TILE_O: 4, COLUMN_PARTS: 2, THREADS: 64 },
      [2, 1, 192],
      48,
      1,
    ],
    ["1 x 1", [64, 64, 1, 1], [16, 64, 48, 48], { CHANNELS: 16, TILE_C: 32, TILE_O: 64 }, [2, 1, 192], 12, 1],
    ["5 x 5", [64, 64, 5, 5], [4, 64, 64, 64], { CHANNELS: 4, RING: 6, STRIP_QUADS: 2 }, [4, 2, 48], 22, 1],
  ])("rolling: %s", (_, w, y, constants, grid, rows, pieces) => {
    const { kernel, partials, params, ...plan } = planWeightGrad(profiles.gpu, convolution(w, y));
    expect(kernel.name).toBe("conv2d/weight-grad-rolling");
    expect(plan.constants).toMatchObject(constants);
    expect(plan.grid).toEqual(grid);
    expect(params).toEqual({ rows_per_piece: rows, pieces_per_part: pieces });
    expect(partials).toBe(grid[2]! * plan.constants.COLUMN_PARTS);
  });

  test.each<[string, Shape, Step, string]>([
    ["steps of two pixels", [64, 64, 3, 3], { stride: 2 }, "weight-grad-shared"],
    ["a dilated window", [64, 64, 3, 3], { dilation: 2, padding: 2 }, "weight-grad-shared"],
    ["a window too tall for the ring", [16, 16, 25, 1], { padding: 12 }, "weight-grad-shared"],
    ["a window too large for registers", [64, 3, 9, 9], { padding: 4 }, "weight-grad"],
  ])("a GPU takes an earlier step for %s", (_, w, step, name) => {
    expect(planWeightGrad(profiles.gpu, convolution(w, [2, w[0], 48, 48], step)).kernel.name).toBe(
      `conv2d/${name}`,
    );
  });

  test("rolling: any choice of sizes is within what every device has, and no part is without rows", () => {
    for (const kind of ["nvidia", "intel"] as const) {
      const profile = { ...facts[kind], subgroupSize: 32, maxTensorBytes, float16: true };
      for (const o of [1, 3, 5, 16, 48, 300]) {
        for (const c of [1, 3, 7, 32, 300]) {
          for (const [kh, kw] of [
            [1, 1],
            [2, 2],
            [3, 3],
            [5, 5],
            [1, 25],
            [7, 3],
            [3, 8],
          ]) {
            for (const [n, oh, ow] of [
              [1, 1, 1],
              [3, 7, 24],
              [40, 33, 100],
            ]) {
              const each = convolution([o, c, kh, kw], [n, o, oh, ow]);
              const label = `${kind} ${each.wShape} ${each.yShape}`;
              const plan = planWeightGradStep(profile, each, "weight-grad-rolling");
              if (!plan) throw new Error(`${label} does not fit`);
              const { RING, TILE_C, PITCH, CHUNK, GRADIENT_PITCH, THREADS, CHANNELS } = plan.constants;
              expect(16 * (RING * TILE_C * PITCH + 2 * CHUNK * GRADIENT_PITCH), label).toBeLessThanOrEqual(
                16384,
              );
              expect(THREADS, label).toBeLessThanOrEqual(256);
              if (CHANNELS > 4) {
                expect(CHANNELS * kh * kw, label).toBeLessThanOrEqual((profile.blockSums * 9) / 8);
              }
              const { rows_per_piece, pieces_per_part } = plan.params;
              const pieces = n * Math.ceil(ow / CHUNK) * Math.ceil(oh / rows_per_piece);
              expect(plan.grid[2], label).toBe(Math.ceil(pieces / pieces_per_part));
              expect(plan.partials * o * c * kh * kw * 4, label).toBeLessThanOrEqual(maxTensorBytes);
            }
          }
        }
      }
    }
  });
});
