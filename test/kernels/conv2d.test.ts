import { describe, expect, test } from "vitest";
import { facts } from "../../src/device/profile.ts";
import { activationNames, activations } from "../../src/kernels/conv2d/epilogue.ts";
import { type Conv2dOptions, conv2d, type Variant, variants } from "../../src/kernels/conv2d/index.ts";
import {
  add,
  leakyRelu,
  mul,
  prelu,
  relu,
  silu,
  symmetricGate,
} from "../../src/kernels/elementwise/index.ts";
import { pixelShuffle } from "../../src/kernels/pixel-shuffle/index.ts";
import { sum } from "../../src/kernels/reduce/index.ts";
import { interpolate } from "../../src/kernels/resize/index.ts";
import { randn, tensor } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { Random } from "../../src/tensor/random.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type Shape, ShapeError } from "../../src/tensor/shape.ts";
import { backward } from "../../src/tensor/tape.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { expectClose } from "../support/close.ts";
import { compareWithCpu } from "../support/compare.ts";
import { float32Device, float64Device, foreignCases, gpuDevices } from "../support/devices.ts";
import { gradcheck } from "../support/gradcheck.ts";
import { fewInBrowser, spread } from "../support/tier.ts";

const devices = await gpuDevices();
/** A slope of its own for each of `o` channels, for the one activation that wants them. */
const slopes = (activation: string, device: Tensor["device"], o: number) =>
  activation === "prelu"
    ? {
        slope: tensor(
          [...Array(o).keys()].map((i) => i / o - 0.3),
          [o],
          { device },
        ),
      }
    : {};

type Case = readonly [x: Shape, w: Shape, options: Conv2dOptions];

/** Awkward on purpose: single pixels, primes, one more or less than a strip (8), a tile and a block (16). */
const cases: readonly Case[] = [
  [[1, 1, 1, 1], [1, 1, 1, 1], {}],
  [[2, 3, 5, 7], [4, 3, 3, 3], { padding: 1 }],
  [[1, 3, 17, 15], [16, 3, 3, 3], { padding: 1 }],
  [[1, 16, 9, 8], [17, 16, 3, 3], { padding: 1 }],
  [[3, 5, 2, 33], [3, 5, 3, 3], { padding: 2 }],
  [[1, 17, 7, 9], [5, 17, 1, 1], {}],
  [[1, 2, 11, 13], [6, 2, 5, 5], { padding: 2 }],
  [[1, 1, 20, 19], [9, 1, 9, 9], { padding: 4 }],
  [[2, 2, 13, 12], [3, 2, 3, 5], { padding: [1, 2] }],
  [[1, 3, 16, 17], [4, 3, 3, 3], { padding: 1, stride: 2 }],
  [[1, 2, 14, 23], [2, 2, 4, 2], { stride: [3, 2] }],
  [[1, 2, 12, 18], [3, 2, 3, 3], { dilation: 2, padding: 2 }],
  // Rows of fours, in strips that lie side by side: what lanes hand each other, and the edges of their strips.
  [[2, 3, 5, 68], [5, 3, 3, 3], { padding: 1 }],
  [[1, 2, 3, 36], [6, 2, 5, 5], { padding: 2 }],
  [[1, 3, 3, 260], [16, 3, 3, 3], { padding: 1 }],
  [[1, 1, 4, 148], [3, 1, 9, 9], { padding: 4 }],
  [[1, 2, 3, 152], [3, 2, 3, 3], { padding: 3, dilation: 3 }],
  [[1, 2, 15, 31], [3, 2, 3, 3], { dilation: [1, 3], stride: [2, 1], padding: [0, 4] }],
  // A window too wide for the registers of the blocked kernels.
  [[1, 1, 9, 64], [2, 1, 3, 9], { dilation: [1, 6], stride: [1, 2], padding: [1, 24] }],
];

const name = ([x, w, options]: Case) => {
  const shown = Object.entries(options).map(([key, value]) => [
    key,
    value instanceof Tensor ? `${value}` : value,
  ]);
  return `[${x}] * [${w}] ${JSON.stringify(Object.fromEntries(shown))}`;
};
/** A sum's rounding error grows about with the root of the number of terms. */
const tolerance = (terms: number) => ({ absolute: 4e-7 * Math.sqrt(terms) + 1e-6, relative: 2e-5 });

