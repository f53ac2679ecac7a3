import { describe, expect, test } from "vitest";
import {
  binaryCrossEntropyWithLogits,
  charbonnierLoss,
  huberLoss,
  l1Loss,
  mseLoss,
  smoothL1Loss,
} from "../../src/kernels/loss/index.ts";
import { full, randn, tensor } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";

const devices = await gpuDevices();
const f64 = float64Device();
const cpu = float32Device();
const losses = { l1Loss, mseLoss, charbonnierLoss, huberLoss, smoothL1Loss };
const names = ["l1Loss", "mseLoss", "charbonnierLoss", "huberLoss", "smoothL1Loss"] as const;
const reductions = ["mean", "sum"] as const;
const values = (x: Tensor) => Array.from(x.cpuStorage.array);

describe("definition", () => {
  const x = () => tensor([1, 2, 3, 4], [2, 2], { device: cpu, requiresGrad: true });
  const target = () => tensor([1, 4, 0, 3], [2, 2], { device: cpu, requiresGrad: true });

  test("values: the mean, or the sum", () => {
    expect(values(l1Loss(x(), target()))).toEqual([1.5]);
    expect(values(l1Loss(x(), target(), { reduction: "sum" }))).toEqual([6]);
    expect(values(mseLoss(x(), target(), { reduction: "mean" }))).toEqual([3.5]);
    expect(values(mseLoss(x(), target(), { reduction: "sum" }))).toEqual([14]);
    expect(l1Loss(x(), target()).shape).toEqual([]);
    const soft = charbonnierLoss(x(), target(), { eps: 2, reduction: "sum" });
    expect(values(soft)[0]).toBeCloseTo(2 + Math.sqrt(8) + Math.sqrt(13) + Math.sqrt(5), 5);
  });

  test("gradients: opposite for x and target, 0 where they are equal", () => {
    const [a, b] = [x(), target()];
    const l1 = backward(l1Loss(a, b));
    expect(values(l1.get(a)!)).toEqual([0, -0.25, 0.25, 0.25]);
    expect(values(l1.get(b)!).map((v) => v + 0)).toEqual([0, 0.25, -0.25, -0.25]); // + 0 turns -0 into 0
    const soft = backward(charbonnierLoss(a, b, { eps: 2, reduction: "sum" }));
    const want = [0, -2 / Math.sqrt(8), 3 / Math.sqrt(13), 1 / Math.sqrt(5)];
    for (const [i, v] of values(soft.get(a)!).entries()) expect(v).toBeCloseTo(want[i], 6);
    const mse = backward(mseLoss(a, b, { reduction: "sum" }));
    expect(values(mse.get(a)!)).toEqual([0, -4, 6, 2]);
  });

  test("Huber: a square up to delta, and a line beyond; smooth L1 is that divided by beta", () => {
    const [a, b] = [x(), target()]; // differences 0, -2, 3, 1
    expect(values(huberLoss(a, b, { delta: 2, reduction: "sum" }))).toEqual([0 + 2 + 4 + 0.5]);
    expect(values(smoothL1Loss(a, b, { beta: 2, reduction: "sum" }))).toEqual([0 + 1 + 2 + 0.25]);
    expect(values(huberLoss(a, b))).toEqual([(0 + 1.5 + 2.5 + 0.5) / 4]);
    expect(values(backward(huberLoss(a, b, { delta: 2, reduction: "sum" })).get(a)!)).toEqual([0, -2, 2, 1]);
    expect(values(backward(smoothL1Loss(a, b, { beta: 2, reduction: "sum" })).get(a)!)).toEqual([
      0, -1, 1, 0.5,
    ]);
  });

  test("errors", () => {
    const other = full([2, 1], 0, { device: cpu });
    expect(() => l1Loss(x(), other)).toThrow(ShapeError); // no broadcasting
    expect(() => mseLoss(x(), other)).toThrow(/mseLoss: x \[2, 2\] and target \[2, 1\]/);
    expect(() => l1Loss(x(), target(), { reduction: "none" as "sum" })).toThrow(/mean or sum.*"none"/);
    expect(() => huberLoss(x(), target(), { delta: 0 })).toThrow(/huberLoss: delta must be a number above 0/);
    expect(() => smoothL1Loss(x(), target(), { beta: -1 })).toThrow(
      /smoothL1Loss: beta must be a number above 0/,
    );
    expect(() => charbonnierLoss(x(), target(), { eps: 0 })).toThrow(
      /charbonnierLoss: eps must be a number above 0/,
    );
  });
});

