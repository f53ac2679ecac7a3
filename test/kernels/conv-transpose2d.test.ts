import { describe, expect, test } from "vitest";
import { type ConvTranspose2dOptions, convTranspose2d } from "../../src/kernels/conv-transpose2d/index.ts";
import { randn, tensor, zeros } from "../../src/tensor/create.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";
import { spread } from "../support/tier.ts";

const devices = await gpuDevices();
const cpu = float32Device();

type Case = readonly [x: Shape, w: Shape, options: ConvTranspose2dOptions];
const name = ([x, w, options]: Case) => `[${x}] by [${w}] ${JSON.stringify(options)}`;

/** Awkward on purpose: single pixels, windows smaller than the stride, paddings wider than the window. */
const cases: readonly Case[] = [
  [[1, 1, 1, 1], [1, 1, 1, 1], {}],
  [[2, 3, 5, 17], [3, 4, 3, 3], { padding: [3, 1] }],
  [[1, 2, 6, 8], [2, 3, 3, 3], { dilation: [2, 3], padding: [3, 1] }],
  [[1, 1, 1, 1], [1, 1, 2, 2], { stride: 2 }],
  [[1, 2, 4, 9], [2, 3, 4, 4], { stride: 2, padding: 1 }],
  [[3, 2, 7, 5], [2, 1, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }],
  [[1, 2, 5, 6], [2, 2, 3, 3], { stride: 3, padding: [5, 2], outputPadding: [2, 0] }],
  [[1, 2, 3, 4], [2, 2, 1, 2], { stride: 3, outputPadding: [0, 2] }],
  [[2, 2, 5, 6], [2, 3, 3, 3], { stride: [2, 3], padding: [1, 2], outputPadding: [1, 0] }],
  [[1, 2, 5, 4], [2, 3, 3, 2], { stride: 2, dilation: [3, 2], outputPadding: [2, 1], padding: 1 }],
];

/** FSRCNN's windows. test/golden compares their gradients with PyTorch's. */
const large: readonly Case[] = ([2, 3, 4] as const).map((stride) => [
  [2, 3, 8, 7],
  [3, 1, 9, 9],
  { stride, padding: 4, outputPadding: stride - 1 },
]);

describe("definition", () => {
  const of = (values: number[], shape: Shape) => tensor(values, shape, { device: cpu });

  test("every pixel spreads over a window; windows that overlap add up", () => {
    const y = convTranspose2d(of([1, 10], [1, 1, 1, 2]), of([1, 2, 3], [1, 1, 1, 3]), of([100], [1]), {
      stride: 2,
    });
    expect(y.shape).toEqual([1, 1, 1, 5]);
    expect([...y.cpuStorage.array]).toEqual([101, 102, 113, 120, 130]);
  });

  test("padding cuts off, outputPadding adds what only the bias reaches", () => {
    const y = convTranspose2d(of([1, 10], [1, 1, 1, 2]), of([1, 2], [1, 1, 1, 2]), of([7], [1]), {
      stride: [1, 3],
      padding: [0, 1],
      outputPadding: [0, 2],
    });
    expect([...y.cpuStorage.array]).toEqual([9, 7, 17, 27, 7]);
  });

  test("errors", () => {
    const make = (...shape: Shape) => zeros(shape, { device: cpu });
    const [x, w] = [make(1, 2, 4, 4), make(2, 3, 3, 3)];
    expect(() => convTranspose2d(make(2, 4, 4), w)).toThrow(ShapeError);
    expect(() => convTranspose2d(x, make(3, 2, 3, 3))).toThrow(
      /convTranspose2d: x \[1, 2, 4, 4\] has 2 channels and the weight \[3, 2, 3, 3\] takes 3/,
    );
    expect(() => convTranspose2d(x, w, make(2))).toThrow(/the bias has shape \[2\].*must be \[3\]/);
    expect(() => convTranspose2d(x, w, undefined, { padding: 3 })).toThrow(/nothing is left/);
    expect(() => convTranspose2d(x, w, undefined, { stride: 0 })).toThrow("convTranspose2d: stride must be");
    expect(() => convTranspose2d(x, w, undefined, { stride: 2, outputPadding: 2 })).toThrow(
      "outputPadding [2,2] must be smaller than the stride [2,2] or the dilation [1,1]",
    );
  });
});

describe("equals its CPU reference", () => {
  for (const each of spread(cases, 4)) {
    const [x, w, options] = each;
    const terms = Math.max(w[0] * w[2] * w[3], x[0] * x[2] * x[3] * w[1]);
    const bounds = { absolute: 1.6e-6 * Math.sqrt(terms) + 1e-6, relative: 2e-5 };
    test(`${name(each)}, and all gradients`, () =>
      compareWithCpu(
        devices,
        name(each),
        ([x, w, b]) => convTranspose2d(x, w, b, options),
        [x, w, [w[1]]],
        bounds,
      ));
  }

  for (const each of spread([...cases.slice(0, 2), ...large], 3)) {
    const [x, w, options] = each;
    const bounds = { absolute: 1.6e-6 * Math.sqrt(w[0] * w[2] * w[3]), relative: 2e-5, gradients: false };
    for (const adapterClass of [undefined, "gpu"] as const) {
      test(`${name(each)} without bias${adapterClass ? ", as on a real GPU" : ""}`, () =>
        compareWithCpu(devices, name(each), ([x, w]) => convTranspose2d(x, w, undefined, options), [x, w], {
          ...bounds,
          adapterClass,
        }));
    }
  }
});

describe("gradient rules, by differences in float64", () => {
  const device = float64Device();
  const random = new Random(3);
  const variations: readonly Case[] = [
    [[2, 2, 3, 4], [2, 3, 3, 3], { padding: 1 }],
    [[1, 2, 3, 3], [2, 2, 3, 2], { stride: 2, padding: [1, 0], outputPadding: 1 }],
    [[1, 1, 3, 2], [1, 2, 5, 5], { stride: 3, padding: 2, outputPadding: 2 }],
    [[1, 2, 3, 4], [2, 1, 2, 3], { stride: [2, 3], dilation: [1, 2] }],
    // As much outputPadding as the stride, which leaves the convolution back room for one more window.
    [[1, 2, 3, 4], [2, 2, 3, 3], { stride: [1, 2], dilation: [2, 3], outputPadding: [1, 2] }],
  ];
  for (const each of variations) {
    test(name(each), () => {
      using _ = scope();
      const [xShape, wShape, options] = each;
      const inputs = [xShape, wShape, [wShape[1]]].map((shape) => randn(shape, { random, device }));
      gradcheck((x, w, b) => convTranspose2d(x, w, b, options), inputs);
    });
  }
});

test.each(devices.map((device) => [device.name, device] as const))(
  "leaves no memory in use but its result, on %s",
  (_, device) => {
    using _scope = scope();
    const random = new Random(1);
    const x = randn([1, 2, 4, 5], { random, device });
    const w = randn([2, 1, 9, 9], { random, device });
    const { live } = device.memory();
    convTranspose2d(x, w, undefined, { stride: 3, padding: 4, outputPadding: 2 });
    expect(device.memory().live).toBe(live + 1);
  },
);
