import { describe, expect, test } from "vitest";
import { conv2d } from "../../src/kernels/conv2d/index.ts";
import { type DenseLayer, denseConv2d } from "../../src/kernels/dense-conv2d/index.ts";
import { leakyRelu } from "../../src/kernels/elementwise/index.ts";
import { concat } from "../../src/kernels/layout/index.ts";
import { randn } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectTensorsClose } from "../support/close.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, foreignCases, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";
import { fewInBrowser } from "../support/tier.ts";

const devices = await gpuDevices();
const cpu = float32Device();
const slope = 0.2;

/** The shapes of a chain that adds `growth` channels at each step. */
function shapesOf([n, c, h, w]: Shape, growth: readonly number[]): Shape[] {
  const layers = growth.flatMap((o, i) => {
    const before = growth.slice(0, i).reduce((a, b) => a + b, c);
    return [[o, before, 3, 3], [o]];
  });
  return [[n, c, h, w], ...layers];
}

function layersOf(tensors: readonly Tensor[]): DenseLayer[] {
  return Array.from({ length: tensors.length / 2 }, (_, i) => {
    return { weight: tensors[2 * i], bias: tensors[2 * i + 1] };
  });
}

const dense = ([x, ...rest]: Tensor[]) => denseConv2d(x, layersOf(rest), slope);

/** The definition: what each convolution has made is joined with what it read. */
const joined = ([x, ...rest]: Tensor[]) =>
  layersOf(rest).reduce(
    (y, { weight, bias }) => concat([y, leakyRelu(conv2d(y, weight, bias, { padding: 1 }), slope)], 1),
    x,
  );

const cases: readonly (readonly [Shape, readonly number[]])[] = [
  [
    [1, 3, 5, 7],
    [2, 2, 2, 2],
  ],
  [
    [2, 4, 9, 17],
    [3, 5],
  ],
  [[3, 16, 4, 4], [17]],
  [
    [1, 8, 6, 33],
    [16, 4],
  ],
  [[1, 2, 3, 3], []],
];

const foreignOn = new Map(devices.map((device) => [device, foreignCases(device, devices, cases, 1)]));

describe.each(fewInBrowser(cases, 3))("denseConv2d of [%s], growing by [%s]", (x, growth) => {
  const shapes = shapesOf(x, growth);
  const able = devices.filter((device) => foreignOn.get(device)!.some(([each]) => each === x));

  test("is a chain of convolutions and concatenations", async () => {
    using _ = scope();
    const random = new Random(2);
    const tensors = shapes.map((shape) => randn(shape, { random, device: cpu }));
    await expectTensorsClose(dense(tensors), joined(tensors), { absolute: 1e-5 });
  });

  test("equals its CPU reference, gradients included", () =>
    compareWithCpu(devices, "dense", dense, shapes, { absolute: 1e-3, relative: 1e-4 }));

  test("and as on a real GPU", () =>
    compareWithCpu(able, "dense", dense, shapes, {
      absolute: 1e-3,
      relative: 1e-4,
      adapterClass: "gpu",
    }));
});

test("gradient rules, by differences in float64", () => {
  using _ = scope();
  const [random, device] = [new Random(4), float64Device()];
  const inputs = shapesOf([2, 2, 3, 4], [2, 1]).map((shape) => randn(shape, { random, device }));
  gradcheck((...tensors) => dense(tensors), inputs);
});

test("refuses what does not fit", () => {
  using _ = scope();
  const random = new Random(1);
  const make = (shape: Shape) => randn(shape, { random, device: cpu });
  const layer = (...shape: Shape) => ({ weight: make(shape), bias: make([shape[0]]) });
  const x = make([1, 3, 4, 4]);
  const call =
    (...layers: DenseLayer[]) =>
    () =>
      denseConv2d(x, layers, slope);
  expect(call(layer(2, 3, 3, 3), layer(2, 3, 3, 3))).toThrow(ShapeError);
  expect(call(layer(2, 3, 3, 3), layer(2, 3, 3, 3))).toThrow(/weight 1 must have the shape \[o, 5, 3, 3\]/);
  expect(call(layer(2, 3, 1, 1))).toThrow(/weight 0 must have the shape \[o, 3, 3, 3\]/);
  expect(call({ weight: make([2, 3, 3, 3]), bias: make([3]) })).toThrow(/bias 0 has the shape \[3\]/);
  expect(() => denseConv2d(make([3, 4, 4]), [], slope)).toThrow(/wants x \[n, c, h, w\]/);
  expect(() => denseConv2d(x, [], -0.1)).toThrow(/slope must be a number of at least 0/);
});