/** Steps that run on other adapters than software's. */
const foreign: readonly Variant[] = ["6-prefetch", "5-shared", "3-blocked"];

describe("conv2d equals its CPU reference", () => {
  const own = fewInBrowser(spread(cases, 5), 4);
  const foreignOn = new Map(devices.map((device) => [device, foreignCases(device, devices, own, 5)]));
  for (const each of own) {
    const able = devices.filter((device) => foreignOn.get(device)!.includes(each));
    const [x, w, options] = each;
    const forwardTerms = w[1] * w[2] * w[3];
    const gradientTerms = x[0] * x[2] * x[3] * w[0];
    const bounds = tolerance(16 * Math.max(forwardTerms, gradientTerms));
    test(`${name(each)}: the planned kernel, and all gradients`, () =>
      compareWithCpu(devices, name(each), ([x, w, b]) => conv2d(x, w, b, options), [x, w, [w[0]]], bounds));
    test(`${name(each)}: as on a real GPU`, () =>
      compareWithCpu(able, name(each), ([x, w, b]) => conv2d(x, w, b, options), [x, w, [w[0]]], {
        ...bounds,
        adapterClass: "gpu",
      }));
    for (const variant of variants) {
      const tooWide = each === cases.at(-1) && (variant === "2-tiled" || variant === "4-broadcast");
      test.skipIf(tooWide)(`${name(each)}: ${variant}, without bias`, () =>
        compareWithCpu(
          foreign.includes(variant) ? able : devices,
          `${variant} ${name(each)}`,
          ([x, w]) => conv2d(x, w, undefined, { ...options, variant }),
          [x, w],
          {
            ...tolerance(16 * forwardTerms),
            gradients: false,
          },
        ),
      );
    }
  }

  for (const activation of activationNames) {
    test(`NaN stays NaN with ${activation} on the way`, () => {
      const x = {
        shape: [1, 1, 5, 9],
        values: Float32Array.from({ length: 45 }, (_, i) => (i === 20 ? Number.NaN : i - 20)),
      };
      return compareWithCpu(
        devices,
        activation,
        ([x, w]) => conv2d(x, w, undefined, { padding: 1, activation, ...slopes(activation, x.device, 3) }),
        [x, [3, 1, 3, 3]],
        { absolute: 2e-5, gradients: false },
      );
    });
    test(`with ${activation} on the way`, () =>
      compareWithCpu(
        devices,
        activation,
        ([x, w, b]) => conv2d(x, w, b, { padding: 1, activation, ...slopes(activation, x.device, 5) }),
        [[2, 3, 6, 9], [5, 3, 3, 3], [5]],
        { absolute: 2e-5 },
      ));
    // The planned kernel, and one that has no epilogue of its own.
    for (const variant of [undefined, "1-naive"] as const) {
      test(`with ${activation} on the way and nothing taped, ${variant ?? "as planned"}`, () =>
        compareWithCpu(
          devices,
          `${activation} ${variant}`,
          ([x, w, b]) =>
            conv2d(x, w, b, { padding: 1, activation, variant, ...slopes(activation, x.device, 5) }),
          [[2, 3, 6, 9], [5, 3, 3, 3], [5]],
          { absolute: 2e-5, gradients: false },
        ));
    }
  }

  for (const variant of [undefined, "1-naive"] as const) {
    for (const gradients of [true, false]) {
      test(`with a gate, ${variant ?? "as planned"}, ${gradients ? "taped" : "not taped"}`, () =>
        compareWithCpu(
          devices,
          `gate ${variant}`,
          ([x, w, b, gate]) => conv2d(x, w, b, { padding: 1, gate, variant }),
          [[2, 3, 6, 9], [5, 3, 3, 3], [5], [2, 5, 6, 9]],
          { absolute: 4e-5, gradients },
        ));
    }
    test(`with a skip connection enlarged by a pixel shuffle, ${variant ?? "as planned"}`, () =>
      compareWithCpu(
        devices,
        `shuffled skip ${variant}`,
        ([x, w, b, skip]) => conv2d(x, w, b, { padding: 1, skip, shuffle: 3, variant }),
        [[2, 3, 5, 9], [18, 3, 3, 3], [18], [2, 2, 5, 9]],
        { absolute: 2e-5 },
      ));
  }

  for (const variant of variants) {
    const able = devices.filter(
      (device) => !foreign.includes(variant) || foreignCases(device, devices, foreign, 1).includes(variant),
    );
    test(`with a skip connection, ${variant}`, () =>
      compareWithCpu(
        able,
        `skip ${variant}`,
        ([x, w, b, skip]) => conv2d(x, w, b, { padding: 1, skip, alpha: 0.1, variant }),
        [[2, 3, 6, 9], [5, 3, 3, 3], [5], [2, 5, 6, 9]],
        { absolute: 2e-5 },
      ));
    test(`with a pixel shuffle, ${variant}`, () =>
      compareWithCpu(
        able,
        `shuffle ${variant}`,
        ([x, w, b]) => conv2d(x, w, b, { padding: 1, shuffle: 3, activation: "tanh", variant }),
        [[2, 3, 5, 9], [18, 3, 3, 3], [18]],
        { absolute: 2e-5 },
      ));
  }

  test("with activation and pixel shuffle in a launch of their own, after a kernel for wide windows", () =>
    compareWithCpu(
      devices,
      "wide",
      ([x, w, b]) => conv2d(x, w, b, { padding: [0, 30], dilation: [1, 10], activation: "relu", shuffle: 2 }),
      [[1, 2, 5, 20], [8, 2, 1, 5], [8]],
      { absolute: 2e-5 },
    ));

  test("rows dealt out to many partial weight gradients", () =>
    compareWithCpu(
      devices,
      "parts",
      ([x, w]) => conv2d(x, w, undefined, { padding: 1 }),
      [
        [4, 2, 37, 5],
        [3, 2, 3, 3],
      ],
      {
        absolute: 1e-4,
      },
    ));
});

