/**
 * The weight gradient that walks down the rows, with tiles and chunks of every kind, against the reference: its
 * plan for a real GPU runs on any adapter. conv2d-plan.test.ts says which sizes it takes for which shapes.
 */
import { describe, expect, test } from "vitest";
import type { DeviceProfile } from "../../src/device/device.ts";
import type { GpuDevice } from "../../src/device/gpu-device.ts";
import { facts } from "../../src/device/profile.ts";
import { launchWeightGrad } from "../../src/kernels/conv2d/launch.ts";
import {
  planRollingSizes,
  planWeightGrad,
  type RollingSizes,
  type WeightGradPlan,
} from "../../src/kernels/conv2d/plan-weight-grad.ts";
import * as reference from "../../src/kernels/conv2d/reference.ts";
import { tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Shape } from "../../src/tensor/shape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { foreignCases, gpuDevices } from "../support/devices.ts";
import { fewInBrowser } from "../support/tier.ts";

const devices = await gpuDevices();

// Channels past the end of a tile, one row, one column, chunks that end past the row or in the middle of the
// window, padding as wide as the window and none, windows that are no squares.
const cases: readonly [x: Shape, weight: Shape, padding: [number, number], sizes: Partial<RollingSizes>][] = [
  [[2, 5, 19, 37], [20, 5, 3, 3], [1, 1], {}],
  [[1, 17, 9, 24], [33, 17, 3, 3], [1, 1], {}],
  [[3, 3, 7, 16], [5, 3, 3, 3], [0, 0], {}],
  [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0], {}],
  [[1, 2, 5, 4], [3, 2, 3, 3], [2, 2], {}],
  [[1, 33, 6, 9], [17, 33, 1, 1], [0, 0], {}],
  [[1, 6, 11, 21], [4, 6, 5, 5], [2, 2], {}],
  [[1, 3, 12, 18], [9, 3, 2, 4], [1, 0], {}],
  [[1, 2, 5, 40], [6, 2, 1, 25], [0, 12], {}],
  [[1, 2, 16, 7], [6, 2, 7, 3], [6, 1], {}],
  [[2, 20, 10, 17], [40, 20, 3, 3], [1, 1], { TILE_C: 8, TILE_O: 16, CHANNELS: 8, CHUNK: 24 }],
  [[2, 20, 10, 17], [40, 20, 3, 3], [1, 1], { TILE_C: 4, TILE_O: 64, CHANNELS: 16, CHUNK: 8 }],
];

const values = (shape: Shape, seed: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
};
const geometryOf = (padding: readonly [number, number]) =>
  ({ stride: [1, 1], padding, dilation: [1, 1] }) as const;

interface Sizes {
  readonly x: Shape;
  readonly weight: Shape;
  readonly padding: readonly [number, number];
}

const outputOf = ({ x: [n, , h, w], weight: [o, , kh, kw], padding }: Sizes): Shape => [
  n,
  o,
  h + 2 * padding[0] - kh + 1,
  w + 2 * padding[1] - kw + 1,
];

/** As a GPU that so many workgroups keep busy. */
const gpu = (device: GpuDevice, groupsToFill: number): DeviceProfile => ({
  ...device.profile,
  ...facts.gpu,
  groupsToFill,
});

/** dw on the device, with db behind it if the plan sums that, and what it must be. x may have more channels than w. */
async function both(device: GpuDevice, sizes: Sizes, plan: WeightGradPlan, xs: Float32Array) {
  using _ = scope();
  const { x, weight, padding } = sizes;
  const y = outputOf(sizes);
  const dys = values(y, 2);
  const dw = Tensor.empty(weight, device);
  const db = plan.sumsBias ? Tensor.empty([weight[0]], device) : undefined;
  const [onDevice, dy] = [tensor(xs, x, { device }), tensor(dys, y, { device })];
  launchWeightGrad(device, { x: onDevice, dy }, { dw, db }, geometryOf(padding), plan);
  const got = new Float32Array([...(await dw.data()), ...((await db?.data()) ?? [])]);

  const want = new Float64Array(got.length);
  const [pictures, gradient] = [
    { shape: x, data: xs },
    { shape: y, data: dys },
  ];
  reference.weightGrad(pictures, gradient, { shape: weight, data: want }, geometryOf(padding));
  if (db) reference.biasGrad(gradient, { shape: db.shape, data: want.subarray(dw.size) });
  return { got, want };
}