describe.each(names)("%s", (name) => {
  const loss = losses[name];

  test.each(reductions)("gradients, %s", (reduction) => {
    const random = new Random(3);
    const target = randn([2, 3, 4], { random, device: f64 });
    // Differences away from 0, where |d| has no derivative.
    const x = tensor(
      Float32Array.from(
        target.cpuStorage.array,
        (v) => v + (random.uniform() < 0.5 ? -1 : 1) * (0.1 + random.uniform()),
      ),
      target.shape,
      { device: f64 },
    );
    gradcheck((a, b) => loss(a, b, { reduction }), [x, target]);
  });

  // Sizes around vec4s, workgroups and the shares of several workgroups.
  const shapes: Shape[] = [[1], [2], [3], [5], [2, 3, 5, 7], [255], [257], [1021], [3, 127, 173], [4, 32769]];
  test.each(reductions)("kernels, %s", async (reduction) => {
    for (const shape of shapes) {
      // The gradient of a mean is small, so the tolerance must be, too.
      const absolute = reduction === "mean" ? 1e-6 / shape.reduce((a, b) => a * b) : 1e-6;
      await compareWithCpu(
        devices,
        `${name} ${reduction} of [${shape}]`,
        ([x, t]) => loss(x, t, { reduction }),
        [shape, shape],
        { absolute },
      );
    }
  });

  test("as on a real GPU: wide workgroups, up to the largest number of them", async () => {
    await compareWithCpu(devices, `${name}, 3 groups`, ([x, t]) => loss(x, t), [[20011], [20011]], {
      absolute: 1e-10,
      adapterClass: "gpu",
    });
    // 1024 * 8192 elements fill all groups; the last five must count, too. Sums of small whole numbers are
    // exact.
    const size = 1024 * 8192 + 5;
    const x = { shape: [size], values: new Float32Array(size).fill(2) };
    const t = { shape: [size], values: new Float32Array(size).fill(1) };
    const relative = name === "charbonnierLoss" ? 1e-6 : 0; // its terms are no whole numbers
    const exact = { absolute: 0, relative, gradients: false, adapterClass: "gpu" } as const;
    await compareWithCpu(
      devices,
      `${name}, all groups`,
      ([x, t]) => loss(x, t, { reduction: "sum" }),
      [x, t],
      exact,
    );
  });

  test("NaN stays NaN, in the gradient as well", async () => {
    const x = { shape: [5], values: [1, Number.NaN, 2, 3, 4] };
    await compareWithCpu(devices, `${name} of NaN`, ([x, t]) => loss(x, t), [x, [5]]);
  });

  test("old contents of memory do not count", async () => {
    for (const device of devices) {
      const poisoned = [0, 1, 2, 3, 4].map(() => full([64], Number.NaN, { device }));
      for (const tensor of poisoned) tensor.dispose();
      const x = full([5], 3, { device });
      const t = full([5], 1, { device });
      const want = {
        l1Loss: 2,
        mseLoss: 4,
        charbonnierLoss: Math.fround(Math.sqrt(4 + 1e-6)),
        huberLoss: 1.5,
        smoothL1Loss: 1.5,
      }[name];
      expect(await loss(x, t).item()).toBe(want);
    }
  });

  test("the same numbers give the same loss, to the bit", async () => {
    for (const device of devices) {
      const x = randn([70001], { random: new Random(5), device });
      const t = randn([70001], { random: new Random(6), device });
      const first = await loss(x, t).item();
      for (let i = 0; i < 3; i++) expect(await loss(x, t).item()).toBe(first);
    }
  });
});