describe("conv2d's gradient rules, by differences in float64", () => {
  const device = float64Device();
  const random = new Random(3);
  const variations: readonly Case[] = [
    [[2, 2, 4, 5], [3, 2, 3, 3], { padding: 1 }],
    [[1, 2, 7, 6], [2, 2, 3, 2], { stride: [2, 3], padding: [1, 0] }],
    [[1, 1, 7, 8], [2, 1, 3, 3], { dilation: [2, 1], padding: 2 }],
    ...activationNames.map((activation): Case => {
      const options = { activation, ...slopes(activation, device, 2) };
      return [[1, 2, 4, 4], [2, 2, 3, 3], options];
    }),
    [[1, 2, 4, 4], [2, 2, 3, 3], { activation: "leakyRelu", slope: 0.2 }],
    [[1, 2, 4, 4], [2, 2, 3, 3], { activation: "leakyRelu", slope: -0.2 }],
    [[1, 2, 4, 3], [8, 2, 3, 3], { padding: 1, shuffle: 2, activation: "sigmoid" }],
  ];
  for (const each of variations) {
    test(name(each), () => {
      using _ = scope();
      const [xShape, wShape, options] = each;
      const x = randn(xShape, { random, device });
      const w = randn(wShape, { random, device });
      const b = randn([wShape[0]], { random, device });
      gradcheck((x, w, b) => conv2d(x, w, b, options), [x, w, b]);
    });
  }
});

test("the derivative of every activation that is fused on a tape follows from its result", () => {
  for (const [activation, { rule }] of Object.entries(activations)) {
    for (const slope of activation === "leakyRelu" ? [0, 0.2, 1, 3] : [0]) {
      for (const x of [-3, -1, -0.1, 0, 0.1, 1, 3]) {
        const y = rule.f(x, slope, 0);
        expect(rule.df(y, y, slope, 0), `${activation} at ${x}`).toBe(rule.df(x, y, slope, 0));
      }
    }
  }
});

