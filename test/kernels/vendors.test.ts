/**
 * The plans of every kind of adapter against the references, whatever adapter runs the test: kernels that an
 * Intel or Apple GPU would get must be right, and no such GPU may be at hand.
 */
import { describe, expect, test } from "vitest";
import { type AdapterClass, facts } from "../../src/device/profile.ts";
import { conv2d } from "../../src/kernels/conv2d/index.ts";
import { chooseSizes } from "../../src/kernels/conv2d/plan.ts";
import { planWeightGrad } from "../../src/kernels/conv2d/plan-weight-grad.ts";
import { l1Loss } from "../../src/kernels/loss/index.ts";
import { matmul } from "../../src/kernels/matmul/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import { compareWithCpu } from "../support/compare.ts";
import { foreignCases, gpuDevices } from "../support/devices.ts";
import { fewInBrowser } from "../support/tier.ts";

const devices = await gpuDevices();
const classes = Object.keys(facts) as AdapterClass[];

/** Channels of both sides, window, height and width, stride and dilation. Sizes are not multiples of tiles. */
const allConvolutions: readonly (readonly number[])[] = [
  [5, 37, 3, 19, 35, 1, 1],
  [3, 16, 3, 9, 70, 1, 1],
  [6, 3, 3, 17, 33, 1, 1],
  [1, 9, 5, 18, 20, 1, 1],
  [2, 12, 7, 13, 19, 1, 1], // wider than what stays in registers at once
  [9, 10, 1, 7, 11, 1, 1],
  [5, 20, 3, 19, 22, 2, 1],
  [5, 20, 3, 19, 22, 3, 2],
];
const convolutions = fewInBrowser(allConvolutions, 3);
type Compared = Parameters<typeof compareWithCpu>[2];
const foreignOn = new Map(devices.map((device) => [device, foreignCases(device, devices, convolutions, 3)]));

describe.each(classes)("as %s", (adapterClass) => {
  const isForCards = facts[adapterClass].separateProcessor;
  const options = { absolute: 1e-4, relative: 1e-4, adapterClass };
  // Software adapters take seconds to compile kernels that are made for cards.
  const slow = 600_000;

  for (const each of convolutions) {
    const [c, o, k, h, w, stride, dilation] = each;
    const label = `${c} to ${o} channels, window ${k}, ${h} x ${w}, stride ${stride}, dilation ${dilation}`;
    test(
      `convolution and gradients, ${label}`,
      () => {
        const padding = Math.floor((dilation * (k - 1)) / 2);
        const able = devices.filter((device) => !isForCards || foreignOn.get(device)!.includes(each));
        const f: Compared = ([x, weight, bias]) => conv2d(x, weight, bias, { padding, stride, dilation });
        return compareWithCpu(able, label, f, [[2, c, h, w], [o, c, k, k], [o]], options);
      },
      slow,
    );
  }

  test("sums, losses and products", async () => {
    const compare = (label: string, f: Compared, ...shapes: Shape[]) =>
      compareWithCpu(devices, label, f, shapes, options);
    await compare("sum", ([x]) => sum(x, [0, 2]), [3, 4, 1111]);
    await compare("sum in parts, by runs", ([x]) => sum(x, [0, 2]), [3, 2, 10_008]);
    await compare("l1Loss", ([x, y]) => l1Loss(x, y), [70_001], [70_001]);
    await compare("matmul", ([a, b]) => matmul(a, b), [67, 35], [35, 70]);
  });
});

describe("real GPUs", () => {
  const maxTensorBytes = 2 ** 27;
  const gpus = classes.filter((name) => facts[name].cheapBarriers);
  const convolution = {
    geometry: { stride: [1, 1], padding: [1, 1], dilation: [1, 1] },
    wShape: [64, 64, 3, 3],
    yShape: [16, 64, 128, 128],
    hasBias: true,
  } as const;

  test.each(gpus)(
    "%s: blocks keep within its registers, with subgroups of one size or of several",
    (name) => {
      const sizes = [0, 32].map((subgroupSize) => {
        const profile = { ...facts[name], subgroupSize, maxTensorBytes, float16: false };
        const tile = chooseSizes(profile, "6-prefetch", convolution);
        if (!("TILE_O" in tile)) throw new Error("a tile is wanted");
        // Blocks are two columns wide. 32 sums are best even where 64 would fit.
        expect(2 * tile.CHANNELS * tile.ROWS).toBe(Math.min(32, profile.blockSums));
        const { kernel, constants } = planWeightGrad(profile, convolution);
        expect(kernel.name).toBe("conv2d/weight-grad-rolling");
        expect(constants.CHANNELS * constants.TAPS).toBeLessThanOrEqual((profile.blockSums * 9) / 8);
        return tile;
      });
      expect(sizes[0]).toEqual(sizes[1]);
    },
  );
});