describe("binaryCrossEntropyWithLogits", () => {
  const definition = (x: number, t: number) => {
    const p = 1 / (1 + Math.exp(-x));
    return -t * Math.log(p) - (1 - t) * Math.log(1 - p);
  };

  test("is the cross-entropy of the sigmoid, and has its gradients", () => {
    const [x, t] = [
      [-3, -0.5, 0, 0.2, 4],
      [0, 1, 0.5, 0.25, 1],
    ];
    const total = x.reduce((sum, value, i) => sum + definition(value, t[i]), 0);
    const on = (data: number[]) => tensor(data, { device: f64 });
    expect(values(binaryCrossEntropyWithLogits(on(x), on(t)))[0]).toBeCloseTo(total / 5, 12);
    expect(values(binaryCrossEntropyWithLogits(on(x), on(t), { reduction: "sum" }))[0]).toBeCloseTo(
      total,
      12,
    );
    gradcheck((x, t) => binaryCrossEntropyWithLogits(x, t), [on(x), on(t)]);
  });

  test("is exact where the sigmoid rounds to 0 or 1", () => {
    const loss = (x: number, t: number) =>
      values(binaryCrossEntropyWithLogits(tensor([x], { device: cpu }), tensor([t], { device: cpu })))[0];
    expect([loss(200, 1), loss(200, 0), loss(-200, 1), loss(-200, 0)]).toEqual([0, 200, 200, 0]);
    expect(loss(30, 1)).toBeCloseTo(Math.log1p(Math.exp(-30)), 20);
  });

  test("keeps the digits of what is sure and right, for yes and for no, in loss and gradients", async () => {
    const sure = [0, 0.5, 3, 10, 17, 30];
    const yes = [1, 1 - 2 ** -20].flatMap((t) => sure.map((x) => [x, t]));
    const no = [0, 2 ** -20].flatMap((t) => sure.map((x) => [-x, t]));
    for (const device of [cpu, ...devices]) {
      for (const [x, t] of [...yes, ...no]) {
        using _ = scope();
        const [logit, target] = [x, t].map((v) => tensor([v], { device, requiresGrad: true }));
        const loss = binaryCrossEntropyWithLogits(logit, target);
        const gradients = backward(loss);
        const [p, q] = [1 / (1 + Math.exp(-x)), 1 / (1 + Math.exp(x))];
        const near = (got: number, want: number, what: string) =>
          expect(
            Math.abs(got - want),
            `${what} of ${x}, ${t} on ${device.name}: ${got}, want ${want}`,
          ).toBeLessThanOrEqual(3e-6 * Math.abs(want));
        near(await loss.item(), (x > 0 ? 1 - t : -t) * x + Math.log1p(Math.exp(-Math.abs(x))), "loss");
        near(await gradients.get(logit)!.item(), (1 - t) * p - t * q, "gradient of x");
        expect(await gradients.get(target)!.item()).toBeCloseTo(-x, 10);
      }
    }
  });

  test("NaN stays NaN, in the gradients as well, and all sizes count", async () => {
    const x = { shape: [5], values: [1, Number.NaN, 2, 3, 4] };
    for (const inputs of [
      [x, [5]],
      [[5], x],
    ])
      await compareWithCpu(devices, "bce of NaN", ([x, t]) => binaryCrossEntropyWithLogits(x, t), inputs);
    for (const shape of [[1], [255], [1021], [4, 32769]])
      await compareWithCpu(
        devices,
        `bce of [${shape}]`,
        ([x, t]) => binaryCrossEntropyWithLogits(x, t, { reduction: "sum" }),
        [shape, shape],
      );
  });

  test("kernels, and errors", async () => {
    await compareWithCpu(devices, "bce", ([x, t]) => binaryCrossEntropyWithLogits(x, t), [
      [3, 67],
      [3, 67],
    ]);
    const [x, t] = [full([2], 0, { device: cpu }), full([2, 1], 0, { device: cpu })];
    expect(() => binaryCrossEntropyWithLogits(x, t)).toThrow(
      "binaryCrossEntropyWithLogits: x [2] and target [2, 1] must have the same shape.",
    );
  });
});