test("fused operations give the same as one after the other", async () => {
  using _ = scope();
  const device = float32Device();
  const random = new Random(9);
  const x = randn([2, 3, 5, 4], { random, device });
  const w = randn([8, 3, 3, 3], { random, device });
  const b = randn([8], { random, device });
  const skip = randn([2, 8, 5, 4], { random, device });
  const plain = conv2d(x, w, b, { padding: 1 });
  const equal = async (fused: Tensor, separate: Tensor) => {
    expect(fused.shape).toEqual(separate.shape);
    expect(await fused.data()).toEqual(await separate.data());
  };
  await equal(conv2d(x, w, b, { padding: 1, activation: "relu" }), relu(plain));
  await equal(conv2d(x, w, b, { padding: 1, activation: "silu" }), silu(plain));
  const options = { padding: 1, activation: "leakyRelu" } as const;
  await equal(conv2d(x, w, b, options), leakyRelu(plain));
  for (const slope of [0.2, -0.2])
    await equal(conv2d(x, w, b, { ...options, slope }), leakyRelu(plain, slope));
  const learned = randn([8], { random, device });
  await equal(
    conv2d(x, w, b, { padding: 1, activation: "prelu", slope: learned, shuffle: 2 }),
    pixelShuffle(prelu(plain, learned), 2),
  );
  const gated = conv2d(x, w, b, { padding: 1, gate: skip });
  expectClose(await gated.data(), await symmetricGate(plain, skip).data());
  await equal(conv2d(x, w, b, { padding: 1, shuffle: 2 }), pixelShuffle(plain, 2));
  const picture = randn([2, 2, 5, 4], { random, device });
  const large = interpolate(picture, { mode: "nearest", scaleFactor: 2 });
  await equal(
    conv2d(x, w, b, { padding: 1, shuffle: 2, skip: picture, alpha: 0.5 }),
    add(large, pixelShuffle(plain, 2), { alpha: 0.5 }),
  );
  await equal(conv2d(x, w, b, { padding: 1, skip, alpha: 0.5 }), add(skip, plain, { alpha: 0.5 }));
  // The gradient rule of the skip, which no case above has.
  const other = float64Device();
  const inputs = [
    [1, 2, 4, 4],
    [3, 2, 3, 3],
    [1, 3, 4, 4],
  ].map((shape) => randn(shape, { random, device: other }));
  gradcheck((x, w, skip) => conv2d(x, w, undefined, { padding: 1, skip, alpha: 0.3 }), inputs);
  gradcheck((x, w, gate) => conv2d(x, w, undefined, { padding: 1, gate }), inputs);
  const [x1, w1, small, learned1] = [[1, 2, 3, 4], [8, 2, 3, 3], [1, 2, 3, 4], [8]].map((shape) =>
    randn(shape, { random, device: other }),
  );
  gradcheck(
    (x, w, skip) => conv2d(x, w, undefined, { padding: 1, skip, shuffle: 2, alpha: 0.3 }),
    [x1, w1, small],
  );
  gradcheck(
    (x, w, slope) => conv2d(x, w, undefined, { padding: 1, activation: "prelu", slope, shuffle: 2 }),
    [x1, w1, learned1],
  );
});

test("fused activations keep the digits of small sums", async () => {
  const sizes = Array.from({ length: 81 }, (_, i) => 10 ** (-8 + i / 10));
  const row = { shape: [1, 1, 1, 162], values: [...sizes.map((size) => -size), ...sizes] };
  const one = { shape: [1, 1, 1, 1], values: [1] };
  const options = { gradients: false, absolute: 0, relative: 3e-6 };
  for (const activation of activationNames) {
    const f = ([x, w]: Tensor[]) =>
      noGrad(() => conv2d(x, w, undefined, { activation, ...slopes(activation, x.device, 1) }));
    await compareWithCpu(devices, activation, f, [row, one], options);
  }
  const gate = ([x, w]: Tensor[]) => noGrad(() => conv2d(x, w, undefined, { gate: x }));
  await compareWithCpu(devices, "gate", gate, [row, one], options);
});

test("what cannot be undone is fused only where nothing is taped", () => {
  using _ = scope();
  const device = float64Device();
  const x = randn([1, 2, 3, 3], { random: new Random(1), device, requiresGrad: true });
  const w = randn([2, 2, 3, 3], { random: new Random(2), device });
  const makers = (options: Conv2dOptions) => conv2d(x, w, undefined, { padding: 1, ...options }).node?.name;
  expect(makers({ activation: "leakyRelu", slope: 0.2 })).toBe("conv2d");
  expect(makers({ activation: "leakyRelu", slope: -0.2 })).toBe("leakyRelu");
  expect(makers({ activation: "silu" })).toBe("silu");
  expect(makers({ gate: x })).toBe("symmetricGate");
  expect(makers({ activation: "prelu", slope: tensor([0.1, 0.2], [2], { device }) })).toBe("prelu");
  expect(noGrad(() => makers({ activation: "silu" }))).toBeUndefined();
});