describe.each(devices.map((device) => [device.name, device] as const))("on %s", (_, device) => {
  test.each(foreignCases(device, devices, fewInBrowser(cases, 5), 4))(
    "x [%s], weight [%s], padding %j, sizes %j",
    async (x, weight, padding, sizes) => {
      const shapes = { x, weight, padding };
      const convolution = { wShape: weight, yShape: outputOf(shapes), geometry: geometryOf(padding) };
      // Two sizes of card: pieces are cut short for the larger, and parts have several pieces on the smaller.
      for (const groups of [512, 4]) {
        const profile = gpu(device, groups);
        const byRule = planWeightGrad(profile, convolution);
        expect(byRule.kernel.name).toBe("conv2d/weight-grad-rolling");
        const { TILE_C, TILE_O, CHANNELS, CHUNK } = byRule.constants;
        const tile = { TILE_C, TILE_O, CHANNELS, CHUNK, ...sizes };
        const plan = planRollingSizes(profile, { ...convolution, hasBias: true }, tile);
        expect(plan.sumsBias).toBe(true);
        const { got, want } = await both(device, shapes, plan, values(x, 1));
        expectClose(got, want, { absolute: 5e-5, relative: 5e-5, label: `${groups} workgroups` });
      }
    },
  );

  const shapes: Sizes = { x: [5, 4, 14, 37], weight: [6, 4, 3, 3], padding: [1, 1] };
  const convolution = { wShape: shapes.weight, yShape: outputOf(shapes), geometry: geometryOf([1, 1]) };

  test("several pieces for a part, and several parts: the same bits each time", async () => {
    const plan = planWeightGrad(gpu(device, 2), { ...convolution, hasBias: true });
    expect(plan.params.pieces_per_part).toBeGreaterThan(1);
    expect(plan.grid[2]).toBeGreaterThan(1);
    const first = await both(device, shapes, plan, values(shapes.x, 1));
    expectClose(first.got, first.want, { absolute: 1e-4 });
    expect((await both(device, shapes, plan, values(shapes.x, 1))).got).toEqual(first.got);
  });

  test("channels of x that the weights do not take may be NaN", async () => {
    const x: Shape = [5, 7, 14, 37];
    const xs = values(x, 1);
    for (let n = 0; n < 5; n++) xs.fill(Number.NaN, (n * 7 + 4) * 14 * 37, (n + 1) * 7 * 14 * 37);
    const plan = planWeightGrad(gpu(device, 512), convolution);
    const { got, want } = await both(device, { ...shapes, x }, plan, xs);
    expectClose(got, want, { absolute: 1e-4 });
  });

  test("NaN in a channel, or in a picture's upper left corner, reaches its own weights and no others", async () => {
    const xs = values(shapes.x, 1);
    xs[14 * 37] = Number.NaN; // of channel 1: the corner above to the left
    const plan = planWeightGrad(gpu(device, 512), convolution);
    const { got, want } = await both(device, shapes, plan, xs);
    expect([...got].map(Number.isNaN)).toEqual([...want].map(Number.isNaN));
    expect([...want].filter(Number.isNaN)).toHaveLength(6 * 4); // of the window's 9 weights, 4 see it
  });

  test("sizes that do not fit are refused", () => {
    const sizes = { TILE_C: 64, TILE_O: 64, CHANNELS: 4, CHUNK: 16 };
    expect(() => planRollingSizes(device.profile, convolution, sizes)).toThrow(RangeError);
  });
});