describe("properties", () => {
  // <conv(x), y> = <x, input gradient of y> = <w, weight gradient of y>: the same sum of triple products.
  for (const device of devices) {
    test(`the gradients are adjoint to the convolution on ${device.name}`, async () => {
      using _ = scope();
      const random = new Random(5);
      const x = randn([2, 5, 12, 19], { random, device, requiresGrad: true });
      const w = randn([7, 5, 3, 3], { random, device, requiresGrad: true });
      const y = conv2d(x, w, undefined, { padding: 1 });
      const dy = randn(y.shape, { random, device });
      const product = sum(mul(y, dy));
      const gradients = backward(product);
      const viaX = sum(mul(x, gradients.get(x)!));
      const viaW = sum(mul(w, gradients.get(w)!));
      const value = await product.item();
      expect(Math.abs((await viaX.item()) - value)).toBeLessThan(1e-3 * Math.abs(value) + 1e-2);
      expect(Math.abs((await viaW.item()) - value)).toBeLessThan(1e-3 * Math.abs(value) + 1e-2);
    });

    test(`the same inputs give the same bits on ${device.name}`, async () => {
      using _ = scope();
      const random = new Random(6);
      const x = randn([3, 4, 33, 21], { random, device, requiresGrad: true });
      const w = randn([6, 4, 3, 3], { random, device, requiresGrad: true });
      const once = async () => {
        const y = conv2d(x, w, undefined, { padding: 1, activation: "relu" });
        const gradients = backward(sum(y));
        return [await y.data(), await gradients.get(x)!.data(), await gradients.get(w)!.data()];
      };
      expect(await once()).toEqual(await once());
    });
  }
});

/** Milliseconds. Software adapters take seconds to compile some of the kernels that are made for cards. */
const slow = 600_000;

describe.each([
  {
    where: "a real GPU",
    changes: facts.gpu,
    // Neither channels nor pixels are multiples of any tile.
    shapes: [
      [[1, 9, 33, 17], [3, 9, 3, 3], 1, 1],
      // A compiler takes a second for each size here, and every fourth one will do: the first shape has them all.
      [[2, 5, 19, 35], [70, 5, 3, 3], 1, 4],
      [[1, 3, 12, 20], [20, 3, 5, 5], 2, 4],
    ] as [x: Shape, w: Shape, padding: number, every: number][],
  },
  {
    where: "this adapter",
    changes: {},
    shapes: [[[1, 3, 5, 36], [6, 3, 3, 3], 1, 1]] as [Shape, Shape, number, number][],
  },
])("every size that a tuner may choose on $where", ({ changes, shapes }) => {
  for (const device of devices) {
    test.each(foreignCases(device, devices, spread(shapes, 1), 1))(
      `[%s] * [%s] on ${device.name}`,
      async (xShape, wShape, padding, every) => {
        using _ = scope();
        const { profile } = device;
        device.profile = { ...profile, ...changes };
        try {
          const random = new Random(11);
          const x = randn(xShape, { random, device });
          const w = randn(wShape, { random, device });
          const cpu = { device: float32Device() };
          const [cpuX, cpuW] = [tensor(await x.data(), xShape, cpu), tensor(await w.data(), wShape, cpu)];
          const want = await conv2d(cpuX, cpuW, undefined, { padding }).data();
          let all: { run: () => void; name: string }[] = [];
          device.tuning.observer = ({ candidates, launch }) => {
            const { workgroup } = profile; // of any other size, a workgroup does the same
            all = candidates()
              .filter((size) => !("workgroup" in size) || size.workgroup === workgroup)
              .map((size) => ({ run: () => launch(size), name: JSON.stringify(size) }));
          };
          const y = conv2d(x, w, undefined, { padding });
          const planned = await y.data();
          expect(all.length).toBeGreaterThan(2);
          const some = all.filter((_, i) => i % every === 0);
          for (const { run, name } of fewInBrowser(some, 8)) {
            run();
            const got = await device.read(y.gpuStorage);
            expectClose(got, want, { ...tolerance(16 * wShape[1] * wShape[2] * wShape[3]), label: name });
            // All tiles add in the same order, so a picture in pieces has no seams.
            expect(got).toEqual(planned);
          }
        } finally {
          device.tuning.observer = undefined;
          device.profile = profile;
        }
      },
      slow,
    );
  }
});

describe("refuses what does not fit, with both shapes", () => {
  const device = float32Device();
  const zeros = (shape: Shape) =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, { device });

  test("channels", () => {
    expect(() => conv2d(zeros([1, 3, 8, 8]), zeros([4, 2, 3, 3]))).toThrow(
      /conv2d: x \[1, 3, 8, 8\] has 3 channels and the weight \[4, 2, 3, 3\] takes 2/,
    );
  });
  test("axes", () => {
    expect(() => conv2d(zeros([3, 8, 8]), zeros([4, 3, 3, 3]))).toThrow(ShapeError);
  });
  test("a window larger than the picture", () => {
    expect(() => conv2d(zeros([1, 1, 2, 8]), zeros([1, 1, 3, 3]))).toThrow(
      /does not fit into x \[1, 1, 2, 8\]/,
    );
  });
  test("the bias", () => {
    expect(() => conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), zeros([3]))).toThrow(/it must be \[2\]/);
    expect(() => conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), null as never)).toThrow(
      "conv2d: b must be a tensor, or undefined where there is none, got null.",
    );
  });
  test("options that mean nothing", () => {
    const call = (options: Conv2dOptions) => () =>
      conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), undefined, options);
    expect(call({ stride: 0 })).toThrow(/stride must be a whole number of at least 1/);
    expect(call({ padding: -1 })).toThrow(/padding/);
    expect(call({ dilation: 1.5 })).toThrow(/dilation/);
  });
  test("a skip connection of another shape, or with options that it excludes", () => {
    const call = (options: Conv2dOptions) => () =>
      conv2d(zeros([1, 1, 4, 4]), zeros([4, 1, 3, 3]), undefined, options);
    expect(call({ skip: zeros([1, 4, 4, 4]) })).toThrow(
      /skip \[1, 4, 4, 4\] must have the result's shape \[1, 4, 2, 2\]/,
    );
    const same = zeros([1, 4, 2, 2]);
    expect(call({ skip: same, activation: "relu" })).toThrow(/activation "relu" and skip cannot be combined/);
    expect(call({ skip: same, gate: same })).toThrow(
      "skip and gate cannot be combined. Apply one of them to the result of conv2d.",
    );
    expect(call({ gate: same, shuffle: 2 })).toThrow(
      "gate cannot be combined with shuffle 2. Apply pixelShuffle to the result.",
    );
    expect(call({ gate: zeros([1, 4, 1, 1]) })).toThrow(/gate \[1, 4, 1, 1\] must have the result's shape/);
    expect(call({ skip: same, shuffle: 2 })).toThrow(
      /skip \[1, 4, 2, 2\] must have the shape of the picture that is enlarged, \[1, 1, 2, 2\]/,
    );
    expect(call({ slope: 0.1, activation: "relu" })).toThrow(/slope was given with activation "relu"/);
    expect(call({ slope: zeros([4]), activation: "leakyRelu" })).toThrow(/must be a number, got a tensor/);
    expect(call({ slope: 0.1, activation: "prelu" })).toThrow(/slope must be a tensor \[4\].*got 0.1/);
    expect(call({ slope: zeros([3]), activation: "prelu" })).toThrow(
      /slope must be a tensor \[4\].*got \[3\]/,
    );
    expect(call({ alpha: 2 })).toThrow(/without a skip/);
    expect(call({ shuffle: 3 })).toThrow(/3 \* 3 does not divide/);
  });
  test("a variant that cannot hold the window", () => {
    const x = randn([1, 1, 9, 400], { random: new Random(0), device: devices[0] });
    const w = randn([1, 1, 3, 9], { random: new Random(0), device: devices[0] });
    expect(() => conv2d(x, w, undefined, { dilation: [1, 40], variant: "2-tiled" })).toThrow(
      /workgroup memory/,
    );
    x.dispose();
    w.dispose();
  });
});
